/*
 * An exchange sends the request and reads up to the end of the head of its answer: both at once, for a server may
 * answer before it has read all. Interim answers (1xx) are dropped on the way. What has come behind the head stays in
 * the exchange's bytes, for http_body.
 */
#include "cmd/http/http_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "proto/http_message.h"
#include "sys/sock.h"

enum { FIRST_ROOM = 16384 };
enum { SWITCHING_PROTOCOLS = 101, FIRST_FINAL = 200 };

/* Logs every line of the head, at -v. */
static void log_head(const struct http_exchange *exchange)
{
    const char *line = exchange->bytes, *end = line + exchange->head.length;
    while (log_setting.verbosity >= LOG_LEVEL_INFO && line < end) {
        size_t length = strcspn(line, "\r\n");
        if (length)
            log_note(LOG_LEVEL_INFO, "< %.*s", (int)length, line);
        line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
    }
}

/* What is not HTTP at all, as a mail server's greeting or the page that a lab server sends without a head, is quoted. */
static int fail_by_malformed_head(const struct http_exchange *exchange)
{
    static const char protocol[] = {'H', 'T', 'T', 'P', '/'};
    enum { QUOTED_MAX = 40 };
    const char *bytes = exchange->bytes;
    const size_t some = exchange->length < sizeof protocol ? exchange->length : sizeof protocol;
    size_t quoted = 0;
    error_set(exchange->err, STATUS_MALFORMED, "%s: malformed answer: %s", exchange->name,
              exchange->head.wrong);
    if (memcmp(bytes, protocol, some) == 0)
        return -1;
    while (quoted < exchange->length && quoted < QUOTED_MAX && bytes[quoted] &&
           bytes[quoted] != '\r' && bytes[quoted] != '\n')
        quoted++;
    if (!quoted)
        return error_add(exchange->err, " (--http0.9 prints what comes)");
    return error_add(exchange->err, "; it begins \"%.*s\" (--http0.9 prints it)", (int)quoted,
                     bytes);
}

/* Looks at what has come; interim answers are dropped. Returns 1 when the head is there, 0 when more is needed. */
static int parse_head(struct http_exchange *exchange)
{
    struct http_head *head = &exchange->head;
    if (exchange->headless)
        return 1;
    for (;;) {
        enum http_step step = http_head_read(head, exchange->bytes, exchange->length);
        if (step == HTTP_MALFORMED)
            return fail_by_malformed_head(exchange);
        if (step != HTTP_DONE)
            return 0;
        exchange->length = http_head_unfold(head, exchange->bytes, exchange->length);
        log_head(exchange);
        if (head->status >= FIRST_FINAL)
            return 1;
        if (head->status == SWITCHING_PROTOCOLS)
            return error_set(exchange->err, STATUS_MALFORMED,
                             "%s: the server has changed to another protocol (101)",
                             exchange->name);
        if (++exchange->interim > HTTP_INTERIM_MAX)
            return error_set(exchange->err, STATUS_MALFORMED, "%s: more than %d interim answers",
                             exchange->name, HTTP_INTERIM_MAX);
        exchange->length -= head->length;
        memmove(exchange->bytes, exchange->bytes + head->length, exchange->length);
        *head = (struct http_head){.used = 0};
    }
}

/* Reads once. Returns what parse_head does. */
static int receive_answer(struct http_exchange *exchange)
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
    if (got == 0 && exchange->length == 0)
        return error_set(exchange->err, STATUS_MALFORMED, "%s: empty reply%s", exchange->name,
                         exchange->interim ? " after the interim answers" : "");
    if (got == 0)
        return error_set(exchange->err, STATUS_MALFORMED, "%s: the head of the answer is cut off",
                         exchange->name);
    if (!exchange->received)
        exchange->first_us = loop_now_us();
    exchange->length += (size_t)got;
    exchange->received += (uint64_t)got;
    idle_limit_moved(exchange->idle);
    return parse_head(exchange);
}

/* Sends once. A server may answer, and close, before it has read the whole request: what it said counts, so that
 * such a failure to send is left for receiving to meet. After any other one (ENOBUFS, ENOMEM, EPERM) the server would
 * go on waiting for the rest, and we for it. */
static int send_request(struct http_exchange *exchange)
{
    /* Fields can be secrets, and -v shows them in its own way. */
    const size_t left = exchange->request_length - exchange->sent;
    ssize_t sent = sock_send_private(exchange->fd, exchange->request + exchange->sent, left,
                                     exchange->sent ? 0 : strcspn(exchange->request, "\r\n"));
    if (sent >= 0) {
        exchange->sent += (size_t)sent;
        idle_limit_moved(exchange->idle);
    } else if (errno == EPIPE || errno == ECONNRESET)
        exchange->request_length = exchange->sent;
    else if (errno != EAGAIN)
        return error_system(exchange->err, STATUS_TRANSFER, errno, "%s: send the request",
                            exchange->name);
    bool is_sent = exchange->sent == exchange->request_length;
    loop_watch(exchange->loop, &exchange->watch, is_sent ? EPOLLIN : EPOLLIN | EPOLLOUT);
    return 0;
}

static void exchange_ready(struct watch *watch, uint32_t events)
{
    struct http_exchange *exchange = LOOP_OWNER(watch, struct http_exchange, watch);
    int result = (events & ~(uint32_t)EPOLLOUT) ? receive_answer(exchange) : 0;
    if (!result && exchange->sent < exchange->request_length)
        result = send_request(exchange);
    if (!result)
        return;
    loop_unwatch(exchange->loop, &exchange->watch);
    loop_stop(exchange->loop, result < 0 ? -1 : 0);
}

int http_exchange_run(struct http_exchange *exchange, struct error *err)
{
    exchange->err = err;
    exchange->watch = (struct watch){.fd = exchange->fd, .ready = exchange_ready};
    if (send_request(exchange)) /* most often there is room for all of it */
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
