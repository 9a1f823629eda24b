/*
 * The connection to a server, one request over it, and the head of the answer with what it means.
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
#include "proto/url.h"
#include "sys/idle_limit.h"
#include "sys/loop.h"

/* The owner sets loop and the two limits, the rest is 0. The connection is kept from one request to the next. */
struct http_connection {
    struct loop *loop;
    int64_t timeout_ms; /* for each connection; -1: no limit */
    int64_t idle_ms;    /* what a SOCKS proxy may be silent for; likewise */
    bool open;
    unsigned served; /* answers that have come by it */
    uint64_t in;     /* bytes, for the log record at the end */
    uint64_t out;
    struct connection connection;
    struct address address;
    bool tunneled; /* through a SOCKS proxy */
    struct connection_log log;
};

/* Connects to where the route leads, unless it is connected to it already and has received nothing since
 * the last answer. It fails as connect_with_retry does. */
int http_connection_open(struct http_connection *connection, const struct http_route *route,
                         struct error *err);
/* Closes the connection, if it is open; the log record says that it ended by `how`. */
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

/* The owner sets loop, fd, name, idle, request and headless, the rest is 0. Runs the loop until the head is
 * complete; interim answers (1xx) are skipped. Status 1 when the connection fails, 7 when the
 * answer is no HTTP/1, cut off or malformed. When somebody else stops the loop: -1, and *err is
 * left as it was. */
int http_exchange_run(struct http_exchange *exchange, struct error *err);

/* Frees the bytes. It may be called twice. */
void http_exchange_release(struct http_exchange *exchange);

/* The functions below judge the head of an exchange that is done. Their errors begin with its name. */

/* Fails with status 6 and what the server says: "404 Not Found". */
int http_answer_refuse(const struct http_exchange *exchange, struct error *err);
/* Fails with status 7: "304 Not Modified, which was not asked for". */
int http_answer_unasked(const struct http_exchange *exchange, struct error *err);
/* Whether a refusal may pass: the server is busy, or somebody on the way to it. */
bool http_answer_may_pass(const struct http_exchange *exchange);
/* The pause that the server asks for before the next try (Retry-After), at most a day; 0: none. */
int64_t http_answer_retry_after_ms(const struct http_exchange *exchange);

/* Where a redirect leads: a URL in *location, the caller's to free; NULL: it is none. Status 6 where
 * that is no place to go to, 7 where there are two, or an empty one. */
int http_answer_location(const struct http_exchange *exchange, const struct url *base,
                         char **location, struct error *err);

/* Writes a strong validator for If-Range (RFC 9110, 13.1.5) into `out`, of `room` bytes: empty where there is none. */
void http_answer_validator(const struct http_exchange *exchange, char *out, size_t room);
/* What is there of a body already. */
struct http_present {
    uint64_t bytes;        /* its first ones */
    uint64_t total;        /* of the whole; 0: not known */
    const char *validator; /* perhaps empty */
};
/* Checks that a 206 has just what follows these bytes, up to the end, and is of the same version. *length is
 * how many bytes that is. Else status 7. */
int http_answer_check_rest(const struct http_exchange *exchange, const struct http_present *present,
                           uint64_t *length, struct error *err);
/* Checks that a 206 has just what `wish` ("0-99", NULL: no range was asked for), one range, asks for, as far
 * as the whole goes. *length is how many bytes that is. Else status 7. */
int http_answer_check_range(const struct http_exchange *exchange, const char *wish,
                            uint64_t *length, struct error *err);
/* Whether a 416 says that there are no more bytes than these. `presumed`: of one that does not say how many there are. */
bool http_answer_is_whole(const struct http_exchange *exchange, uint64_t there, bool presumed);

/* Warns of what the user might not expect of the body; `range`: one was asked for. */
void http_answer_warn(const struct http_exchange *exchange, bool range);

#endif
