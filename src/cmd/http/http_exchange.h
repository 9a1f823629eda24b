/*
 * One HTTP request, and the head of its answer, over a connected socket.
 */
#ifndef CMD_HTTP_HTTP_EXCHANGE_H
#define CMD_HTTP_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proto/http_head.h"
#include "sys/loop.h"

struct http_exchange {
    struct loop *loop;
    int fd;              /* the owner's, non-blocking */
    const char *name;    /* for errors, the owner's: "GET http://example.com/" */
    const char *request; /* the owner's */
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

/* The owner sets loop, fd, name, request and headless, the rest is 0. Runs the loop until the head is
 * complete; interim answers (1xx) are skipped. Status 1 when the connection fails, 7 when the
 * answer is no HTTP/1, cut off or malformed. When somebody else stops the loop: -1, and *err is
 * left as it was. */
int http_exchange_run(struct http_exchange *exchange, struct error *err);
void http_exchange_release(struct http_exchange *exchange);

#endif
