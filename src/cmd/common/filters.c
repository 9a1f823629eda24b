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
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/units.h"
#include "cli/colour.h"
#include "cli/dump.h"
#include "cli/report.h"
#include "stream/write_queue.h"
#include "sys/output_path.h"
#include "sys/unblocked.h"

enum {
    STOP_MS = 80,    /* for a reader that takes nothing, once all is to end */
    NEW_FILE = 0666, /* the mode of a new file, less what the umask takes */
    /* With --hex-dump-drop, so many bytes of a dump may wait; then more of it is left out, and then not even that is noted. */
    DROP_ABOVE = 1 << 20,
    NO_NOTES_ABOVE = 2 << 20,
    TEXT = 4096 /* bytes of lines that are put together */
};

/* A file in which a transfer is written down as it goes on. */
struct copy_file {
    const char *name; /* as the user gave it; NULL: not open, and nothing is written */
    bool is_stdout;
    struct copies *copies;
    struct write_queue queue;
};

struct copies {
    struct loop *loop;
    struct copy_file output;
    struct copy_file dump;
    struct write_cork *cork; /* of the dump: a stretch is written by as few calls as it takes */
    bool is_coloured;        /* the dump */
    bool drops;              /* --hex-dump-drop: the dump holds nobody, and ends nobody */
    bool has_failed;         /* and it has been said that it cannot be written */
    uint64_t left_out;       /* bytes that it lacks */
    struct list held; /* filters that are to be given nothing, until copies_hold says no more */
    bool closing;
    struct timer stop;
    size_t seen; /* bytes that waited when it was set */
};

/* The files */

static size_t copies_waiting(const struct copies *copies)
{
    return copies->output.queue.length + copies->dump.queue.length;
}

/* Says whether what waits is to hold up the transfers. */
static bool copies_hold(const struct copies *copies)
{
    return copies->output.queue.length || (copies->dump.queue.length && !copies->drops);
}

/* Lets the held filters go on once nothing that waits holds them, or writing to one has failed, which the next write
 * tells. */
static void copies_drained(struct write_queue *queue)
{
    struct copies *copies = LOOP_OWNER(queue, struct copy_file, queue)->copies;
    struct filter *filter;
    if (copies->closing) {
        if (!copies_waiting(copies))
            loop_stop(copies->loop, 0);
        return;
    }
    while ((filter = LIST_FIRST(&copies->held, struct filter, node)) && !copies_hold(copies)) {
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

/* Keeps why a file could not be written. Returns -1, and sets errno. */
static int filters_fail(struct filters *filters, const struct copy_file *file, int failure)
{
    filters->failed = file->name;
    filters->is_silent = failure == EPIPE && file->is_stdout;
    errno = filters->failure = failure;
    return -1;
}

/* Writes to a file, if it is there. -1: it failed, as errno and filters_error say. */
static int filters_write(struct filters *filters, struct copy_file *file, const char *bytes,
                         size_t length)
{
    if (!file->name || !length || write_queue_put(&file->queue, bytes, length) == 0)
        return 0;
    return filters_fail(filters, file, file->queue.failure);
}

/* Closes a file. What is still kept is lost, of which a warning tells. Some file systems tell of a failed write only
 * here. */
static void filters_close_file(struct filters *filters, struct copy_file *file)
{
    if (!file->name)
        return;
    const struct copies *copies = file->copies;
    const struct copy_file *dropping = copies->drops ? &copies->dump : NULL;
    int fd = file->queue.fd.fd, failure = file->queue.failure;
    size_t lost = file->queue.length;
    const uint64_t written = file->queue.written;
    const bool is_file = file->queue.fd.kind == FD_FILE;
    write_queue_release(&file->queue);
    if (lost)
        report_warning("%s: the last %zu %s not written", file->name, lost,
                       lost == 1 ? "byte was" : "bytes were");
    if (fd > STDERR_FILENO && close(fd) < 0 && errno != EINTR && !failure)
        failure = errno;
    if (failure && !filters->failed && file != dropping)
        filters_fail(filters, file, failure);
    if (is_file && !lost && !failure)
        report_wrote(file->name, written, -1);
    file->name = NULL;
}

/* What passes */

/* Holds a filter while what it has let pass waits for the files. */
static void filters_hold_if_waiting(struct filters *filters, struct filter *filter)
{
    struct copies *copies = filters->copies;
    if (filter->held || !copies_hold(copies))
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

/* Says whether the dump takes more now, of which there are at most `max` bytes, or what comes is to be left out. */
static bool copies_can_dump(const struct copies *copies, size_t max)
{
    const struct write_queue *queue = &copies->dump.queue;
    return copies->dump.name && (!copies->drops || (queue->length <= max && !queue->failure));
}

/* Notes something in the dump, if that can be. -1 as filters_write. */
static int filters_note(struct filters *filters, const char *mark, const char *text)
{
    char line[DUMP_NOTE_MAX];
    struct timespec now;
    if (!copies_can_dump(filters->copies, NO_NOTES_ABOVE))
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    return filters_write(filters, &filters->copies->dump, line, dump_note(line, mark, &now, text));
}

/* Notes what the dump lacks of a direction. -1 as filters_write. */
static int filters_note_left_out(struct filters *filters, struct flow *flow)
{
    char text[64];
    if (!flow->left_out || !copies_can_dump(filters->copies, NO_NOTES_ABOVE))
        return 0;
    snprintf(text, sizeof text, "%llu %s left out", (unsigned long long)flow->left_out,
             units_bytes(flow->left_out));
    flow->left_out = 0;
    return filters_note(filters, flow->mark, text);
}

/* Writes a segment of one direction as lines, and what was left out before it. -1 as filters_write. */
static int filters_dump_lines(struct filters *filters, struct flow *flow, const char *bytes,
                              size_t length)
{
    char text[TEXT], *at;
    struct timespec now;
    struct copy_file *file = &filters->copies->dump;
    const bool coloured = filters->copies->is_coloured;
    const char *begin = colour_begin(coloured,
                                     flow->direction == '>' ? COLOUR_SENT : COLOUR_RECEIVED);
    if (filters_note_left_out(filters, flow))
        return -1;
    clock_gettime(CLOCK_REALTIME, &now);
    at = stpcpy(text, begin);
    at = end_dump_line(at + dump_head(at, flow->mark, &now, length), coloured);
    for (size_t done = 0; done < length; done += DUMP_LINE_BYTES) {
        size_t part = length - done < DUMP_LINE_BYTES ? length - done : DUMP_LINE_BYTES;
        if (at > text + sizeof text - DUMP_LINE_MAX - (ptrdiff_t)2 * COLOUR_TEXT_MAX) {
            if (filters_write(filters, file, text, (size_t)(at - text)))
                return -1;
            at = text;
        }
        at = stpcpy(at, begin);
        at += dump_line(at, flow->mark, flow->offset + done, bytes + done, part);
        at = end_dump_line(at, coloured);
    }
    return filters_write(filters, file, text, (size_t)(at - text));
}

/* Says, once, that a dump that is to disturb nobody is over. */
static void copies_warn(struct copies *copies)
{
    if (copies->dump.queue.failure && !copies->has_failed)
        report_warning("write to %s: %s: the rest of the dump is left out", copies->dump.name,
                       strerror(copies->dump.queue.failure));
    copies->has_failed = copies->dump.queue.failure;
}

/* Writes a segment of one direction down as a dump, or counts it as left out where that is asked for. -1 as
 * filters_write. */
static int filters_dump(struct filters *filters, struct flow *flow, const char *bytes,
                        size_t length)
{
    struct copies *copies = filters->copies;
    struct write_queue *queue = &copies->dump.queue;
    int result = -1;
    if (!copies->dump.name)
        return 0;
    if (copies_can_dump(copies, DROP_ABOVE)) {
        write_queue_cork(queue, copies->cork);
        result = filters_dump_lines(filters, flow, bytes, length);
        if (write_queue_uncork(queue) && result == 0)
            result = filters_fail(filters, &copies->dump, queue->failure);
    }
    flow->offset += length;
    if (result == 0 || !copies->drops)
        return result;
    copies_warn(copies);
    filters->failed = NULL;
    flow->left_out += length;
    copies->left_out += length;
    return 0;
}

int filters_greeting(struct filters *filters, const char *bytes, size_t length)
{
    return length ? filters_dump(filters, &filters->tx, bytes, length) : 0;
}

static int filters_look(struct filters *filters, struct flow *flow, const char *bytes,
                        size_t length)
{
    if (filters_dump(filters, flow, bytes, length) ||
        (flow->is_copied && filters_write(filters, &filters->copies->output, bytes, length)))
        return -1;
    filters_hold_if_waiting(filters, &flow->filter);
    return 0;
}

int filters_look_tx(struct filters *filters, const char *bytes, size_t length)
{
    return filters_look(filters, &filters->tx, bytes, length);
}

int filters_look_rx(struct filters *filters, const char *bytes, size_t length)
{
    return filters_look(filters, &filters->rx, bytes, length);
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

/* Makes one of our own descriptors, which is not closed, the file that is written to. */
static void copy_file_adopt(struct copy_file *file, int fd, const char *name)
{
    file->name = name;
    file->is_stdout = fd == STDOUT_FILENO;
    write_queue_init(&file->queue, file->copies->loop, fd_output(fd), copies_drained);
}

int filters_open(struct filters *filters, struct loop *loop, const struct transfer_options *options,
                 bool relays, struct error *err)
{
    const char *dump = options->hex_dump;
    const bool to_stdout = options->output && strcmp(options->output, "-") == 0;
    struct copies *copies = memory_new(1, sizeof *copies);
    *copies = (struct copies){.loop = loop,
                              .output.copies = copies,
                              .dump.copies = copies,
                              .drops = options->hex_dump_drop};
    *filters = (struct filters){
        .options = options,
        .tx = {.filter = {.pass = filters_pass_tx, .answer = filters_answer},
               .is_filtered = options->crlf || options->telnet || dump ||
                              (relays && options->output),
               .is_copied = relays,
               .pace = {.rate = options->rate, .line_ms = options->delay_ms},
               .direction = '>',
               .mark = ">"},
        .rx = {.filter.pass = filters_pass_rx,
               .is_filtered = options->output || options->telnet || dump,
               .is_copied = true,
               .pace.rate = options->rate,
               .direction = '<',
               .mark = "<"},
        .encoder = {.lines = options->crlf, .twice = options->telnet},
        .copies = copies};
    /* Somebody who knows other programs may have meant these two otherwise. */
    if (to_stdout && !relays)
        return error_set(err, STATUS_USAGE,
                         "option --output: what arrives goes to stdout as well; a file of that "
                         "name is ./-");
    if (options->append && !options->output && !dump)
        return error_set(err, STATUS_USAGE, "option --append is for --output and --hex-dump");
    if (to_stdout)
        copy_file_adopt(&copies->output, STDOUT_FILENO, "stdout");
    else if (options->output &&
             copies_open_file(copies, &copies->output, options->output, options->append, err))
        return -1;
    if (!dump)
        return 0;
    copies->cork = memory_new(1, sizeof *copies->cork);
    tzset(); /* as gmtime(3) would do, which reads a file, at the first line */
    if (strcmp(dump, "-") != 0)
        return copies_open_file(copies, &copies->dump, dump, options->append, err);
    copies->is_coloured = colour_is_wanted(STDERR_FILENO);
    copy_file_adopt(&copies->dump, STDERR_FILENO, "stderr");
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

void filters_begin(struct filters *filters, const struct filters *from, uint64_t number,
                   const char *text)
{
    char mark[DUMP_MARK_MAX];
    filters_copy(filters, from);
    filters->number = number;
    filters_note(filters, dump_mark(mark, number, ' '), text);
    filters_hold_if_waiting(filters, &filters->tx.filter);
    filters_hold_if_waiting(filters, &filters->rx.filter);
    dump_mark(filters->tx.mark, number, filters->tx.direction);
    dump_mark(filters->rx.mark, number, filters->rx.direction);
}

void filters_end(struct filters *filters, const char *text)
{
    char mark[DUMP_MARK_MAX];
    filters_note_left_out(filters, &filters->tx);
    filters_note_left_out(filters, &filters->rx);
    filters_note(filters, dump_mark(mark, filters->number, ' '), text);
    filters_leave(filters);
}

bool filters_error(const struct filters *filters, struct error *err)
{
    if (filters->failed && filters->is_silent)
        error_silent(err, STATUS_LOCAL_IO);
    else if (filters->failed)
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
        if (stopped || (copies->drops && !copies->output.queue.length))
            loop_timer_set(copies->loop, &copies->stop, STOP_MS);
        if (loop_run(copies->loop) < 0)
            result = -1;
        loop_timer_cancel(copies->loop, &copies->stop);
    }
    if (copies->drops)
        copies_warn(copies);
    if (copies->left_out)
        report_warning("%s: %llu %s left out of the dump", copies->dump.name,
                       (unsigned long long)copies->left_out,
                       copies->left_out == 1 ? "byte was" : "bytes were");
    filters_close_file(filters, &copies->output);
    filters_close_file(filters, &copies->dump);
    free(copies->cork);
    free(copies);
    filters->copies = NULL;
    return filters_error(filters, err) ? -1 : result;
}
