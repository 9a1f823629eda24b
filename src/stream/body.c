#include "stream/body.h"

#include <errno.h>

enum {
    LONG_STRETCH = 16384, /* worth moving without a copy: the framing behind it is read alone */
    SHORT_GAP = 16,
    TURNS = 16
};

static void unwatch(struct body *framed)
{
    loop_timer_cancel(framed->loop, &framed->pause);
    loop_unwatch(framed->loop, &framed->in_watch);
    loop_unwatch(framed->loop, &framed->out_watch);
}

static void finish(struct body *framed, enum body_outcome outcome)
{
    framed->outcome = outcome;
    framed->finished = true;
    unwatch(framed);
    loop_stop(framed->loop, 0);
}

static void fail(struct body *framed, enum body_outcome outcome, int failure)
{
    framed->failure = failure;
    finish(framed, outcome);
}

/* Nothing can be written, but its reader may go away. */
static void watch_reader(struct body *framed)
{
    if (framed->pump.out.kind == FD_PIPE)
        loop_watch(framed->loop, &framed->out_watch, 0);
    else
        loop_unwatch(framed->loop, &framed->out_watch);
}

static void await_in(struct body *framed)
{
    loop_watch(framed->loop, &framed->in_watch, EPOLLIN);
    watch_reader(framed);
}

static void await_pace(struct body *framed)
{
    loop_unwatch(framed->loop, &framed->in_watch);
    watch_reader(framed);
    loop_timer_set(framed->loop, &framed->pause, framed->pump.pace->wait_ms);
}

static void await_out(struct body *framed)
{
    loop_unwatch(framed->loop, &framed->in_watch);
    loop_watch(framed->loop, &framed->out_watch, EPOLLOUT);
}

/* Behind a long segment the framing is read alone. */
static bool is_long(const struct body *framed)
{
    return framed->segment >= LONG_STRETCH && framed->segment != UINT64_MAX;
}

/* How much to read while framing is awaited. Behind a long segment as much as the one before took: what
 * is read of the next segment has to be copied. */
static size_t framing_room(const struct body *framed)
{
    size_t room = framed->gap ? SHORT_GAP : framed->last_gap;
    return is_long(framed) && room && room < framed->room ? room : framed->room;
}

/* Framing is awaited; everything read before has been used. */
static bool read_framing(struct body *framed)
{
    ssize_t got = fd_read(framed->pump.in, framed->bytes, framing_room(framed));
    if (got > 0) {
        framed->start = 0;
        framed->length = (size_t)got;
        framed->read += (uint64_t)got;
        return true;
    }
    if (got == 0)
        finish(framed, BODY_CUT);
    else if (errno == EAGAIN)
        await_in(framed);
    else
        fail(framed, BODY_FAILED_IN, errno);
    return false;
}

/* Behind a long segment the framing is most likely there already; now and then it is the others' turn. */
static bool want_more(struct body *framed)
{
    if (is_long(framed) && ++framed->turns % TURNS)
        return read_framing(framed);
    await_in(framed);
    return false;
}

/* The steps: each does one thing; true: there is another one to do now. */

/* The pump has done what it was given, or nothing was: what the parser had found comes next. */
static bool follow(struct body *framed)
{
    enum body_next then = framed->then;
    framed->then = BODY_DATA;
    switch (then) {
    case BODY_DATA:
        return true;
    case BODY_MORE:
        return want_more(framed);
    case BODY_END:
        finish(framed, BODY_COMPLETE);
        return false;
    case BODY_WRONG:
        break;
    }
    finish(framed, BODY_MALFORMED);
    return false;
}

/* Hands bytes of the segment that have been read to the pump. */
static void hand_over(struct body *framed, size_t length)
{
    struct pump *pump = &framed->pump;
    char *bytes = framed->bytes + framed->start;
    if (framed->data != UINT64_MAX)
        framed->data -= length;
    pump->limit = length;
    if (pump->filter && length)
        pump->filter->pass(pump->filter, &bytes, length);
    pump_preload(pump, bytes, length);
    framed->start += length;
    framed->length -= length;
    framed->borrowed += length;
}

/* Gives the pump what has been read of the segment; once that is all that has been read, the way
 * straight from `in`. Short stretches are gathered. */
static bool load(struct body *framed)
{
    struct pump *pump = &framed->pump;
    size_t room = PUMP_BUFFER - (pump->buffer ? pump->held : 0);
    size_t read = framed->length < room ? framed->length : room;
    pump->state = PUMP_WANTS_IN;
    hand_over(framed, framed->data < read ? (size_t)framed->data : read);
    framed->loaded = framed->data || !framed->length;
    if (framed->data && !framed->length) {
        pump->limit = framed->data;
        if (framed->data != UINT64_MAX)
            framed->data = 0;
    }
    return true;
}

/* The pump has done what it was given, or found the end of the stream. */
static bool unload(struct body *framed)
{
    framed->loaded = false;
    if (framed->pump.limit == 0)
        return follow(framed);
    if (framed->pump.limit == UINT64_MAX) {
        finish(framed, BODY_COMPLETE);
        return false;
    }
    framed->missing = framed->pump.limit;
    finish(framed, BODY_CUT);
    return false;
}

static bool move(struct body *framed)
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
        fail(framed, BODY_FAILED_IN, pump->failure);
        return false;
    case PUMP_FAILED_OUT:
        fail(framed, BODY_FAILED_OUT, pump->failure);
        return false;
    case PUMP_WAITS:
        await_pace(framed);
        return false;
    case PUMP_HELD: /* not by a filter that only looks */
    case PUMP_ENDED:
        break;
    }
    return unload(framed);
}

/* What it finds comes after what the pump holds. */
static bool parse(struct body *framed)
{
    size_t used = 0;
    framed->then = framed->next(framed->context, framed->bytes + framed->start, framed->length,
                                &used, &framed->data);
    framed->start += used;
    framed->length -= used;
    framed->gap += used;
    if (framed->then == BODY_DATA) {
        framed->segment = framed->data;
        framed->last_gap = framed->gap;
        framed->gap = 0;
        return true;
    }
    framed->data = 0;
    framed->loaded = framed->pump.buffer;
    return framed->loaded || follow(framed);
}

static void carry_on(struct body *framed)
{
    bool more = true;
    while (more) {
        if (framed->loaded)
            more = move(framed);
        else
            more = framed->data ? load(framed) : parse(framed);
    }
}

static void in_ready(struct watch *watch, uint32_t events)
{
    struct body *framed = LOOP_OWNER(watch, struct body, in_watch);
    (void)events;
    if (framed->loaded || read_framing(framed))
        carry_on(framed);
}

static void out_ready(struct watch *watch, uint32_t events)
{
    struct body *framed = LOOP_OWNER(watch, struct body, out_watch);
    (void)events;
    if (watch->events)
        carry_on(framed);
    else
        fail(framed, BODY_FAILED_OUT, EPIPE);
}

static void pause_is_over(struct timer *timer)
{
    carry_on(LOOP_OWNER(timer, struct body, pause));
}

int body_run(struct body *framed)
{
    framed->pause.fired = pause_is_over;
    framed->in_watch = (struct watch){.fd = framed->pump.in.fd, .ready = in_ready};
    framed->out_watch = (struct watch){.fd = framed->pump.out.fd, .ready = out_ready};
    carry_on(framed);
    int result = loop_run(framed->loop);
    unwatch(framed);
    return result;
}

uint64_t body_taken(const struct body *framed)
{
    return framed->read + framed->pump.taken - framed->borrowed;
}
