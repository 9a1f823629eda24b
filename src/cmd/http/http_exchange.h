/*
 * One request over a connection, and the head of its answer.
 */
#ifndef CMD_HTTP_HTTP_EXCHANGE_H
#define CMD_HTTP_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proto/http_message.h"
#include "sys/idle_limit.h"
#include "sys/loop.h"

/* A request and its answer. */
struct http_exchange {
    struct loop *loop;
    int fd;                  /* the owner's, non-blocking */
    const char *name;        /* for errors, the owner's: "GET http://example.com/" */
    struct idle_limit *idle; /* the owner's: it is told what has moved */
    const char *request;     /* the owner's */
    size_t request_length;
    bool headless;         /* HTTP/0.9: the answer is all body, done with its first byte */
    size_t sent;           /* bytes of the request */
    struct http_head head; /* of the answer */
    char *bytes;           /* the head, then what else has come; the exchange's */
    size_t length;
    size_t room;
    unsigned interim;  /* answers skipped */
    uint64_t received; /* bytes, those included */
    int64_t first_us;  /* loop_now_us when the first of them came */
    struct watch watch;
    struct error *err;
};

/* http_exchange_run sends the request and runs the loop until the head of the answer is complete; interim answers
 * (1xx) are skipped. The owner sets loop, fd, name, idle, request and headless, the rest is 0. It fails with status 1
 * where the connection fails, 7 where the answer is no HTTP/1, cut off or malformed. When somebody else stops the
 * loop it returns -1, with *err as it was. */
int http_exchange_run(struct http_exchange *exchange, struct error *err);

/* http_exchange_release frees the bytes. It may be called twice. */
void http_exchange_release(struct http_exchange *exchange);

#endif
