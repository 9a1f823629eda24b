#include "stream/relay.h"

#include <errno.h>

#include "stream/relay_steps.h"
#include "stream/undelivered.h"
#include "sys/sock.h"

void relay_release(struct relay *relay)
{
    struct loop *loop = relay->loop;
    if (!loop)
        return;
    loop_unwatch(loop, &relay->near.in_watch);
    loop_unwatch(loop, &relay->near.out_watch);
    loop_unwatch(loop, &relay->far.in_watch);
    loop_timer_cancel(loop, &relay->idle);
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

/* Whether there is an input whose end says that all of it was sent. */
static bool has_end(const struct relay *relay)
{
    enum fd_kind kind = relay->near.in.kind;
    return relay->near.in.fd >= 0 && kind != FD_TERMINAL && kind != FD_NULL;
}

bool relay_has_cut(const struct relay *relay)
{
    const struct pump *up = &relay->up;
    return up->state != PUMP_ENDED && (has_end(relay) || up->taken != up->moved);
}

void relay_note_error(struct relay *relay, const struct error *err)
{
    if (relay->result == 0)
        relay->error = *err;
    relay->result = -1;
}

static void finish(struct relay *relay)
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
    finish(relay);
}

static void note_failure(struct relay *relay, const struct relay_side *side, bool reading,
                         int failure)
{
    struct error err;
    const char *name = reading ? side->in_name : side->out_name;
    if (!reading && failure == EPIPE && side->status == STATUS_LOCAL_IO)
        error_silent(&err, side->status); /* the reader of stdout has had enough */
    else
        error_system(&err, side->status, failure, reading ? "read from %s" : "write to %s", name);
    if (side == &relay->far)
        undelivered_add(relay, &err);
    relay_note_error(relay, &err);
}

/* The end of each flow */

void relay_read_rest(struct relay *relay)
{
    relay->up_open = false;
    relay->silent_at = relay->down.taken + relay->down.moved;
    loop_timer_set(relay->loop, &relay->quit, RELAY_SILENCE_MS);
}

static void lose_far(struct relay *relay, int failure)
{
    int cause = failure == ENOTCONN ? sock_error(relay->far.out.fd) : 0;
    struct sock_tcp tcp;
    /* A splice(2) that has written some bytes before the reset keeps that to itself: what it leaves is
     * a broken pipe, for which TCP has no other reason. */
    if (!cause && (failure == EPIPE || failure == ENOTCONN) &&
        sock_tcp(relay->far.out.fd, &tcp) == 0)
        cause = ECONNRESET;
    note_failure(relay, &relay->far, false, cause ? cause : failure);
    relay_read_rest(relay);
}

static void end_up(struct relay *relay)
{
    relay->up_open = false;
    loop_timer_cancel(relay->loop, &relay->silence);
    relay->shut = relay->down_open && relay->near.in.fd >= 0 && !relay->policy.no_shutdown;
    if (relay->shut && sock_shutdown(relay->far.out.fd, SHUT_WR) < 0)
        lose_far(relay, ENOTCONN);
    else if (relay->policy.quit_after_ms >= 0)
        loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
    if (relay->near_gone)
        relay->down_open = false;
}

/* Whether `up`, with the far side gone, is to end before its own end. */
static void await_silence(struct relay *relay)
{
    int64_t silence_ms = relay->policy.silence_ms;
    if (relay->near.in.kind == FD_FILE || silence_ms < 0)
        return;
    if (relay->near.in.kind == FD_TERMINAL)
        silence_ms = 0;
    relay->silent_at = relay->up.taken;
    loop_timer_set(relay->loop, &relay->silence, silence_ms);
}

static void end_down(struct relay *relay)
{
    relay->down_open = false;
    relay->far_ended = relay->down.in_ended;
    if (!relay_is_one_descriptor(&relay->near))
        loop_unwatch(relay->loop, &relay->near.out_watch);
    if (relay->near_ended && relay->near_ended(relay) < 0)
        note_failure(relay, &relay->near, false, errno);
    if (relay->up_open)
        await_silence(relay);
}

/* What came of the last move of `up`. */
static void settle_up(struct relay *relay)
{
    if (relay->up.state == PUMP_ENDED) {
        end_up(relay);
    } else if (relay->up.state == PUMP_FAILED_IN) {
        note_failure(relay, &relay->near, true, relay->up.failure);
        relay->up_open = relay->down_open = false;
    } else if (relay->up.state == PUMP_FAILED_OUT) {
        lose_far(relay, relay->up.failure);
    }
}

static void settle_down(struct relay *relay)
{
    if (relay->down.state == PUMP_ENDED) {
        end_down(relay);
    } else if (relay->down.state == PUMP_FAILED_IN) {
        note_failure(relay, &relay->far, true, relay->down.failure);
        relay->up_open = relay->down_open = false;
    } else if (relay->down.state == PUMP_FAILED_OUT && !relay_divert(relay)) {
        note_failure(relay, &relay->near, false, relay->down.failure);
        relay->up_open = relay->down_open = false;
    }
}

/* Delivered */

static void confirm(struct relay *relay)
{
    struct error err;
    /* In this order: what is not acknowledged is forgotten when the error comes. */
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->far.out.fd) : 0;
    int failure = sock_error(relay->far.out.fd);
    if (failure) {
        error_system(&err, STATUS_TRANSFER, failure, "write to %s", relay->far.out_name);
        undelivered_add(relay, &err);
        relay_note_error(relay, &err);
    } else if (unacknowledged > 0) {
        loop_timer_set(relay->loop, &relay->confirm, relay->confirm_ms);
        if (relay->confirm_ms < RELAY_CONFIRM_MOST_MS)
            relay->confirm_ms++;
        return;
    }
    finish(relay);
}

static void look_again(struct timer *timer)
{
    confirm(LOOP_OWNER(timer, struct relay, confirm));
}

void relay_conclude(struct relay *relay)
{
    loop_unwatch(relay->loop, &relay->near.in_watch);
    loop_unwatch(relay->loop, &relay->near.out_watch);
    loop_unwatch(relay->loop, &relay->far.in_watch);
    if (relay->result < 0) {
        finish(relay);
        return;
    }
    relay->confirm_ms = 1;
    confirm(relay);
}

void relay_near_gone(struct relay *relay)
{
    relay->near_gone = true;
    if (relay->up_open || !relay->down_open)
        return;
    relay->down_open = false;
    relay_conclude(relay);
}

/* What arrived has given the filter of `up` something to say. */
static void answer(struct relay *relay)
{
    struct pump *up = &relay->up;
    bool can_send = up->state == PUMP_WANTS_IN || (up->state == PUMP_ENDED && !relay->up_open);
    if (!can_send || relay->shut || (!relay->up_open && !relay->down_open))
        return;
    up->state = PUMP_WANTS_IN;
    if (pump_move(up) != PUMP_ENDED)
        relay->up_open = true;
}

void relay_settle(struct relay *relay)
{
    if (relay->up.filter && relay->up.filter->waiting)
        answer(relay);
    /* Down first: after a reset the read is told why, and the write that follows only that the
     * pipe is broken. */
    if (relay->down_open)
        settle_down(relay);
    if (relay->up_open)
        settle_up(relay);
    if (relay->up_open || relay->down_open)
        relay_await(relay);
    else
        relay_conclude(relay);
}

/* Moves the flows that events on a descriptor may have let go on: errors and hang-ups lead to the
 * read or the write, which names the cause. */
static void move(struct relay *relay, struct pump *reader, struct pump *writer, uint32_t events)
{
    const uint32_t broken = EPOLLERR | EPOLLHUP;
    if (relay->policy.idle_ms >= 0)
        relay->moved_ms = loop_now_ms();
    if (reader && reader->state == PUMP_WANTS_IN && events & (EPOLLIN | broken))
        pump_move(reader);
    if (writer && writer->state == PUMP_WANTS_OUT && events & (EPOLLOUT | broken))
        pump_move(writer);
    relay_settle(relay);
}

static struct pump *open_up(struct relay *relay)
{
    return relay->up_open ? &relay->up : NULL;
}

static struct pump *open_down(struct relay *relay)
{
    return relay->down_open ? &relay->down : NULL;
}

static void near_in_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, near.in_watch);
    struct pump *writer = relay_is_one_descriptor(&relay->near) ? open_down(relay) : NULL;
    move(relay, open_up(relay), writer, events);
}

/* Whoever read it has had enough. */
static void break_near_out(struct relay *relay)
{
    relay->down.state = PUMP_FAILED_OUT;
    relay->down.failure = EPIPE;
    relay_settle(relay);
}

static void parting_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, parting);
    if (relay->down_open)
        break_near_out(relay);
}

/* The reader of near.out has gone while nothing was to be written. */
static void part_from_reader(struct relay *relay)
{
    char byte;
    bool has_input = relay->near.in.fd >= 0;
    if (relay->policy.sink || !has_input || relay->down.taken != relay->down.moved ||
        sock_peek(relay->far.in.fd, &byte, 1) > 0) {
        break_near_out(relay);
        return;
    }
    loop_unwatch(relay->loop, &relay->near.out_watch);
    if (relay->up_open)
        loop_timer_set(relay->loop, &relay->parting, RELAY_PARTING_MS);
    relay_near_gone(relay);
}

static void near_out_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, near.out_watch);
    if (watch->events == 0)
        part_from_reader(relay);
    else
        move(relay, NULL, open_down(relay), events);
}

/* Nothing was to be read or written there: a reset, or the end of both ways. Asking for the error
 * takes it from the read that is still to come. */
static void hear_far(struct relay *relay)
{
    int failure = sock_error(relay->far.in.fd);
    relay->far_hung = true;
    if (!failure)
        return;
    note_failure(relay, &relay->far, relay->down_open, failure);
    relay->up.state = PUMP_FAILED_OUT;
    relay_read_rest(relay);
}

static void far_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, far.in_watch);
    if (watch->events == 0)
        hear_far(relay);
    move(relay, open_down(relay), open_up(relay), events);
}

/* The pace, or the filter, lets a pump go on. */
static void resume(struct relay *relay, struct pump *pump)
{
    if (!pump)
        return;
    if (pump->state == PUMP_WAITS || pump->state == PUMP_HELD)
        pump->state = PUMP_WANTS_OUT;
    move(relay, NULL, pump, EPOLLOUT);
}

static void up_released(struct filter *filter)
{
    struct relay *relay = filter->mover;
    if (relay->up.state == PUMP_HELD)
        resume(relay, open_up(relay));
}

static void down_released(struct filter *filter)
{
    struct relay *relay = filter->mover;
    if (relay->down.state == PUMP_HELD)
        resume(relay, open_down(relay));
}

static void listen_to_filter(struct relay *relay, struct filter *filter,
                             void (*released)(struct filter *filter))
{
    if (!filter)
        return;
    filter->mover = relay;
    filter->resume = released;
}

static void up_waited(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, up_wait);
    resume(relay, open_up(relay));
}

static void down_waited(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, down_wait);
    resume(relay, open_down(relay));
}

static void set_callbacks(struct relay *relay)
{
    relay->near.in_watch = (struct watch){.fd = relay->near.in.fd, .ready = near_in_ready};
    relay->near.out_watch = (struct watch){.fd = relay->near.out.fd, .ready = near_out_ready};
    relay->far.in_watch = (struct watch){.fd = relay->far.in.fd, .ready = far_ready};
    relay->idle = (struct timer){.fired = relay_idle_over};
    relay->quit = (struct timer){.fired = relay_quit_over};
    relay->silence = (struct timer){.fired = relay_silence_over};
    relay->confirm = (struct timer){.fired = look_again};
    relay->parting = (struct timer){.fired = parting_over};
    relay->up_wait = (struct timer){.fired = up_waited};
    relay->down_wait = (struct timer){.fired = down_waited};
}

static void start_pumps(struct relay *relay, struct pump_pool *pool)
{
    const struct fd *ahead = relay->policy.ahead;
    pump_init(&relay->up, ahead ? *ahead : relay->near.in, relay->far.out, pool);
    pump_init(&relay->down, relay->far.in, relay->near.out, pool);
    pump_filter(&relay->up, relay->policy.up_filter);
    pump_filter(&relay->down, relay->policy.down_filter);
    listen_to_filter(relay, relay->policy.up_filter, up_released);
    listen_to_filter(relay, relay->policy.down_filter, down_released);
    pump_pace(&relay->up, relay->policy.up_pace);
    pump_pace(&relay->down, relay->policy.down_pace);
    pump_preload(&relay->up, relay->policy.greeting, relay->policy.greeting_length);
    if (relay->near.in.fd < 0)
        relay->up.limit = 0;
    relay->up_open = relay->near.in.fd >= 0 || relay->policy.greeting_length;
    relay->down_open = true;
}

void relay_start(struct relay *relay, struct loop *loop, struct pump_pool *pool)
{
    relay->loop = loop;
    relay->finished = relay->shut = false;
    relay->far_ended = relay->far_hung = relay->near_gone = false;
    relay->result = 0;
    set_callbacks(relay);
    start_pumps(relay, pool);
    relay->keepalive = keepalive_start(loop, relay->far.out.fd, relay->policy.keepalive_ms);
    relay->moved_ms = loop_now_ms();
    if (relay->policy.idle_ms >= 0)
        loop_timer_set(loop, &relay->idle, relay->policy.idle_ms);
    relay_await(relay);
}
