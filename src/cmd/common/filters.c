/*
 * See filters.h. What is sent passes filters_pass_sent (encoded, dumped), what arrives filters_pass_received (dumped,
 * decoded, copied). The two files that are written to belong to all transfers that share them (struct copies): while
 * one does not take what it is given, the filters that have let bytes pass are held, and resumed when it is drained.
 */
#include "cmd/common/filters.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/dump.h"
#include "cmd/common/copy_file.h"

enum { STOP_MS = 80 }; /* for a reader that takes nothing, once all is to end */

struct copies {
    struct loop *loop;
    struct copy_file output;
    struct copy_file dump;
    struct list held; /* filters that are to be given nothing, until nothing waits here */
    bool closing;
    struct timer stop;
    size_t seen; /* bytes that waited when it was set */
};

static size_t copies_waiting(const struct copies *copies)
{
    return copy_file_waiting(&copies->output) + copy_file_waiting(&copies->dump);
}

/* What has been let pass is written down, or waits for that. */
static ssize_t filters_hold_if_waiting(struct filters *filters, struct filter *filter,
                                       size_t length)
{
    struct copies *copies = filters->copies;
    if (!filter->held && copies_waiting(copies)) {
        filter->held = true;
        list_append(&copies->held, &filter->node);
    }
    return (ssize_t)length;
}

static void copies_resume_held(struct copies *copies)
{
    struct filter *filter;
    while ((filter = LIST_FIRST(&copies->held, struct filter, node)) && !copies_waiting(copies)) {
        list_remove(&copies->held, &filter->node);
        filter->held = false;
        if (filter->resume)
            filter->resume(filter);
    }
}

static void copies_drained(struct copies *copies)
{
    if (copies_waiting(copies))
        return;
    if (copies->closing)
        loop_stop(copies->loop, 0);
    else
        copies_resume_held(copies);
}

static void output_drained(struct copy_file *file)
{
    copies_drained(LOOP_OWNER(file, struct copies, output));
}

static void dump_drained(struct copy_file *file)
{
    copies_drained(LOOP_OWNER(file, struct copies, dump));
}

/* Writes a segment of one direction down as a dump. Status 8, and errno. */
static int filters_dump(struct filters *filters, struct flow *flow, const char *bytes,
                        size_t length)
{
    char text[4096];
    struct timespec now;
    struct copy_file *file = &filters->copies->dump;
    if (!file->name)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    size_t used = dump_head(text, flow->direction, &now, length);
    while (length) {
        size_t part = length < DUMP_LINE_BYTES ? length : DUMP_LINE_BYTES;
        if (used > sizeof text - DUMP_LINE_MAX) {
            if (copy_file_write(file, text, used, &filters->error))
                return -1;
            used = 0;
        }
        used += dump_line(text + used, flow->direction, flow->offset, bytes, part);
        flow->offset += part;
        bytes += part;
        length -= part;
    }
    return copy_file_write(file, text, used, &filters->error);
}

static ssize_t filters_pass_sent(struct filter *filter, char **bytes, size_t length)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, tx.filter);
    if (filters->encoder.lines || filters->encoder.twice) {
        char *out = *bytes - length;
        length = telnet_encode(&filters->encoder, out, *bytes, length);
        *bytes = out;
    }
    return filters_dump(filters, &filters->tx, *bytes, length)
               ? -1
               : filters_hold_if_waiting(filters, filter, length);
}

static ssize_t filters_pass_received(struct filter *filter, char **bytes, size_t length)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, rx.filter);
    if (filters_dump(filters, &filters->rx, *bytes, length))
        return -1;
    if (filters->options->telnet) {
        length = telnet_decode(&filters->telnet, *bytes, length);
        filters->tx.filter.waiting = filters->telnet.refuses;
    }
    if (copy_file_write(&filters->copies->output, *bytes, length, &filters->error))
        return -1;
    return filters_hold_if_waiting(filters, filter, length);
}

/* Refuses what the other side of a telnet connection has asked for. */
static size_t filters_say_sent(struct filter *filter, char *words)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, tx.filter);
    size_t length = telnet_answer(&filters->telnet, words);
    filter->waiting = false;
    filters_dump(filters, &filters->tx, words, length); /* an error is kept */
    return length;
}

int filters_check_shared(const struct transfer_options *options, struct error *err)
{
    const struct {
        bool given;
        const char *name;
    } alone[] = {{options->delay_ms > 0, "delay"},
                 {options->rate > 0, "rate-limit"},
                 {options->telnet, "telnet"},
                 {options->progress, "progress"},
                 {options->urgent >= 0, "oob"}};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (alone[i].given)
            return error_set(err, STATUS_USAGE,
                             "option --%s is for one client: not with --keep-open", alone[i].name);
    return 0;
}

/* What somebody who knows other programs may have meant otherwise. */
static int filters_check_names(const struct transfer_options *options, struct error *err)
{
    if (options->output && strcmp(options->output, "-") == 0)
        return error_set(err, STATUS_USAGE,
                         "option --output: what arrives goes to stdout as well; a file of that "
                         "name is ./-");
    if (options->append && !options->output && !options->hex_dump)
        return error_set(err, STATUS_USAGE, "option --append is for --output and --hex-dump");
    return 0;
}

int filters_open(struct filters *filters, struct loop *loop, const struct transfer_options *options,
                 struct error *err)
{
    const char *name = options->hex_dump;
    struct copies *copies = memory_new(1, sizeof *copies);
    *copies = (struct copies){.loop = loop,
                              .output = {.loop = loop, .drained = output_drained},
                              .dump = {.loop = loop, .drained = dump_drained}};
    *filters = (struct filters){
        .options = options,
        .tx = {.filter = {.pass = filters_pass_sent, .say = filters_say_sent}, .direction = '>'},
        .rx = {.filter.pass = filters_pass_received, .direction = '<'},
        .tx.pace = {.rate = options->rate, .line_ms = options->delay_ms},
        .rx.pace = {.rate = options->rate},
        .encoder = {.lines = options->crlf, .twice = options->telnet},
        .copies = copies};
    if (filters_check_names(options, err) ||
        copy_file_open(&copies->output, options->output, options->append, err))
        return -1;
    if (!name || strcmp(name, "-") != 0)
        return copy_file_open(&copies->dump, name, options->append, err);
    copy_file_stderr(&copies->dump);
    return 0;
}

void filters_take_loop(struct filters *filters, struct loop *loop)
{
    struct copies *copies = filters->copies;
    copies->loop = copies->output.loop = copies->dump.loop = loop;
    copies->output.queue.loop = copies->dump.queue.loop = loop;
}

void filters_copy(struct filters *filters, const struct filters *from)
{
    *filters = *from;
    filters->tx.filter.held = filters->rx.filter.held = false;
}

static void filter_leave_held(struct copies *copies, struct filter *filter)
{
    if (filter->held)
        list_remove(&copies->held, &filter->node);
    filter->held = false;
}

void filters_leave(struct filters *filters)
{
    filter_leave_held(filters->copies, &filters->tx.filter);
    filter_leave_held(filters->copies, &filters->rx.filter);
}

bool filters_wait(const struct filters *filters)
{
    return copies_waiting(filters->copies) > 0;
}

static void copies_stop_waiting(struct timer *timer)
{
    struct copies *copies = LOOP_OWNER(timer, struct copies, stop);
    size_t waiting = copies_waiting(copies);
    if (waiting < copies->seen)
        loop_timer_set(copies->loop, timer, STOP_MS);
    else
        loop_stop(copies->loop, 0);
    copies->seen = waiting;
}

/* The rest, as far as it may take its time. */
static int filters_write_rest(struct filters *filters, int result, bool stopped,
                              const struct error *err)
{
    struct copies *copies = filters->copies;
    copies->closing = true;
    if (!filters_wait(filters) ||
        (result < 0 && (err->signal_number || err->status == STATUS_TIMEOUT)))
        return result;
    copies->stop.fired = copies_stop_waiting;
    copies->seen = copies_waiting(copies);
    if (stopped)
        loop_timer_set(copies->loop, &copies->stop, STOP_MS);
    if (loop_run(copies->loop) < 0)
        result = -1;
    loop_timer_cancel(copies->loop, &copies->stop);
    return result;
}

static void filters_close_file(struct filters *filters, struct copy_file *file)
{
    struct error error;
    if (copy_file_close(file, &error) < 0 && filters->error.status == 0)
        filters->error = error;
}

int filters_close(struct filters *filters, int result, bool stopped, struct error *err)
{
    struct copies *copies = filters->copies;
    result = filters_write_rest(filters, result, stopped, err);
    filters_close_file(filters, &copies->output);
    filters_close_file(filters, &copies->dump);
    free(copies);
    filters->copies = NULL;
    if (filters->error.status == 0)
        return result;
    *err = filters->error;
    return -1;
}

int filters_greeting(struct filters *filters, const char *bytes, size_t length)
{
    return length ? filters_dump(filters, &filters->tx, bytes, length) : 0;
}

struct filter *filters_tx(struct filters *filters)
{
    const struct transfer_options *options = filters->options;
    return options->crlf || options->telnet || options->hex_dump ? &filters->tx.filter : NULL;
}

struct filter *filters_rx(struct filters *filters)
{
    const struct transfer_options *options = filters->options;
    return options->output || options->telnet || options->hex_dump ? &filters->rx.filter : NULL;
}

struct pace *filters_tx_pace(struct filters *filters)
{
    struct pace *pace = &filters->tx.pace;
    return pace->rate || pace->line_ms ? pace : NULL;
}

struct pace *filters_rx_pace(struct filters *filters)
{
    struct pace *pace = &filters->rx.pace;
    return pace->rate ? pace : NULL;
}
