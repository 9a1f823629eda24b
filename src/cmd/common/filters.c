/*
 * See filters.h. What is sent passes filters_pass_tx (encoded, dumped), what arrives filters_pass_rx (dumped, decoded,
 * copied). The two files that are written to belong to all transfers that share them (struct copies). Each is a write queue
 * with a name: a FIFO, a terminal or a device is never waited for, but what it does not take at once is kept, and the filters
 * that have let bytes pass are held until that is written (copies_drained).
 */
#include "cmd/common/filters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/colour.h"
#include "cli/dump.h"
#include "cli/report.h"
#include "stream/write_queue.h"
#include "sys/output_path.h"
#include "sys/unblocked.h"

enum {
    STOP_MS = 80,   /* for a reader that takes nothing, once all is to end */
    NEW_FILE = 0666 /* the mode of a new file, less what the umask takes */
};

/* A file in which a transfer is written down as it goes on. */
struct copy_file {
    const char *name; /* as the user gave it; NULL: not open, and nothing is written */
    struct copies *copies;
    struct write_queue queue;
};

struct copies {
    struct loop *loop;
    struct copy_file output;
    struct copy_file dump;
    bool is_coloured; /* the dump */
    struct list held; /* filters that are to be given nothing, until nothing waits here */
    bool closing;
    struct timer stop;
    size_t seen; /* bytes that waited when it was set */
};

/* The files */

static size_t copies_waiting(const struct copies *copies)
{
    return copies->output.queue.length + copies->dump.queue.length;
}

/* Lets the held filters go on once nothing waits for any file, or writing to one has failed, which the next write
 * tells. */
static void copies_drained(struct write_queue *queue)
{
    struct copies *copies = LOOP_OWNER(queue, struct copy_file, queue)->copies;
    struct filter *filter;
    if (copies_waiting(copies))
        return;
    if (copies->closing) {
        loop_stop(copies->loop, 0);
        return;
    }
    while ((filter = LIST_FIRST(&copies->held, struct filter, node)) && !copies_waiting(copies)) {
        list_remove(&copies->held, &filter->node);
        filter->held = false;
        if (filter->resume)
            filter->resume(filter);
    }
}

/* Opens a file; a FIFO, when it has a reader. output_path.h says whose links are followed. It fails with status 8; when
 * somebody else stops the loop, *err is left as it was. */
static int copies_open_file(struct copies *copies, struct copy_file *file, const char *name,
                            bool append, struct error *err)
{
    int how = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY | (append ? O_APPEND : O_TRUNC);
    int fd;
    char *path = output_path_find(name, &fd, err);
    if (!path)
        return -1;
    if (fd < 0)
        fd = unblocked_open(copies->loop, path, how, NEW_FILE);
    if (fd >= 0) {
        file->name = name;
        write_queue_init(&file->queue, copies->loop, fd_of_own(fd), copies_drained);
    } else if (errno != ECANCELED) {
        error_system(err, STATUS_LOCAL_IO, errno, "open %s", name);
    }
    free(path);
    return fd < 0 ? -1 : 0;
}

/* Writes to a file, if it is there. -1: it failed, as errno and filters_error say. */
static int filters_write(struct filters *filters, struct copy_file *file, const char *bytes,
                         size_t length)
{
    if (!file->name || !length || write_queue_put(&file->queue, bytes, length) == 0)
        return 0;
    filters->failed = file->name;
    errno = filters->failure = file->queue.failure;
    return -1;
}

/* Closes a file. What is still kept is lost, of which a warning tells. Some file systems tell of a failed write only
 * here. */
static void filters_close_file(struct filters *filters, struct copy_file *file)
{
    if (!file->name)
        return;
    int fd = file->queue.fd.fd, failure = file->queue.failure;
    size_t lost = file->queue.length;
    const uint64_t written = file->queue.written;
    const bool is_file = file->queue.fd.kind == FD_FILE;
    write_queue_release(&file->queue);
    if (lost)
        report_warning("%s: the last %zu %s not written", file->name, lost,
                       lost == 1 ? "byte was" : "bytes were");
    if (fd != STDERR_FILENO && close(fd) < 0 && errno != EINTR && !failure)
        failure = errno;
    if (failure && !filters->failed) {
        filters->failed = file->name;
        filters->failure = failure;
    }
    if (is_file && !lost && !failure)
        report_wrote(file->name, written, -1);
    file->name = NULL;
}

/* What passes */

/* Holds a filter while what it has let pass waits for the files. */
static void filters_hold_if_waiting(struct filters *filters, struct filter *filter)
{
    struct copies *copies = filters->copies;
    if (filter->held || !copies_waiting(copies))
        return;
    filter->held = true;
    list_append(&copies->held, &filter->node);
}

/* Ends a line of the dump, which has its newline already, with the escape that ends its colour. */
static char *end_dump_line(char *at, bool coloured)
{
    at = stpcpy(at - 1, colour_end(coloured));
    *at++ = '\n';
    return at;
}

/* Writes a segment of one direction down as a dump. Returns -1 where filters_write does. */
static int filters_dump(struct filters *filters, struct flow *flow, const char *bytes,
                        size_t length)
{
    char text[4096], *at;
    struct timespec now;
    struct copy_file *file = &filters->copies->dump;
    if (!file->name)
        return 0;
    const bool coloured = filters->copies->is_coloured;
    const char *begin = colour_begin(coloured,
                                     flow->direction == '>' ? COLOUR_SENT : COLOUR_RECEIVED);
    clock_gettime(CLOCK_REALTIME, &now);
    at = stpcpy(text, begin);
    at = end_dump_line(at + dump_head(at, flow->direction, &now, length), coloured);
    while (length) {
        size_t part = length < DUMP_LINE_BYTES ? length : DUMP_LINE_BYTES;
        if (at > text + sizeof text - DUMP_LINE_MAX - (ptrdiff_t)2 * COLOUR_TEXT_MAX) {
            if (filters_write(filters, file, text, (size_t)(at - text)))
                return -1;
            at = text;
        }
        at = stpcpy(at, begin);
        at += dump_line(at, flow->direction, flow->offset, bytes, part);
        at = end_dump_line(at, coloured);
        flow->offset += part;
        bytes += part;
        length -= part;
    }
    return filters_write(filters, file, text, (size_t)(at - text));
}

int filters_greeting(struct filters *filters, const char *bytes, size_t length)
{
    return length ? filters_dump(filters, &filters->tx, bytes, length) : 0;
}

int filters_look_tx(struct filters *filters, const char *bytes, size_t length)
{
    if (filters_dump(filters, &filters->tx, bytes, length))
        return -1;
    filters_hold_if_waiting(filters, &filters->tx.filter);
    return 0;
}

int filters_look_rx(struct filters *filters, const char *bytes, size_t length)
{
    if (filters_dump(filters, &filters->rx, bytes, length) ||
        filters_write(filters, &filters->copies->output, bytes, length))
        return -1;
    filters_hold_if_waiting(filters, &filters->rx.filter);
    return 0;
}

static ssize_t filters_pass_tx(struct filter *filter, char **bytes, size_t length)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, tx.filter);
    if (filters->encoder.lines || filters->encoder.twice) {
        char *out = *bytes - length;
        length = telnet_encode(&filters->encoder, out, *bytes, length);
        *bytes = out;
    }
    return filters_look_tx(filters, *bytes, length) ? -1 : (ssize_t)length;
}

static ssize_t filters_pass_rx(struct filter *filter, char **bytes, size_t length)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, rx.filter);
    if (!filters->options->telnet)
        return filters_look_rx(filters, *bytes, length) ? -1 : (ssize_t)length;
    /* The dump shows what came, the copy what it means. */
    if (filters_dump(filters, &filters->rx, *bytes, length))
        return -1;
    length = telnet_decode(&filters->telnet, *bytes, length);
    filters->tx.filter.has_answer = filters->telnet.refuses;
    if (filters_write(filters, &filters->copies->output, *bytes, length))
        return -1;
    filters_hold_if_waiting(filters, filter);
    return (ssize_t)length;
}

/* Refuses what the other side of a telnet connection has asked for. */
static size_t filters_answer(struct filter *filter, char *bytes)
{
    struct filters *filters = LOOP_OWNER(filter, struct filters, tx.filter);
    size_t length = telnet_answer(&filters->telnet, bytes);
    filter->has_answer = false;
    filters_dump(filters, &filters->tx, bytes, length); /* an error is kept */
    return length;
}

struct filter *flow_filter(struct flow *flow)
{
    return flow->is_filtered ? &flow->filter : NULL;
}

struct pace *flow_pace(struct flow *flow)
{
    return flow->pace.rate || flow->pace.line_ms ? &flow->pace : NULL;
}

/* From the start to the end */

int filters_open(struct filters *filters, struct loop *loop, const struct transfer_options *options,
                 struct error *err)
{
    const char *dump = options->hex_dump;
    struct copies *copies = memory_new(1, sizeof *copies);
    *copies = (struct copies){.loop = loop, .output.copies = copies, .dump.copies = copies};
    *filters = (struct filters){
        .options = options,
        .tx = {.filter = {.pass = filters_pass_tx, .answer = filters_answer},
               .is_filtered = options->crlf || options->telnet || dump,
               .pace = {.rate = options->rate, .line_ms = options->delay_ms},
               .direction = '>'},
        .rx = {.filter.pass = filters_pass_rx,
               .is_filtered = options->output || options->telnet || dump,
               .pace.rate = options->rate,
               .direction = '<'},
        .encoder = {.lines = options->crlf, .twice = options->telnet},
        .copies = copies};
    /* Somebody who knows other programs may have meant these two otherwise. */
    if (options->output && strcmp(options->output, "-") == 0)
        return error_set(err, STATUS_USAGE,
                         "option --output: what arrives goes to stdout as well; a file of that "
                         "name is ./-");
    if (options->append && !options->output && !dump)
        return error_set(err, STATUS_USAGE, "option --append is for --output and --hex-dump");
    if (options->output &&
        copies_open_file(copies, &copies->output, options->output, options->append, err))
        return -1;
    if (!dump)
        return 0;
    if (strcmp(dump, "-") != 0)
        return copies_open_file(copies, &copies->dump, dump, options->append, err);
    copies->is_coloured = colour_is_wanted(STDERR_FILENO);
    copies->dump.name = "stderr";
    write_queue_init(&copies->dump.queue, loop, fd_output(STDERR_FILENO), copies_drained);
    return 0;
}

void filters_take_loop(struct filters *filters, struct loop *loop)
{
    struct copies *copies = filters->copies;
    copies->loop = copies->output.queue.loop = copies->dump.queue.loop = loop;
}

void filters_copy(struct filters *filters, const struct filters *from)
{
    *filters = *from;
    filters->tx.filter.held = filters->rx.filter.held = false;
}

void filters_leave(struct filters *filters)
{
    struct filter *both[] = {&filters->tx.filter, &filters->rx.filter};
    for (size_t i = 0; i < 2; i++) {
        if (both[i]->held)
            list_remove(&filters->copies->held, &both[i]->node);
        both[i]->held = false;
    }
}

bool filters_error(const struct filters *filters, struct error *err)
{
    if (filters->failed)
        error_system(err, STATUS_LOCAL_IO, filters->failure, "write to %s", filters->failed);
    return filters->failed != NULL;
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

int filters_close(struct filters *filters, int result, bool stopped, struct error *err)
{
    struct copies *copies = filters->copies;
    bool in_haste = result < 0 && (err->signal_number || err->status == STATUS_TIMEOUT);
    copies->closing = true;
    if (filters_wait(filters) && !in_haste) {
        copies->stop.fired = copies_stop_waiting;
        copies->seen = copies_waiting(copies);
        if (stopped)
            loop_timer_set(copies->loop, &copies->stop, STOP_MS);
        if (loop_run(copies->loop) < 0)
            result = -1;
        loop_timer_cancel(copies->loop, &copies->stop);
    }
    filters_close_file(filters, &copies->output);
    filters_close_file(filters, &copies->dump);
    free(copies);
    filters->copies = NULL;
    return filters_error(filters, err) ? -1 : result;
}
