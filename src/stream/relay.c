/*
 * See relay.h. Events on a descriptor move the pump that may go on; relay_settle looks at the states of both pumps,
 * ends flows that are over, and then either awaits what comes next or, when both flows are over, concludes: it waits
 * until what was sent is acknowledged, and calls `done`.
 *
 * The first failure is kept. Where the remote side was lost, what it said before is still passed on, for as long as that
 * moves; where time is over, or local.in fails, nothing is.
 */
#include "stream/relay.h"

#include <errno.h>

#include "base/units.h"
#include "sys/sock.h"

enum { CONFIRM_MAX_MS = 20 }; /* between two looks at what is not acknowledged */

static void relay_unwatch(struct relay *relay)
{
    loop_unwatch(relay->loop, &relay->local.in_watch);
    loop_unwatch(relay->loop, &relay->local.out_watch);
    loop_unwatch(relay->loop, &relay->remote.in_watch);
}

void relay_release(struct relay *relay)
{
    struct timer *timers[] = {&relay->quit,
                              &relay->silence,
                              &relay->confirm,
                              &relay->parting,
                              &relay->tx.wait,
                              &relay->rx.wait,
                              NULL};
    struct relay_flow *flows[] = {&relay->tx, &relay->rx};
    if (!relay->loop)
        return;
    relay_unwatch(relay);
    idle_limit_stop(&relay->idle);
    for (size_t i = 0; timers[i]; i++)
        loop_timer_cancel(relay->loop, timers[i]);
    keepalive_stop(relay->keepalive);
    relay->keepalive = NULL;
    for (size_t i = 0; i < 2; i++) {
        filter_set_mover(flows[i]->pump.filter, NULL, NULL);
        pump_release(&flows[i]->pump);
    }
    relay->loop = NULL;
}

bool relay_has_cut(const struct relay *relay)
{
    const struct pump *tx = &relay->tx.pump;
    enum fd_kind kind = relay->local.in.kind;
    /* Whether there is an input whose end says that all of it was sent. */
    bool has_end = relay->local.in.fd >= 0 && kind != FD_TERMINAL && kind != FD_NULL;
    return tx->state != PUMP_ENDED && (has_end || tx->taken != tx->moved);
}

/* Failures */

/* Returns how many bytes the remote side has not acknowledged, our own end of the stream counting as one; 0 or less
 * where nobody asks, or nobody can tell. */
static int relay_unacknowledged(const struct relay *relay)
{
    return relay->policy.confirm && !relay->deaf ? sock_unacknowledged(relay->remote.out.fd) : 0;
}

/* Tells whether all that was not delivered are answers of the filter of `tx`: the remote side that has asked for them has
 * ended without them, and nothing that anybody wanted to say is lost. */
static bool relay_lost_only_answers(const struct relay *relay)
{
    const struct pump *tx = &relay->tx.pump;
    return tx->own && tx->taken - tx->own == relay->delivered;
}

/* Adds " (N bytes not delivered)": what was taken from local.in, or lies ready in its file, and did not
 * reach the remote side. */
static void relay_add_undelivered(const struct relay *relay, struct error *err)
{
    if (relay->local.in.fd < 0)
        return;
    uint64_t lost = relay->tx.pump.taken - relay->tx.pump.moved;
    int unacknowledged = relay_unacknowledged(relay);
    if (unacknowledged > 0)
        lost += (uint64_t)unacknowledged - relay->shut;
    lost += fd_unread_size(relay->local.in);
    if (lost)
        error_add(err, " (%llu %s not delivered)", (unsigned long long)lost, units_bytes(lost));
}

/* Keeps *err, if it is the first. */
static void relay_note_error(struct relay *relay, const struct error *err)
{
    if (relay->result == 0)
        error_keep(&relay->failure, err);
    relay->result = -1;
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
    if (side == &relay->remote)
        relay_add_undelivered(relay, &err);
    relay_note_error(relay, &err);
}

/* The end of all */

static void relay_finish(struct relay *relay)
{
    if (relay->finished)
        return;
    relay->finished = true;
    relay_release(relay);
    relay->done(relay);
}

/* Looks whether what was sent is delivered, again and again until it is, and finishes. */
static void relay_confirm(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, confirm);
    struct error err;
    /* In this order: what is not acknowledged is forgotten when the error comes. */
    int unacknowledged = relay_unacknowledged(relay);
    int failure = sock_error(relay->remote.out.fd);
    if (failure && !(relay->remote_ended && relay_lost_only_answers(relay))) {
        error_system(&err, STATUS_TRANSFER, failure, "write to %s", relay->remote.out_name);
        relay_add_undelivered(relay, &err);
        relay_note_error(relay, &err);
    } else if (unacknowledged > 0 && !failure) {
        loop_timer_set(relay->loop, timer, relay->confirm_ms);
        if (relay->confirm_ms < CONFIRM_MAX_MS)
            relay->confirm_ms++;
        return;
    }
    relay_finish(relay);
}

static void relay_conclude(struct relay *relay)
{
    relay_unwatch(relay);
    if (relay->result < 0) {
        relay_finish(relay);
        return;
    }
    relay->confirm_ms = 1;
    relay_confirm(&relay->confirm);
}

void relay_local_gone(struct relay *relay)
{
    relay->local_gone = true;
    if (relay->tx.open || !relay->rx.open)
        return;
    relay->rx.open = false;
    relay_conclude(relay);
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

/* Returns the events that a flow awaits on one of its ends, or 0; sets the timer of a pump that waits. */
static uint32_t relay_flow_events(struct relay_flow *flow, enum pump_state state, uint32_t events)
{
    if (flow->pump.state == PUMP_WAITS && !loop_timer_is_set(&flow->wait))
        loop_timer_set(flow->relay->loop, &flow->wait, flow->pump.pace->wait_ms);
    return flow->open && flow->pump.state == state ? events : 0;
}

/* Sets the watches, and the timers of pumps that wait, by the states of the pumps. */
static void relay_await(struct relay *relay)
{
    struct relay_side *local = &relay->local;
    struct watch *remote = &relay->remote.in_watch;
    uint32_t tx_in = relay_flow_events(&relay->tx, PUMP_WANTS_IN, EPOLLIN);
    uint32_t tx_out = relay_flow_events(&relay->tx, PUMP_WANTS_OUT, EPOLLOUT);
    uint32_t rx_in = relay_flow_events(&relay->rx, PUMP_WANTS_IN, EPOLLIN);
    uint32_t rx_out = relay_flow_events(&relay->rx, PUMP_WANTS_OUT, EPOLLOUT);
    /* The reader of local.out may go away. A socket says so when it has nothing to read either, which is
     * then of no interest any more. */
    bool has_ended = local->in.fd >= 0 && !relay->tx.open;
    bool may_go = !relay->local_gone &&
                  (local->out.kind == FD_PIPE || (local->out.kind == FD_SOCKET && has_ended));
    if (relay_is_one_descriptor(local)) {
        relay_await_on(relay, &local->in_watch, tx_in | rx_out);
    } else {
        if (local->in.fd >= 0)
            relay_await_on(relay, &local->in_watch, tx_in);
        if (!rx_out && relay->rx.open && may_go)
            loop_watch(relay->loop, &local->out_watch, 0);
        else
            relay_await_on(relay, &local->out_watch, rx_out);
    }
    /* With nothing to read or write, a reset still has to be heard. */
    if (!rx_in && !tx_out && !relay->remote_hung)
        loop_watch(relay->loop, remote, 0);
    else
        relay_await_on(relay, remote, rx_in | tx_out);
}

/* The end of each flow */

/* Sends nothing more to the remote side. What it said before it went is still passed on, as long as that moves. */
static void relay_read_rest(struct relay *relay)
{
    relay->tx.open = false;
    relay->silent_at = relay->rx.pump.taken + relay->rx.pump.moved;
    loop_timer_set(relay->loop, &relay->quit, RELAY_SILENCE_MS);
}

static void relay_lose_remote(struct relay *relay, int failure)
{
    int cause = failure == ENOTCONN ? sock_error(relay->remote.out.fd) : 0;
    struct sock_tcp tcp;
    /* A splice(2) that has written some bytes before the reset keeps that to itself: what it leaves is
     * a broken pipe, for which TCP has no other reason. */
    if (!cause && (failure == EPIPE || failure == ENOTCONN) &&
        sock_tcp(relay->remote.out.fd, &tcp) == 0)
        cause = ECONNRESET;
    relay_note_failure(relay, &relay->remote, false, cause ? cause : failure);
    relay_read_rest(relay);
}

/* Ends both flows, by a failure after which neither makes sense. */
static void relay_end_both(struct relay *relay, const struct relay_side *side, bool reading,
                           int failure)
{
    relay_note_failure(relay, side, reading, failure);
    relay->tx.open = relay->rx.open = false;
}

/* Looks at what came of the last move of `tx`. */
static void relay_settle_tx(struct relay *relay)
{
    struct pump *tx = &relay->tx.pump;
    if (tx->state == PUMP_FAILED_IN) {
        relay_end_both(relay, &relay->local, true, tx->failure);
    } else if (tx->state == PUMP_FAILED_OUT && tx->failure == EPIPE &&
               relay_lost_only_answers(relay)) {
        relay->deaf = true;
        pump_drop_answer(tx);
    } else if (tx->state == PUMP_FAILED_OUT) {
        relay_lose_remote(relay, tx->failure);
    }
    if (tx->state != PUMP_ENDED)
        return;
    relay->tx.open = false;
    loop_timer_cancel(relay->loop, &relay->silence);
    relay->shut = relay->rx.open && relay->local.in.fd >= 0 && !relay->policy.no_shutdown;
    if (relay->shut && sock_shutdown(relay->remote.out.fd, SHUT_WR) < 0 && !relay->deaf)
        relay_lose_remote(relay, ENOTCONN);
    else if (relay->policy.quit_after_ms >= 0)
        loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
    if (relay->local_gone)
        relay->rx.open = false;
}

/* Lets `rx`, whose bytes local.out refuses, go on to the sink. False: that is not to be. */
static bool relay_divert(struct relay *relay)
{
    const struct fd *sink = relay->policy.sink;
    if (!sink || relay->rx.pump.failure != EPIPE || relay->local.out.fd == sink->fd)
        return false;
    loop_unwatch(relay->loop, &relay->local.out_watch);
    relay->local_ended(relay);
    relay->local.out = *sink;
    relay->local.out_watch.fd = sink->fd;
    pump_divert(&relay->rx.pump, *sink);
    return true;
}

/* Looks at what came of the last move of `rx`. */
static void relay_settle_rx(struct relay *relay)
{
    const struct pump *rx = &relay->rx.pump;
    if (rx->state == PUMP_FAILED_IN)
        relay_end_both(relay, &relay->remote, true, rx->failure);
    else if (rx->state == PUMP_FAILED_OUT && !relay_divert(relay))
        relay_end_both(relay, &relay->local, false, rx->failure);
    if (rx->state != PUMP_ENDED)
        return;
    relay->rx.open = false;
    relay->remote_ended = rx->in_ended;
    if (!relay_is_one_descriptor(&relay->local))
        loop_unwatch(relay->loop, &relay->local.out_watch);
    if (relay->local_ended && relay->local_ended(relay) < 0)
        relay_note_failure(relay, &relay->local, false, errno);
    /* With the remote side gone, `tx` may have to end before its own end. */
    int64_t silence_ms = relay->local.in.kind == FD_TERMINAL && relay->policy.silence_ms >= 0
                             ? 0
                             : relay->policy.silence_ms;
    if (relay->tx.open && relay->local.in.kind != FD_FILE && silence_ms >= 0) {
        relay->silent_at = relay->tx.pump.taken;
        loop_timer_set(relay->loop, &relay->silence, silence_ms);
    }
}

/* Sends what the filter of `tx` has to say to what arrived. */
static void relay_send_answer(struct relay *relay)
{
    struct relay_flow *tx = &relay->tx;
    bool can_send = tx->pump.state == PUMP_WANTS_IN || (tx->pump.state == PUMP_ENDED && !tx->open);
    if (!can_send || relay->shut || (!tx->open && !relay->rx.open))
        return;
    tx->pump.state = PUMP_WANTS_IN;
    if (relay_unacknowledged(relay) <= 0)
        relay->delivered = tx->pump.taken - tx->pump.own;
    if (pump_move(&tx->pump) != PUMP_ENDED)
        tx->open = true;
}

/* Looks, after a move, at what came of it, and sets what is awaited next. */
static void relay_settle(struct relay *relay)
{
    const struct filter *filter = relay->tx.pump.filter;
    if (filter && filter->has_answer)
        relay_send_answer(relay);
    /* `rx` first: after a reset the read is told why, and the write that follows only that the
     * pipe is broken. */
    if (relay->rx.open)
        relay_settle_rx(relay);
    if (relay->tx.open)
        relay_settle_tx(relay);
    if (relay->tx.open || relay->rx.open)
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
    error_set(&err, STATUS_TIMEOUT, "%s: nothing moved for %s", relay->remote.in_name,
              units_show_duration(text, relay->policy.idle_ms));
    relay_add_undelivered(relay, &err);
    relay_note_error(relay, &err);
    relay_finish(relay);
}

/* Reads no more from the remote side; what has been read is still written. */
static void relay_quit_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, quit);
    struct pump *rx = &relay->rx.pump;
    int unacknowledged = relay_unacknowledged(relay);
    struct error err;
    if (relay->result < 0) {
        /* The remote side was lost. A slow reader of local.out may go on; one that stopped would keep us. */
        bool paused = rx->state == PUMP_WAITS || rx->state == PUMP_HELD;
        if (paused || rx->taken + rx->moved != relay->silent_at)
            relay_read_rest(relay);
        else
            relay_conclude(relay);
        return;
    }
    if (unacknowledged > relay->shut) {
        error_set(&err, STATUS_TRANSFER, "write to %s: the time after the end of input is over",
                  relay->remote.out_name);
        relay_add_undelivered(relay, &err);
        relay_note_error(relay, &err);
    }
    rx->limit = 0;
    if (rx->state == PUMP_WANTS_IN)
        pump_move(rx);
    relay_settle(relay);
}

/* Looks, after the end of the remote side, whether local.in is silent and everything it gave delivered, which is the
 * end. */
static void relay_silence_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, silence);
    const struct pump *tx = &relay->tx.pump;
    bool delivered = tx->taken == tx->moved && tx->state != PUMP_HELD &&
                     relay_unacknowledged(relay) <= 0;
    if (tx->taken != relay->silent_at || !delivered) {
        relay->silent_at = tx->taken;
        loop_timer_set(relay->loop, timer,
                       relay->policy.silence_ms ? relay->policy.silence_ms : CONFIRM_MAX_MS);
        return;
    }
    relay->tx.open = false;
    relay_conclude(relay);
}

/* Events */

/* Moves the flows that events on a descriptor may have let go on, where they are not over: errors and hang-ups lead to
 * the read or the write, which names the cause. */
static void relay_move(struct relay *relay, struct relay_flow *reader, struct relay_flow *writer,
                       uint32_t events)
{
    const uint32_t broken = EPOLLERR | EPOLLHUP;
    idle_limit_moved(&relay->idle);
    if (reader && reader->open && reader->pump.state == PUMP_WANTS_IN &&
        events & (EPOLLIN | broken))
        pump_move(&reader->pump);
    if (writer && writer->open && writer->pump.state == PUMP_WANTS_OUT &&
        events & (EPOLLOUT | broken))
        pump_move(&writer->pump);
    relay_settle(relay);
}

static void relay_local_in_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, local.in_watch);
    relay_move(relay, &relay->tx, relay_is_one_descriptor(&relay->local) ? &relay->rx : NULL,
               events);
}

/* Ends `rx`: whoever read local.out has had enough. */
static void relay_break_local_out(struct relay *relay)
{
    relay->rx.pump.state = PUMP_FAILED_OUT;
    relay->rx.pump.failure = EPIPE;
    relay_settle(relay);
}

static void relay_parting_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, parting);
    if (relay->rx.open)
        relay_break_local_out(relay);
}

/* Moves `rx`; or, without events that were awaited, finds that the reader of local.out has gone. */
static void relay_local_out_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, local.out_watch);
    const struct pump *rx = &relay->rx.pump;
    char byte;
    if (watch->events) {
        relay_move(relay, NULL, &relay->rx, events);
        return;
    }
    if (relay->policy.sink || relay->local.in.fd < 0 || rx->taken != rx->moved ||
        sock_recv_flags(relay->remote.in.fd, &byte, 1, MSG_PEEK) > 0) {
        relay_break_local_out(relay);
        return;
    }
    loop_unwatch(relay->loop, &relay->local.out_watch);
    if (relay->tx.open)
        loop_timer_set(relay->loop, &relay->parting, RELAY_PARTING_MS);
    relay_local_gone(relay);
}

static void relay_remote_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, remote.in_watch);
    if (watch->events == 0) {
        /* Nothing was to be read or written there: a reset, or the end of both directions. Asking for the
         * error takes it from the read that is still to come. */
        int failure = sock_error(relay->remote.in.fd);
        relay->remote_hung = true;
        if (failure && relay->remote_ended && relay_lost_only_answers(relay)) {
            relay->deaf = true;
        } else if (failure) {
            relay_note_failure(relay, &relay->remote, relay->rx.open, failure);
            relay->tx.pump.state = PUMP_FAILED_OUT;
            relay_read_rest(relay);
        }
    }
    relay_move(relay, &relay->rx, &relay->tx, events);
}

/* Lets a flow go on, as its pace or its filter allows. */
static void relay_flow_resume(struct relay_flow *flow)
{
    if (!flow->open)
        return;
    if (flow->pump.state == PUMP_WAITS || flow->pump.state == PUMP_HELD)
        flow->pump.state = PUMP_WANTS_OUT;
    relay_move(flow->relay, NULL, flow, EPOLLOUT);
}

static void relay_flow_released(struct filter *filter)
{
    struct relay_flow *flow = filter->mover;
    if (flow->pump.state == PUMP_HELD)
        relay_flow_resume(flow);
}

static void relay_flow_waited(struct timer *timer)
{
    relay_flow_resume(LOOP_OWNER(timer, struct relay_flow, wait));
}

/* The start */

static void relay_flow_start(struct relay_flow *flow, struct relay *relay, struct filter *filter,
                             struct pace *pace)
{
    flow->relay = relay;
    flow->wait = (struct timer){.fired = relay_flow_waited};
    pump_attach(&flow->pump, NULL, filter, pace);
    filter_set_mover(filter, flow, relay_flow_released);
}

void relay_start(struct relay *relay, struct loop *loop, struct pump_pool *pool)
{
    const struct relay_policy *policy = &relay->policy;
    struct relay_side *local = &relay->local, *remote = &relay->remote;
    relay->loop = loop;
    relay->finished = relay->shut = false;
    relay->remote_ended = relay->remote_hung = relay->local_gone = relay->deaf = false;
    relay->delivered = 0;
    relay->result = 0;
    local->in_watch = (struct watch){.fd = local->in.fd, .ready = relay_local_in_ready};
    local->out_watch = (struct watch){.fd = local->out.fd, .ready = relay_local_out_ready};
    remote->in_watch = (struct watch){.fd = remote->in.fd, .ready = relay_remote_ready};
    relay->quit = (struct timer){.fired = relay_quit_over};
    relay->silence = (struct timer){.fired = relay_silence_over};
    relay->confirm = (struct timer){.fired = relay_confirm};
    relay->parting = (struct timer){.fired = relay_parting_over};

    pump_init(&relay->tx.pump, policy->reopened ? *policy->reopened : local->in, remote->out, pool);
    pump_init(&relay->rx.pump, remote->in, local->out, pool);
    relay_flow_start(&relay->tx, relay, policy->tx_filter, policy->tx_pace);
    relay_flow_start(&relay->rx, relay, policy->rx_filter, policy->rx_pace);
    pump_preload(&relay->tx.pump, policy->greeting, policy->greeting_length);
    if (local->in.fd < 0)
        relay->tx.pump.limit = 0;
    relay->tx.open = local->in.fd >= 0 || policy->greeting_length;
    relay->rx.open = true;

    relay->keepalive = keepalive_start(loop, remote->out.fd, policy->keepalive_ms);
    idle_limit_start(&relay->idle, loop, policy->idle_ms, relay_idle_over);
    relay_await(relay);
}
