/*
 * The connection to a server, one request over it, and the head of the answer.
 */
#ifndef CMD_HTTP_HTTP_EXCHANGE_H
#define CMD_HTTP_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/common/connection_log.h"
#include "cmd/http/http_target.h"
#include "net/dial.h"
#include "proto/http_message.h"
#include "sys/idle_limit.h"
#include "sys/loop.h"

/* The owner sets loop and the two limits, the rest is 0. The connection is kept from one request to the next. */
struct http_connection {
    struct loop *loop;
    int64_t timeout_ms; /* for each connection; -1: no limit */
    int64_t idle_ms;    /* what a SOCKS proxy may be silent for; likewise */
    struct via *
        via; /* what makes the connections to https, or, where it has a command, all; the owner's */
    bool open;
    unsigned served; /* answers that have come by it */
    uint64_t in;     /* bytes, for the log record at the end */
    uint64_t out;
    struct connection connection;
    struct address address;
    bool tunneled;                   /* through a SOCKS proxy */
    char tls_name[URL_HOST_MAX + 1]; /* as in struct http_route */
    struct connection_log log;
};

/* http_connection_open connects to where the route leads, unless it is connected to it already and has received
 * nothing since the last answer. It fails as connect_with_retry does. */
int http_connection_open(struct http_connection *connection, const struct http_route *route,
                         struct error *err);

/* http_connection_fail closes the connection, if it is open, after what it brought has come to `result`; a program that
 * made it may be why. `received`: it had brought something. Returns -1, or `result`: see via_end. */
int http_connection_fail(struct http_connection *connection, bool received, int result,
                         struct error *err);

/* http_connection_close closes the connection, if it is open; the log record says that it ended by `how`. */
void http_connection_close(struct http_connection *connection, enum report_how how);

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
