#include "io/framed.h"

#include <errno.h>

static void unwatch(struct framed *framed)
{
    loop_unwatch(framed->loop, &framed->in_watch);
    loop_unwatch(framed->loop, &framed->out_watch);
}

static void finish(struct framed *framed, enum framed_outcome outcome)
{
    framed->outcome = outcome;
    framed->finished = true;
    unwatch(framed);
    loop_stop(framed->loop, 0);
}

static void fail(struct framed *framed, enum framed_outcome outcome, int failure)
{
    framed->failure = failure;
    finish(framed, outcome);
}

static void await_in(struct framed *framed)
{
    loop_watch(framed->loop, &framed->in_watch, EPOLLIN);
    if (framed->pump.out.kind == END_PIPE)
        loop_watch(framed->loop, &framed->out_watch, 0); /* its reader may go away */
    else
        loop_unwatch(framed->loop, &framed->out_watch);
}

static void await_out(struct framed *framed)
{
    loop_unwatch(framed->loop, &framed->in_watch);
    loop_watch(framed->loop, &framed->out_watch, EPOLLOUT);
}

/* The steps: each does one thing; true: there is another one to do now. */

/* Gives the pump what has been read of the stretch, or else the way straight from `in`. */
static bool load(struct framed *framed)
{
    struct pump *pump = &framed->pump;
    size_t read = framed->length < PUMP_BUFFER ? framed->length : PUMP_BUFFER;
    if (framed->data < read)
        read = (size_t)framed->data;
    pump->limit = read ? read : framed->data;
    pump->state = PUMP_WANTS_IN;
    if (framed->data != UINT64_MAX)
        framed->data -= pump->limit;
    pump_preload(pump, framed->bytes + framed->start, read);
    framed->start += read;
    framed->length -= read;
    framed->loaned += read;
    framed->loaded = true;
    return true;
}

/* The pump has done what it was given, or found the end of the stream. */
static bool unload(struct framed *framed)
{
    framed->loaded = false;
    if (framed->pump.limit == 0)
        return true;
    if (framed->pump.limit == UINT64_MAX) {
        finish(framed, FRAMED_COMPLETE);
        return false;
    }
    framed->missing = framed->pump.limit;
    finish(framed, FRAMED_CUT);
    return false;
}

static bool move(struct framed *framed)
{
    struct pump *pump = &framed->pump;
    switch (pump_move(pump)) {
    case PUMP_WANTS_IN:
        await_in(framed);
        return false;
    case PUMP_WANTS_OUT:
        await_out(framed);
        return false;
    case PUMP_FAILED_IN:
        fail(framed, FRAMED_FAILED_IN, pump->failure);
        return false;
    case PUMP_FAILED_OUT:
        fail(framed, FRAMED_FAILED_OUT, pump->failure);
        return false;
    case PUMP_WAITS: /* nobody has given it a pace */
    case PUMP_ENDED:
        break;
    }
    return unload(framed);
}

static bool parse(struct framed *framed)
{
    size_t used = 0;
    uint64_t data = 0;
    enum framed_next next = framed->next(framed->context, framed->bytes + framed->start,
                                         framed->length, &used, &data);
    framed->start += used;
    framed->length -= used;
    switch (next) {
    case FRAMED_DATA:
        framed->data = data;
        return true;
    case FRAMED_MORE:
        await_in(framed);
        return false;
    case FRAMED_END:
        finish(framed, FRAMED_COMPLETE);
        return false;
    case FRAMED_WRONG:
        break;
    }
    finish(framed, FRAMED_MALFORMED);
    return false;
}

static void carry_on(struct framed *framed)
{
    bool more = true;
    while (more) {
        if (framed->loaded)
            more = move(framed);
        else
            more = framed->data ? load(framed) : parse(framed);
    }
}

/* Framing is awaited; everything read before has been used. */
static void read_framing(struct framed *framed)
{
    ssize_t got = end_read(framed->pump.in, framed->bytes, framed->room);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0) {
        fail(framed, FRAMED_FAILED_IN, errno);
    } else if (got == 0) {
        finish(framed, FRAMED_CUT);
    } else {
        framed->start = 0;
        framed->length = (size_t)got;
        framed->read += (uint64_t)got;
        carry_on(framed);
    }
}

static void in_ready(struct watch *watch, uint32_t events)
{
    struct framed *framed = LOOP_OWNER(watch, struct framed, in_watch);
    (void)events;
    if (framed->loaded)
        carry_on(framed);
    else
        read_framing(framed);
}

static void out_ready(struct watch *watch, uint32_t events)
{
    struct framed *framed = LOOP_OWNER(watch, struct framed, out_watch);
    (void)events;
    if (watch->events)
        carry_on(framed);
    else
        fail(framed, FRAMED_FAILED_OUT, EPIPE);
}

int framed_run(struct framed *framed)
{
    framed->in_watch = (struct watch){.fd = framed->pump.in.fd, .ready = in_ready};
    framed->out_watch = (struct watch){.fd = framed->pump.out.fd, .ready = out_ready};
    carry_on(framed);
    int result = framed->finished ? 0 : loop_run(framed->loop);
    unwatch(framed);
    return result;
}

uint64_t framed_taken(const struct framed *framed)
{
    return framed->read + framed->pump.taken - framed->loaned;
}
