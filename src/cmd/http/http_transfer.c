#include "cmd/http/http_transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/progress.h"
#include "cmd/http/http_answer.h"
#include "proto/http_request.h"

enum { PARTIAL = 206, NOT_MODIFIED = 304, NOT_SATISFIABLE = 416 };

/* Request and head */

static void tell_request(const char *text, size_t length)
{
    const char *end = text + length;
    while (log_setting.verbosity >= LOG_LEVEL_INFO && text < end) {
        size_t line_length = strcspn(text, "\r\n"), shown = line_length;
        const char *line = http_request_harmless(text, &shown);
        if (shown)
            log_note(LOG_LEVEL_INFO, "> %.*s", (int)shown, line);
        text += line_length + 2;
    }
}

/* The rest, where a validator says of what, or where the user says so. */
static char *write_request(struct http_transfer *transfer, size_t *length)
{
    const struct http_options *options = transfer->fetch->options;
    const struct http_output *output = transfer->fetch->output;
    char range[32];
    transfer->resumes = output->there && !options->range && (*output->validator || !output->begun);
    snprintf(range, sizeof range, "%" PRIu64 "-", output->there);
    const struct http_wish wish = {
        .range = transfer->resumes ? range : NULL,
        .if_range = transfer->resumes && *output->validator ? output->validator : NULL,
        .persistent = transfer->persistent,
    };
    return http_target_request(transfer->target, options, &wish, length);
}

static int exchange_heads(struct http_transfer *transfer, struct error *err)
{
    struct http_connection *connection = transfer->fetch->connection;
    size_t length;
    char *request = write_request(transfer, &length);
    tell_request(request, length);
    http_exchange_release(&transfer->exchange);
    transfer->exchange = (struct http_exchange){
        .loop = transfer->fetch->loop,
        .fd = connection->connection.fd,
        .name = transfer->target->name,
        .request = request,
        .request_length = length,
        .headless = transfer->fetch->options->http09,
    };
    int result = http_exchange_run(&transfer->exchange, err);
    transfer->exchange.request = NULL;
    memory_wipe(request); /* NULs are in none */
    return result;
}

/* Over a connection that is kept, nothing may come because the server has just given it up. */
static bool was_given_up(const struct http_transfer *transfer, const struct error *err)
{
    return transfer->fetch->connection->served && !transfer->exchange.received &&
           (err->status == STATUS_TRANSFER || err->status == STATUS_MALFORMED);
}

/* Up to the head of the answer. */
static int ask(struct http_transfer *transfer, struct error *err)
{
    struct http_connection *connection = transfer->fetch->connection;
    struct http_timing *timing = &transfer->timing;
    *timing = (struct http_timing){.began = loop_now_us(), .name = transfer->target->name};
    for (;;) {
        bool is_kept = connection->open;
        if (http_connection_open(connection, &transfer->target->route, err)) {
            transfer->may_pass = err->status != STATUS_USAGE;
            return -1;
        }
        if (!is_kept || !connection->served) {
            timing->looked_up = connection->connection.looked_up_us;
            timing->connected = loop_now_us();
        }
        http_watch_idle(&transfer->watch);
        if (exchange_heads(transfer, err) == 0)
            break;
        if (!was_given_up(transfer, err)) {
            transfer->may_pass = !transfer->exchange.head.wrong;
            return -1;
        }
        http_connection_close(connection, REPORT_EOF);
    }
    timing->first_byte = transfer->exchange.first_us;
    timing->status = transfer->exchange.head.status;
    return 0;
}

/* Body */

static enum http_body_kind kind_of_body(const struct http_transfer *transfer)
{
    const struct http_options *options = transfer->fetch->options;
    if (options->http09)
        return HTTP_BODY_UNTIL_CLOSE;
    return http_head_body(&transfer->exchange.head, options->head);
}

/* Nothing of this answer, nor anything else, will come by the connection. */
static bool leaves_it_clean(const struct http_transfer *transfer)
{
    const struct http_options *options = transfer->fetch->options;
    const struct http_exchange *exchange = &transfer->exchange;
    return transfer->persistent && !options->http10 && !options->http09 &&
           exchange->sent == exchange->request_length &&
           http_head_is_persistent(&exchange->head, exchange->bytes);
}

static bool shows_progress(const struct http_options *options, const struct http_body *body)
{
    return options->progress || (!options->silent && body->out.kind != FD_TERMINAL);
}

static int run_body(struct http_transfer *transfer, struct error *err)
{
    static const uint64_t nothing;
    const struct http_options *options = transfer->fetch->options;
    struct http_body *body = &transfer->body;
    const struct http_head *head = &transfer->exchange.head;
    struct progress progress = {.sent = &nothing, .received = &body->framed.pump.moved};
    progress.meter.receives = true;
    progress.meter.total = body->kind == HTTP_BODY_LENGTH ? head->content_length : 0;
    http_watch_body(&transfer->watch, body);
    if (shows_progress(options, body))
        progress_start(&progress, transfer->fetch->loop, NULL);
    int result = http_body_run(body, err);
    progress_stop(&progress);
    http_watch_body(&transfer->watch, NULL);
    transfer->timing.bytes = http_body_written(body);
    transfer->keeps = result == 0 && body->kind != HTTP_BODY_UNTIL_CLOSE && !body->framed.length &&
                      leaves_it_clean(transfer);
    return result;
}

/* `to_file`: where the body of an answer that is no refusal goes. `kind`: HTTP_BODY_NONE for the head
 * alone. */
static int write_body(struct http_transfer *transfer, bool to_file, enum http_body_kind kind,
                      struct error *err)
{
    const struct http_fetch *fetch = transfer->fetch;
    const struct http_options *options = fetch->options;
    struct http_output *output = fetch->output;
    struct pace pace = {.rate = options->rate};
    bool goes_on = to_file && output->there;
    transfer->body = (struct http_body){
        .loop = fetch->loop,
        .exchange = &transfer->exchange,
        .name = transfer->target->name,
        .out_name = to_file && output->has_file ? output->name : NULL,
        .out = to_file ? output->end : output->standard,
        .kind = kind,
        .head_shown = (options->include || options->head) && !goes_on,
        .filter = to_file ? http_output_filter(output) : NULL,
        .pace = pace.rate ? &pace : NULL,
        .pool = fetch->pool,
    };
    http_body_init(&transfer->body);
    int result = run_body(transfer, err);
    if (to_file)
        output->there += http_body_written(&transfer->body);
    http_body_release(&transfer->body);
    return result;
}

/* Answers */

/* All that comes is wanted. `rest`: it goes on with what is there; of a part, `part` is how much comes,
 * else 0. */
static int take_body(struct http_transfer *transfer, bool rest, uint64_t part, struct error *err)
{
    struct http_output *output = transfer->fetch->output;
    const struct http_options *options = transfer->fetch->options;
    if (!options->http09 && !(rest && *output->validator))
        http_answer_validator(&transfer->exchange, output->validator, sizeof output->validator);
    if (!rest)
        output->total = transfer->exchange.head.content_length;
    if (http_output_begin(output, rest, err))
        return -1;
    int result = write_body(transfer, true, kind_of_body(transfer), err);
    bool is_other = result == 0 && part && !options->head && transfer->timing.bytes != part;
    bool was_cut = result && (http_body_was_cut(&transfer->body) || err->status == STATUS_TIMEOUT);
    if (is_other) {
        was_cut = transfer->timing.bytes < part; /* of a body that the end of the connection ends */
        result = error_set(err, STATUS_MALFORMED, "%s: the body and its range differ in length",
                           transfer->target->name);
    }
    transfer->may_pass = was_cut && (http_output_can_restart(output) ||
                                     (*output->validator && !options->range));
    return result;
}

/* The body, where it is wanted, goes to stdout. That the server refused says more than how its
 * explanation ended. */
static int take_refusal(struct http_transfer *transfer, struct error *err)
{
    const struct http_fetch *fetch = transfer->fetch;
    const struct http_options *options = fetch->options;
    enum http_body_kind kind = kind_of_body(transfer);
    transfer->may_pass = http_answer_may_pass(&transfer->exchange);
    bool again = transfer->may_pass && transfer->tries < options->retries;
    bool is_here = http_body_is_here(&transfer->exchange, kind);
    if (options->fail)
        kind = HTTP_BODY_NONE;
    if (!again && write_body(transfer, false, kind, err) && err->status != STATUS_TRANSFER &&
        err->status != STATUS_MALFORMED)
        return -1;
    if (again || options->fail)
        transfer->keeps = is_here && leaves_it_clean(transfer);
    int64_t asked_ms = http_answer_retry_after_ms(&transfer->exchange);
    if (transfer->pause_ms < asked_ms)
        transfer->pause_ms = asked_ms;
    return http_answer_refuse(&transfer->exchange, err);
}

/* The redirect's own body is not shown; its head is, if heads are. */
static int take_redirect(struct http_transfer *transfer, struct error *err)
{
    const struct http_options *options = transfer->fetch->options;
    bool is_here = http_body_is_here(&transfer->exchange, kind_of_body(transfer));
    if (transfer->redirects++ == options->max_redirs)
        return error_set(err, STATUS_REFUSED, "%s: more than %" PRId64 " redirects",
                         transfer->target->name, options->max_redirs);
    if ((options->include || options->head) &&
        (http_output_begin(transfer->fetch->output, false, err) ||
         write_body(transfer, true, HTTP_BODY_NONE, err)))
        return -1;
    transfer->keeps = is_here && leaves_it_clean(transfer);
    return 0;
}

/* With --retry all of it is asked for again, where that can still be. */
static int reject_part(struct http_transfer *transfer)
{
    bool can_restart = http_output_reject_part(transfer->fetch->output);
    transfer->anew = can_restart && transfer->fetch->options->retries > 0;
    return -1;
}

/* To 416 the answer is that all is there, or that what is there is something else. */
static int take_unsatisfied(struct http_transfer *transfer, struct error *err)
{
    struct http_output *output = transfer->fetch->output;
    bool was_complete = http_output_was_complete(output);
    if (!http_answer_is_whole(&transfer->exchange, output->there, was_complete)) {
        http_answer_refuse(&transfer->exchange, err);
        return reject_part(transfer);
    }
    transfer->keeps = leaves_it_clean(transfer) &&
                      http_body_is_here(&transfer->exchange, kind_of_body(transfer));
    return was_complete ? 0 : http_output_begin(output, true, err);
}

/* What a 304 says is that the user has it already, if he had asked for that. */
static int take_not_modified(struct http_transfer *transfer, struct error *err)
{
    const struct http_options *options = transfer->fetch->options;
    struct http_output *output = transfer->fetch->output;
    if (!http_options_field(options, "If-None-Match") &&
        !http_options_field(options, "If-Modified-Since"))
        return http_answer_unasked(&transfer->exchange, err);
    if (http_output_leave(output, err) ||
        (!output->has_file && write_body(transfer, true, HTTP_BODY_NONE, err)))
        return -1;
    transfer->keeps = leaves_it_clean(transfer) &&
                      http_body_is_here(&transfer->exchange, HTTP_BODY_NONE);
    return 0;
}

/* The range that the request had; NULL: none. Of another unit nothing is known. */
static const char *asked_range(const struct http_options *options)
{
    static const char unit[] = "bytes=";
    const char *field = http_options_field(options, "Range");
    if (field && strncasecmp(field, unit, strlen(unit)) == 0)
        return field + strlen(unit);
    return field ? field : options->range;
}

static int take_part(struct http_transfer *transfer, struct error *err)
{
    struct http_output *output = transfer->fetch->output;
    const struct http_exchange *exchange = &transfer->exchange;
    uint64_t part = 0;
    const struct http_present present = {output->there, output->total, output->validator};
    if (transfer->resumes) {
        if (http_answer_check_rest(exchange, &present, &part, err))
            return reject_part(transfer);
        return take_body(transfer, true, part, err);
    }
    if (http_answer_check_range(exchange, asked_range(transfer->fetch->options), &part, err))
        return -1;
    return take_body(transfer, false, part, err);
}

static int take_answer(struct http_transfer *transfer, struct error *err)
{
    const struct http_options *options = transfer->fetch->options;
    const struct http_exchange *exchange = &transfer->exchange;
    if (options->http09)
        return take_body(transfer, false, 0, err);
    if (options->location &&
        http_answer_location(exchange, &transfer->target->url, &transfer->next, err))
        return -1;
    if (transfer->next)
        return take_redirect(transfer, err);
    if (transfer->resumes && exchange->head.status == NOT_SATISFIABLE)
        return take_unsatisfied(transfer, err);
    if (http_answer_is_refusal(exchange))
        return take_refusal(transfer, err);
    if (exchange->head.status == NOT_MODIFIED)
        return take_not_modified(transfer, err);
    if (!options->silent && !options->head)
        http_answer_warn(exchange, options->range);
    if (exchange->head.status == PARTIAL)
        return take_part(transfer, err);
    return take_body(transfer, false, 0, err);
}

/* The whole */

/* How the connection has ended. */
static enum report_how how_closed(int result, const struct error *err)
{
    bool by_it = result && (err->status == STATUS_TRANSFER || err->status == STATUS_TIMEOUT ||
                            err->signal_number);
    return by_it ? connection_log_how(result, err) : REPORT_EOF;
}

int http_transfer_try(struct http_transfer *transfer, struct error *err)
{
    struct http_connection *connection = transfer->fetch->connection;
    transfer->may_pass = transfer->keeps = transfer->anew = false;
    int result = ask(transfer, err);
    if (result == 0)
        result = take_answer(transfer, err);
    transfer->timing.ended = loop_now_us();
    http_watch_rest(&transfer->watch);
    connection->in += transfer->exchange.received + body_taken(&transfer->body.framed);
    connection->out += transfer->exchange.sent;
    transfer->body.framed = (struct body){.loop = transfer->fetch->loop};
    connection->served++;
    if (!transfer->keeps)
        http_connection_close(connection, how_closed(result, err));
    if (transfer->exchange.received && transfer->fetch->options->timing)
        http_timing_show(&transfer->timing, transfer->fetch->options->timing);
    return result;
}
