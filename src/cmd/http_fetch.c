#include "cmd/http_fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/message.h"
#include "cli/report.h"
#include "io/framed.h"
#include "net/dial.h"
#include "net/http_exchange.h"
#include "proto/http_chunks.h"
#include "proto/http_head.h"
#include "proto/http_request.h"

enum { SHOWN_MAX = 80, FIRST_REFUSAL = 400 };

/* One answer on its way. */
struct transfer {
    const struct http_fetch *fetch;
    const struct http_target *target;
    struct http_exchange exchange;
    enum http_body body;
    bool body_begun;
    struct http_chunks chunks;
    struct framed framed;
    struct timer idle;
    uint64_t idle_seen;    /* how much had moved when it was last looked at */
    int64_t idle_moved_ms; /* when something had moved */
    struct error *err;
};

/* Limits */

/* The more often it looks, the closer to the limit it ends. */
enum { IDLE_LOOKS = 8 };

static uint64_t count_moved(const struct transfer *transfer)
{
    const struct http_exchange *exchange = &transfer->exchange;
    return exchange->sent + exchange->received + framed_taken(&transfer->framed) +
           transfer->framed.pump.moved;
}

static void idle_fired(struct timer *timer)
{
    struct transfer *transfer = LOOP_OWNER(timer, struct transfer, idle);
    int64_t limit_ms = transfer->fetch->options->idle_ms, now_ms = loop_now_ms();
    uint64_t moved = count_moved(transfer);
    if (moved != transfer->idle_seen) {
        transfer->idle_seen = moved;
        transfer->idle_moved_ms = now_ms;
    }
    int64_t left_ms = transfer->idle_moved_ms + limit_ms - now_ms;
    if (left_ms > 0) {
        int64_t step_ms = limit_ms / IDLE_LOOKS + 1;
        loop_timer_set(transfer->fetch->loop, timer, left_ms < step_ms ? left_ms : step_ms);
        return;
    }
    error_set(transfer->err, STATUS_TIMEOUT, "%s: nothing moved for %.3g seconds",
              transfer->target->name, (double)limit_ms / 1000);
    loop_stop(transfer->fetch->loop, -1);
}

static void watch_idling(struct transfer *transfer)
{
    transfer->idle.fired = idle_fired;
    transfer->idle_moved_ms = loop_now_ms();
    if (transfer->fetch->options->idle_ms >= 0)
        loop_timer_set(transfer->fetch->loop, &transfer->idle,
                       transfer->fetch->options->idle_ms / IDLE_LOOKS + 1);
}

/* Request and head */

static void tell_request(const char *text, size_t length)
{
    const char *end = text + length;
    while (message_setting.verbosity >= MESSAGE_STORY && text < end) {
        size_t line_length = strcspn(text, "\r\n"), shown = line_length;
        const char *line = http_request_harmless(text, &shown);
        if (shown)
            message_tell(MESSAGE_STORY, "> %.*s", (int)shown, line);
        text += line_length + 2;
    }
}

static int exchange_heads(struct transfer *transfer, int fd, struct error *err)
{
    const struct http_target *target = transfer->target;
    tell_request(target->request, target->request_length);
    transfer->exchange = (struct http_exchange){
        .loop = transfer->fetch->loop,
        .fd = fd,
        .name = target->name,
        .request = target->request,
        .request_length = target->request_length,
        .headless = transfer->fetch->target_options->http09,
    };
    return http_exchange_run(&transfer->exchange, err);
}

static bool is_refusal(const struct transfer *transfer)
{
    return transfer->exchange.head.status >= FIRST_REFUSAL;
}

static int refuse(const struct transfer *transfer, struct error *err)
{
    size_t length;
    const char *status = http_head_status(&transfer->exchange.head, transfer->exchange.bytes,
                                          &length);
    return error_set(err, STATUS_REFUSED, "%s: %.*s", transfer->target->name,
                     (int)(length < SHOWN_MAX ? length : SHOWN_MAX), status);
}

/* What the user might not expect of the body. */
static void warn(const struct transfer *transfer)
{
    const struct http_target_options *asked = transfer->fetch->target_options;
    const struct http_head *head = &transfer->exchange.head;
    size_t length;
    if (transfer->fetch->options->silent || asked->head || asked->http09 || is_refusal(transfer))
        return;
    const char *coding = http_head_field(head, transfer->exchange.bytes, "Content-Encoding",
                                         &length);
    if (coding && !(length == 8 && strncasecmp(coding, "identity", length) == 0))
        report_warning("%s: the body is encoded (%.*s) and stays as it is", transfer->target->name,
                       (int)(length < SHOWN_MAX ? length : SHOWN_MAX), coding);
    if (asked->range && head->status == 200)
        report_warning("%s: the server ignores the range", transfer->target->name);
}

/* Body */

static enum framed_next next_chunk(struct http_chunks *chunks, const char *bytes, size_t length,
                                   size_t *used, uint64_t *data)
{
    switch (http_chunks_read(chunks, bytes, length, used)) {
    case HTTP_DATA:
        *data = chunks->size;
        return FRAMED_DATA;
    case HTTP_DONE:
        return FRAMED_END;
    case HTTP_MALFORMED:
        return FRAMED_WRONG;
    case HTTP_MORE:
    case HTTP_FIELD:
        break;
    }
    return FRAMED_MORE;
}

static enum framed_next next_stretch(void *context, const char *bytes, size_t length, size_t *used,
                                     uint64_t *data)
{
    struct transfer *transfer = context;
    if (transfer->body == HTTP_BODY_CHUNKED)
        return next_chunk(&transfer->chunks, bytes, length, used, data);
    if (transfer->body == HTTP_BODY_NONE || transfer->body_begun)
        return FRAMED_END;
    transfer->body_begun = true;
    *data = transfer->body == HTTP_BODY_LENGTH ? transfer->exchange.head.content_length
                                               : UINT64_MAX;
    return FRAMED_DATA;
}

static int cut_short(const struct transfer *transfer, struct error *err)
{
    uint64_t missing = transfer->framed.missing;
    if (transfer->body == HTTP_BODY_LENGTH)
        return error_set(err, STATUS_MALFORMED,
                         "%s: the body ended early: %" PRIu64 " of %" PRIu64 " bytes are missing",
                         transfer->target->name, missing, transfer->exchange.head.content_length);
    if (missing)
        return error_set(err, STATUS_MALFORMED,
                         "%s: the body ended early: %" PRIu64 " bytes of a chunk are missing",
                         transfer->target->name, missing);
    return error_set(err, STATUS_MALFORMED, "%s: the body ended early: the last chunk is missing",
                     transfer->target->name);
}

/* What came of the body. */
static int settle(const struct transfer *transfer, struct error *err)
{
    const struct framed *framed = &transfer->framed;
    const struct http_output *output = transfer->fetch->output;
    switch (framed->outcome) {
    case FRAMED_COMPLETE:
        return 0;
    case FRAMED_CUT:
        return cut_short(transfer, err);
    case FRAMED_MALFORMED:
        return error_set(err, STATUS_MALFORMED, "%s: malformed body: %s", transfer->target->name,
                         transfer->chunks.wrong);
    case FRAMED_FAILED_IN:
        return error_system(err, STATUS_TRANSFER, framed->failure, "%s: reading the body",
                            transfer->target->name);
    case FRAMED_FAILED_OUT:
        break;
    }
    if (framed->failure == EPIPE && !output->file)
        return error_silent(err, STATUS_LOCAL_IO); /* the reader of stdout has had enough */
    return error_system(err, STATUS_LOCAL_IO, framed->failure, "write to %s", output->name);
}

static void prepare_body(struct transfer *transfer)
{
    const struct http_target_options *asked = transfer->fetch->target_options;
    const struct http_exchange *exchange = &transfer->exchange;
    bool head_shown = transfer->fetch->options->include || asked->head;
    bool body_hidden = is_refusal(transfer) && transfer->fetch->options->fail;
    transfer->body = asked->http09 ? HTTP_BODY_UNTIL_CLOSE
                                   : http_head_body(&exchange->head, asked->head || body_hidden);
    size_t start = head_shown ? 0 : exchange->head.length;
    transfer->framed = (struct framed){
        .loop = transfer->fetch->loop,
        .bytes = exchange->bytes,
        .room = exchange->room,
        .start = start,
        .length = exchange->length - start,
        .data = exchange->head.length - start,
        .next = next_stretch,
        .context = transfer,
    };
}

static int write_body(struct transfer *transfer, int fd, struct error *err)
{
    struct http_output *output = transfer->fetch->output;
    if (output->file) {
        if (aside_create(output->file, err))
            return -1;
        output->end = end_of(output->file->fd);
    }
    prepare_body(transfer);
    pump_init(&transfer->framed.pump, end_of_socket(fd), output->end, transfer->fetch->pool);
    int result = framed_run(&transfer->framed);
    pump_release(&transfer->framed.pump);
    return result ? -1 : settle(transfer, err);
}

/* The whole */

static int converse(struct transfer *transfer, int fd, struct error *err)
{
    if (exchange_heads(transfer, fd, err))
        return -1;
    warn(transfer);
    if (!is_refusal(transfer))
        return write_body(transfer, fd, err);
    if (transfer->fetch->output->file)
        return refuse(transfer, err);
    /* That it was refused says more than how the explanation ended. */
    if (write_body(transfer, fd, err) && err->status != STATUS_TRANSFER &&
        err->status != STATUS_MALFORMED)
        return -1;
    return refuse(transfer, err);
}

int http_fetch_run(const struct http_fetch *fetch, const struct http_target *target,
                   struct error *err)
{
    const struct dial_options how = {.timeout_ms = fetch->options->connect_timeout_ms};
    char peer[SOCKNAME_TEXT_MAX], local[SOCKNAME_TEXT_MAX];
    struct transfer transfer = {.fetch = fetch, .target = target, .err = err};
    struct connection connection;
    if (dial(fetch->loop, &target->address, &how, &connection, err))
        return -1;
    report_connected(sockname_text(&connection.peer, peer),
                     sockname_text(&connection.local, local));
    watch_idling(&transfer);
    int result = converse(&transfer, connection.fd, err);
    loop_timer_cancel(fetch->loop, &transfer.idle);
    report_closed(
        &(struct report_end){.peer = peer,
                             .in = transfer.exchange.received + framed_taken(&transfer.framed),
                             .out = transfer.exchange.sent});
    http_exchange_release(&transfer.exchange);
    connection_close(&connection);
    return result;
}
