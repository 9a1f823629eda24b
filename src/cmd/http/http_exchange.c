#include "cmd/http/http_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "sys/sock.h"

enum { FIRST_ROOM = 16384, SWITCHING_PROTOCOLS = 101 };

static void finish(struct http_exchange *exchange, int result)
{
    loop_unwatch(exchange->loop, &exchange->watch);
    loop_stop(exchange->loop, result);
}

/* Every line of the head, at -v. */
static void tell_head(const struct http_exchange *exchange)
{
    const char *line = exchange->bytes, *end = line + exchange->head.length;
    while (log_setting.verbosity >= LOG_LEVEL_INFO && line < end) {
        size_t length = strcspn(line, "\r\n");
        if (length)
            log_note(LOG_LEVEL_INFO, "< %.*s", (int)length, line);
        line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
    }
}

/* The answer to the request itself is still to come. */
static int skip_interim(struct http_exchange *exchange)
{
    size_t used = exchange->head.length;
    if (exchange->head.status == SWITCHING_PROTOCOLS)
        return error_set(exchange->err, STATUS_MALFORMED,
                         "%s: the server has changed to another protocol (101)", exchange->name);
    if (++exchange->interim > HTTP_INTERIM_MAX)
        return error_set(exchange->err, STATUS_MALFORMED, "%s: more than %d interim answers",
                         exchange->name, HTTP_INTERIM_MAX);
    exchange->length -= used;
    memmove(exchange->bytes, exchange->bytes + used, exchange->length);
    exchange->head = (struct http_head){.used = 0};
    return 0;
}

/* 1: the head is there; 0: more is needed. */
static int parse(struct http_exchange *exchange)
{
    struct http_head *head = &exchange->head;
    if (exchange->headless)
        return 1;
    for (;;) {
        enum http_step step = http_head_read(head, exchange->bytes, exchange->length);
        if (step == HTTP_MALFORMED)
            return error_set(exchange->err, STATUS_MALFORMED, "%s: malformed answer: %s",
                             exchange->name, head->wrong);
        if (step != HTTP_DONE)
            return 0;
        exchange->length = http_head_unfold(head, exchange->bytes, exchange->length);
        tell_head(exchange);
        if (head->status >= 200)
            return 1;
        if (skip_interim(exchange))
            return -1;
    }
}

static int no_more(struct http_exchange *exchange)
{
    if (exchange->length == 0)
        return error_set(exchange->err, STATUS_MALFORMED, "%s: empty reply%s", exchange->name,
                         exchange->interim ? " after the interim answers" : "");
    return error_set(exchange->err, STATUS_MALFORMED, "%s: the head of the answer is cut off",
                     exchange->name);
}

static int receive(struct http_exchange *exchange)
{
    if (exchange->length == exchange->room) {
        exchange->room = exchange->room ? 2 * exchange->room : FIRST_ROOM;
        exchange->bytes = memory_grow(exchange->bytes, exchange->room, 1);
    }
    ssize_t got = sock_recv(exchange->fd, exchange->bytes + exchange->length,
                            exchange->room - exchange->length);
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got < 0)
        return error_system(exchange->err, STATUS_TRANSFER, errno, "%s", exchange->name);
    if (got == 0)
        return no_more(exchange);
    if (!exchange->received)
        exchange->first_us = loop_now_us();
    exchange->length += (size_t)got;
    exchange->received += (uint64_t)got;
    return parse(exchange);
}

/* A server may answer, and close, before it has read the whole request: what it said counts, so that
 * failure to send is left for receiving to meet. After any other one (ENOBUFS, ENOMEM, EPERM) the server
 * would go on waiting for the rest, and we for it. */
static int transmit(struct http_exchange *exchange)
{
    ssize_t sent = sock_send(exchange->fd, exchange->request + exchange->sent,
                             exchange->request_length - exchange->sent);
    if (sent >= 0)
        exchange->sent += (size_t)sent;
    else if (errno == EPIPE || errno == ECONNRESET)
        exchange->request_length = exchange->sent;
    else if (errno != EAGAIN)
        return error_system(exchange->err, STATUS_TRANSFER, errno, "%s: send the request",
                            exchange->name);
    bool is_sent = exchange->sent == exchange->request_length;
    loop_watch(exchange->loop, &exchange->watch, is_sent ? EPOLLIN : EPOLLIN | EPOLLOUT);
    return 0;
}

static void ready(struct watch *watch, uint32_t events)
{
    struct http_exchange *exchange = LOOP_OWNER(watch, struct http_exchange, watch);
    if (events & ~(uint32_t)EPOLLOUT) {
        int result = receive(exchange);
        if (result) {
            finish(exchange, result < 0 ? -1 : 0);
            return;
        }
    }
    if (exchange->sent < exchange->request_length && transmit(exchange))
        finish(exchange, -1);
}

int http_exchange_run(struct http_exchange *exchange, struct error *err)
{
    exchange->err = err;
    exchange->watch = (struct watch){.fd = exchange->fd, .ready = ready};
    if (transmit(exchange)) /* most often there is room for all of it */
        return -1;
    int result = loop_run(exchange->loop);
    loop_unwatch(exchange->loop, &exchange->watch);
    return result;
}

void http_exchange_release(struct http_exchange *exchange)
{
    free(exchange->bytes);
    exchange->bytes = NULL;
}
