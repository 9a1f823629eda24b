/*
 * The text of an HTTP request (RFC 9112, 3). Pure.
 */
#ifndef PROTO_HTTP_REQUEST_H
#define PROTO_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/url.h"

enum http_version { HTTP_11, HTTP_10, HTTP_09 /* the method and the target, nothing else */ };

struct http_request {
    const char *method;
    const struct url *url;
    enum http_version version;
    bool absolute;   /* the whole URL is the target: for a proxy */
    bool persistent; /* the connection may stay open: HTTP/1.1 alone */
    bool foreign; /* not the host that the user named: no credentials, no cookie, no Host of his */
    /* Each of these may be NULL: then it is not sent. */
    const char *user_agent;
    const char *referer;
    const char *range;       /* "0-99" */
    const char *if_range;    /* only of this version, else everything */
    const char *credentials; /* "NAME:PASS" */
    const char *proxy_credentials;
    /* What is sent as one Cookie, joined by "; ". */
    const char *const *cookies;
    size_t cookie_count;
    /* What the user adds: "Name: value" (instead of ours, if we have one), "Name:" (leaves ours
     * out), "Name;" (without a value). Checked by http_request_check_field. Of several Hosts, the first
     * one that has a value is sent; Proxy-Authorization, to a proxy alone. */
    const char *const *fields;
    size_t field_count;
};

/* Returns the length of the name that a field as the user gave it begins with: the rest may be a secret. */
size_t http_request_name_length(const char *field);

/* Returns NULL, or what is wrong with a field as the user gave it, as words that follow it. */
const char *http_request_check_field(const char *field);

/* Returns NULL, or what is wrong with the value of a field, as words that follow it. */
const char *http_request_check_value(const char *value);

/* Returns the first value that the user's fields have for `name`; NULL: none of them has one. */
const char *http_request_users_value(const char *const *fields, size_t count, const char *name);

/* Returns the request, *length bytes, which is the caller's to free. */
char *http_request_text(const struct http_request *request, size_t *length);

/* Returns a line of a request as it may be shown: "Authorization: ..." instead of what follows it, and the same of
 * Proxy-Authorization. *length is the line's, and then that of what is returned. */
const char *http_request_redacted(const char *line, size_t *length);

#endif
