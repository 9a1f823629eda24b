/*
 * The body of an answer on its way to an output.
 */
#ifndef CMD_HTTP_HTTP_BODY_H
#define CMD_HTTP_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/http/http_exchange.h"
#include "proto/http_message.h"
#include "stream/body.h"
#include "sys/fd.h"
#include "sys/idle_limit.h"
#include "sys/loop.h"

/* A body; the owner sets what comes before `framed`, the rest is 0. */
struct http_body {
    struct loop *loop;
    const struct http_exchange *exchange; /* done */
    const char *name;                     /* for errors */
    const char *out_name;                 /* the same; NULL: stdout */
    struct fd out;
    enum http_body_kind kind;
    bool by_program;   /* the connection is a program's: it comes in crumbs */
    bool head_shown;   /* goes before the body */
    struct tap *tap;   /* looks at the body, the head included; may be NULL */
    struct pace *pace; /* may be NULL */
    struct pump_pool *pool;
    struct idle_limit *idle; /* is told what has moved */
    struct body framed;
    bool begun;
    struct http_chunks chunks;
};

/* http_body_init prepares the pump. http_body_release follows, whatever comes of it. */
void http_body_init(struct http_body *body);

/* http_body_run runs the loop until the body is written, and returns 0. It fails with status 1 where the connection
 * fails, 7 where the body ends early or is malformed, 8 where it cannot be written (silently where nobody reads
 * stdout any more). When somebody else stops the loop it returns -1, with *err as it was. */
int http_body_run(struct http_body *body, struct error *err);

/* http_body_written returns how many bytes of the body, without the head, have been written. */
uint64_t http_body_written(const struct http_body *body);

/* http_body_was_cut says whether the body ended early, or by a failure of the connection. */
bool http_body_was_cut(const struct http_body *body);

/* http_body_release frees what the pump holds. */
void http_body_release(struct http_body *body);

/* http_body_is_here says whether all of the body has come with the head, and nothing else: then nobody has to read
 * it. */
bool http_body_is_here(const struct http_exchange *exchange, enum http_body_kind kind);

#endif
