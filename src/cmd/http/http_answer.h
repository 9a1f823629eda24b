/*
 * What the head of an answer says to what was asked. Errors begin with the name of the exchange.
 */
#ifndef CMD_HTTP_HTTP_ANSWER_H
#define CMD_HTTP_HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/http/http_exchange.h"
#include "proto/url.h"

/* 400 and above. */
bool http_answer_is_refusal(const struct http_exchange *exchange);
/* Status 6: "404 Not Found". */
int http_answer_refuse(const struct http_exchange *exchange, struct error *err);
/* Status 7: "304 Not Modified, which was not asked for". */
int http_answer_unasked(const struct http_exchange *exchange, struct error *err);
/* A refusal that may pass: the server is busy, or somebody on the way to it. */
bool http_answer_may_pass(const struct http_exchange *exchange);
/* What it asks for before the next try; 0: nothing. */
int64_t http_answer_retry_after_ms(const struct http_exchange *exchange);

/* Where a redirect leads: a URL in *location, the caller's to free; NULL: it is none. Status 6 where
 * that is no place to go to, 7 where there are two, or an empty one. */
int http_answer_location(const struct http_exchange *exchange, const struct url *base,
                         char **location, struct error *err);

/* A strong validator for If-Range (RFC 9110, 13.1.5) into `out`, empty where there is none. */
void http_answer_validator(const struct http_exchange *exchange, char *out, size_t room);
/* What is there of a body. */
struct http_present {
    uint64_t bytes;        /* its first ones */
    uint64_t total;        /* of the whole; 0: not known */
    const char *validator; /* perhaps empty */
};
/* Of a 206: it has just what follows these bytes, up to the end, and is of the same version. *length is
 * how many bytes that is. Else status 7. */
int http_answer_check_rest(const struct http_exchange *exchange, const struct http_present *present,
                           uint64_t *length, struct error *err);
/* Of a 206: it has just what `wish` ("0-99", NULL: no range was asked for), one range, asks for, as far
 * as the whole goes. *length is how many bytes that is. Else status 7. */
int http_answer_check_range(const struct http_exchange *exchange, const char *wish,
                            uint64_t *length, struct error *err);
/* Of a 416: there are no more than these. `presumed`: of one that does not say how many there are. */
bool http_answer_is_whole(const struct http_exchange *exchange, uint64_t there, bool presumed);

/* What the user might not expect of the body; `range`: he had asked for one. */
void http_answer_warn(const struct http_exchange *exchange, bool range);

#endif
