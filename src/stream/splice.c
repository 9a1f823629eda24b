/*
 * The zero-copy ways of a pump, with splice(2). Which way for which ends was chosen by measuring:
 * see ARCHITECTURE.md, "How a byte travels".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "stream/pump_steps.h"
#include "sys/sock.h"

enum {
    SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK,
    STOCK_PIPE = 65536, /* pipe(7): the capacity of a pipe that nobody changed */
    SMALL_FILLS = 4     /* in a row, and it is no stream any more, or one in small pieces */
};

static bool can_splice(struct fd end)
{
    /* A shared socket may be blocking, and splice has no flag to keep it from blocking us. */
    return (end.kind == FD_SOCKET && !end.shared) || end.kind == FD_PIPE || end.kind == FD_NULL ||
           end.kind == FD_FILE;
}

static bool switched_off(void)
{
    const char *no = getenv("SOCKCTL_NO_SPLICE");
    return no && strcmp(no, "1") == 0;
}

bool pump_can_splice(const struct pump *pump)
{
    return !switched_off() && can_splice(pump->in) && pump->in.kind != FD_NULL &&
           can_splice(pump->out);
}

/* The kernel cannot do it this way with these descriptors: nothing has moved, copy instead. */
static bool refused(int errnum)
{
    return errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP || errnum == ESPIPE;
}

static enum pump_step refuse(struct pump *pump)
{
    pump_only_copy(pump);
    return PUMP_STEP_MORE;
}

/* Copies, until it looks like a stream again. */
static enum pump_step fall_back(struct pump *pump)
{
    pump_take_way(pump, PUMP_COPY);
    return PUMP_STEP_MORE;
}

/* At a byte of urgent data splice(2) stops, as if nothing had come or even as if it were the end:
 * only recv(2) goes on. True the second time that nothing came of a socket that was ready. */
static bool is_stuck(struct pump *pump)
{
    bool again = pump->stalled_at == pump->taken;
    pump->stalled_at = pump->taken;
    return again && pump->in.kind == FD_SOCKET;
}

/* EAGAIN between two ends does not say which of them is not ready. */
static enum pump_step await_unready(struct pump *pump)
{
    struct pollfd ends[2] = {{.fd = pump->in.fd, .events = POLLIN},
                             {.fd = pump->out.fd, .events = POLLOUT}};
    if (poll(ends, 2, 0) <= 0 || !ends[0].revents)
        return pump_stop(pump, PUMP_WANTS_IN);
    if (ends[1].revents && is_stuck(pump))
        return fall_back(pump);
    return pump_stop(pump, PUMP_WANTS_OUT);
}

/* Whether it is an end, copying will tell. */
static bool may_be_urgent(const struct pump *pump, ssize_t moved)
{
    return moved == 0 && pump->in.kind == FD_SOCKET;
}

/* In a splice between a pipe and something else, only a reader that went away is the pipe's. */
static enum pump_state failed_end(const struct pump *pump)
{
    return pump->in.kind == FD_PIPE || errno == EPIPE ? PUMP_FAILED_OUT : PUMP_FAILED_IN;
}

static ssize_t splice_some(int in, int out, size_t length)
{
    ssize_t moved;
    do
        moved = splice(in, NULL, out, NULL, length, SPLICE_FLAGS);
    while (moved < 0 && errno == EINTR);
    sock_trace_splice(in, out, length, moved);
    return moved;
}

enum pump_step pump_splice(struct pump *pump)
{
    ssize_t moved = splice_some(pump->in.fd, pump->out.fd, pump_room(pump, PUMP_PIPE));
    if (moved < 0 && errno == EAGAIN)
        return await_unready(pump);
    if (moved < 0)
        return refused(errno) ? refuse(pump) : pump_stop(pump, failed_end(pump));
    if (may_be_urgent(pump, moved))
        return fall_back(pump);
    pump->in_ended = moved == 0;
    pump_count_taken(pump, (size_t)moved);
    pump->moved += (size_t)moved;
    if (moved >= STOCK_PIPE)
        pump_take_way(pump, PUMP_SPLICE_PIPE);
    if (moved == 0 || moved >= STOCK_PIPE || !pump->limit)
        return PUMP_STEP_MORE;
    /* Less than a pipeful: `in` is most likely empty. If it is `out` that is full, waiting for
     * `in` ends at once and the next call finds that out. */
    return pump_stop(pump, PUMP_WANTS_IN);
}

static void give_back_pipe(struct pump *pump)
{
    pump_pool_give_pipe(pump->pool, pump->pipe, true);
    pump->pipe[0] = pump->pipe[1] = -1;
}

/* All that the pipe was filled with has been written. If that was little, `in` is most likely empty;
 * if it is always little, the pipe does not pay. */
static enum pump_step emptied_pipe(struct pump *pump)
{
    if (pump->fill > STOCK_PIPE || !pump->limit)
        return PUMP_STEP_MORE;
    give_back_pipe(pump);
    pump->in_a_row = pump->fill < STOCK_PIPE ? pump->in_a_row + 1 : 0;
    if (pump->in_a_row == SMALL_FILLS)
        pump_take_way(pump, pump_in_may_block(pump) ? PUMP_SPLICE : PUMP_COPY);
    return pump_stop(pump, PUMP_WANTS_IN);
}

enum pump_step pump_fill_pipe(struct pump *pump)
{
    if (pump->pipe[0] < 0 && pump_pool_take_pipe(pump->pool, pump->pipe) < 0)
        return refuse(pump);
    ssize_t moved = splice_some(pump->in.fd, pump->pipe[1], pump_room(pump, PUMP_PIPE));
    if (moved > 0) {
        pump_count_taken(pump, (size_t)moved);
        pump->fill = pump->piped = (size_t)moved;
        return PUMP_STEP_MORE;
    }
    int failure = errno;
    give_back_pipe(pump);
    errno = failure;
    if (may_be_urgent(pump, moved))
        return fall_back(pump);
    if (moved < 0 && refused(errno))
        return refuse(pump);
    pump->in_ended = moved == 0;
    if (moved == 0)
        return PUMP_STEP_MORE;
    if (errno == EAGAIN && is_stuck(pump))
        return fall_back(pump);
    return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
}

/* `out` takes no splice (a file opened with O_APPEND): what the pipe holds goes by the buffer. */
static enum pump_step unload_pipe(struct pump *pump)
{
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

enum pump_step pump_drain_pipe(struct pump *pump)
{
    if (pump->way == PUMP_COPY)
        return unload_pipe(pump);
    ssize_t moved = splice_some(pump->pipe[0], pump->out.fd, pump->piped);
    if (moved < 0 && refused(errno))
        return refuse(pump); /* and what the pipe holds goes by the buffer */
    if (moved < 0)
        return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_OUT : PUMP_FAILED_OUT);
    pump->piped -= (size_t)moved;
    pump->moved += (size_t)moved;
    return pump->piped ? pump_stop(pump, PUMP_WANTS_OUT) : emptied_pipe(pump);
}
