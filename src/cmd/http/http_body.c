/*
 * The body is a stream whose framing is the one that the head names (a length, chunks, or none until the connection
 * ends): stream/body moves the data, and asks next_segment here what comes next. While a request is under way,
 * an http_watch looks at what may end it from outside: a timer that counts the bytes that have moved, and a watch on
 * the pipe that stdout is, while no body that would notice goes there. Both fill the error and stop the loop.
 */
#include "cmd/http/http_body.h"

#include <errno.h>
#include <inttypes.h>

#include "base/units.h"

enum { LONG_BODY = 2 * PUMP_BUFFER };

static enum body_next next_segment(void *context, const char *bytes, size_t length, size_t *used,
                                   uint64_t *data)
{
    struct http_body *body = context;
    if (body->kind != HTTP_BODY_CHUNKED) {
        if (body->kind == HTTP_BODY_NONE || body->begun)
            return BODY_END;
        body->begun = true;
        *data = body->kind == HTTP_BODY_LENGTH ? body->exchange->head.content_length : UINT64_MAX;
        return BODY_DATA;
    }
    switch (http_chunks_read(&body->chunks, bytes, length, used)) {
    case HTTP_DATA:
        *data = body->chunks.size;
        return BODY_DATA;
    case HTTP_DONE:
        return BODY_END;
    case HTTP_MALFORMED:
        return BODY_WRONG;
    case HTTP_MORE:
    case HTTP_FIELD:
    case HTTP_FOLD:
        break;
    }
    return BODY_MORE;
}

void http_body_init(struct http_body *body)
{
    const struct http_exchange *exchange = body->exchange;
    size_t start = body->head_shown ? 0 : exchange->head.length;
    body->framed = (struct body){
        .loop = body->loop,
        .bytes = exchange->bytes,
        .room = exchange->room,
        .start = start,
        .length = exchange->length - start,
        .data = exchange->head.length - start,
        .next = next_segment,
        .context = body,
    };
    struct pump *pump = &body->framed.pump;
    pump_init(pump, fd_of_socket(exchange->fd), body->out, body->pool);
    if (body->filter)
        pump_filter(pump, body->filter);
    if (body->pace)
        pump_pace(pump, body->pace);
    if (body->kind == HTTP_BODY_LENGTH && exchange->head.content_length > LONG_BODY)
        pump_expect_stream(pump);
}

static int report_cut(const struct http_body *body, struct error *err)
{
    uint64_t missing = body->framed.missing;
    if (body->kind == HTTP_BODY_LENGTH)
        return error_set(err, STATUS_MALFORMED,
                         "%s: the body ended early: %" PRIu64 " of %" PRIu64 " bytes are missing",
                         body->name, missing, body->exchange->head.content_length);
    if (missing)
        return error_set(err, STATUS_MALFORMED,
                         "%s: the body ended early: %" PRIu64 " bytes of a chunk are missing",
                         body->name, missing);
    return error_set(err, STATUS_MALFORMED, "%s: the body ended early: the last chunk is missing",
                     body->name);
}

int http_body_run(struct http_body *body, struct error *err)
{
    if (body_run(&body->framed))
        return -1;
    const struct body *framed = &body->framed;
    switch (framed->outcome) {
    case BODY_COMPLETE:
        return 0;
    case BODY_CUT:
        return report_cut(body, err);
    case BODY_MALFORMED:
        return error_set(err, STATUS_MALFORMED, "%s: malformed body: %s", body->name,
                         body->chunks.wrong);
    case BODY_FAILED_IN:
        return error_system(err, STATUS_TRANSFER, framed->failure, "%s: reading the body",
                            body->name);
    case BODY_FAILED_OUT:
        break;
    }
    if (framed->failure == EPIPE && !body->out_name)
        return error_silent(err, STATUS_LOCAL_IO); /* its reader has had enough */
    return error_system(err, STATUS_LOCAL_IO, framed->failure, "write to %s",
                        body->out_name ? body->out_name : "stdout");
}

uint64_t http_body_written(const struct http_body *body)
{
    uint64_t head = body->head_shown ? body->exchange->head.length : 0;
    uint64_t moved = body->framed.pump.moved;
    return moved > head ? moved - head : 0;
}

bool http_body_was_cut(const struct http_body *body)
{
    return body->framed.finished &&
           (body->framed.outcome == BODY_CUT || body->framed.outcome == BODY_FAILED_IN);
}

void http_body_release(struct http_body *body)
{
    pump_release(&body->framed.pump);
}

bool http_body_is_here(const struct http_exchange *exchange, enum http_body_kind kind)
{
    struct http_chunks chunks = {.size = 0};
    const char *bytes = exchange->bytes + exchange->head.length;
    size_t left = exchange->length - exchange->head.length, used;
    enum http_step step;
    if (kind == HTTP_BODY_NONE || kind == HTTP_BODY_LENGTH)
        return left == (kind == HTTP_BODY_NONE ? 0 : exchange->head.content_length);
    if (kind == HTTP_BODY_UNTIL_CLOSE)
        return false;
    while ((step = http_chunks_read(&chunks, bytes, left, &used)) == HTTP_DATA) {
        bytes += used;
        left -= used;
        if (chunks.size > left)
            return false;
        bytes += chunks.size;
        left -= (size_t)chunks.size;
    }
    return step == HTTP_DONE && used == left;
}

/* The more often it looks, the closer to the limit it ends. */
enum { IDLE_LOOKS = 8 };

/* The pump and the exchange tell nobody that something has moved, as sys/idle_limit would need: they
 * are asked now and then. */
static void watch_look(struct timer *timer)
{
    struct http_watch *watch = LOOP_OWNER(timer, struct http_watch, timer);
    int64_t now_ms = loop_now_ms();
    uint64_t moved = watch->exchange->sent + watch->exchange->received;
    if (watch->body)
        moved += body_taken(&watch->body->framed) + watch->body->framed.pump.moved;
    if (moved != watch->seen) {
        watch->seen = moved;
        watch->moved_ms = now_ms;
    }
    int64_t left_ms = watch->moved_ms + watch->idle_ms - now_ms;
    if (left_ms > 0) {
        int64_t step_ms = watch->idle_ms / IDLE_LOOKS + 1;
        loop_timer_set(watch->loop, timer, left_ms < step_ms ? left_ms : step_ms);
        return;
    }
    char limit[UNITS_DURATION_MAX];
    error_set(watch->err, STATUS_TIMEOUT, "%s: nothing moved for %s", watch->exchange->name,
              units_show_duration(limit, watch->idle_ms));
    loop_stop(watch->loop, -1);
}

static void reader_hung_up(struct watch *hang_up, uint32_t events)
{
    struct http_watch *watch = LOOP_OWNER(hang_up, struct http_watch, hang_up);
    (void)events;
    loop_unwatch(watch->loop, hang_up);
    error_silent(watch->err, STATUS_LOCAL_IO);
    loop_stop(watch->loop, -1);
}

static void watch_reader(struct http_watch *watch)
{
    if (watch->reader.fd >= 0 && watch->reader.kind == FD_PIPE)
        loop_watch(watch->loop, &watch->hang_up, 0);
}

void http_watch_start(struct http_watch *watch)
{
    watch->hang_up = (struct watch){.fd = watch->reader.fd, .ready = reader_hung_up};
    watch->timer.fired = watch_look;
    watch_reader(watch);
}

void http_watch_idle(struct http_watch *watch)
{
    watch->moved_ms = loop_now_ms();
    watch->seen = 0;
    if (watch->idle_ms >= 0)
        loop_timer_set(watch->loop, &watch->timer, watch->idle_ms / IDLE_LOOKS + 1);
}

void http_watch_rest(struct http_watch *watch)
{
    loop_timer_cancel(watch->loop, &watch->timer);
}

void http_watch_body(struct http_watch *watch, const struct http_body *body)
{
    watch->body = body;
    if (body)
        loop_unwatch(watch->loop, &watch->hang_up);
    else
        watch_reader(watch);
}

void http_watch_stop(struct http_watch *watch)
{
    http_watch_rest(watch);
    loop_unwatch(watch->loop, &watch->hang_up);
}
