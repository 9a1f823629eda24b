/*
 * One URL on its way. http_fetch_run follows its redirects: each hop is a new target, tried until there is an answer
 * that counts (try_target), with a longer pause before each new try. One try (try_once) opens or keeps the
 * connection, exchanges request and head (ask), and then does with the answer what its status says (take_answer): the
 * body goes to the output, a redirect gives the next URL, the rest of a file (206) is added to what is there, a
 * refusal (400 and above) is an error. What has gone wrong is left in the transfer: `may_pass` (worth another try),
 * `anew` (all of it, at once), and `keeps` says whether the connection can serve the next request. --timing is shown
 * after each try. Three things end a request from outside, by filling the error and stopping the loop: nothing has
 * moved for --idle-timeout, too little has come for --speed-time, or the pipe that stdout is has lost its reader while
 * no body that would notice goes there.
 */
#include "cmd/http/http_fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/report.h"
#include "cmd/common/progress.h"
#include "cmd/http/http_body.h"
#include "cmd/http/http_speed.h"
#include "cmd/http/http_timing.h"
#include "proto/http_range.h"
#include "proto/http_request.h"

enum { PARTIAL = 206, NOT_MODIFIED = 304, FIRST_REFUSAL = 400, NOT_SATISFIABLE = 416 };
enum { FIRST_PAUSE_MS = 250, PAUSE_MAX_MS = 8000, A_DAY_S = 86400 };

#define UNASKED ", which was not asked for"

/* One URL on its way, through its redirects and tries. */
struct http_transfer {
    const struct http_fetch *fetch;
    const struct http_target *target;   /* the one that is asked now */
    struct http_connection *connection; /* by which; NULL: there is none */
    struct http_exchange exchange;
    struct http_body body;
    struct http_timing timing;
    struct error *err; /* filled by what ends a request from outside: */
    struct idle_limit idle;
    struct http_speed speed;
    struct watch reader; /* of stdout */
    int64_t redirects;
    int64_t tries;
    int64_t pause_ms;
    bool is_last;           /* no URL follows */
    bool persistent;        /* the connection may serve others */
    bool resumes;           /* the rest was asked for */
    bool may_pass;          /* what went wrong */
    bool anew;              /* what is there is of no use: all of it is to be asked for, at once */
    bool wrote_head_alone;  /* --include: of an answer whose body has not begun */
    bool keeps;             /* the connection is as good as new */
    char *next;             /* where a redirect leads; NULL: nowhere */
    struct http_target hop; /* where one has led */
    char *hop_url;
};

static void transfer_idle_over(struct idle_limit *idle)
{
    struct http_transfer *transfer = LOOP_OWNER(idle, struct http_transfer, idle);
    char limit[UNITS_DURATION_MAX];
    error_set(transfer->err, STATUS_TIMEOUT, "%s: nothing moved for %s", transfer->exchange.name,
              units_show_duration(limit, idle->limit_ms));
    loop_stop(idle->loop, -1);
}

static uint64_t transfer_look_at_speed(struct http_speed *speed, bool *counts)
{
    struct http_transfer *transfer = LOOP_OWNER(speed, struct http_transfer, speed);
    *counts = !body_was_held(&transfer->body.framed);
    return transfer->exchange.received + body_taken(&transfer->body.framed);
}

static void transfer_is_slow(struct http_speed *speed)
{
    struct http_transfer *transfer = LOOP_OWNER(speed, struct http_transfer, speed);
    char rate[UNITS_SIZE_MAX], limit[UNITS_DURATION_MAX];
    error_set(transfer->err, STATUS_TIMEOUT, "%s: slower than %s/s for %s", transfer->exchange.name,
              units_show_size(rate, sizeof rate, speed->rate),
              units_show_duration(limit, speed->time_ms));
    loop_stop(speed->loop, -1);
}

static void transfer_reader_gone(struct watch *reader, uint32_t events)
{
    struct http_transfer *transfer = LOOP_OWNER(reader, struct http_transfer, reader);
    (void)events;
    loop_unwatch(transfer->fetch->loop, reader);
    error_silent(transfer->err, STATUS_LOCAL_IO);
    loop_stop(transfer->fetch->loop, -1);
}

static void stop_limits(struct http_transfer *transfer)
{
    idle_limit_stop(&transfer->idle);
    http_speed_stop(&transfer->speed);
}

/* From now on a reader of stdout that goes away ends the request, if the body is for it. */
static void watch_reader(struct http_transfer *transfer)
{
    const struct http_output *output = transfer->fetch->output;
    if (!output->has_file && output->standard.kind == FD_PIPE)
        loop_watch(transfer->fetch->loop, &transfer->reader, 0);
}

/* Logs every line of the request, at -v, without its secrets. */
static void log_request(const char *text, size_t length)
{
    const char *end = text + length;
    while (log_setting.verbosity >= LOG_LEVEL_INFO && text < end) {
        size_t line_length = strcspn(text, "\r\n"), shown = line_length;
        const char *line = http_request_redacted(text, &shown);
        if (shown)
            log_note(LOG_LEVEL_INFO, "> %.*s", (int)shown, line);
        text += line_length + 2;
    }
}

/* Sends one request, and reads up to the head of the answer. The rest of a body is asked for where a validator says
 * of what, or where the user says so. */
static int exchange_heads(struct http_transfer *transfer, struct error *err)
{
    const struct http_fetch *fetch = transfer->fetch;
    const struct http_output *output = fetch->output;
    char range[32];
    transfer->resumes = output->there && !fetch->options->range &&
                        (*output->validator || !output->begun);
    snprintf(range, sizeof range, "%" PRIu64 "-", output->there);
    const struct http_wish wish = {
        .range = transfer->resumes ? range : NULL,
        .if_range = transfer->resumes && *output->validator ? output->validator : NULL,
        .persistent = transfer->persistent,
    };
    size_t length;
    char *request = http_target_request(transfer->target, fetch->options, &wish, &length);
    log_request(request, length);
    http_exchange_release(&transfer->exchange);
    transfer->exchange = (struct http_exchange){
        .loop = fetch->loop,
        .fd = transfer->connection->connection.fd,
        .name = transfer->target->name,
        .idle = &transfer->idle,
        .request = request,
        .request_length = length,
        .headless = fetch->options->http09,
    };
    int result = http_exchange_run(&transfer->exchange, err);
    transfer->exchange.request = NULL;
    memory_wipe(request); /* NULs are in none */
    return result;
}

/* `is_final`: the head of the answer has come, and leads nowhere. */
static void enter_sandbox(const struct http_transfer *transfer, bool is_final)
{
    const struct http_sandbox_moment moment = {transfer->connection, transfer->is_last, is_final};
    http_sandbox_enter(transfer->fetch->sandbox, &moment);
}

/* Connects, and asks up to the head of the answer; a second time where the server had given up the connection that
 * was kept. */
static int ask(struct http_transfer *transfer, struct error *err)
{
    struct http_timing *timing = &transfer->timing;
    *timing = (struct http_timing){.began = loop_now_us(), .name = transfer->target->name};
    for (;;) {
        struct http_connection *connection = http_connections_get(transfer->fetch->connections,
                                                                  &transfer->target->route, err);
        transfer->connection = connection;
        if (!connection) {
            transfer->may_pass = err->status != STATUS_USAGE;
            return -1;
        }
        if (!connection->served) {
            timing->looked_up = connection->connection.looked_up_us;
            timing->connected = loop_now_us();
        }
        enter_sandbox(transfer, false);
        idle_limit_start(&transfer->idle, transfer->fetch->loop, transfer->fetch->options->idle_ms,
                         transfer_idle_over);
        http_speed_start(&transfer->speed, transfer->fetch->loop);
        if (exchange_heads(transfer, err) == 0)
            break;
        /* Over a connection that is kept, nothing may come because the server has just given it up. */
        bool was_given_up = connection->served && !transfer->exchange.received &&
                            (err->status == STATUS_TRANSFER || err->status == STATUS_MALFORMED);
        if (!was_given_up) {
            transfer->may_pass = !transfer->exchange.head.wrong;
            return -1;
        }
        stop_limits(transfer);
        http_connection_close(connection, REPORT_EOF);
    }
    timing->first_byte = transfer->exchange.first_us;
    timing->status = transfer->exchange.head.status;
    return 0;
}

static enum http_body_kind kind_of_body(const struct http_transfer *transfer)
{
    const struct http_options *options = transfer->fetch->options;
    if (options->http09)
        return HTTP_BODY_UNTIL_CLOSE;
    return http_head_body(&transfer->exchange.head, options->head);
}

/* Whether nothing of this answer but its body, nor anything else, will come by the connection. */
static bool leaves_it_clean(const struct http_transfer *transfer)
{
    const struct http_options *options = transfer->fetch->options;
    const struct http_exchange *exchange = &transfer->exchange;
    return transfer->persistent && !options->http10 && !options->http09 &&
           exchange->sent == exchange->request_length &&
           http_head_is_persistent(&exchange->head, exchange->bytes);
}

/* Writes the body, of this kind: HTTP_BODY_NONE for the head alone. `to_file`: it goes where the body of an answer
 * that is no refusal goes, else to stdout. */
static int write_body(struct http_transfer *transfer, bool to_file, enum http_body_kind kind,
                      struct error *err)
{
    static const uint64_t nothing;
    const struct http_fetch *fetch = transfer->fetch;
    const struct http_options *options = fetch->options;
    struct http_output *output = fetch->output;
    struct http_body *body = &transfer->body;
    struct pace pace = {.rate = options->rate};
    bool goes_on = to_file && output->there;
    *body = (struct http_body){
        .loop = fetch->loop,
        .exchange = &transfer->exchange,
        .name = transfer->target->name,
        .out_name = to_file && output->has_file ? output->name : NULL,
        .out = to_file ? output->end : output->standard,
        .kind = kind,
        .by_program = transfer->connection->connection.via != NULL,
        .head_shown = (options->include || options->head) && !goes_on,
        .tap = http_output_tap(output, to_file),
        .pace = pace.rate ? &pace : NULL,
        .pool = fetch->pool,
        .idle = &transfer->idle,
    };
    enter_sandbox(transfer, !transfer->next);
    http_body_init(body);
    struct progress progress = {.sent = &nothing, .received = &body->framed.pump.moved};
    progress.meter.receives = true;
    progress.meter.name = body->out_name;
    if (kind == HTTP_BODY_LENGTH)
        progress.meter.total = transfer->exchange.head.content_length;
    /* Where the person sees both, the body begins apart from the head that -v has shown. */
    if (log_setting.verbosity >= LOG_LEVEL_INFO && kind != HTTP_BODY_NONE && report_is_watched() &&
        log_is_on_terminal(body->out.fd))
        log_write("\n", 1);
    loop_unwatch(fetch->loop, &transfer->reader); /* the body notices by itself */
    if (options->progress || (!options->silent && body->out.kind != FD_TERMINAL))
        progress_start(&progress, fetch->loop, NULL);
    int result = http_body_run(body, err);
    progress_stop(&progress);
    if (result && output->is_binary)
        error_set(err, STATUS_LOCAL_IO,
                  "%s: the body is binary, and stdout is a terminal: -o FILE saves it, -o - prints "
                  "it all the same",
                  body->name);
    watch_reader(transfer);
    uint64_t written = transfer->timing.bytes = http_body_written(body);
    if (result == 0 && progress.meter.shown_length && !body->out_name)
        report_wrote(NULL, written, (loop_now_us() - transfer->timing.began) / 1000);
    transfer->keeps = result == 0 && kind != HTTP_BODY_UNTIL_CLOSE && !body->framed.length &&
                      leaves_it_clean(transfer);
    if (to_file)
        output->there += written;
    transfer->wrote_head_alone = body->head_shown && body->framed.pump.moved && !written;
    http_body_release(body);
    return result;
}

/* Returns the first value that --header gives the field; NULL: none. */
static const char *users_field(const struct http_options *options, const char *name)
{
    return http_request_users_value(options->fields.items, options->fields.count, name);
}

/* The length up to which a text that the server has sent is shown. */
static int shown_length(size_t length)
{
    enum { SHOWN_MAX = 80 };
    return (int)(length < SHOWN_MAX ? length : SHOWN_MAX);
}

/* Returns the value of a field of the answer, of *length bytes; NULL and 0: there is none. */
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

/* Fails with what the server says, "404 Not Found", and `more`. */
static int fail_by_status(const struct http_exchange *exchange, int status, const char *more,
                          struct error *err)
{
    size_t length;
    const char *line = http_head_status(&exchange->head, exchange->bytes, &length);
    return error_set(err, status, "%s: %.*s%s", exchange->name, shown_length(length), line, more);
}

/* All that comes is wanted. `rest`: it goes on with what is there; of a part, `part` is how much comes,
 * else 0. */
static int take_body(struct http_transfer *transfer, bool rest, uint64_t part, struct error *err)
{
    struct http_output *output = transfer->fetch->output;
    const struct http_options *options = transfer->fetch->options;
    if (!options->http09 && !(rest && *output->validator)) {
        /* What is strong enough for If-Range (RFC 9110, 13.1.5) is kept; empty: nothing. */
        size_t length;
        const char *value = find_field(&transfer->exchange, "ETag", &length);
        if (value && (length < 2 || *value != '"'))
            length = 0; /* a weak one, or none at all */
        if (!value)
            value = find_field(&transfer->exchange, "Last-Modified", &length);
        if (!value || length >= sizeof output->validator || memchr(value, '\0', length))
            length = 0;
        memcpy(output->validator, value ? value : "", length);
        output->validator[length] = '\0';
    }
    if (!rest)
        output->total = transfer->exchange.head.content_length;
    if (http_output_begin(output, rest, err))
        return -1;
    int result = write_body(transfer, true, kind_of_body(transfer), err);
    bool wrong_length = result == 0 && part && !options->head && transfer->timing.bytes != part;
    bool was_cut = result && (http_body_was_cut(&transfer->body) || err->status == STATUS_TIMEOUT);
    if (wrong_length) {
        was_cut = transfer->timing.bytes < part; /* of a body that the end of the connection ends */
        result = error_set(err, STATUS_MALFORMED, "%s: the body and its range differ in length",
                           transfer->target->name);
    }
    transfer->may_pass = was_cut && (http_output_can_restart(output) ||
                                     (*output->validator && !options->range));
    if (transfer->wrote_head_alone && output->has_file && output->file.temporary)
        output->stale = true;
    else if (transfer->wrote_head_alone)
        transfer->may_pass = false; /* the head of another answer would follow it */
    return result;
}

/* The body, where it is wanted, goes to stdout. That the server refused says more than how its
 * explanation ended. */
static int take_refusal(struct http_transfer *transfer, struct error *err)
{
    static const int passing[] = {408, 429, 500, 502, 503, 504, 0};
    const struct http_fetch *fetch = transfer->fetch;
    const struct http_options *options = fetch->options;
    enum http_body_kind kind = kind_of_body(transfer);
    transfer->may_pass = is_one_of(passing, transfer->exchange.head.status);
    bool again = transfer->may_pass && transfer->tries < options->retries;
    bool is_here = http_body_is_here(&transfer->exchange, kind);
    if (options->fail)
        kind = HTTP_BODY_NONE;
    if (!again && write_body(transfer, false, kind, err) && err->status != STATUS_TRANSFER &&
        err->status != STATUS_MALFORMED && !fetch->output->is_binary)
        return -1;
    if (again || options->fail)
        transfer->keeps = is_here && leaves_it_clean(transfer);
    /* The server may ask for a longer pause, of at most a day. */
    uint64_t pause_s;
    size_t length;
    const char *value = find_field(&transfer->exchange, "Retry-After", &length);
    if (value && text_number(value, length, &pause_s)) {
        int64_t pause_ms = (int64_t)(pause_s < A_DAY_S ? pause_s : A_DAY_S) * 1000;
        if (transfer->pause_ms < pause_ms)
            transfer->pause_ms = pause_ms;
    }
    const char *hidden = fetch->output->is_binary ? " (the body is binary: -o - prints it)" : "";
    return fail_by_status(&transfer->exchange, STATUS_REFUSED, hidden, err);
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

/* A 416 says that all is there, or that what is there is something else. One that does not say how many bytes there
 * are means the former where FILE was complete before. */
static int take_unsatisfied(struct http_transfer *transfer, struct error *err)
{
    struct http_output *output = transfer->fetch->output;
    bool was_complete = http_output_was_complete(output);
    struct http_range range;
    size_t length;
    const char *value = find_field(&transfer->exchange, "Content-Range", &length);
    if (value ? !http_range_read(&range, value, length) || range.is_part ||
                    range.total != output->there
              : !was_complete) {
        fail_by_status(&transfer->exchange, STATUS_REFUSED, "", err);
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
    if (!users_field(options, "If-None-Match") && !users_field(options, "If-Modified-Since"))
        return fail_by_status(&transfer->exchange, STATUS_MALFORMED, UNASKED, err);
    if (http_output_leave(output, err) ||
        (!output->has_file && write_body(transfer, true, HTTP_BODY_NONE, err)))
        return -1;
    transfer->keeps = leaves_it_clean(transfer) &&
                      http_body_is_here(&transfer->exchange, HTTP_BODY_NONE);
    return 0;
}

/* Reads which range a 206 has. Returns NULL, or what is wrong with it. */
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

/* A 206 that was asked for to go on with what is there: it has to have just what follows, up to the end, and to be of
 * the same version. */
static int take_rest(struct http_transfer *transfer, struct error *err)
{
    const struct http_exchange *exchange = &transfer->exchange;
    struct http_output *output = transfer->fetch->output;
    struct http_range range;
    const char *validator = output->validator, *wrong = read_range(exchange, &range);
    bool is_tag = *validator == '"';
    size_t length;
    const char *now = find_field(exchange, is_tag ? "ETag" : "Last-Modified", &length);
    if (now && is_tag && length > 2 && memcmp(now, "W/", 2) == 0) {
        now += 2;
        length -= 2;
    }
    /* An answer that does not say its version is believed to have looked at If-Range. */
    bool has_changed = *validator && now &&
                       (length != strlen(validator) || memcmp(now, validator, length) != 0);
    if (!wrong &&
        (has_changed || (output->total && range.has_total && range.total != output->total)))
        wrong = "the file has changed";
    if (!wrong && range.first != output->there)
        wrong = "it starts at another byte";
    if (!wrong && range.has_total && range.last + 1 != range.total)
        wrong = "it does not go on to the end";
    if (!wrong && range.has_total)
        output->total = range.total;
    if (!wrong)
        return take_body(transfer, true, range.last - range.first + 1, err);
    error_set(err, STATUS_MALFORMED, "%s: the rest cannot be added: %s", exchange->name, wrong);
    return reject_part(transfer);
}

/* A 206 to the user's own range: it must be exactly that range, or less where the file ends sooner, in one part. */
static int take_part(struct http_transfer *transfer, struct error *err)
{
    static const char unit[] = "bytes=";
    const struct http_options *options = transfer->fetch->options;
    const struct http_exchange *exchange = &transfer->exchange;
    struct http_range range;
    /* What --header says goes first. Of a range in another unit nothing is known. */
    const char *field = users_field(options, "Range"), *wish = field ? field : options->range;
    if (field && strncasecmp(field, unit, strlen(unit)) == 0)
        wish += strlen(unit);
    if (!wish)
        return fail_by_status(exchange, STATUS_MALFORMED, UNASKED, err);
    const char *wrong = read_range(exchange, &range);
    if (wrong)
        return error_set(err, STATUS_MALFORMED, "%s: this is not the range asked for: %s",
                         exchange->name, wrong);
    if (!http_range_grants(&range, wish))
        return error_set(err, STATUS_MALFORMED,
                         "%s: this is not the range asked for (%.60s): bytes %" PRIu64 "-%" PRIu64,
                         exchange->name, wish, range.first, range.last);
    return take_body(transfer, false, range.last - range.first + 1, err);
}

/* Finds where a redirect leads: transfer->next, NULL where the answer is none. */
static int find_location(struct http_transfer *transfer, struct error *err)
{
    static const int redirects[] = {301, 302, 303, 307, 308, 0};
    const struct http_exchange *exchange = &transfer->exchange;
    const struct url *base = &transfer->target->url;
    const char *wrong = NULL;
    size_t length, other_length = 0;
    struct url url = {.unix_socket = false};
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
    if (!wrong && base->tls && !url.tls)
        wrong = "is plain http: what was asked for by https stays there";
    if (!wrong) {
        transfer->next = text;
        return 0;
    }
    free(text);
    const char *at_sign = memrchr(found, '@', length);
    size_t hidden = at_sign ? (size_t)(at_sign - found) : 0;
    return error_set(err, STATUS_REFUSED, "%s: redirected to '%.*s', which %s", exchange->name,
                     shown_length(length - hidden), found + hidden, wrong);
}

/* Without --location a redirect often has no body to show, and status 0: a person is told where it leads. */
static void report_redirect(struct http_transfer *transfer)
{
    const struct http_options *options = transfer->fetch->options;
    const struct http_exchange *exchange = &transfer->exchange;
    struct error failure;
    size_t length;
    if (options->silent || options->head || options->include || !log_columns())
        return;
    const char *line = http_head_status(&exchange->head, exchange->bytes, &length);
    if (find_location(transfer, &failure))
        report_warning("%s", failure.text);
    else if (transfer->next)
        report_warning("%s: %.*s, to %.300s (-L follows)", exchange->name, shown_length(length),
                       line, url_redacted(transfer->next));
    free(transfer->next);
    transfer->next = NULL;
}

/* Does with the answer what its status says. */
static int take_answer(struct http_transfer *transfer, struct error *err)
{
    const struct http_options *options = transfer->fetch->options;
    const struct http_exchange *exchange = &transfer->exchange;
    const int status = exchange->head.status;
    if (options->http09)
        return take_body(transfer, false, 0, err);
    if (options->location && find_location(transfer, err))
        return -1;
    if (transfer->next)
        return take_redirect(transfer, err);
    if (!options->location)
        report_redirect(transfer);
    if (transfer->resumes && status == NOT_SATISFIABLE)
        return take_unsatisfied(transfer, err);
    if (status >= FIRST_REFUSAL)
        return take_refusal(transfer, err);
    if (status == NOT_MODIFIED)
        return take_not_modified(transfer, err);
    if (!options->silent && !options->head) {
        size_t length;
        const char *coding = find_field(exchange, "Content-Encoding", &length);
        if (coding && !(length == 8 && strncasecmp(coding, "identity", length) == 0))
            report_warning("%s: the body is encoded (%.*s) and stays as it is", exchange->name,
                           shown_length(length), coding);
        if (options->range && status != PARTIAL)
            report_warning("%s: the server ignores the range", exchange->name);
    }
    if (status == PARTIAL)
        return transfer->resumes ? take_rest(transfer, err) : take_part(transfer, err);
    return take_body(transfer, false, 0, err);
}

/* Asks transfer->target once; more often only where a connection that was kept turns out to be dead.
 * Sets `next` where the answer is a redirect that is to be followed, else has written its body to the
 * output. */
static int try_once(struct http_transfer *transfer, struct error *err)
{
    transfer->may_pass = transfer->keeps = transfer->anew = false;
    int result = ask(transfer, err);
    struct http_connection *connection = transfer->connection;
    if (!connection)
        return result;
    if (result == 0)
        result = take_answer(transfer, err);
    transfer->timing.ended = loop_now_us();
    stop_limits(transfer);
    connection->in += transfer->exchange.received + body_taken(&transfer->body.framed);
    connection->out += transfer->exchange.sent;
    transfer->body.framed = (struct body){.loop = transfer->fetch->loop};
    connection->served++;
    bool by_failure = result && (err->status == STATUS_TRANSFER || err->status == STATUS_TIMEOUT ||
                                 err->signal_number);
    /* A body whose end is the connection's is whole only where TLS, or the program, has ended in order, too. */
    if ((result || transfer->body.kind == HTTP_BODY_UNTIL_CLOSE) && connection->connection.via)
        result = http_connection_fail(connection, transfer->exchange.received > 0, result, err);
    if (!transfer->keeps)
        http_connection_close(connection,
                              by_failure ? connection_log_how(result, err) : REPORT_EOF);
    if (transfer->exchange.received && transfer->fetch->options->timing)
        http_timing_show(&transfer->timing, transfer->fetch->options->timing);
    return result;
}

bool http_fetch_is_over(const struct http_fetch *fetch, const struct error *err)
{
    return fetch->limit->is_over || err->status == STATUS_LOCAL_IO || err->signal_number;
}

/* Tries the target up to an answer that counts. */
static int try_target(struct http_transfer *transfer, struct error *err)
{
    const struct http_fetch *fetch = transfer->fetch;
    char pause[UNITS_DURATION_MAX];
    for (;;) {
        if (try_once(transfer, err) == 0)
            return 0;
        if (transfer->anew && !fetch->options->silent)
            report_warning("%s; starting anew", err->text);
        if (transfer->anew)
            continue;
        if (!transfer->may_pass || transfer->tries == fetch->options->retries ||
            http_fetch_is_over(fetch, err))
            return -1;
        transfer->tries++;
        if (!fetch->options->silent)
            report_warning("%s; trying again in %s", err->text,
                           units_show_duration(pause, transfer->pause_ms));
        if (loop_await(fetch->loop, transfer->pause_ms, NULL))
            return -1;
        transfer->pause_ms *= 2;
        if (transfer->pause_ms > PAUSE_MAX_MS)
            transfer->pause_ms = PAUSE_MAX_MS;
    }
}

/* Lets what has come stay, after a signal and without --continue, where it is a whole body but for its end. */
static bool keep_part(const struct http_transfer *transfer)
{
    const struct http_options *options = transfer->fetch->options;
    const bool is_other = options->include || options->head || options->range || options->http09;
    return !is_other && transfer->exchange.head.status == 200 &&
           http_output_keep(transfer->fetch->output);
}

/* Says what a download that has failed has left, and how to go on. What a signal has ended is kept without --continue,
 * too: nobody who stops a long download wants to have it all again. */
static void report_kept(struct http_transfer *transfer, struct error *err)
{
    const struct http_options *options = transfer->fetch->options;
    struct http_output *output = transfer->fetch->output;
    const bool was_stopped = err->signal_number;
    char there[UNITS_SIZE_MAX], of[2 * UNITS_SIZE_MAX] = "";
    if (!output->has_file || !output->there || !output->file.temporary)
        return;
    const bool is_kept = options->resume ? output->file.kept : was_stopped && keep_part(transfer);
    units_show_size(there, sizeof there, output->there);
    if (output->total) {
        char total[UNITS_SIZE_MAX];
        snprintf(of, sizeof of, " of %s", units_show_size(total, sizeof total, output->total));
    }
    if (is_kept && !was_stopped && output->begun)
        error_add(err, "; %s%s kept in %s: to go on, type the same command", there, of,
                  output->file.temporary);
    if (!was_stopped || options->silent)
        return;
    if (is_kept)
        report_warning("%s%s kept in %s; to go on: the same command%s", there, of,
                       output->file.temporary, options->resume ? "" : " with -C");
    else if (log_columns())
        report_warning("%s%s not kept%s", there, of,
                       *output->validator ? ""
                                          : ": the server sends neither ETag nor Last-Modified");
}

/* Finishes the output, and says on a terminal what has become of the file. */
static int finish_output(struct http_transfer *transfer, struct error *err)
{
    struct http_output *output = transfer->fetch->output;
    const struct http_timing *timing = &transfer->timing;
    const bool says = output->has_file && !transfer->fetch->options->silent;
    const bool is_new = !http_output_was_complete(output) && !output->unchanged;
    char *name = memory_copy(output->name, strlen(output->name));
    int result = http_output_finish(output, err);
    if (!result && says && is_new)
        report_wrote(name, timing->bytes, (timing->ended - timing->began) / 1000);
    else if (!result && says && report_is_watched())
        report_warning("%s is complete already", name);
    free(name);
    return result;
}

int http_fetch_run(const struct http_fetch *fetch, const char *url, bool last, struct error *err)
{
    struct http_target origin;
    struct http_output *output = fetch->output;
    struct http_transfer transfer = {
        .fetch = fetch,
        .target = &origin,
        .err = err,
        .pause_ms = FIRST_PAUSE_MS,
        .is_last = last,
        .persistent = !last || fetch->options->location,
        .speed = {.rate = fetch->options->speed_limit,
                  .time_ms = fetch->options->speed_time_ms,
                  .look = transfer_look_at_speed,
                  .over = transfer_is_slow},
    };
    if (http_target_init(&origin, fetch->options, url, NULL, err))
        return -1;
    transfer.reader = (struct watch){.fd = output->standard.fd, .ready = transfer_reader_gone};
    int result = http_output_find(output, &origin.url, err);
    watch_reader(&transfer);
    if (!result)
        result = try_target(&transfer, err);
    while (!result && transfer.next) {
        http_target_release(&transfer.hop);
        free(transfer.hop_url);
        transfer.hop_url = transfer.next;
        transfer.next = NULL;
        transfer.target = &transfer.hop;
        result = http_target_init(&transfer.hop, fetch->options, transfer.hop_url, &origin, err);
        if (result && err->status == STATUS_USAGE)
            err->status = STATUS_REFUSED; /* the server's choice, not a wrong command line */
        if (!result)
            result = try_target(&transfer, err);
    }
    if (!result)
        result = finish_output(&transfer, err);
    if (result)
        report_kept(&transfer, err);
    loop_unwatch(fetch->loop, &transfer.reader);
    http_output_drop(output);
    http_exchange_release(&transfer.exchange);
    http_target_release(&transfer.hop);
    free(transfer.hop_url);
    free(transfer.next);
    http_target_release(&origin);
    return result;
}
