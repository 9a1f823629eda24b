#include "cmd/filters.h"

#include <string.h>

#include "cli/dump.h"
#include "io/loop.h"

/* Writes a stretch of one direction down as a dump. Status 8, and errno. */
static int dump(struct filters *filters, struct flow *flow, const char *bytes, size_t length)
{
    char text[4096];
    struct timespec now;
    if (!filters->dump.name)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    size_t used = dump_head(text, flow->direction, &now, length);
    while (length) {
        size_t part = length < DUMP_LINE_BYTES ? length : DUMP_LINE_BYTES;
        if (used > sizeof text - DUMP_LINE_MAX) {
            if (copy_file_write(&filters->dump, text, used, &filters->error))
                return -1;
            used = 0;
        }
        used += dump_line(text + used, flow->direction, flow->offset, bytes, part);
        flow->offset += part;
        bytes += part;
        length -= part;
    }
    return copy_file_write(&filters->dump, text, used, &filters->error);
}

static ssize_t pass_up(struct filter *filter, char **bytes, size_t length)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, up.filter);
    if (filters->encoder.lines || filters->encoder.twice) {
        char *out = *bytes - length;
        length = encoder_encode(&filters->encoder, out, *bytes, length);
        *bytes = out;
    }
    return dump(filters, &filters->up, *bytes, length) ? -1 : (ssize_t)length;
}

static ssize_t pass_down(struct filter *filter, char **bytes, size_t length)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, down.filter);
    if (dump(filters, &filters->down, *bytes, length))
        return -1;
    if (filters->options->telnet) {
        length = telnet_decode(&filters->telnet, *bytes, length);
        filters->up.filter.waiting = filters->telnet.refuses;
    }
    if (copy_file_write(&filters->output, *bytes, length, &filters->error))
        return -1;
    return (ssize_t)length;
}

/* Refuses what the other side of a telnet connection has asked for. */
static size_t say_up(struct filter *filter, char *words)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, up.filter);
    size_t length = telnet_answer(&filters->telnet, words);
    filter->waiting = false;
    dump(filters, &filters->up, words, length); /* an error is kept */
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

int filters_open(struct filters *filters, const struct transfer_options *options, struct error *err)
{
    const char *name = options->hex_dump;
    *filters = (struct filters){.options = options,
                                .up = {.filter = {.pass = pass_up, .say = say_up},
                                       .direction = '>'},
                                .down = {.filter.pass = pass_down, .direction = '<'},
                                .up.pace = {.rate = options->rate, .line_ms = options->delay_ms},
                                .down.pace = {.rate = options->rate},
                                .encoder = {.lines = options->crlf, .twice = options->telnet}};
    if (copy_file_open(&filters->output, options->output, options->append, err))
        return -1;
    if (name && strcmp(name, "-") == 0)
        return copy_file_stderr(&filters->dump, err);
    return copy_file_open(&filters->dump, name, options->append, err);
}

static void close_file(struct filters *filters, struct copy_file *file)
{
    struct error error;
    if (copy_file_close(file, &error) < 0 && filters->error.status == 0)
        filters->error = error;
}

int filters_close(struct filters *filters, int result, struct error *err)
{
    close_file(filters, &filters->output);
    close_file(filters, &filters->dump);
    if (filters->error.status == 0)
        return result;
    *err = filters->error;
    return -1;
}

int filters_greeting(struct filters *filters, const char *bytes, size_t length)
{
    return length ? dump(filters, &filters->up, bytes, length) : 0;
}

struct filter *filters_up(struct filters *filters)
{
    const struct transfer_options *options = filters->options;
    return options->crlf || options->telnet || options->hex_dump ? &filters->up.filter : NULL;
}

struct filter *filters_down(struct filters *filters)
{
    const struct transfer_options *options = filters->options;
    return options->output || options->telnet || options->hex_dump ? &filters->down.filter : NULL;
}

struct pace *filters_up_pace(struct filters *filters)
{
    struct pace *pace = &filters->up.pace;
    return pace->rate || pace->line_ms ? pace : NULL;
}

struct pace *filters_down_pace(struct filters *filters)
{
    struct pace *pace = &filters->down.pace;
    return pace->rate ? pace : NULL;
}
