/*
 * See pump.h. pump_move runs steps until one has to wait: write what is held, else read, by the method of the moment.
 *
 * There are two main methods and two short cuts; pump_set_method and its callers below decide: copying, by a buffer of the pool; and
 * splicing, by a pipe of our own, once reads show a stream (FULL_READS), until small fills show that it is none any
 * more (SMALL_FILLS). Two cases are shorter, because measuring showed what it is worth (see
 * ARCHITECTURE.md, "How a byte travels"): small pieces to or from a pipe are spliced between the two ends, and what goes
 * from TCP to /dev/null is only counted. Where the kernel refuses to splice, copying goes on with what is held.
 *
 * Spare buffers and pipes are kept in a pool: one that was just used is warm, so the last one in is the first out.
 */
#include "stream/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "sys/loop.h"
#include "sys/sock.h"
#include "sys/trace.h"

enum {
    /* Steps in one pump_move, so that others get their turn: at most 8 MiB through a pipe of our own, some 2 ms. 2 GiB
     * forwarded take 276 wake-ups so, and haproxy 15, which moves on as long as it can. With 256 steps it would be about
     * as few here, but others would wait for some 40 ms, for each stream that is under way; and a wake-up costs a
     * thousandth of such a turn. */
    ROUNDS = 16,
    FULL_READS = 2, /* in a row, and a stream is worth splicing */
    SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK,
    STOCK_PIPE = 65536, /* pipe(7): the capacity of a pipe that nobody changed */
    SMALL_FILLS = 4     /* in a row, and it is no stream any more, or one in small pieces */
};

#define SPARES(array) (sizeof(array) / sizeof *(array))

static char *pump_pool_take(struct pump_pool *pool)
{
    if (pool->buffer_count)
        return pool->buffers[--pool->buffer_count];
    return memory_grow(NULL, PUMP_BUFFER, 1);
}

static void pump_pool_give(struct pump_pool *pool, char *buffer)
{
    if (pool->buffer_count < SPARES(pool->buffers))
        pool->buffers[pool->buffer_count++] = buffer;
    else
        free(buffer);
}

/* Takes a pipe out of the pool, or makes one. Returns -1: there is none, and both ends are -1. */
static int pump_pool_take_pipe(struct pump_pool *pool, int ends[2])
{
    if (pool->pipe_count) {
        memcpy(ends, pool->pipes[--pool->pipe_count], sizeof pool->pipes[0]);
        return 0;
    }
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    /* Where the user's share of pipe memory is used up, the stock 64 KiB do; but it may be so far used
     * up that there are only two pages, pipe(7), and a copy by the buffer is faster. */
    if (fcntl(ends[1], F_SETPIPE_SZ, PUMP_PIPE) >= 0 || fcntl(ends[1], F_GETPIPE_SZ) >= PUMP_BUFFER)
        return 0;
    close(ends[0]);
    close(ends[1]);
    ends[0] = ends[1] = -1; /* or else they would be given to the pool */
    return -1;
}

/* Gives a pipe back; the caller has none any more. */
static void pump_pool_give_pipe(struct pump_pool *pool, int ends[2], bool empty)
{
    if (empty && pool->pipe_count < SPARES(pool->pipes)) {
        memcpy(pool->pipes[pool->pipe_count++], ends, sizeof pool->pipes[0]);
    } else {
        close(ends[0]);
        close(ends[1]);
    }
    ends[0] = ends[1] = -1;
}

void pump_pool_release(struct pump_pool *pool)
{
    while (pool->buffer_count)
        free(pool->buffers[--pool->buffer_count]);
    while (pool->pipe_count) {
        pool->pipe_count--;
        close(pool->pipes[pool->pipe_count][0]);
        close(pool->pipes[pool->pipe_count][1]);
    }
}

/* What both methods need */

/* What a step came to. */
enum pump_step {
    PUMP_STEP_MORE, /* take another step */
    PUMP_STEP_WAIT  /* pump->state says for what, or that it is over */
};

static bool fd_can_splice(struct fd fd)
{
    /* A shared socket may be blocking, and splice has no flag to keep it from blocking us. */
    return (fd.kind == FD_SOCKET && !fd.shared) || fd.kind == FD_PIPE || fd.kind == FD_NULL ||
           fd.kind == FD_FILE;
}

static bool pump_can_splice(const struct pump *pump)
{
    const char *no = getenv("SOCKCTL_NO_SPLICE");
    /* Who learns shall see read and send. */
    bool switched_off = (no && strcmp(no, "1") == 0) || trace_explains();
    return !switched_off && fd_can_splice(pump->in) && pump->in.kind != FD_NULL &&
           fd_can_splice(pump->out);
}

/* Switches the method. Returns PUMP_STEP_MORE, so that a step can end with it. */
static enum pump_step pump_set_method(struct pump *pump, enum pump_method method)
{
    pump->method = method;
    pump->in_a_row = 0;
    if (method != PUMP_SPLICE_PIPE || pump->made_room)
        return PUMP_STEP_MORE;
    /* What a stream needs, where it may be had: its pipes may hold more, and so may its socket. */
    pump->made_room = true;
    if (pump->in.kind == FD_PIPE)
        fcntl(pump->in.fd, F_SETPIPE_SZ, PUMP_PIPE);
    if (pump->out.kind == FD_PIPE)
        fcntl(pump->out.fd, F_SETPIPE_SZ, PUMP_PIPE);
    if (pump->out.kind == FD_SOCKET)
        sock_make_room(pump->out.fd);
    return PUMP_STEP_MORE;
}

/* Tells whether `in` is a pipe that others may read, too: whoever of them comes late waits in read(2), but not in
 * splice(2). */
static bool pump_in_may_block(const struct pump *pump)
{
    return pump->in.kind == FD_PIPE && pump->in.shared;
}

/* Moves by copying from now on, and never again otherwise. */
static enum pump_step pump_only_copy(struct pump *pump)
{
    pump->may_splice = false;
    return pump_set_method(pump, PUMP_COPY);
}

/* Sets the state and, for a failure, keeps errno. */
static enum pump_step pump_stop(struct pump *pump, enum pump_state state)
{
    pump->state = state;
    if (state == PUMP_FAILED_IN || state == PUMP_FAILED_OUT)
        pump->failure = errno;
    return PUMP_STEP_WAIT;
}

/* Counts what was taken from `in`. */
static void pump_count_taken(struct pump *pump, size_t length)
{
    pump->taken += length;
    if (pump->limit != UINT64_MAX)
        pump->limit -= length;
    if (pump->pace && !pump->buffer) /* with a buffer, pump_write_buffer counts it */
        pace_spend(pump->pace, loop_now_ms(), NULL, length);
}

/* Returns how many bytes may be taken now, at most `max`. */
static size_t pump_room(const struct pump *pump, size_t max)
{
    size_t room = pump->limit < max ? (size_t)pump->limit : max;
    if (pump->pace && pump->method != PUMP_COPY)
        return pace_allow(pump->pace, loop_now_ms(), NULL, room);
    return room;
}

/* Copying */

/* Writes what the buffer holds, as far as the pace allows. */
static enum pump_step pump_write_buffer(struct pump *pump)
{
    const char *bytes = pump->buffer + pump->offset;
    size_t length = pump->held;
    if (pump->pace && length)
        length = pace_allow(pump->pace, loop_now_ms(), bytes, length);
    if (pump->held && !length)
        return pump_stop(pump, PUMP_WAITS);
    ssize_t wrote = length ? fd_write(pump->out, bytes, length) : 0;
    if (wrote < 0)
        return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_OUT : PUMP_FAILED_OUT);
    if (pump->pace)
        pace_spend(pump->pace, loop_now_ms(), bytes, (size_t)wrote);
    pump->moved += (size_t)wrote;
    pump->offset += (size_t)wrote;
    pump->held -= (size_t)wrote;
    if (pump->held)
        return pump_stop(pump, PUMP_WANTS_OUT);
    pump_pool_give(pump->pool, pump->buffer);
    pump->buffer = NULL;
    return PUMP_STEP_MORE;
}

/* Takes another step, for the buffer is empty, unless reading might block: a shared pipe or terminal may block whoever
 * reads it without having been told that it is ready. */
static enum pump_step pump_read_on(struct pump *pump)
{
    bool may_block = pump->in.shared && pump->in.kind != FD_FILE && pump->in.kind != FD_SOCKET;
    if (may_block && pump->limit && !pump->in_ended && !pump->piped)
        return pump_stop(pump, PUMP_WANTS_IN);
    return PUMP_STEP_MORE;
}

/* Reads to the start of the buffer, or, for a filter, into its second half, then writes from it. A read that
 * did not fill the buffer has emptied `in`: asking again would only be told EAGAIN. */
static enum pump_step pump_copy(struct pump *pump)
{
    size_t unused = pump->filter ? PUMP_BUFFER / 2 : 0;
    size_t room = pump_room(pump, PUMP_BUFFER - unused);
    char *buffer = pump_pool_take(pump->pool);
    ssize_t got = fd_read(pump->in, buffer + unused, room);
    if (got <= 0) {
        int failure = errno;
        pump_pool_give(pump->pool, buffer);
        errno = failure;
        pump->in_ended = got == 0;
        if (got == 0)
            return PUMP_STEP_MORE;
        return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
    }
    pump->buffer = buffer;
    bool full = (size_t)got == room;
    pump->in_a_row = full ? pump->in_a_row + 1 : 0;
    if (pump->in_a_row >= FULL_READS && pump->may_splice)
        pump_set_method(pump, PUMP_SPLICE_PIPE);
    char *bytes = buffer + unused;
    if (pump->tap && pump->tap->look(pump->tap, bytes, (size_t)got) < 0)
        return pump_stop(pump, PUMP_FAILED_IN);
    ssize_t left = pump->filter ? pump->filter->pass(pump->filter, &bytes, (size_t)got) : got;
    if (left < 0)
        return pump_stop(pump, PUMP_FAILED_IN);
    pump->offset = (size_t)(bytes - buffer);
    pump->held = (size_t)left;
    pump_count_taken(pump, (size_t)got);
    pump->taken += pump->held - (size_t)got;
    if (pump_write_buffer(pump) == PUMP_STEP_WAIT)
        return PUMP_STEP_WAIT;
    return full ? pump_read_on(pump) : pump_stop(pump, PUMP_WANTS_IN);
}

/* Counts what came, for /dev/null takes everything: the kernel need not even hand it over, and the buffer stays as it
 * is. */
static enum pump_step pump_discard(struct pump *pump)
{
    size_t room = pump_room(pump, PUMP_BUFFER);
    char *buffer = pump_pool_take(pump->pool);
    ssize_t got = sock_recv_flags(pump->in.fd, buffer, room, MSG_TRUNC);
    int failure = errno;
    pump_pool_give(pump->pool, buffer);
    errno = failure;
    if (got < 0 && errno == EOPNOTSUPP)
        return pump_only_copy(pump);
    if (got < 0)
        return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
    pump->in_ended = got == 0;
    pump_count_taken(pump, (size_t)got);
    pump->moved += (size_t)got;
    return (size_t)got == room || got == 0 ? PUMP_STEP_MORE : pump_stop(pump, PUMP_WANTS_IN);
}

/* Splicing */

/* Tells whether the kernel cannot do it this way with these descriptors: nothing has moved, and copying can do it. */
static bool splice_is_refused(int errnum)
{
    return errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP || errnum == ESPIPE;
}

/* Tells whether a socket is stuck: at a byte of urgent data splice(2) stops, as if nothing had come or even as if it
 * were the end, and only recv(2) goes on. True the second time that nothing came of a socket that was ready. */
static bool pump_is_stuck(struct pump *pump)
{
    bool again = pump->stalled_at == pump->taken;
    pump->stalled_at = pump->taken;
    return again && pump->in.kind == FD_SOCKET;
}

/* Returns what a lecture has where there is splice(2): each end that is not our own pipe is read or written. */
static const char *splice_meaning(bool from_end, bool from_socket, bool to_end, bool to_socket)
{
    if (from_end && to_end)
        return from_socket ? "in place of recv and write" : "in place of read and send";
    if (from_end)
        return from_socket ? "in place of recv" : "in place of read";
    return to_socket ? "in place of send" : "in place of write";
}

/* Moves between two descriptors; the pump's own pipe is one of them, or neither. */
static ssize_t pump_splice_some(const struct pump *pump, int in, int out, size_t length)
{
    ssize_t moved;
    do
        moved = splice(in, NULL, out, NULL, length, SPLICE_FLAGS);
    while (moved < 0 && errno == EINTR);
    const int level = moved < 0 && errno == EAGAIN ? LOG_LEVEL_DETAIL : LOG_LEVEL_TRACE;
    if (log_setting.verbosity >= level)
        trace_call(level, moved,
                   EVENT(.kind = TRACE_SPLICE, .fd = pump->in.kind == FD_SOCKET ? in : out,
                         .meaning = splice_meaning(in == pump->in.fd, pump->in.kind == FD_SOCKET,
                                                   out == pump->out.fd,
                                                   pump->out.kind == FD_SOCKET)),
                   "splice(%d, NULL, %d, NULL, %zu, SPLICE_F_NONBLOCK|SPLICE_F_MOVE)", in, out,
                   length);
    return moved;
}

/* Moves bytes between the two ends, of which one is a pipe. */
static enum pump_step pump_splice(struct pump *pump)
{
    ssize_t moved = pump_splice_some(pump, pump->in.fd, pump->out.fd, pump_room(pump, PUMP_PIPE));
    if (moved < 0 && errno == EAGAIN) {
        /* Between two ends that does not say which of them is not ready. */
        struct pollfd ends[2] = {{.fd = pump->in.fd, .events = POLLIN},
                                 {.fd = pump->out.fd, .events = POLLOUT}};
        if (poll(ends, 2, 0) <= 0 || !ends[0].revents)
            return pump_stop(pump, PUMP_WANTS_IN);
        if (ends[1].revents && pump_is_stuck(pump))
            return pump_set_method(pump, PUMP_COPY);
        return pump_stop(pump, PUMP_WANTS_OUT);
    }
    /* A pipe without a reader fails before the socket is looked at, which may have come to its end. */
    if (moved < 0 && errno == EPIPE && pump->in.kind == FD_SOCKET)
        return pump_set_method(pump, PUMP_COPY);
    if (moved < 0 && splice_is_refused(errno))
        return pump_only_copy(pump);
    if (moved < 0) /* only a reader that went away is a failure of the pipe's */
        return pump_stop(pump, pump->in.kind == FD_PIPE || errno == EPIPE ? PUMP_FAILED_OUT
                                                                          : PUMP_FAILED_IN);
    if (moved == 0 && pump->in.kind == FD_SOCKET) /* whether it is an end, copying will tell */
        return pump_set_method(pump, PUMP_COPY);
    pump->in_ended = moved == 0;
    pump_count_taken(pump, (size_t)moved);
    pump->moved += (size_t)moved;
    if (moved >= STOCK_PIPE)
        pump_set_method(pump, PUMP_SPLICE_PIPE);
    if (moved == 0 || moved >= STOCK_PIPE || !pump->limit)
        return PUMP_STEP_MORE;
    /* Less than a pipeful: `in` is most likely empty. If it is `out` that is full, waiting for
     * `in` ends at once and the next call finds that out. */
    return pump_stop(pump, PUMP_WANTS_IN);
}

static enum pump_step pump_fill_pipe(struct pump *pump)
{
    if (pump->pipe[0] < 0 && pump_pool_take_pipe(pump->pool, pump->pipe) < 0)
        return pump_only_copy(pump);
    ssize_t moved = pump_splice_some(pump, pump->in.fd, pump->pipe[1], pump_room(pump, PUMP_PIPE));
    if (moved > 0) {
        pump_count_taken(pump, (size_t)moved);
        pump->fill = pump->piped = (size_t)moved;
        return PUMP_STEP_MORE;
    }
    int failure = errno;
    pump_pool_give_pipe(pump->pool, pump->pipe, true);
    errno = failure;
    if (moved == 0 && pump->in.kind == FD_SOCKET) /* whether it is an end, copying will tell */
        return pump_set_method(pump, PUMP_COPY);
    if (moved < 0 && splice_is_refused(errno))
        return pump_only_copy(pump);
    pump->in_ended = moved == 0;
    if (moved == 0)
        return PUMP_STEP_MORE;
    if (errno == EAGAIN && pump_is_stuck(pump))
        return pump_set_method(pump, PUMP_COPY);
    return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
}

static enum pump_step pump_drain_pipe(struct pump *pump)
{
    if (pump->method == PUMP_COPY) {
        /* `out` takes no splice (a file opened with O_APPEND): what the pipe holds goes by the buffer. */
        size_t room = pump->piped < PUMP_BUFFER ? pump->piped : PUMP_BUFFER;
        pump->buffer = pump_pool_take(pump->pool);
        ssize_t got = read(pump->pipe[0], pump->buffer, room);
        if (got <= 0)
            memory_impossible("a pipe lost what was in it");
        pump->held = (size_t)got;
        pump->offset = 0;
        pump->piped -= (size_t)got;
        return PUMP_STEP_MORE;
    }
    ssize_t moved = pump_splice_some(pump, pump->pipe[0], pump->out.fd, pump->piped);
    if (moved < 0 && splice_is_refused(errno))
        return pump_only_copy(pump); /* and what the pipe holds goes by the buffer */
    if (moved < 0)
        return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_OUT : PUMP_FAILED_OUT);
    pump->piped -= (size_t)moved;
    pump->moved += (size_t)moved;
    if (pump->piped)
        return pump_stop(pump, PUMP_WANTS_OUT);
    if (pump->fill > STOCK_PIPE || !pump->limit)
        return PUMP_STEP_MORE;
    /* That was little: `in` is most likely empty. If it is always little, the pipe does not pay. */
    pump_pool_give_pipe(pump->pool, pump->pipe, true);
    pump->in_a_row = pump->fill < STOCK_PIPE ? pump->in_a_row + 1 : 0;
    if (pump->in_a_row == SMALL_FILLS)
        pump_set_method(pump, pump_in_may_block(pump) ? PUMP_SPLICE : PUMP_COPY);
    return pump_stop(pump, PUMP_WANTS_IN);
}

/* The steps, and what users call */

static enum pump_step pump_step_once(struct pump *pump)
{
    if (pump->buffer)
        return pump_write_buffer(pump) == PUMP_STEP_MORE ? pump_read_on(pump) : PUMP_STEP_WAIT;
    if (pump->piped)
        return pump_drain_pipe(pump);
    if (filter_is_held(pump->filter))
        return pump_stop(pump, PUMP_HELD);
    if (pump->filter && pump->filter->has_answer) {
        pump->buffer = pump_pool_take(pump->pool);
        pump->held = pump->filter->answer(pump->filter, pump->buffer);
        pump->offset = 0;
        pump->taken += pump->held;
        pump->own += pump->held;
        return PUMP_STEP_MORE;
    }
    if (pump->in_ended || !pump->limit)
        return pump_stop(pump, PUMP_ENDED);
    if (pump->pace && pump->method != PUMP_COPY && !pump_room(pump, 1))
        return pump_stop(pump, PUMP_WAITS);
    switch (pump->method) {
    case PUMP_SPLICE:
        return pump_splice(pump);
    case PUMP_SPLICE_PIPE:
        return pump_fill_pipe(pump);
    case PUMP_DISCARD:
        return pump_discard(pump);
    case PUMP_COPY:
        break;
    }
    return pump_copy(pump);
}

enum pump_state pump_move(struct pump *pump)
{
    if (pump->state == PUMP_ENDED || pump->state == PUMP_FAILED_IN ||
        pump->state == PUMP_FAILED_OUT)
        return pump->state;
    for (int round = 0; round < ROUNDS; round++)
        if (pump_step_once(pump) == PUMP_STEP_WAIT)
            return pump->state;
    /* The others' turn; what is awaited here is most likely there already. */
    pump->state = pump->held || pump->piped ? PUMP_WANTS_OUT : PUMP_WANTS_IN;
    return pump->state;
}

void pump_init(struct pump *pump, struct fd in, struct fd out, struct pump_pool *pool)
{
    *pump = (struct pump){.in = in,
                          .out = out,
                          .pool = pool,
                          .limit = UINT64_MAX,
                          .stalled_at = UINT64_MAX,
                          .pipe = {-1, -1}};
    pump->may_splice = pump_can_splice(pump);
    if (!pump->may_splice)
        return;
    if (out.kind == FD_PIPE || pump_in_may_block(pump))
        pump->method = PUMP_SPLICE;
    const int flags = out.kind == FD_NULL ? fcntl(out.fd, F_GETFL) : -1;
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && in.kind == FD_SOCKET && sock_is_tcp(in.fd))
        pump->method = PUMP_DISCARD;
}

void pump_attach(struct pump *pump, struct tap *tap, struct filter *filter, struct pace *pace)
{
    pump->tap = tap;
    pump->filter = filter;
    pump->pace = pace;
    if (tap || filter || (pace && pace->line_ms))
        pump_only_copy(pump);
}

void pump_expect_stream(struct pump *pump)
{
    if (pump->may_splice && pump->method == PUMP_COPY)
        pump_set_method(pump, PUMP_SPLICE_PIPE);
}

void pump_preload(struct pump *pump, const void *bytes, size_t length)
{
    if (!length)
        return;
    if (!pump->buffer) {
        pump->buffer = pump_pool_take(pump->pool);
        pump->held = pump->offset = 0;
    }
    memcpy(pump->buffer + pump->held, bytes, length);
    pump->held += length;
    pump_count_taken(pump, length);
    pump->state = PUMP_WANTS_OUT;
}

void pump_divert(struct pump *pump, struct fd out)
{
    pump->out = out;
    pump->may_splice = pump->may_splice && pump_can_splice(pump);
    pump_set_method(pump, PUMP_COPY);
    pump->state = pump->held || pump->piped ? PUMP_WANTS_OUT : PUMP_WANTS_IN;
}

void pump_drop_answer(struct pump *pump)
{
    pump->taken -= pump->held;
    pump->own -= pump->held;
    pump->held = 0;
    pump_pool_give(pump->pool, pump->buffer);
    pump->buffer = NULL;
    pump->state = pump->in_ended || !pump->limit ? PUMP_ENDED : PUMP_WANTS_IN;
}

void pump_release(struct pump *pump)
{
    if (pump->buffer)
        pump_pool_give(pump->pool, pump->buffer);
    pump->buffer = NULL;
    if (pump->pipe[0] >= 0)
        pump_pool_give_pipe(pump->pool, pump->pipe, pump->piped == 0);
    pump->held = pump->piped = 0;
}
