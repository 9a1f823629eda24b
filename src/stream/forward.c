/*
 * See forward.h. Events on a side move its channel, or the other's; side_settle looks at what came of it: the end of a
 * side is passed on as a half-close, its failure as a reset of the other once what it had sent has arrived
 * (pair_flush), and a pair whose sides have both ended is over. Where the owner has to say whether the remote side's end is one
 * (remote_ended), it is passed on when he has. A pair that is cut, by its idle limit or a stop, parts:
 * nothing moves any more, and it ends when what was sent is acknowledged (pair_part).
 */
#include "stream/forward.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sys/sock.h"

enum {
    RESET_MS = 1000, /* for what is held, before a reset, which would overtake it, is passed on */
    LOOK_MS = 5      /* between two looks at what is not acknowledged */
};

static struct forward_side *side_other(struct forward_side *side)
{
    struct forward_pair *pair = side->pair;
    return side == &pair->local ? &pair->remote : &pair->local;
}

/* The end */

/* Tells whether what this side was sent is less than the other had to say. */
static bool side_lacks_something(struct forward_side *side)
{
    const struct forward_side *other = side_other(side);
    return !other->ended || other->cut;
}

static void pair_finish(struct forward_pair *pair, enum forward_end how)
{
    struct forward *forward = pair->forward;
    struct forward_side *sides[] = {&pair->local, &pair->remote};
    for (size_t i = 0; i < 2; i++) {
        loop_forget(forward->pairs.loop, &sides[i]->watch);
        keepalive_stop(sides[i]->keepalive);
        filter_set_mover(sides[i]->channel.pump.filter, NULL, NULL);
        channel_release(&sides[i]->channel);
    }
    idle_limit_stop(&pair->idle);
    loop_timer_cancel(forward->pairs.loop, &pair->timer);
    list_remove(&forward->pairs.list, &pair->node);
    forward->left(forward, pair, how);
    for (size_t i = 0; i < 2; i++) {
        if (how == FORWARD_FAILED || side_lacks_something(sides[i])) {
            sock_abort(sides[i]->watch.fd);
            continue;
        }
        if (how == FORWARD_STOPPED)
            fd_discard(sides[i]->watch.fd);
        sock_close(sides[i]->watch.fd);
    }
    free(pair);
}

static void forward_finish_if_stopped(struct forward *forward)
{
    if (peers_are_gone(&forward->pairs))
        forward->stopped(forward);
}

/* Streams that are cut */

/* Tells whether a reset would overtake something on its way to this side. */
static bool side_is_under_way(struct forward_side *side)
{
    return side_lacks_something(side) && sock_unacknowledged(side->watch.fd) > 0;
}

/* Goes on parting: nothing moves any more, and the pair ends once what was sent has arrived. */
static void pair_part(struct forward_pair *pair)
{
    struct loop *loop = pair->forward->pairs.loop;
    int64_t left_ms = pair->until_ms - loop_now_ms();
    loop_unwatch(loop, &pair->local.watch);
    loop_unwatch(loop, &pair->remote.watch);
    if (left_ms > 0 && (side_is_under_way(&pair->local) || side_is_under_way(&pair->remote)))
        loop_timer_set(loop, &pair->timer, LOOK_MS);
    else
        pair_finish(pair, pair->forward->pairs.stopping ? FORWARD_STOPPED : FORWARD_IDLE);
}

static void pair_idle_over(struct idle_limit *limit)
{
    struct forward_pair *pair = LOOP_OWNER(limit, struct forward_pair, idle);
    struct forward *forward = pair->forward;
    idle_limit_stop(&pair->idle);
    pair->until_ms = loop_now_ms() + RESET_MS;
    pair_part(pair);
    forward_finish_if_stopped(forward);
}

/* Failures */

/* Passes on what the side that failed had sent, as far as the other reads, and then the reset. */
static void pair_flush(struct forward_pair *pair)
{
    struct loop *loop = pair->forward->pairs.loop;
    struct forward_side *other = side_other(pair->failed);
    enum pump_state state = channel_move(&pair->failed->channel, &pair->forward->pool);
    int64_t left_ms = pair->until_ms - loop_now_ms();
    bool waits = state == PUMP_WANTS_OUT || state == PUMP_HELD;
    if (!waits && state != PUMP_FAILED_OUT && sock_unacknowledged(other->watch.fd) > 0) {
        waits = true;
        left_ms = left_ms < LOOK_MS ? left_ms : LOOK_MS;
    }
    if (!waits || left_ms <= 0) {
        pair_finish(pair, FORWARD_FAILED);
        return;
    }
    if (state == PUMP_WANTS_OUT)
        loop_watch(loop, &other->watch, EPOLLOUT);
    else
        loop_unwatch(loop, &other->watch);
    loop_timer_set(loop, &pair->timer, left_ms);
}

/* Looks again at a pair that failed or was cut. */
static void pair_timer_fired(struct timer *timer)
{
    struct forward_pair *pair = LOOP_OWNER(timer, struct forward_pair, timer);
    struct forward *forward = pair->forward;
    if (pair->failed)
        pair_flush(pair);
    else
        pair_part(pair);
    forward_finish_if_stopped(forward);
}

static void side_fail(struct forward_side *side, int failure)
{
    struct forward_pair *pair = side->pair;
    struct forward_side *other = side_other(side);
    /* A read is told why, a write only that the pipe is broken. */
    bool read_failed = side->channel.pump.state == PUMP_FAILED_IN;
    pair->failure = read_failed ? side->channel.pump.failure : failure;
    pair->failed = side;
    pair->until_ms = loop_now_ms() + RESET_MS;
    idle_limit_stop(&pair->idle);
    loop_unwatch(pair->forward->pairs.loop, &side->watch);
    channel_release(&other->channel);
    if (!side->ended)
        channel_move(&side->channel, &pair->forward->pool);
    if (side->channel.pump.state != PUMP_HELD)
        side->channel.pump.limit = 0;
    pair_flush(pair);
}

/* Moving */

static bool side_wants(const struct forward_side *side, enum pump_state state)
{
    return !side->ended && side->channel.pump.state == state;
}

static void side_await(struct forward_side *side)
{
    struct loop *loop = side->pair->forward->pairs.loop;
    uint32_t events = (side_wants(side, PUMP_WANTS_IN) ? EPOLLIN : 0U) |
                      (side_wants(side_other(side), PUMP_WANTS_OUT) ? EPOLLOUT : 0U);
    if (events || !side->hung)
        loop_watch(loop, &side->watch, events); /* without any, a reset is still heard */
    else
        loop_unwatch(loop, &side->watch);
}

/* Passes on that a side has ended. Returns false: the pair has failed, and may be gone. */
static bool side_end(struct forward_side *side)
{
    struct forward_side *other = side_other(side);
    const struct forward *forward = side->pair->forward;
    const int64_t idle_ms = forward->pairs.idle_ms, linger_ms = forward->linger_ms;
    side->ended = true;
    if (side == &side->pair->local && linger_ms && !other->ended) {
        idle_limit_stop(&side->pair->idle);
        idle_limit_start(&side->pair->idle, forward->pairs.loop, idle_ms < 0 ? linger_ms : idle_ms,
                         pair_idle_over);
        return true;
    }
    if (other->ended || side->cut || sock_shutdown(other->watch.fd, SHUT_WR) == 0)
        return true;
    int cause = sock_error(other->watch.fd);
    side_fail(other, cause ? cause : ENOTCONN);
    return false;
}

/* Looks at what came of the last move of its channel. Returns false: the pair has failed, and may be gone. */
static bool side_settle(struct forward_side *side)
{
    struct forward_side *other = side_other(side);
    if (side_wants(side, PUMP_FAILED_IN)) {
        side_fail(side, side->channel.pump.failure);
        return false;
    }
    if (side_wants(side, PUMP_FAILED_OUT)) {
        side_fail(other, side->channel.pump.failure);
        return false;
    }
    if (!side_wants(side, PUMP_ENDED))
        return true;
    struct forward *forward = side->pair->forward;
    if (side == &side->pair->remote && forward->remote_ended) {
        int failure = forward->remote_ended(forward, side->pair);
        if (failure == EAGAIN)
            return true;
        if (failure) {
            side_fail(side, failure);
            return false;
        }
    }
    return side_end(side);
}

/* Looks at what came of the last moves of both sides. The pair may be gone after it. */
static void pair_settle(struct forward_pair *pair)
{
    if (!side_settle(&pair->local) || !side_settle(&pair->remote))
        return;
    if (pair->local.ended && pair->remote.ended) {
        if (pair->until_ms)
            pair_part(pair);
        else
            pair_finish(pair, FORWARD_EOF);
        return;
    }
    side_await(&pair->local);
    side_await(&pair->remote);
}

void forward_end_remote(struct forward_pair *pair, int failure)
{
    struct forward *forward = pair->forward;
    struct forward_side *side = &pair->remote;
    if (!pair->failed && side_wants(side, PUMP_ENDED)) {
        if (failure)
            side_fail(side, failure);
        else if (side_end(side))
            pair_settle(pair);
    }
    forward_finish_if_stopped(forward);
}

static void side_ready(struct watch *watch, uint32_t events)
{
    const uint32_t broken = EPOLLERR | EPOLLHUP;
    struct forward_side *side = LOOP_OWNER(watch, struct forward_side, watch);
    struct forward_side *other = side_other(side);
    struct forward_pair *pair = side->pair;
    struct forward *forward = pair->forward;
    idle_limit_moved(&pair->idle);
    if (pair->failed) {
        pair_flush(pair);
    } else if (!watch->events) {
        /* Nothing was to be read from it, nor to be written to it: a reset, or it has closed both ways. */
        int failure = sock_error(watch->fd);
        side->hung = true;
        if (failure)
            side_fail(side, failure);
        else
            side_await(side);
    } else {
        if (side_wants(side, PUMP_WANTS_IN) && events & (EPOLLIN | broken))
            channel_move(&side->channel, &forward->pool);
        if (side_wants(other, PUMP_WANTS_OUT) && events & (EPOLLOUT | broken))
            channel_move(&other->channel, &forward->pool);
        pair_settle(pair);
    }
    forward_finish_if_stopped(forward);
}

/* What has passed is written down: the side goes on. */
static void side_released(struct filter *filter)
{
    struct forward_side *side = filter->mover;
    struct forward_pair *pair = side->pair;
    struct forward *forward = pair->forward;
    if (side->channel.pump.state != PUMP_HELD)
        return;
    idle_limit_moved(&pair->idle);
    if (pair->failed) {
        pair_flush(pair);
    } else {
        channel_move(&side->channel, &forward->pool);
        pair_settle(pair);
    }
    forward_finish_if_stopped(forward);
}

/* From the start to the stop */

static void forward_end_all(struct forward *forward)
{
    drain_stop(&forward->pairs.drain);
    LIST_EACH (struct forward_pair, pair, &forward->pairs.list, node)
        pair_finish(pair, FORWARD_STOPPED);
}

/* Counts pairs, bytes that they hold, and bytes that their peers have not acknowledged. */
static uint64_t forward_count_left(struct drain *drain)
{
    struct forward *forward = LOOP_OWNER(drain, struct forward, pairs.drain);
    uint64_t left = forward->pairs.list.count;
    LIST_EACH (struct forward_pair, pair, &forward->pairs.list, node) {
        const struct forward_side *sides[] = {&pair->local, &pair->remote};
        for (size_t i = 0; i < 2; i++) {
            left += sides[i]->channel.pump.taken - sides[i]->channel.pump.moved;
            left += peer_count_unacknowledged(sides[i]->watch.fd);
        }
    }
    return left;
}

static void forward_drain_over(struct drain *drain)
{
    struct forward *forward = LOOP_OWNER(drain, struct forward, pairs.drain);
    forward_end_all(forward);
    forward->stopped(forward);
}

void forward_join(struct forward *forward, const struct forward_ends *ends, void *user_data)
{
    struct forward_pair *pair = memory_new(1, sizeof *pair);
    struct fd local = ends->local;
    struct fd remote = ends->remote;
    list_append(&forward->pairs.list, &pair->node);
    pair->forward = forward;
    pair->user_data = user_data;
    pair->timer.fired = pair_timer_fired;
    for (size_t i = 0; i < 2; i++) {
        struct forward_side *side = i ? &pair->remote : &pair->local;
        side->pair = pair;
        side->watch = (struct watch){.fd = i ? remote.fd : local.fd, .ready = side_ready};
        side->keepalive = keepalive_start(forward->pairs.loop, side->watch.fd,
                                          forward->pairs.keepalive_ms);
    }
    /* A splice would make messages of its own choice of a stream: what is shared is copied. */
    local.shared |= ends->remote_socktype == SOCK_SEQPACKET;
    remote.shared |= ends->local_socktype == SOCK_SEQPACKET;
    channel_init(&pair->local.channel, local, ends->local_socktype, remote, &forward->pool);
    channel_init(&pair->remote.channel, remote, ends->remote_socktype, local, &forward->pool);
    pump_attach(&pair->local.channel.pump, NULL, ends->local_filter, NULL);
    pump_attach(&pair->remote.channel.pump, NULL, ends->remote_filter, NULL);
    filter_set_mover(ends->local_filter, &pair->local, side_released);
    filter_set_mover(ends->remote_filter, &pair->remote, side_released);
    channel_preload(&pair->local.channel, ends->preface, ends->preface_length);
    idle_limit_start(&pair->idle, forward->pairs.loop, forward->pairs.idle_ms, pair_idle_over);
    /* While the remote side was being connected to, the client has most likely sent something. */
    channel_move(&pair->local.channel, &forward->pool);
    pair_settle(pair);
}

/* Reads what has arrived, and then no more. */
static void side_end_channel(struct forward_side *side)
{
    if (side->ended)
        return;
    channel_move(&side->channel, &side->pair->forward->pool);
    side->cut = !side->channel.pump.in_ended;
    side->channel.pump.limit = 0;
    channel_move(&side->channel, &side->pair->forward->pool);
}

void forward_stop(struct forward *forward)
{
    if (forward->pairs.stopping) {
        forward_drain_over(&forward->pairs.drain);
        return;
    }
    forward->pairs.stopping = true;
    LIST_EACH (struct forward_pair, pair, &forward->pairs.list, node) {
        if (pair->failed || pair->until_ms)
            continue;
        idle_limit_stop(&pair->idle);
        pair->until_ms = loop_now_ms() + DRAIN_MAX_MS;
        side_end_channel(&pair->local);
        side_end_channel(&pair->remote);
        pair_settle(pair);
    }
    drain_start(&forward->pairs.drain, forward->pairs.loop, forward_count_left, forward_drain_over);
    forward_finish_if_stopped(forward);
}

void forward_release(struct forward *forward)
{
    forward->pairs.stopping = true;
    forward_end_all(forward);
    channel_pool_release(&forward->pool);
}
