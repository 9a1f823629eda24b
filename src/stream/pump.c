#include "stream/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "stream/pump_steps.h"
#include "sys/loop.h"
#include "sys/sock.h"

enum {
    ROUNDS = 16,   /* steps in one pump_move, so that others get their turn */
    FULL_READS = 2 /* in a row, and a stream is worth splicing */
};

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
        pump->way = PUMP_SPLICE;
    if (fd_is_null_sink(out) && in.kind == FD_SOCKET && sock_is_tcp(in.fd))
        pump->way = PUMP_DISCARD;
}

/* What a stream needs, where it may be had: its pipes may hold more, and so may its socket. */
static void make_room(struct pump *pump)
{
    if (pump->made_room)
        return;
    pump->made_room = true;
    if (pump->in.kind == FD_PIPE)
        fcntl(pump->in.fd, F_SETPIPE_SZ, PUMP_PIPE);
    if (pump->out.kind == FD_PIPE)
        fcntl(pump->out.fd, F_SETPIPE_SZ, PUMP_PIPE);
    if (pump->out.kind == FD_SOCKET)
        sock_make_room(pump->out.fd);
}

void pump_take_way(struct pump *pump, enum pump_way way)
{
    pump->way = way;
    pump->in_a_row = 0;
    if (way == PUMP_SPLICE_PIPE)
        make_room(pump);
}

bool pump_in_may_block(const struct pump *pump)
{
    return pump->in.kind == FD_PIPE && pump->in.shared;
}

void pump_only_copy(struct pump *pump)
{
    pump->may_splice = false;
    pump_take_way(pump, PUMP_COPY);
}

void pump_filter(struct pump *pump, struct filter *filter)
{
    pump->filter = filter;
    if (filter)
        pump_only_copy(pump);
}

void pump_pace(struct pump *pump, struct pace *pace)
{
    pump->pace = pace;
    if (pace && pace->line_ms)
        pump_only_copy(pump);
}

void pump_expect_stream(struct pump *pump)
{
    if (pump->may_splice && pump->way == PUMP_COPY)
        pump_take_way(pump, PUMP_SPLICE_PIPE);
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
    pump_take_way(pump, PUMP_COPY);
    pump->state = pump->held || pump->piped ? PUMP_WANTS_OUT : PUMP_WANTS_IN;
}

static void give_back_buffer(struct pump *pump)
{
    if (pump->buffer)
        pump_pool_give(pump->pool, pump->buffer);
    pump->buffer = NULL;
}

void pump_release(struct pump *pump)
{
    give_back_buffer(pump);
    if (pump->pipe[0] >= 0)
        pump_pool_give_pipe(pump->pool, pump->pipe, pump->piped == 0);
    pump->pipe[0] = pump->pipe[1] = -1;
    pump->held = pump->piped = 0;
}

enum pump_step pump_stop(struct pump *pump, enum pump_state state)
{
    pump->state = state;
    if (state == PUMP_FAILED_IN || state == PUMP_FAILED_OUT)
        pump->failure = errno;
    return PUMP_STEP_WAIT;
}

void pump_count_taken(struct pump *pump, size_t length)
{
    pump->taken += length;
    if (pump->limit != UINT64_MAX)
        pump->limit -= length;
    if (pump->pace && !pump->buffer) /* or else when it is written */
        pace_spend(pump->pace, loop_now_ms(), NULL, length);
}

size_t pump_room(const struct pump *pump, size_t most)
{
    size_t room = pump->limit < most ? (size_t)pump->limit : most;
    if (pump->pace && pump->way != PUMP_COPY)
        return pace_allow(pump->pace, loop_now_ms(), NULL, room);
    return room;
}

/* Writes what the buffer holds, as far as the pace allows. */
static enum pump_step drain(struct pump *pump)
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
    give_back_buffer(pump);
    return PUMP_STEP_MORE;
}

/* The buffer is empty. A shared pipe or terminal may block whoever reads it without having been told
 * that it is ready. */
static enum pump_step read_on(struct pump *pump)
{
    bool may_block = pump->in.shared && pump->in.kind != FD_FILE && pump->in.kind != FD_SOCKET;
    if (may_block && pump->limit && !pump->in_ended && !pump->piped)
        return pump_stop(pump, PUMP_WANTS_IN);
    return PUMP_STEP_MORE;
}

/* Takes into use what was read at the start of the buffer, or, for a filter, in its second half. */
static enum pump_step hold(struct pump *pump, size_t got)
{
    char *bytes = pump->buffer;
    ssize_t left = (ssize_t)got;
    if (pump->filter) {
        bytes += PUMP_BUFFER / 2;
        left = pump->filter->pass(pump->filter, &bytes, got);
    }
    if (left < 0)
        return pump_stop(pump, PUMP_FAILED_IN);
    pump->offset = (size_t)(bytes - pump->buffer);
    pump->held = (size_t)left;
    pump_count_taken(pump, got);
    pump->taken += pump->held - got;
    return PUMP_STEP_MORE;
}

/* Reads into the buffer, then writes from it. A read that did not fill the buffer has emptied
 * `in`: asking again would only be told EAGAIN. */
static enum pump_step copy(struct pump *pump)
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
        pump_take_way(pump, PUMP_SPLICE_PIPE);
    if (hold(pump, (size_t)got) == PUMP_STEP_WAIT || drain(pump) == PUMP_STEP_WAIT)
        return PUMP_STEP_WAIT;
    return full ? read_on(pump) : pump_stop(pump, PUMP_WANTS_IN);
}

/* /dev/null takes everything: the kernel need not even hand it over, and the buffer stays as it is. */
static enum pump_step discard(struct pump *pump)
{
    size_t room = pump_room(pump, PUMP_BUFFER);
    char *buffer = pump_pool_take(pump->pool);
    ssize_t got = sock_discard(pump->in.fd, buffer, room);
    int failure = errno;
    pump_pool_give(pump->pool, buffer);
    errno = failure;
    if (got < 0 && errno == EOPNOTSUPP) {
        pump_only_copy(pump);
        return PUMP_STEP_MORE;
    }
    if (got < 0)
        return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
    pump->in_ended = got == 0;
    pump_count_taken(pump, (size_t)got);
    pump->moved += (size_t)got;
    return (size_t)got == room || got == 0 ? PUMP_STEP_MORE : pump_stop(pump, PUMP_WANTS_IN);
}

static enum pump_step take_words(struct pump *pump)
{
    pump->buffer = pump_pool_take(pump->pool);
    pump->held = pump->filter->say(pump->filter, pump->buffer);
    pump->offset = 0;
    pump->taken += pump->held;
    return PUMP_STEP_MORE;
}

static enum pump_step step(struct pump *pump)
{
    if (pump->buffer)
        return drain(pump) == PUMP_STEP_MORE ? read_on(pump) : PUMP_STEP_WAIT;
    if (pump->piped)
        return pump_drain_pipe(pump);
    if (pump->filter && pump->filter->held)
        return pump_stop(pump, PUMP_HELD);
    if (pump->filter && pump->filter->waiting)
        return take_words(pump);
    if (pump->in_ended || !pump->limit)
        return pump_stop(pump, PUMP_ENDED);
    if (pump->pace && pump->way != PUMP_COPY && !pump_room(pump, 1))
        return pump_stop(pump, PUMP_WAITS);
    switch (pump->way) {
    case PUMP_SPLICE:
        return pump_splice(pump);
    case PUMP_SPLICE_PIPE:
        return pump_fill_pipe(pump);
    case PUMP_DISCARD:
        return discard(pump);
    case PUMP_COPY:
        break;
    }
    return copy(pump);
}

enum pump_state pump_move(struct pump *pump)
{
    if (pump->state == PUMP_ENDED || pump->state == PUMP_FAILED_IN ||
        pump->state == PUMP_FAILED_OUT)
        return pump->state;
    for (int round = 0; round < ROUNDS; round++)
        if (step(pump) == PUMP_STEP_WAIT)
            return pump->state;
    /* The others' turn; what is awaited here is most likely there already. */
    pump->state = pump->held || pump->piped ? PUMP_WANTS_OUT : PUMP_WANTS_IN;
    return pump->state;
}
