/*
 * The connection is opened once and serves one request after the other, as long as the route stays the same and
 * nothing has come by it that nobody asked for. An exchange sends the request and reads up to the end of the head of
 * its answer: both at once, for a server may answer before it has read all. Interim answers (1xx) are dropped on the
 * way. What has come behind the head stays in the exchange's bytes, for http_body.
 */
#include "cmd/http/http_exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/connect_retry.h"
#include "proto/http_message.h"
#include "sys/sock.h"

enum { FIRST_ROOM = 16384 };
enum { SWITCHING_PROTOCOLS = 101, FIRST_FINAL = 200 };

/* Whether the connection leads to where the route does, and nothing has come by it: whatever has come meanwhile, the
 * end most likely, is no answer to what is asked next. */
static bool is_usable_for(const struct http_connection *connection, const struct http_route *route)
{
    const struct address *one = &connection->address, *other = &route->address;
    struct pollfd socket = {.fd = connection->connection.fd, .events = POLLIN};
    return connection->open && one->kind == other->kind && one->family == other->family &&
           one->abstract == other->abstract && strcasecmp(one->host, other->host) == 0 &&
           strcmp(one->port, other->port) == 0 && strcmp(one->path, other->path) == 0 &&
           connection->tunneled == route->tunneled &&
           strcasecmp(connection->tls_name, route->tls_name) == 0 && poll(&socket, 1, 0) == 0;
}

int http_connection_open(struct http_connection *connection, const struct http_route *route,
                         struct error *err)
{
    static const struct connect_retry_options once = {.wait_ms = -1};
    struct via *via = connection->via;
    const struct dial_options how = {.timeout_ms = connection->timeout_ms,
                                     .via = via->command || *route->tls_name ? via : NULL};
    const struct connect_retry target = {&route->address, route->tunneled ? &route->tunnel : NULL,
                                         &once, &how, connection->idle_ms};
    if (is_usable_for(connection, route))
        return 0;
    http_connection_close(connection, REPORT_EOF);
    via->name = *route->tls_name ? route->tls_name : NULL;
    if (how.via && via_check(via, &route->address, err))
        return -1;
    if (connect_with_retry(connection->loop, &target, &connection->connection, err))
        return -1;
    char local[SOCKNAME_TEXT_MAX];
    const struct connection *dialed = &connection->connection;
    connection->open = true;
    connection->served = 0;
    connection->in = connection->out = 0;
    connection->address = route->address;
    connection->tunneled = route->tunneled;
    stpcpy(connection->tls_name, route->tls_name);
    connection->log = (struct connection_log){.fd = dialed->fd};
    connection_log_open(&connection->log, dialed->fd, &dialed->peer);
    report_connected(connection->log.peer, sockname_text(&dialed->local, local));
    return 0;
}

int http_connection_fail(struct http_connection *connection, bool received, int result,
                         struct error *err)
{
    if (!connection->open)
        return result;
    connection->open = false;
    result = connection_end(&connection->connection, received, result, err);
    connection_log_close(&connection->log,
                         (struct report_end){.in = connection->in,
                                             .out = connection->out,
                                             .how = connection_log_how(result, err)});
    return result;
}

void http_connection_close(struct http_connection *connection, enum report_how how)
{
    if (!connection->open)
        return;
    connection->open = false;
    connection_log_close(&connection->log, (struct report_end){.in = connection->in,
                                                               .out = connection->out,
                                                               .how = how});
    connection_close(&connection->connection);
}

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
    ssize_t sent = sock_send(exchange->fd, exchange->request + exchange->sent,
                             exchange->request_length - exchange->sent);
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
