/*
 * Whom http-get asks, and what: a URL and the options, checked, turned into an address and requests.
 */
#ifndef CMD_HTTP_HTTP_TARGET_H
#define CMD_HTTP_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cmd/http/http_options.h"
#include "cmd/http/http_route.h"
#include "proto/url.h"

struct http_target {
    char name[200]; /* for messages: "GET http://example.com/"; shortened */
    struct url url; /* its spans point into the text that it was made of, or into: */
    char *encoded;  /* the same with a host in ASCII, the target's; NULL: it was in ASCII */
    struct http_route route;
    bool foreign;      /* not the host that the user named */
    char *credentials; /* the target's own; NULL: none */
};

/* `text` is a URL, and has to outlive the target: status 2 where it is bad, or the proxy for it.
 * `origin` is what the user had asked for, where he was sent elsewhere; else NULL. */
int http_target_init(struct http_target *target, const struct http_options *options,
                     const char *text, const struct http_target *origin, struct error *err);
void http_target_release(struct http_target *target);

/* What one request asks for beside that. */
struct http_wish {
    const char *range;    /* NULL: what the options say */
    const char *if_range; /* NULL: whatever the version */
    bool persistent;      /* the connection may stay open */
};

/* The request, the caller's to free. */
char *http_target_request(const struct http_target *target, const struct http_options *options,
                          const struct http_wish *wish, size_t *length);

#endif
