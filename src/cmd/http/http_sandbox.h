/*
 * What http-get gives up: see sys/sandbox.h. Where nothing but the request that is under way is left to do, that is all but
 * its connection and its output; where there may be another, what it takes to connect stays. A program (openssl(1), or
 * --via) that is yet to be started would be bound, so that it is waited for until none can be needed any more: a redirect
 * may lead to https, and the head of the last answer says that it does not.
 */
#ifndef CMD_HTTP_HTTP_SANDBOX_H
#define CMD_HTTP_HTTP_SANDBOX_H

#include <stdbool.h>

#include "cmd/http/http_connection.h"
#include "cmd/http/http_options.h"
#include "cmd/http/http_target.h"

/* The owner sets the first three; the rest is 0. */
struct http_sandbox {
    const struct http_options *options;
    const char *const *urls; /* NULL-terminated */
    bool is_off;             /* --no-sandbox; later, that there is nothing more to do */
    bool has_tls;            /* some URL is https */
    bool has_names;          /* some server, or the proxy, is to be looked up */
};

/* What is being done when it is to be entered. */
struct http_sandbox_moment {
    const struct http_connection *connection; /* which is up */
    bool is_last;                             /* no URL follows */
    bool is_final; /* the head of the answer has come: it leads nowhere */
};

/* http_sandbox_look_at takes note of one of the URLs. */
void http_sandbox_look_at(struct http_sandbox *sandbox, const struct http_target *target);

/* http_sandbox_enter gives up what will not be needed, or leaves that to a later moment. */
void http_sandbox_enter(struct http_sandbox *sandbox, const struct http_sandbox_moment *moment);

#endif
