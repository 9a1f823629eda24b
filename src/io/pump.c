#include "io/pump.h"

#include <errno.h>
#include <string.h>

#include "io/loop.h"
#include "io/pump_steps.h"

enum {
    ROUNDS = 16,   /* steps in one pump_move, so that others get their turn */
    FULL_READS = 2 /* in a row, and a stream is worth splicing */
};

void pump_init(struct pump *pump, struct end in, struct end out, struct pump_pool *pool)
{
    *pump = (struct pump){.in = in,
                          .out = out,
                          .pool = pool,
                          .limit = UINT64_MAX,
                          .stalled_at = UINT64_MAX,
                          .pipe = {-1, -1}};
    pump->way = pump_best_way(pump);
    /* Messages are best copied; a pipe in between pays only for a stream, which shows later. */
    if (pump->way == PUMP_SPLICE_PIPE)
        pump->way = PUMP_COPY;
}

void pump_filter(struct pump *pump, struct filter *filter)
{
    pump->filter = filter;
    if (filter)
        pump->way = PUMP_COPY;
}

void pump_pace(struct pump *pump, struct pace *pace)
{
    pump->pace = pace;
    if (pace && pace->line_ms)
        pump->way = PUMP_COPY;
}

/* Nobody has to see the bytes, and the kernel can. */
static bool may_splice(const struct pump *pump)
{
    bool seen = pump->filter || (pump->pace && pump->pace->line_ms);
    return !seen && pump_best_way(pump) == PUMP_SPLICE_PIPE;
}

void pump_expect_stream(struct pump *pump)
{
    if (may_splice(pump))
        pump->way = PUMP_SPLICE_PIPE;
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

void pump_divert(struct pump *pump, struct end out)
{
    pump->out = out;
    pump->way = PUMP_COPY;
    pump->full_reads = 0;
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
    ssize_t wrote = length ? end_write(pump->out, bytes, length) : 0;
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
    bool may_block = pump->in.shared && pump->in.kind != END_FILE && pump->in.kind != END_SOCKET;
    if (may_block && pump->limit && !pump->in_ended)
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
    ssize_t got = end_read(pump->in, buffer + unused, room);
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
    pump->full_reads = full ? pump->full_reads + 1 : 0;
    if (hold(pump, (size_t)got) == PUMP_STEP_WAIT || drain(pump) == PUMP_STEP_WAIT)
        return PUMP_STEP_WAIT;
    if (pump->full_reads == FULL_READS && may_splice(pump))
        pump->way = PUMP_SPLICE_PIPE;
    return full ? read_on(pump) : pump_stop(pump, PUMP_WANTS_IN);
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
