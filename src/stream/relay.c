/*
 * See relay.h. Events on a descriptor move the pump that may go on; relay_settle looks at the states of both pumps,
 * ends flows that are over, and then either awaits what comes next or, when both flows are over, concludes: it waits
 * until what was sent is acknowledged, and calls `done`.
 *
 * The first failure is kept. Where the far side was lost, what it said before is still passed on, for as long as that
 * moves; where time is over, or near.in fails, nothing is.
 */
#include "stream/relay.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "sys/sock.h"

enum { CONFIRM_MAX_MS = 20 }; /* between two looks at what is not acknowledged */

void relay_release(struct relay *relay)
{
    struct loop *loop = relay->loop;
    if (!loop)
        return;
    loop_unwatch(loop, &relay->near.in_watch);
    loop_unwatch(loop, &relay->near.out_watch);
    loop_unwatch(loop, &relay->far.in_watch);
    idle_limit_stop(&relay->idle);
    loop_timer_cancel(loop, &relay->quit);
    loop_timer_cancel(loop, &relay->silence);
    loop_timer_cancel(loop, &relay->confirm);
    loop_timer_cancel(loop, &relay->parting);
    loop_timer_cancel(loop, &relay->up_wait);
    loop_timer_cancel(loop, &relay->down_wait);
    if (relay->up.filter)
        relay->up.filter->resume = NULL;
    if (relay->down.filter)
        relay->down.filter->resume = NULL;
    keepalive_stop(relay->keepalive);
    relay->keepalive = NULL;
    pump_release(&relay->up);
    pump_release(&relay->down);
    relay->loop = NULL;
}

bool relay_has_cut(const struct relay *relay)
{
    const struct pump *up = &relay->up;
    enum fd_kind kind = relay->near.in.kind;
    /* Whether there is an input whose end says that all of it was sent. */
    bool has_end = relay->near.in.fd >= 0 && kind != FD_TERMINAL && kind != FD_NULL;
    return up->state != PUMP_ENDED && (has_end || up->taken != up->moved);
}

/* Failures */

/* Adds " (N bytes not delivered)": what was taken from near.in, or lies ready in its file, and did not
 * reach the far side. */
static void relay_add_undelivered(const struct relay *relay, struct error *err)
{
    const struct fd *in = &relay->near.in;
    if (in->fd < 0)
        return;
    uint64_t lost = relay->up.taken - relay->up.moved;
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->far.out.fd) : 0;
    /* Our own end of the stream counts as one. */
    if (unacknowledged > 0)
        lost += (uint64_t)unacknowledged - relay->shut;
    struct stat status;
    if (in->kind == FD_FILE && fstat(in->fd, &status) == 0) {
        off_t at = lseek(in->fd, 0, SEEK_CUR);
        if (at >= 0 && at < status.st_size)
            lost += (uint64_t)(status.st_size - at);
    }
    if (lost)
        error_add(err, " (%llu bytes not delivered)", (unsigned long long)lost);
}

static void relay_note_error(struct relay *relay, const struct error *err)
{
    if (relay->result == 0)
        relay->error = *err;
    relay->result = -1;
}

static void relay_finish(struct relay *relay)
{
    if (relay->finished)
        return;
    relay->finished = true;
    relay_release(relay);
    relay->done(relay);
}

void relay_fail(struct relay *relay, const struct error *err)
{
    relay_note_error(relay, err);
    relay_finish(relay);
}

static void relay_note_failure(struct relay *relay, const struct relay_side *side, bool reading,
                               int failure)
{
    struct error err;
    const char *name = reading ? side->in_name : side->out_name;
    if (!reading && failure == EPIPE && side->status == STATUS_LOCAL_IO)
        error_silent(&err, side->status); /* the reader of stdout has had enough */
    else
        error_system(&err, side->status, failure, reading ? "read from %s" : "write to %s", name);
    if (side == &relay->far)
        relay_add_undelivered(relay, &err);
    relay_note_error(relay, &err);
}

/* What is awaited */

static bool relay_is_one_descriptor(const struct relay_side *side)
{
    return side->in.fd == side->out.fd;
}

static void relay_await_on(struct relay *relay, struct watch *watch, uint32_t events)
{
    if (events)
        loop_watch(relay->loop, watch, events);
    else
        loop_unwatch(relay->loop, watch);
}

static void relay_await_pace(struct relay *relay, const struct pump *pump, struct timer *timer)
{
    if (pump->state == PUMP_WAITS && !loop_timer_is_set(timer))
        loop_timer_set(relay->loop, timer, pump->pace->wait_ms);
}

/* Sets the watches, and the timers of pumps that wait, by the states of the pumps. */
static void relay_await(struct relay *relay)
{
    struct relay_side *near = &relay->near;
    struct watch *far = &relay->far.in_watch;
    relay_await_pace(relay, &relay->up, &relay->up_wait);
    relay_await_pace(relay, &relay->down, &relay->down_wait);
    uint32_t up_in = relay->up_open && relay->up.state == PUMP_WANTS_IN ? EPOLLIN : 0;
    uint32_t up_out = relay->up_open && relay->up.state == PUMP_WANTS_OUT ? EPOLLOUT : 0;
    uint32_t down_in = relay->down_open && relay->down.state == PUMP_WANTS_IN ? EPOLLIN : 0;
    uint32_t down_out = relay->down_open && relay->down.state == PUMP_WANTS_OUT ? EPOLLOUT : 0;
    /* The reader of near.out may go away. A socket says so when it has nothing to read either, which is
     * then of no interest any more. */
    bool has_ended = near->in.fd >= 0 && !relay->up_open;
    bool may_go = !relay->near_gone &&
                  (near->out.kind == FD_PIPE || (near->out.kind == FD_SOCKET && has_ended));
    if (relay_is_one_descriptor(near)) {
        relay_await_on(relay, &near->in_watch, up_in | down_out);
    } else {
        if (near->in.fd >= 0)
            relay_await_on(relay, &near->in_watch, up_in);
        if (!down_out && relay->down_open && may_go)
            loop_watch(relay->loop, &near->out_watch, 0);
        else
            relay_await_on(relay, &near->out_watch, down_out);
    }
    /* With nothing to read or write, a reset still has to be heard. */
    if (!down_in && !up_out && !relay->far_hung)
        loop_watch(relay->loop, far, 0);
    else
        relay_await_on(relay, far, down_in | up_out);
}

/* Delivered */

static void relay_confirm(struct relay *relay)
{
    struct error err;
    /* In this order: what is not acknowledged is forgotten when the error comes. */
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->far.out.fd) : 0;
    int failure = sock_error(relay->far.out.fd);
    if (failure) {
        error_system(&err, STATUS_TRANSFER, failure, "write to %s", relay->far.out_name);
        relay_add_undelivered(relay, &err);
        relay_note_error(relay, &err);
    } else if (unacknowledged > 0) {
        loop_timer_set(relay->loop, &relay->confirm, relay->confirm_ms);
        if (relay->confirm_ms < CONFIRM_MAX_MS)
            relay->confirm_ms++;
        return;
    }
    relay_finish(relay);
}

static void relay_confirm_again(struct timer *timer)
{
    relay_confirm(LOOP_OWNER(timer, struct relay, confirm));
}

static void relay_conclude(struct relay *relay)
{
    loop_unwatch(relay->loop, &relay->near.in_watch);
    loop_unwatch(relay->loop, &relay->near.out_watch);
    loop_unwatch(relay->loop, &relay->far.in_watch);
    if (relay->result < 0) {
        relay_finish(relay);
        return;
    }
    relay->confirm_ms = 1;
    relay_confirm(relay);
}

void relay_near_gone(struct relay *relay)
{
    relay->near_gone = true;
    if (relay->up_open || !relay->down_open)
        return;
    relay->down_open = false;
    relay_conclude(relay);
}

/* The end of each flow */

/* Nothing more goes to the far side. What it said before it went is still passed on, as long as that
 * moves. */
static void relay_read_rest(struct relay *relay)
{
    relay->up_open = false;
    relay->silent_at = relay->down.taken + relay->down.moved;
    loop_timer_set(relay->loop, &relay->quit, RELAY_SILENCE_MS);
}

static void relay_lose_far(struct relay *relay, int failure)
{
    int cause = failure == ENOTCONN ? sock_error(relay->far.out.fd) : 0;
    struct sock_tcp tcp;
    /* A splice(2) that has written some bytes before the reset keeps that to itself: what it leaves is
     * a broken pipe, for which TCP has no other reason. */
    if (!cause && (failure == EPIPE || failure == ENOTCONN) &&
        sock_tcp(relay->far.out.fd, &tcp) == 0)
        cause = ECONNRESET;
    relay_note_failure(relay, &relay->far, false, cause ? cause : failure);
    relay_read_rest(relay);
}

static void relay_end_up(struct relay *relay)
{
    relay->up_open = false;
    loop_timer_cancel(relay->loop, &relay->silence);
    relay->shut = relay->down_open && relay->near.in.fd >= 0 && !relay->policy.no_shutdown;
    if (relay->shut && sock_shutdown(relay->far.out.fd, SHUT_WR) < 0)
        relay_lose_far(relay, ENOTCONN);
    else if (relay->policy.quit_after_ms >= 0)
        loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
    if (relay->near_gone)
        relay->down_open = false;
}

static void relay_end_down(struct relay *relay)
{
    relay->down_open = false;
    relay->far_ended = relay->down.in_ended;
    if (!relay_is_one_descriptor(&relay->near))
        loop_unwatch(relay->loop, &relay->near.out_watch);
    if (relay->near_ended && relay->near_ended(relay) < 0)
        relay_note_failure(relay, &relay->near, false, errno);
    /* With the far side gone, `up` may have to end before its own end. */
    int64_t silence_ms = relay->near.in.kind == FD_TERMINAL && relay->policy.silence_ms >= 0
                             ? 0
                             : relay->policy.silence_ms;
    if (relay->up_open && relay->near.in.kind != FD_FILE && silence_ms >= 0) {
        relay->silent_at = relay->up.taken;
        loop_timer_set(relay->loop, &relay->silence, silence_ms);
    }
}

/* Lets `down`, whose bytes near.out refuses, go on to the sink. False: that is not to be. */
static bool relay_divert(struct relay *relay)
{
    const struct fd *sink = relay->policy.sink;
    if (!sink || relay->down.failure != EPIPE || relay->near.out.fd == sink->fd)
        return false;
    loop_unwatch(relay->loop, &relay->near.out_watch);
    relay->near_ended(relay);
    relay->near.out = *sink;
    relay->near.out_watch.fd = sink->fd;
    pump_divert(&relay->down, *sink);
    return true;
}

/* What came of the last move of `up`. */
static void relay_settle_up(struct relay *relay)
{
    if (relay->up.state == PUMP_ENDED) {
        relay_end_up(relay);
    } else if (relay->up.state == PUMP_FAILED_IN) {
        relay_note_failure(relay, &relay->near, true, relay->up.failure);
        relay->up_open = relay->down_open = false;
    } else if (relay->up.state == PUMP_FAILED_OUT) {
        relay_lose_far(relay, relay->up.failure);
    }
}

static void relay_settle_down(struct relay *relay)
{
    if (relay->down.state == PUMP_ENDED) {
        relay_end_down(relay);
    } else if (relay->down.state == PUMP_FAILED_IN) {
        relay_note_failure(relay, &relay->far, true, relay->down.failure);
        relay->up_open = relay->down_open = false;
    } else if (relay->down.state == PUMP_FAILED_OUT && !relay_divert(relay)) {
        relay_note_failure(relay, &relay->near, false, relay->down.failure);
        relay->up_open = relay->down_open = false;
    }
}

/* What arrived has given the filter of `up` something to say. */
static void relay_send_answer(struct relay *relay)
{
    struct pump *up = &relay->up;
    bool can_send = up->state == PUMP_WANTS_IN || (up->state == PUMP_ENDED && !relay->up_open);
    if (!can_send || relay->shut || (!relay->up_open && !relay->down_open))
        return;
    up->state = PUMP_WANTS_IN;
    if (pump_move(up) != PUMP_ENDED)
        relay->up_open = true;
}

/* After a move: what came of it, and what is awaited next. */
static void relay_settle(struct relay *relay)
{
    if (relay->up.filter && relay->up.filter->waiting)
        relay_send_answer(relay);
    /* Down first: after a reset the read is told why, and the write that follows only that the
     * pipe is broken. */
    if (relay->down_open)
        relay_settle_down(relay);
    if (relay->up_open)
        relay_settle_up(relay);
    if (relay->up_open || relay->down_open)
        relay_await(relay);
    else
        relay_conclude(relay);
}

/* Limits */

static void relay_idle_over(struct idle_limit *limit)
{
    struct relay *relay = LOOP_OWNER(limit, struct relay, idle);
    struct error err;
    char text[UNITS_DURATION_MAX];
    error_set(&err, STATUS_TIMEOUT, "%s: nothing moved for %s", relay->far.in_name,
              units_show_duration(text, relay->policy.idle_ms));
    relay_add_undelivered(relay, &err);
    relay_fail(relay, &err);
}

/* No more is read from the far side; what has been read is still written. */
static void relay_quit_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, quit);
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->far.out.fd) : 0;
    struct error err;
    if (relay->result < 0) {
        /* The far side was lost. A slow reader of near.out may go on; one that stopped would keep us. */
        bool paused = relay->down.state == PUMP_WAITS || relay->down.state == PUMP_HELD;
        if (paused || relay->down.taken + relay->down.moved != relay->silent_at)
            relay_read_rest(relay);
        else
            relay_conclude(relay);
        return;
    }
    if (unacknowledged > relay->shut) {
        error_set(&err, STATUS_TRANSFER, "write to %s: the time after the end of input is over",
                  relay->far.out_name);
        relay_add_undelivered(relay, &err);
        relay_note_error(relay, &err);
    }
    relay->down.limit = 0;
    if (relay->down.state == PUMP_WANTS_IN)
        pump_move(&relay->down);
    relay_settle(relay);
}

/* The far side has ended; is near.in silent, and everything it gave delivered? */
static void relay_silence_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, silence);
    const struct pump *up = &relay->up;
    bool delivered = up->taken == up->moved && up->state != PUMP_HELD &&
                     (!relay->policy.confirm || sock_unacknowledged(relay->far.out.fd) <= 0);
    if (up->taken != relay->silent_at || !delivered) {
        relay->silent_at = up->taken;
        loop_timer_set(relay->loop, timer,
                       relay->policy.silence_ms ? relay->policy.silence_ms : CONFIRM_MAX_MS);
        return;
    }
    relay->up_open = false;
    relay_conclude(relay);
}

/* Events */

/* Moves the flows that events on a descriptor may have let go on: errors and hang-ups lead to the
 * read or the write, which names the cause. */
static void relay_move(struct relay *relay, struct pump *reader, struct pump *writer,
                       uint32_t events)
{
    const uint32_t broken = EPOLLERR | EPOLLHUP;
    idle_limit_moved(&relay->idle);
    if (reader && reader->state == PUMP_WANTS_IN && events & (EPOLLIN | broken))
        pump_move(reader);
    if (writer && writer->state == PUMP_WANTS_OUT && events & (EPOLLOUT | broken))
        pump_move(writer);
    relay_settle(relay);
}

static struct pump *relay_open_up(struct relay *relay)
{
    return relay->up_open ? &relay->up : NULL;
}

static struct pump *relay_open_down(struct relay *relay)
{
    return relay->down_open ? &relay->down : NULL;
}

static void relay_near_in_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, near.in_watch);
    struct pump *writer = relay_is_one_descriptor(&relay->near) ? relay_open_down(relay) : NULL;
    relay_move(relay, relay_open_up(relay), writer, events);
}

/* Whoever read it has had enough. */
static void relay_break_near_out(struct relay *relay)
{
    relay->down.state = PUMP_FAILED_OUT;
    relay->down.failure = EPIPE;
    relay_settle(relay);
}

static void relay_parting_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, parting);
    if (relay->down_open)
        relay_break_near_out(relay);
}

/* Without events that were awaited, nothing was to be written, and the reader has gone. */
static void relay_near_out_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, near.out_watch);
    char byte;
    if (watch->events) {
        relay_move(relay, NULL, relay_open_down(relay), events);
        return;
    }
    if (relay->policy.sink || relay->near.in.fd < 0 || relay->down.taken != relay->down.moved ||
        sock_peek(relay->far.in.fd, &byte, 1) > 0) {
        relay_break_near_out(relay);
        return;
    }
    loop_unwatch(relay->loop, &relay->near.out_watch);
    if (relay->up_open)
        loop_timer_set(relay->loop, &relay->parting, RELAY_PARTING_MS);
    relay_near_gone(relay);
}

static void relay_far_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, far.in_watch);
    if (watch->events == 0) {
        /* Nothing was to be read or written there: a reset, or the end of both directions. Asking for the
         * error takes it from the read that is still to come. */
        int failure = sock_error(relay->far.in.fd);
        relay->far_hung = true;
        if (failure) {
            relay_note_failure(relay, &relay->far, relay->down_open, failure);
            relay->up.state = PUMP_FAILED_OUT;
            relay_read_rest(relay);
        }
    }
    relay_move(relay, relay_open_down(relay), relay_open_up(relay), events);
}

/* The pace, or the filter, lets a pump go on. */
static void relay_resume(struct relay *relay, struct pump *pump)
{
    if (!pump)
        return;
    if (pump->state == PUMP_WAITS || pump->state == PUMP_HELD)
        pump->state = PUMP_WANTS_OUT;
    relay_move(relay, NULL, pump, EPOLLOUT);
}

static void relay_up_released(struct filter *filter)
{
    struct relay *relay = filter->mover;
    if (relay->up.state == PUMP_HELD)
        relay_resume(relay, relay_open_up(relay));
}

static void relay_down_released(struct filter *filter)
{
    struct relay *relay = filter->mover;
    if (relay->down.state == PUMP_HELD)
        relay_resume(relay, relay_open_down(relay));
}

static void relay_set_resume(struct relay *relay, struct filter *filter,
                             void (*released)(struct filter *filter))
{
    if (!filter)
        return;
    filter->mover = relay;
    filter->resume = released;
}

static void relay_up_waited(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, up_wait);
    relay_resume(relay, relay_open_up(relay));
}

static void relay_down_waited(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, down_wait);
    relay_resume(relay, relay_open_down(relay));
}

/* The start */

void relay_start(struct relay *relay, struct loop *loop, struct pump_pool *pool)
{
    const struct relay_policy *policy = &relay->policy;
    relay->loop = loop;
    relay->finished = relay->shut = false;
    relay->far_ended = relay->far_hung = relay->near_gone = false;
    relay->result = 0;
    relay->near.in_watch = (struct watch){.fd = relay->near.in.fd, .ready = relay_near_in_ready};
    relay->near.out_watch = (struct watch){.fd = relay->near.out.fd, .ready = relay_near_out_ready};
    relay->far.in_watch = (struct watch){.fd = relay->far.in.fd, .ready = relay_far_ready};
    relay->quit = (struct timer){.fired = relay_quit_over};
    relay->silence = (struct timer){.fired = relay_silence_over};
    relay->confirm = (struct timer){.fired = relay_confirm_again};
    relay->parting = (struct timer){.fired = relay_parting_over};
    relay->up_wait = (struct timer){.fired = relay_up_waited};
    relay->down_wait = (struct timer){.fired = relay_down_waited};

    pump_init(&relay->up, policy->ahead ? *policy->ahead : relay->near.in, relay->far.out, pool);
    pump_init(&relay->down, relay->far.in, relay->near.out, pool);
    pump_filter(&relay->up, policy->up_filter);
    pump_filter(&relay->down, policy->down_filter);
    relay_set_resume(relay, policy->up_filter, relay_up_released);
    relay_set_resume(relay, policy->down_filter, relay_down_released);
    pump_pace(&relay->up, policy->up_pace);
    pump_pace(&relay->down, policy->down_pace);
    pump_preload(&relay->up, policy->greeting, policy->greeting_length);
    if (relay->near.in.fd < 0)
        relay->up.limit = 0;
    relay->up_open = relay->near.in.fd >= 0 || policy->greeting_length;
    relay->down_open = true;

    relay->keepalive = keepalive_start(loop, relay->far.out.fd, policy->keepalive_ms);
    idle_limit_start(&relay->idle, loop, policy->idle_ms, relay_idle_over);
    relay_await(relay);
}
