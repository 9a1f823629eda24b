/*
 * See body.h. body_run goes from step to step until one has to wait: framing is parsed (body_parse), which says how much
 * data follows; what has been read of that is handed to the pump, and the pump is given the rest straight from the stream
 * (body_load); when it has done that (body_move), what the parser had found behind it comes next (body_follow).
 */
#include "stream/body.h"

#include <errno.h>
#include <time.h>

enum {
    LONG_SEGMENT = 16384, /* worth moving without a copy: the framing behind it is read alone */
    SHORT_FRAMING = 16,
    TURNS = 16,
    CRUMBS = 16384,    /* what comes at once and is less is worth a nap, in which more comes */
    LONG_BODY = 65536, /* nobody naps before so much has come */
    NAP_NS = 200000    /* openssl writes some 30 KiB meanwhile: its socket is not full before */
};

static void body_unwatch(struct body *body)
{
    loop_timer_cancel(body->loop, &body->pause);
    loop_unwatch(body->loop, &body->in_watch);
    loop_unwatch(body->loop, &body->out_watch);
}

/* Ends the body with an outcome; `failure` is the errno of a failed outcome, else 0. */
static void body_finish(struct body *body, enum body_outcome outcome, int failure)
{
    body->outcome = outcome;
    body->failure = failure;
    body->finished = true;
    body_unwatch(body);
    loop_stop(body->loop, 0);
}

/* Watches the output while nothing can be written, for its reader may go away. */
static void body_watch_reader(struct body *body)
{
    if (body->pump.out.kind == FD_PIPE)
        loop_watch(body->loop, &body->out_watch, 0);
    else
        loop_unwatch(body->loop, &body->out_watch);
}

static void body_await_in(struct body *body)
{
    loop_watch(body->loop, &body->in_watch, EPOLLIN);
    body_watch_reader(body);
}

/* Lets more of a long body come before it is awaited, where little has come since the last time. openssl(1) s_client
 * writes 1 KiB at a time, whatever it is asked, and each would wake us up: naps take 256 MiB by https from 150,000 context
 * switches to 20,000, from 1.4 to .4 seconds of our CPU and from 2.4 to 1.9 of openssl's, and to two thirds of the
 * time. The loop stands still meanwhile, for the shortest of its timers takes up to 2 ms, in which a socket of the usual
 * size is full, and openssl waits for us. */
static void body_gather(struct body *body)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};
    const struct pump *pump = &body->pump;
    const uint64_t got = pump->taken - body->gathered;
    body->gathered = pump->taken;
    if (body->gathers && got && got < CRUMBS && pump->taken > LONG_BODY)
        nanosleep(&nap, NULL);
}

/* Tells whether the segment is long: behind such a one the framing is read alone. */
static bool body_is_long(const struct body *body)
{
    return body->segment >= LONG_SEGMENT && body->segment != UINT64_MAX;
}

/* Reads framing; everything read before has been used. Returns false where none can be read now. */
static bool body_read_framing(struct body *body)
{
    /* Behind a long segment as much as the framing before took: what is read of the next segment has to be
     * copied. */
    size_t room = body->framing ? SHORT_FRAMING : body->last_framing;
    if (!body_is_long(body) || !room || room > body->room)
        room = body->room;
    ssize_t got = fd_read(body->pump.in, body->bytes, room);
    if (got > 0) {
        body->start = 0;
        body->length = (size_t)got;
        body->read += (uint64_t)got;
        return true;
    }
    if (got == 0)
        body_finish(body, BODY_CUT, 0);
    else if (errno == EAGAIN)
        body_await_in(body);
    else
        body_finish(body, BODY_FAILED_IN, errno);
    return false;
}

/* The steps, each of which does one thing, and returns true where there is another one to do now */

/* Does what the parser had found: the pump has done what it was given, or nothing was. */
static bool body_follow(struct body *body)
{
    enum body_next then = body->then;
    body->then = BODY_DATA;
    switch (then) {
    case BODY_DATA:
        return true;
    case BODY_MORE:
        /* Behind a long segment the framing is most likely there already; now and then it is the others' turn. */
        if (body_is_long(body) && ++body->turns % TURNS)
            return body_read_framing(body);
        body_await_in(body);
        return false;
    case BODY_END:
        body_finish(body, BODY_COMPLETE, 0);
        return false;
    case BODY_WRONG:
        break;
    }
    body_finish(body, BODY_MALFORMED, 0);
    return false;
}

/* Gives the pump what has been read of the segment; once that is all that has been read, the rest
 * straight from `in`. Short segments are gathered. */
static bool body_load(struct body *body)
{
    struct pump *pump = &body->pump;
    size_t room = PUMP_BUFFER - (pump->buffer ? pump->held : 0);
    size_t read = body->length < room ? body->length : room;
    pump->state = PUMP_WANTS_IN;
    size_t length = body->data < read ? (size_t)body->data : read;
    const char *bytes = body->bytes + body->start;
    if (body->data != UINT64_MAX)
        body->data -= length;
    pump->limit = length;
    if (pump->tap && length && pump->tap->look(pump->tap, bytes, length) < 0) {
        body_finish(body, BODY_FAILED_IN, errno);
        return false;
    }
    pump_preload(pump, bytes, length);
    body->start += length;
    body->length -= length;
    body->borrowed += length;
    body->loaded = body->data || !body->length;
    if (body->data && !body->length) {
        pump->limit = body->data;
        if (body->data != UINT64_MAX)
            body->data = 0;
    }
    return true;
}

static bool body_move(struct body *body)
{
    struct pump *pump = &body->pump;
    switch (pump_move(pump)) {
    case PUMP_WANTS_IN:
        body_gather(body);
        body_await_in(body);
        return false;
    case PUMP_WANTS_OUT:
        body->held = body->was_held = true;
        loop_unwatch(body->loop, &body->in_watch);
        loop_watch(body->loop, &body->out_watch, EPOLLOUT);
        return false;
    case PUMP_FAILED_IN:
        body_finish(body, BODY_FAILED_IN, pump->failure);
        return false;
    case PUMP_FAILED_OUT:
        body_finish(body, BODY_FAILED_OUT, pump->failure);
        return false;
    case PUMP_WAITS:
        body->held = body->was_held = true;
        loop_unwatch(body->loop, &body->in_watch);
        body_watch_reader(body);
        loop_timer_set(body->loop, &body->pause, pump->pace->wait_ms);
        return false;
    case PUMP_HELD: /* only by a filter, and there is none */
    case PUMP_ENDED:
        break;
    }
    /* It has done what it was given, or found the end of the stream. */
    body->loaded = false;
    if (pump->limit == 0)
        return body_follow(body);
    if (pump->limit != UINT64_MAX)
        body->missing = pump->limit;
    body_finish(body, pump->limit == UINT64_MAX ? BODY_COMPLETE : BODY_CUT, 0);
    return false;
}

/* Gives the parser what has been read. What it finds comes after what the pump holds. */
static bool body_parse(struct body *body)
{
    size_t used = 0;
    body->then = body->next(body->context, body->bytes + body->start, body->length, &used,
                            &body->data);
    body->start += used;
    body->length -= used;
    body->framing += used;
    if (body->then == BODY_DATA) {
        body->segment = body->data;
        body->last_framing = body->framing;
        body->framing = 0;
        return true;
    }
    body->data = 0;
    body->loaded = body->pump.buffer;
    return body->loaded || body_follow(body);
}

static void body_carry_on(struct body *body)
{
    bool more = true;
    body->held = false;
    while (more) {
        if (body->loaded)
            more = body_move(body);
        else
            more = body->data ? body_load(body) : body_parse(body);
    }
    uint64_t moved = body_taken(body) + body->pump.moved;
    if (body->idle && moved != body->seen)
        idle_limit_moved(body->idle);
    body->seen = moved;
}

static void body_in_ready(struct watch *watch, uint32_t events)
{
    struct body *body = LOOP_OWNER(watch, struct body, in_watch);
    (void)events;
    if (body->loaded || body_read_framing(body))
        body_carry_on(body);
}

static void body_out_ready(struct watch *watch, uint32_t events)
{
    struct body *body = LOOP_OWNER(watch, struct body, out_watch);
    (void)events;
    if (watch->events)
        body_carry_on(body);
    else
        body_finish(body, BODY_FAILED_OUT, EPIPE);
}

static void body_pause_over(struct timer *timer)
{
    body_carry_on(LOOP_OWNER(timer, struct body, pause));
}

int body_run(struct body *body)
{
    body->pause.fired = body_pause_over;
    body->in_watch = (struct watch){.fd = body->pump.in.fd, .ready = body_in_ready};
    body->out_watch = (struct watch){.fd = body->pump.out.fd, .ready = body_out_ready};
    body_carry_on(body);
    int result = loop_run(body->loop);
    body_unwatch(body);
    return result;
}

uint64_t body_taken(const struct body *body)
{
    return body->read + body->pump.taken - body->borrowed;
}

bool body_was_held(struct body *body)
{
    const bool was_held = body->was_held;
    body->was_held = body->held;
    return was_held;
}
