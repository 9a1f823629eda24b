/*
 * What http-get asks, and whom: a URL and the options, checked and turned into a request.
 */
#ifndef CMD_HTTP_TARGET_H
#define CMD_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/opt.h"
#include "cmd/shared.h"
#include "net/address.h"

struct http_target_options {
    struct family_options family;
    bool head; /* HEAD: the head alone */
    bool http10;
    bool http09;
    const char *user_agent; /* empty: not sent */
    const char *referer;
    const char *user;
    const char *cookie;
    const char *range;
    const char *unix_path;
    struct opt_list fields;
};

struct http_target {
    char name[200];         /* for messages: "GET http://example.com/"; shortened */
    struct address address; /* whom to connect to */
    char *request;          /* the target's own */
    size_t request_length;
};

/* Status 2 where the options are bad. */
int http_target_check(const struct http_target_options *options, struct error *err);

/* `text` is a URL: status 2 where it is bad. */
int http_target_init(struct http_target *target, const struct http_target_options *options,
                     const char *text, struct error *err);
void http_target_release(struct http_target *target);

#endif
