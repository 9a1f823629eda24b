/*
 * The body is a stream whose framing is the one that the head names (a length, chunks, or none until the connection
 * ends): stream/body moves the data, and asks next_segment here what comes next.
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
        .idle = body->idle,
        .gathers = body->by_program,
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
    pump_attach(pump, body->tap, NULL, body->pace);
    if (body->kind == HTTP_BODY_LENGTH && exchange->head.content_length > LONG_BODY)
        pump_expect_stream(pump);
}

int http_body_run(struct http_body *body, struct error *err)
{
    const struct body *framed = &body->framed;
    if (body_run(&body->framed))
        return -1;
    switch (framed->outcome) {
    case BODY_COMPLETE:
        return 0;
    case BODY_CUT:
        if (body->kind == HTTP_BODY_LENGTH)
            return error_set(err, STATUS_MALFORMED,
                             "%s: the body ended early: %" PRIu64 " of %" PRIu64
                             " bytes %s missing",
                             body->name, framed->missing, body->exchange->head.content_length,
                             framed->missing == 1 ? "is" : "are");
        if (framed->missing)
            return error_set(err, STATUS_MALFORMED,
                             "%s: the body ended early: %" PRIu64 " %s of a chunk %s missing",
                             body->name, framed->missing, units_bytes(framed->missing),
                             framed->missing == 1 ? "is" : "are");
        return error_set(err, STATUS_MALFORMED,
                         "%s: the body ended early: the last chunk is missing", body->name);
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
