#include "io/pump.h"

#include <errno.h>
#include <string.h>

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

void pump_show(struct pump *pump, void (*seen)(void *context, const char *bytes, size_t length),
               void *context)
{
    pump->seen = seen;
    pump->context = context;
    pump->way = PUMP_COPY;
}

void pump_preload(struct pump *pump, const void *bytes, size_t length)
{
    if (!length)
        return;
    pump->buffer = pump_pool_take(pump->pool);
    memcpy(pump->buffer, bytes, length);
    pump->held = length;
    pump->offset = 0;
    pump_count_taken(pump, length);
    if (pump->seen)
        pump->seen(pump->context, pump->buffer, length);
    pump->state = PUMP_WANTS_OUT;
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
}

size_t pump_room(const struct pump *pump, size_t most)
{
    return pump->limit < most ? (size_t)pump->limit : most;
}

/* Writes what the buffer holds. */
static enum pump_step drain(struct pump *pump)
{
    ssize_t wrote = end_write(pump->out, pump->buffer + pump->offset, pump->held);
    if (wrote < 0)
        return pump_stop(pump, errno == EAGAIN ? PUMP_WANTS_OUT : PUMP_FAILED_OUT);
    pump->moved += (size_t)wrote;
    pump->offset += (size_t)wrote;
    pump->held -= (size_t)wrote;
    if (pump->held)
        return pump_stop(pump, PUMP_WANTS_OUT);
    give_back_buffer(pump);
    return PUMP_STEP_MORE;
}

/* Reads into the buffer, then writes from it. A read that did not fill the buffer has emptied
 * `in`: asking again would only be told EAGAIN. */
static enum pump_step copy(struct pump *pump)
{
    size_t room = pump_room(pump, PUMP_BUFFER);
    char *buffer = pump_pool_take(pump->pool);
    ssize_t got = end_read(pump->in, buffer, room);
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
    pump->held = (size_t)got;
    pump->offset = 0;
    pump_count_taken(pump, (size_t)got);
    if (pump->seen)
        pump->seen(pump->context, buffer, (size_t)got);
    bool full = (size_t)got == room;
    pump->full_reads = full ? pump->full_reads + 1 : 0;
    if (drain(pump) == PUMP_STEP_WAIT)
        return PUMP_STEP_WAIT;
    if (pump->full_reads == FULL_READS && !pump->seen && pump_best_way(pump) == PUMP_SPLICE_PIPE)
        pump->way = PUMP_SPLICE_PIPE;
    return full ? PUMP_STEP_MORE : pump_stop(pump, PUMP_WANTS_IN);
}

static enum pump_step step(struct pump *pump)
{
    if (pump->buffer)
        return drain(pump);
    if (pump->piped)
        return pump_drain_pipe(pump);
    if (pump->in_ended || !pump->limit)
        return pump_stop(pump, PUMP_ENDED);
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
