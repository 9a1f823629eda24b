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
    loop_unwatch(loop, &relay->local.in_watch);
    loop_unwatch(loop, &relay->local.out_watch);
    loop_unwatch(loop, &relay->remote.in_watch);
    idle_limit_stop(&relay->idle);
    loop_timer_cancel(loop, &relay->quit);
    loop_timer_cancel(loop, &relay->silence);
    loop_timer_cancel(loop, &relay->confirm);
    loop_timer_cancel(loop, &relay->parting);
    loop_timer_cancel(loop, &relay->tx_wait);
    loop_timer_cancel(loop, &relay->rx_wait);
    if (relay->tx.filter)
        relay->tx.filter->resume = NULL;
    if (relay->rx.filter)
        relay->rx.filter->resume = NULL;
    keepalive_stop(relay->keepalive);
    relay->keepalive = NULL;
    pump_release(&relay->tx);
    pump_release(&relay->rx);
    relay->loop = NULL;
}

bool relay_has_cut(const struct relay *relay)
{
    const struct pump *tx = &relay->tx;
    enum fd_kind kind = relay->local.in.kind;
    /* Whether there is an input whose end says that all of it was sent. */
    bool has_end = relay->local.in.fd >= 0 && kind != FD_TERMINAL && kind != FD_NULL;
    return tx->state != PUMP_ENDED && (has_end || tx->taken != tx->moved);
}

/* Failures */

/* Adds " (N bytes not delivered)": what was taken from local.in, or lies ready in its file, and did not
 * reach the remote side. */
static void relay_add_undelivered(const struct relay *relay, struct error *err)
{
    const struct fd *in = &relay->local.in;
    if (in->fd < 0)
        return;
    uint64_t lost = relay->tx.taken - relay->tx.moved;
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->remote.out.fd) : 0;
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
    if (side == &relay->remote)
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
    struct relay_side *local = &relay->local;
    struct watch *remote = &relay->remote.in_watch;
    relay_await_pace(relay, &relay->tx, &relay->tx_wait);
    relay_await_pace(relay, &relay->rx, &relay->rx_wait);
    uint32_t tx_in = relay->tx_open && relay->tx.state == PUMP_WANTS_IN ? EPOLLIN : 0;
    uint32_t tx_out = relay->tx_open && relay->tx.state == PUMP_WANTS_OUT ? EPOLLOUT : 0;
    uint32_t rx_in = relay->rx_open && relay->rx.state == PUMP_WANTS_IN ? EPOLLIN : 0;
    uint32_t rx_out = relay->rx_open && relay->rx.state == PUMP_WANTS_OUT ? EPOLLOUT : 0;
    /* The reader of local.out may go away. A socket says so when it has nothing to read either, which is
     * then of no interest any more. */
    bool has_ended = local->in.fd >= 0 && !relay->tx_open;
    bool may_go = !relay->local_gone &&
                  (local->out.kind == FD_PIPE || (local->out.kind == FD_SOCKET && has_ended));
    if (relay_is_one_descriptor(local)) {
        relay_await_on(relay, &local->in_watch, tx_in | rx_out);
    } else {
        if (local->in.fd >= 0)
            relay_await_on(relay, &local->in_watch, tx_in);
        if (!rx_out && relay->rx_open && may_go)
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

/* Delivered */

static void relay_confirm(struct relay *relay)
{
    struct error err;
    /* In this order: what is not acknowledged is forgotten when the error comes. */
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->remote.out.fd) : 0;
    int failure = sock_error(relay->remote.out.fd);
    if (failure) {
        error_system(&err, STATUS_TRANSFER, failure, "write to %s", relay->remote.out_name);
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
    loop_unwatch(relay->loop, &relay->local.in_watch);
    loop_unwatch(relay->loop, &relay->local.out_watch);
    loop_unwatch(relay->loop, &relay->remote.in_watch);
    if (relay->result < 0) {
        relay_finish(relay);
        return;
    }
    relay->confirm_ms = 1;
    relay_confirm(relay);
}

void relay_local_gone(struct relay *relay)
{
    relay->local_gone = true;
    if (relay->tx_open || !relay->rx_open)
        return;
    relay->rx_open = false;
    relay_conclude(relay);
}

/* The end of each flow */

/* Nothing more goes to the remote side. What it said before it went is still passed on, as long as that
 * moves. */
static void relay_read_rest(struct relay *relay)
{
    relay->tx_open = false;
    relay->silent_at = relay->rx.taken + relay->rx.moved;
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

static void relay_end_tx(struct relay *relay)
{
    relay->tx_open = false;
    loop_timer_cancel(relay->loop, &relay->silence);
    relay->shut = relay->rx_open && relay->local.in.fd >= 0 && !relay->policy.no_shutdown;
    if (relay->shut && sock_shutdown(relay->remote.out.fd, SHUT_WR) < 0)
        relay_lose_remote(relay, ENOTCONN);
    else if (relay->policy.quit_after_ms >= 0)
        loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
    if (relay->local_gone)
        relay->rx_open = false;
}

static void relay_end_rx(struct relay *relay)
{
    relay->rx_open = false;
    relay->remote_ended = relay->rx.in_ended;
    if (!relay_is_one_descriptor(&relay->local))
        loop_unwatch(relay->loop, &relay->local.out_watch);
    if (relay->local_ended && relay->local_ended(relay) < 0)
        relay_note_failure(relay, &relay->local, false, errno);
    /* With the remote side gone, `tx` may have to end before its own end. */
    int64_t silence_ms = relay->local.in.kind == FD_TERMINAL && relay->policy.silence_ms >= 0
                             ? 0
                             : relay->policy.silence_ms;
    if (relay->tx_open && relay->local.in.kind != FD_FILE && silence_ms >= 0) {
        relay->silent_at = relay->tx.taken;
        loop_timer_set(relay->loop, &relay->silence, silence_ms);
    }
}

/* Lets `rx`, whose bytes local.out refuses, go on to the sink. False: that is not to be. */
static bool relay_divert(struct relay *relay)
{
    const struct fd *sink = relay->policy.sink;
    if (!sink || relay->rx.failure != EPIPE || relay->local.out.fd == sink->fd)
        return false;
    loop_unwatch(relay->loop, &relay->local.out_watch);
    relay->local_ended(relay);
    relay->local.out = *sink;
    relay->local.out_watch.fd = sink->fd;
    pump_divert(&relay->rx, *sink);
    return true;
}

/* What came of the last move of `tx`. */
static void relay_settle_tx(struct relay *relay)
{
    if (relay->tx.state == PUMP_ENDED) {
        relay_end_tx(relay);
    } else if (relay->tx.state == PUMP_FAILED_IN) {
        relay_note_failure(relay, &relay->local, true, relay->tx.failure);
        relay->tx_open = relay->rx_open = false;
    } else if (relay->tx.state == PUMP_FAILED_OUT) {
        relay_lose_remote(relay, relay->tx.failure);
    }
}

static void relay_settle_rx(struct relay *relay)
{
    if (relay->rx.state == PUMP_ENDED) {
        relay_end_rx(relay);
    } else if (relay->rx.state == PUMP_FAILED_IN) {
        relay_note_failure(relay, &relay->remote, true, relay->rx.failure);
        relay->tx_open = relay->rx_open = false;
    } else if (relay->rx.state == PUMP_FAILED_OUT && !relay_divert(relay)) {
        relay_note_failure(relay, &relay->local, false, relay->rx.failure);
        relay->tx_open = relay->rx_open = false;
    }
}

/* What arrived has given the filter of `tx` something to say. */
static void relay_send_answer(struct relay *relay)
{
    struct pump *tx = &relay->tx;
    bool can_send = tx->state == PUMP_WANTS_IN || (tx->state == PUMP_ENDED && !relay->tx_open);
    if (!can_send || relay->shut || (!relay->tx_open && !relay->rx_open))
        return;
    tx->state = PUMP_WANTS_IN;
    if (pump_move(tx) != PUMP_ENDED)
        relay->tx_open = true;
}

/* After a move: what came of it, and what is awaited next. */
static void relay_settle(struct relay *relay)
{
    if (relay->tx.filter && relay->tx.filter->has_answer)
        relay_send_answer(relay);
    /* Down first: after a reset the read is told why, and the write that follows only that the
     * pipe is broken. */
    if (relay->rx_open)
        relay_settle_rx(relay);
    if (relay->tx_open)
        relay_settle_tx(relay);
    if (relay->tx_open || relay->rx_open)
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
    relay_fail(relay, &err);
}

/* No more is read from the remote side; what has been read is still written. */
static void relay_quit_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, quit);
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->remote.out.fd) : 0;
    struct error err;
    if (relay->result < 0) {
        /* The remote side was lost. A slow reader of local.out may go on; one that stopped would keep us. */
        bool paused = relay->rx.state == PUMP_WAITS || relay->rx.state == PUMP_HELD;
        if (paused || relay->rx.taken + relay->rx.moved != relay->silent_at)
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
    relay->rx.limit = 0;
    if (relay->rx.state == PUMP_WANTS_IN)
        pump_move(&relay->rx);
    relay_settle(relay);
}

/* The remote side has ended; is local.in silent, and everything it gave delivered? */
static void relay_silence_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, silence);
    const struct pump *tx = &relay->tx;
    bool delivered = tx->taken == tx->moved && tx->state != PUMP_HELD &&
                     (!relay->policy.confirm || sock_unacknowledged(relay->remote.out.fd) <= 0);
    if (tx->taken != relay->silent_at || !delivered) {
        relay->silent_at = tx->taken;
        loop_timer_set(relay->loop, timer,
                       relay->policy.silence_ms ? relay->policy.silence_ms : CONFIRM_MAX_MS);
        return;
    }
    relay->tx_open = false;
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

static struct pump *relay_open_tx(struct relay *relay)
{
    return relay->tx_open ? &relay->tx : NULL;
}

static struct pump *relay_open_rx(struct relay *relay)
{
    return relay->rx_open ? &relay->rx : NULL;
}

static void relay_local_in_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, local.in_watch);
    struct pump *writer = relay_is_one_descriptor(&relay->local) ? relay_open_rx(relay) : NULL;
    relay_move(relay, relay_open_tx(relay), writer, events);
}

/* Whoever read it has had enough. */
static void relay_break_local_out(struct relay *relay)
{
    relay->rx.state = PUMP_FAILED_OUT;
    relay->rx.failure = EPIPE;
    relay_settle(relay);
}

static void relay_parting_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, parting);
    if (relay->rx_open)
        relay_break_local_out(relay);
}

/* Without events that were awaited, nothing was to be written, and the reader has gone. */
static void relay_local_out_ready(struct watch *watch, uint32_t events)
{
    struct relay *relay = LOOP_OWNER(watch, struct relay, local.out_watch);
    char byte;
    if (watch->events) {
        relay_move(relay, NULL, relay_open_rx(relay), events);
        return;
    }
    if (relay->policy.sink || relay->local.in.fd < 0 || relay->rx.taken != relay->rx.moved ||
        sock_peek(relay->remote.in.fd, &byte, 1) > 0) {
        relay_break_local_out(relay);
        return;
    }
    loop_unwatch(relay->loop, &relay->local.out_watch);
    if (relay->tx_open)
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
        if (failure) {
            relay_note_failure(relay, &relay->remote, relay->rx_open, failure);
            relay->tx.state = PUMP_FAILED_OUT;
            relay_read_rest(relay);
        }
    }
    relay_move(relay, relay_open_rx(relay), relay_open_tx(relay), events);
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

static void relay_tx_released(struct filter *filter)
{
    struct relay *relay = filter->mover;
    if (relay->tx.state == PUMP_HELD)
        relay_resume(relay, relay_open_tx(relay));
}

static void relay_rx_released(struct filter *filter)
{
    struct relay *relay = filter->mover;
    if (relay->rx.state == PUMP_HELD)
        relay_resume(relay, relay_open_rx(relay));
}

static void relay_set_resume(struct relay *relay, struct filter *filter,
                             void (*released)(struct filter *filter))
{
    if (!filter)
        return;
    filter->mover = relay;
    filter->resume = released;
}

static void relay_tx_waited(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, tx_wait);
    relay_resume(relay, relay_open_tx(relay));
}

static void relay_rx_waited(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, rx_wait);
    relay_resume(relay, relay_open_rx(relay));
}

/* The start */

void relay_start(struct relay *relay, struct loop *loop, struct pump_pool *pool)
{
    const struct relay_policy *policy = &relay->policy;
    relay->loop = loop;
    relay->finished = relay->shut = false;
    relay->remote_ended = relay->remote_hung = relay->local_gone = false;
    relay->result = 0;
    relay->local.in_watch = (struct watch){.fd = relay->local.in.fd, .ready = relay_local_in_ready};
    relay->local.out_watch = (struct watch){.fd = relay->local.out.fd,
                                            .ready = relay_local_out_ready};
    relay->remote.in_watch = (struct watch){.fd = relay->remote.in.fd, .ready = relay_remote_ready};
    relay->quit = (struct timer){.fired = relay_quit_over};
    relay->silence = (struct timer){.fired = relay_silence_over};
    relay->confirm = (struct timer){.fired = relay_confirm_again};
    relay->parting = (struct timer){.fired = relay_parting_over};
    relay->tx_wait = (struct timer){.fired = relay_tx_waited};
    relay->rx_wait = (struct timer){.fired = relay_rx_waited};

    pump_init(&relay->tx, policy->reopened ? *policy->reopened : relay->local.in, relay->remote.out,
              pool);
    pump_init(&relay->rx, relay->remote.in, relay->local.out, pool);
    pump_filter(&relay->tx, policy->tx_filter);
    pump_filter(&relay->rx, policy->rx_filter);
    relay_set_resume(relay, policy->tx_filter, relay_tx_released);
    relay_set_resume(relay, policy->rx_filter, relay_rx_released);
    pump_pace(&relay->tx, policy->tx_pace);
    pump_pace(&relay->rx, policy->rx_pace);
    pump_preload(&relay->tx, policy->greeting, policy->greeting_length);
    if (relay->local.in.fd < 0)
        relay->tx.limit = 0;
    relay->tx_open = relay->local.in.fd >= 0 || policy->greeting_length;
    relay->rx_open = true;

    relay->keepalive = keepalive_start(loop, relay->remote.out.fd, policy->keepalive_ms);
    idle_limit_start(&relay->idle, loop, policy->idle_ms, relay_idle_over);
    relay_await(relay);
}
