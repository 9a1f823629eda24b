/*
 * The connection is opened once and serves one request after the other, as long as the route stays the same and nothing
 * has come by it that nobody asked for. An exchange sends the request and reads up to the end of the head of its answer:
 * both at once, for a server may answer before it has read all. Interim answers (1xx) are dropped on the way. What has
 * come behind the head stays in the exchange's bytes, for http_body. The functions http_answer_... read in a complete
 * head what it means for the one who asked.
 */
#include "cmd/http/http_exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/connect_retry.h"
#include "proto/http_message.h"
#include "proto/http_range.h"
#include "sys/sock.h"

enum { FIRST_ROOM = 16384, SHOWN_MAX = 80 };
enum { SWITCHING_PROTOCOLS = 101, FIRST_FINAL = 200, PARTIAL = 206 };

/* Whether the connection leads to where the route does, and nothing has come by it: whatever has come meanwhile, the
 * end most likely, is no answer to what is asked next. */
static bool is_usable_for(const struct http_connection *connection, const struct http_route *route)
{
    const struct address *one = &connection->address, *other = &route->address;
    struct pollfd socket = {.fd = connection->connection.fd, .events = POLLIN};
    return connection->open && one->kind == other->kind && one->family == other->family &&
           one->abstract == other->abstract && strcasecmp(one->host, other->host) == 0 &&
           strcmp(one->port, other->port) == 0 && strcmp(one->path, other->path) == 0 &&
           connection->tunneled == route->tunneled && poll(&socket, 1, 0) == 0;
}

int http_connection_open(struct http_connection *connection, const struct http_route *route,
                         struct error *err)
{
    static const struct connect_retry_options once = {.wait_ms = -1};
    const struct dial_options how = {.timeout_ms = connection->timeout_ms};
    const struct connect_retry target = {&route->address, route->tunneled ? &route->tunnel : NULL,
                                         &once, &how, connection->idle_ms};
    if (is_usable_for(connection, route))
        return 0;
    http_connection_close(connection, REPORT_EOF);
    if (connect_with_retry(connection->loop, &target, &connection->connection, err))
        return -1;
    char local[SOCKNAME_TEXT_MAX];
    const struct connection *dialed = &connection->connection;
    connection->open = true;
    connection->served = 0;
    connection->in = connection->out = 0;
    connection->address = route->address;
    connection->tunneled = route->tunneled;
    connection->log = (struct connection_log){.fd = dialed->fd};
    connection_log_open(&connection->log, dialed->fd, &dialed->peer);
    report_connected(connection->log.peer, sockname_text(&dialed->local, local));
    return 0;
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

/* Looks at what has come; interim answers are dropped. Returns 1 when the head is there, 0 when more is needed. */
static int parse_head(struct http_exchange *exchange)
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
    int result = events & ~(uint32_t)EPOLLOUT ? receive_answer(exchange) : 0;
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

static int shown_length(size_t length)
{
    return (int)(length < SHOWN_MAX ? length : SHOWN_MAX);
}

static const char *find_field(const struct http_exchange *exchange, const char *name,
                              size_t *length)
{
    *length = 0;
    return http_head_field(&exchange->head, exchange->bytes, name, length);
}

/* Whether the number is in a list that ends with 0. */
static bool is_one_of(const int *list, int number)
{
    while (*list && *list != number)
        list++;
    return *list;
}

int http_answer_refuse(const struct http_exchange *exchange, struct error *err)
{
    size_t length;
    const char *status = http_head_status(&exchange->head, exchange->bytes, &length);
    return error_set(err, STATUS_REFUSED, "%s: %.*s", exchange->name, shown_length(length), status);
}

int http_answer_unasked(const struct http_exchange *exchange, struct error *err)
{
    size_t length;
    const char *status = http_head_status(&exchange->head, exchange->bytes, &length);
    return error_set(err, STATUS_MALFORMED, "%s: %.*s, which was not asked for", exchange->name,
                     shown_length(length), status);
}

bool http_answer_may_pass(const struct http_exchange *exchange)
{
    static const int passing[] = {408, 429, 500, 502, 503, 504, 0};
    return is_one_of(passing, exchange->head.status);
}

int64_t http_answer_retry_after_ms(const struct http_exchange *exchange)
{
    enum { A_DAY_S = 86400 };
    uint64_t seconds;
    size_t length;
    const char *value = find_field(exchange, "Retry-After", &length);
    if (!value || !http_number(value, length, &seconds))
        return 0;
    return (int64_t)(seconds < A_DAY_S ? seconds : A_DAY_S) * 1000;
}

int http_answer_location(const struct http_exchange *exchange, const struct url *base,
                         char **location, struct error *err)
{
    static const int redirects[] = {301, 302, 303, 307, 308, 0};
    const char *wrong = NULL;
    size_t length, other_length = 0;
    struct url url = {.unix_socket = false};
    *location = NULL;
    if (!is_one_of(redirects, exchange->head.status))
        return 0;
    const char *found = find_field(exchange, "Location", &length), *other = found;
    /* Of two that say the same, one is enough. */
    while (other && (other = http_head_next(&exchange->head, exchange->bytes, "Location", other,
                                            &other_length)))
        if (other_length != length || memcmp(other, found, length) != 0)
            return error_set(err, STATUS_MALFORMED, "%s: malformed answer: two different Locations",
                             exchange->name);
    if (!found)
        return 0;
    if (!length)
        return error_set(err, STATUS_MALFORMED, "%s: malformed answer: a Location without a value",
                         exchange->name);
    char *text = url_refer(base, found, length, &wrong);
    if (text)
        wrong = url_parse(&url, text);
    if (!wrong && url.unix_socket && !base->unix_socket)
        wrong = "is a UNIX socket";
    if (!wrong) {
        *location = text;
        return 0;
    }
    free(text);
    const char *at_sign = memrchr(found, '@', length);
    size_t hidden = at_sign ? (size_t)(at_sign - found) : 0;
    return error_set(err, STATUS_REFUSED, "%s: redirected to '%.*s', which %s", exchange->name,
                     shown_length(length - hidden), found + hidden, wrong);
}

void http_answer_validator(const struct http_exchange *exchange, char *out, size_t room)
{
    size_t length;
    const char *value = find_field(exchange, "ETag", &length);
    if (value && (length < 2 || *value != '"'))
        length = 0; /* a weak one, or none at all */
    if (!value)
        value = find_field(exchange, "Last-Modified", &length);
    if (!value || length >= room || memchr(value, '\0', length))
        length = 0;
    memcpy(out, value ? value : "", length);
    out[length] = '\0';
}

/* Of a 206: NULL, or what is wrong. */
static const char *read_range(const struct http_exchange *exchange, struct http_range *range)
{
    static const char several[] = "multipart/byteranges";
    size_t length;
    const char *value = find_field(exchange, "Content-Range", &length);
    const char *type = value ? NULL : find_field(exchange, "Content-Type", &length);
    if (type && length >= strlen(several) && strncasecmp(type, several, strlen(several)) == 0)
        return "it is in several parts (multipart/byteranges)";
    if (!value || !http_range_read(range, value, length) || !range->is_part)
        return "there is no valid Content-Range";
    if (exchange->head.has_length &&
        exchange->head.content_length != range->last - range->first + 1)
        return "its length and its range differ";
    return NULL;
}

int http_answer_check_rest(const struct http_exchange *exchange, const struct http_present *present,
                           uint64_t *length, struct error *err)
{
    struct http_range range;
    const char *validator = present->validator, *wrong = read_range(exchange, &range);
    bool is_tag = *validator == '"';
    size_t now_length;
    const char *now = find_field(exchange, is_tag ? "ETag" : "Last-Modified", &now_length);
    if (now && is_tag && now_length > 2 && memcmp(now, "W/", 2) == 0) {
        now += 2;
        now_length -= 2;
    }
    /* An answer that does not say its version is believed to have looked at If-Range. */
    bool is_other = *validator && now &&
                    (now_length != strlen(validator) || memcmp(now, validator, now_length) != 0);
    if (!wrong &&
        (is_other || (present->total && range.has_total && range.total != present->total)))
        wrong = "the file has changed";
    if (!wrong && range.first != present->bytes)
        wrong = "it starts at another byte";
    if (!wrong && range.has_total && range.last + 1 != range.total)
        wrong = "it does not go on to the end";
    if (wrong)
        return error_set(err, STATUS_MALFORMED, "%s: the rest cannot be added: %s", exchange->name,
                         wrong);
    *length = range.last - range.first + 1;
    return 0;
}

int http_answer_check_range(const struct http_exchange *exchange, const char *wish,
                            uint64_t *length, struct error *err)
{
    struct http_range range;
    if (!wish)
        return http_answer_unasked(exchange, err);
    const char *wrong = read_range(exchange, &range);
    if (wrong)
        return error_set(err, STATUS_MALFORMED, "%s: this is not the range asked for: %s",
                         exchange->name, wrong);
    if (!http_range_grants(&range, wish))
        return error_set(err, STATUS_MALFORMED,
                         "%s: this is not the range asked for (%.60s): bytes %" PRIu64 "-%" PRIu64,
                         exchange->name, wish, range.first, range.last);
    *length = range.last - range.first + 1;
    return 0;
}

bool http_answer_is_whole(const struct http_exchange *exchange, uint64_t there, bool presumed)
{
    struct http_range range;
    size_t length;
    const char *value = find_field(exchange, "Content-Range", &length);
    if (!value)
        return presumed;
    return http_range_read(&range, value, length) && !range.is_part && range.total == there;
}

void http_answer_warn(const struct http_exchange *exchange, bool range)
{
    size_t length;
    const char *coding = find_field(exchange, "Content-Encoding", &length);
    if (coding && !(length == 8 && strncasecmp(coding, "identity", length) == 0))
        report_warning("%s: the body is encoded (%.*s) and stays as it is", exchange->name,
                       shown_length(length), coding);
    if (range && exchange->head.status != PARTIAL)
        report_warning("%s: the server ignores the range", exchange->name);
}
