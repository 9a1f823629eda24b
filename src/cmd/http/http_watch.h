/*
 * What ends a transfer from outside: nothing moves any more, or nobody reads stdout.
 */
#ifndef CMD_HTTP_HTTP_WATCH_H
#define CMD_HTTP_HTTP_WATCH_H

#include <stdint.h>

#include "base/error.h"
#include "cmd/http/http_body.h"
#include "cmd/http/http_exchange.h"
#include "sys/fd.h"
#include "sys/loop.h"

/* Start with {0} and what comes before `timer`. */
struct http_watch {
    struct loop *loop;
    int64_t idle_ms; /* -1: no limit */
    const struct http_exchange *exchange;
    struct fd reader; /* stdout, where the body goes to it; else fd -1 */
    struct error *err;
    struct timer timer;
    struct watch hang_up;
    const struct http_body *body;
    uint64_t seen;    /* how much had moved when it was last looked at */
    int64_t moved_ms; /* when something had moved */
};

/* From now on a reader that goes away stops the loop: status 8 without a message. */
void http_watch_start(struct http_watch *watch);
/* From now on idle_ms without anything having moved does: status 5. */
void http_watch_idle(struct http_watch *watch);
/* No longer. */
void http_watch_rest(struct http_watch *watch);
/* This body is on its way, and looks after its reader by itself; NULL: none is. */
void http_watch_body(struct http_watch *watch, const struct http_body *body);
void http_watch_stop(struct http_watch *watch);

#endif
