#include "stream/forward.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sys/sock.h"

enum {
    STOP_MS = 500,   /* for what is held, when all is to end, */
    RESET_MS = 1000, /* or before a reset, which would overtake it, is passed on */
    LOOK_MS = 5      /* between two looks at what is not acknowledged */
};

static struct forward_side *other_of(struct forward_side *side)
{
    struct forward_pair *pair = side->pair;
    return side == &pair->near ? &pair->far : &pair->near;
}

/* The end */

static void unlink_pair(struct forward_pair *pair)
{
    if (pair->previous)
        pair->previous->next = pair->next;
    else
        pair->forward->pairs = pair->next;
    if (pair->next)
        pair->next->previous = pair->previous;
}

static void quiet(struct forward_side *side)
{
    loop_forget(side->pair->forward->loop, &side->watch);
    keepalive_stop(side->keepalive);
    channel_release(&side->channel);
}

/* Whether what this side was sent is less than the other had to say. */
static bool lacks_something(struct forward_side *side)
{
    const struct forward_side *other = other_of(side);
    return !other->ended || other->cut;
}

static void close_side(struct forward_side *side, enum forward_end how, bool lacks)
{
    if (how == FORWARD_FAILED || lacks) {
        sock_abort(side->watch.fd);
        return;
    }
    if (how == FORWARD_STOPPED)
        fd_discard(side->watch.fd);
    sock_close(side->watch.fd);
}

static void finish(struct forward_pair *pair, enum forward_end how)
{
    struct forward *forward = pair->forward;
    bool near_lacks = lacks_something(&pair->near), far_lacks = lacks_something(&pair->far);
    quiet(&pair->near);
    quiet(&pair->far);
    loop_timer_cancel(forward->loop, &pair->timer);
    unlink_pair(pair);
    forward->left(forward, pair, how);
    close_side(&pair->near, how, near_lacks);
    close_side(&pair->far, how, far_lacks);
    free(pair);
}

static void tell_if_stopped(struct forward *forward)
{
    if (!forward->stopping || forward->pairs)
        return;
    loop_timer_cancel(forward->loop, &forward->grace);
    forward->stopped(forward);
}

/* Streams that are cut */

/* Whether a reset would overtake something on its way to this side. */
static bool is_under_way(struct forward_side *side)
{
    return lacks_something(side) && sock_unacknowledged(side->watch.fd) > 0;
}

static enum forward_end how_cut(const struct forward_pair *pair)
{
    return pair->forward->stopping ? FORWARD_STOPPED : FORWARD_IDLE;
}

/* Nothing moves any more: the pair ends once what was sent has arrived. */
static void part(struct forward_pair *pair)
{
    struct loop *loop = pair->forward->loop;
    int64_t left_ms = pair->until_ms - loop_now_ms();
    loop_unwatch(loop, &pair->near.watch);
    loop_unwatch(loop, &pair->far.watch);
    if (left_ms > 0 && (is_under_way(&pair->near) || is_under_way(&pair->far)))
        loop_timer_set(loop, &pair->timer, LOOK_MS);
    else
        finish(pair, how_cut(pair));
}

static void part_again(struct timer *timer)
{
    struct forward_pair *pair = LOOP_OWNER(timer, struct forward_pair, timer);
    struct forward *forward = pair->forward;
    part(pair);
    tell_if_stopped(forward);
}

static void begin_parting(struct forward_pair *pair, int64_t for_ms)
{
    loop_timer_cancel(pair->forward->loop, &pair->timer);
    pair->until_ms = loop_now_ms() + for_ms;
    pair->timer.fired = part_again;
}

/* Failures */

/* What the side that failed had sent goes to the other, as far as it reads, and then the reset. */
static void flush(struct forward_pair *pair)
{
    struct loop *loop = pair->forward->loop;
    struct forward_side *other = other_of(pair->failed);
    enum pump_state state = channel_move(&pair->failed->channel, &pair->forward->pool);
    int64_t left_ms = pair->until_ms - loop_now_ms();
    bool waits = state == PUMP_WANTS_OUT;
    if (!waits && state != PUMP_FAILED_OUT && sock_unacknowledged(other->watch.fd) > 0) {
        waits = true;
        left_ms = left_ms < LOOK_MS ? left_ms : LOOK_MS;
    }
    if (!waits || left_ms <= 0) {
        finish(pair, FORWARD_FAILED);
        return;
    }
    if (state == PUMP_WANTS_OUT)
        loop_watch(loop, &other->watch, EPOLLOUT);
    else
        loop_unwatch(loop, &other->watch);
    loop_timer_set(loop, &pair->timer, left_ms);
}

static void flush_again(struct timer *timer)
{
    struct forward_pair *pair = LOOP_OWNER(timer, struct forward_pair, timer);
    struct forward *forward = pair->forward;
    flush(pair);
    tell_if_stopped(forward);
}

static void fail(struct forward_side *side, int failure)
{
    struct forward_pair *pair = side->pair;
    struct forward_side *other = other_of(side);
    /* A read is told why, a write only that the pipe is broken. */
    bool read_failed = channel_state(&side->channel) == PUMP_FAILED_IN;
    pair->failure = read_failed ? channel_failure(&side->channel) : failure;
    pair->failed = side;
    pair->until_ms = loop_now_ms() + RESET_MS;
    pair->timer.fired = flush_again;
    loop_unwatch(pair->forward->loop, &side->watch);
    channel_release(&other->channel);
    if (!side->ended)
        channel_move(&side->channel, &pair->forward->pool);
    channel_end_input(&side->channel);
    flush(pair);
}

/* Moving */

static bool wants(const struct forward_side *side, enum pump_state state)
{
    return !side->ended && channel_state(&side->channel) == state;
}

static void await(struct forward_side *side)
{
    struct loop *loop = side->pair->forward->loop;
    uint32_t events = (wants(side, PUMP_WANTS_IN) ? EPOLLIN : 0U) |
                      (wants(other_of(side), PUMP_WANTS_OUT) ? EPOLLOUT : 0U);
    if (events || !side->hung)
        loop_watch(loop, &side->watch, events); /* without any, a reset is still heard */
    else
        loop_unwatch(loop, &side->watch);
}

/* What came of the last move of its channel. False: the pair has failed, and may be gone. */
static bool settle_side(struct forward_side *side)
{
    struct forward_side *other = other_of(side);
    if (wants(side, PUMP_FAILED_IN)) {
        fail(side, channel_failure(&side->channel));
        return false;
    }
    if (wants(side, PUMP_FAILED_OUT)) {
        fail(other, channel_failure(&side->channel));
        return false;
    }
    if (!wants(side, PUMP_ENDED))
        return true;
    side->ended = true;
    if (other->ended || side->cut || sock_shutdown(other->watch.fd, SHUT_WR) == 0)
        return true;
    int cause = sock_error(other->watch.fd);
    fail(other, cause ? cause : ENOTCONN);
    return false;
}

/* The pair may be gone after it. */
static void settle(struct forward_pair *pair)
{
    if (!settle_side(&pair->near) || !settle_side(&pair->far))
        return;
    if (pair->near.ended && pair->far.ended) {
        if (pair->until_ms)
            part(pair);
        else
            finish(pair, FORWARD_EOF);
        return;
    }
    await(&pair->near);
    await(&pair->far);
}

/* Something has happened on a side from which nothing is to be read, nor anything to be written to
 * it: a reset, or that it has closed both ways. */
static void look_after(struct forward_side *side)
{
    int failure = sock_error(side->watch.fd);
    side->hung = true;
    if (failure)
        fail(side, failure);
    else
        await(side);
}

static void serve(struct forward_side *side, uint32_t events)
{
    const uint32_t broken = EPOLLERR | EPOLLHUP;
    struct forward_pair *pair = side->pair;
    struct forward_side *other = other_of(side);
    if (pair->failed) {
        flush(pair);
        return;
    }
    if (!side->watch.events) {
        look_after(side);
        return;
    }
    if (wants(side, PUMP_WANTS_IN) && events & (EPOLLIN | broken))
        channel_move(&side->channel, &pair->forward->pool);
    if (wants(other, PUMP_WANTS_OUT) && events & (EPOLLOUT | broken))
        channel_move(&other->channel, &pair->forward->pool);
    settle(pair);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct forward_side *side = LOOP_OWNER(watch, struct forward_side, watch);
    struct forward *forward = side->pair->forward;
    if (forward->idle_ms >= 0)
        side->pair->moved_ms = loop_now_ms();
    serve(side, events);
    tell_if_stopped(forward);
}

/* One timer a pair, set anew for what is left rather than with every byte. */
static void check_idle(struct timer *timer)
{
    struct forward_pair *pair = LOOP_OWNER(timer, struct forward_pair, timer);
    struct forward *forward = pair->forward;
    int64_t left_ms = pair->moved_ms + forward->idle_ms - loop_now_ms();
    if (left_ms > 0) {
        loop_timer_set(forward->loop, timer, left_ms);
        return;
    }
    begin_parting(pair, RESET_MS);
    part(pair);
}

/* From the start to the stop */

static void lose_patience(struct timer *timer)
{
    struct forward *forward = LOOP_OWNER(timer, struct forward, grace);
    loop_timer_cancel(forward->loop, timer);
    while (forward->pairs)
        finish(forward->pairs, FORWARD_STOPPED);
    forward->stopped(forward);
}

void forward_init(struct forward *forward)
{
    forward->grace.fired = lose_patience;
}

static void link_pair(struct forward *forward, struct forward_pair *pair)
{
    pair->forward = forward;
    pair->next = forward->pairs;
    if (pair->next)
        pair->next->previous = pair;
    forward->pairs = pair;
}

static void init_lanes(struct forward_pair *pair, const struct forward_ends *ends)
{
    struct fd near = ends->near;
    struct fd far = ends->far;
    /* A splice would make messages of its own choice of a stream: what is shared is copied. */
    near.shared |= ends->far_socktype == SOCK_SEQPACKET;
    far.shared |= ends->near_socktype == SOCK_SEQPACKET;
    channel_init(&pair->near.channel, near, ends->near_socktype, far, &pair->forward->pool);
    channel_init(&pair->far.channel, far, ends->far_socktype, near, &pair->forward->pool);
    channel_preload(&pair->near.channel, ends->preface, ends->preface_length);
}

void forward_join(struct forward *forward, const struct forward_ends *ends, void *user_data)
{
    struct forward_pair *pair = memory_new(1, sizeof *pair);
    link_pair(forward, pair);
    pair->user_data = user_data;
    pair->timer.fired = check_idle;
    pair->near.pair = pair->far.pair = pair;
    pair->near.watch = (struct watch){.fd = ends->near.fd, .ready = ready};
    pair->far.watch = (struct watch){.fd = ends->far.fd, .ready = ready};
    pair->near.keepalive = keepalive_start(forward->loop, ends->near.fd, forward->keepalive_ms);
    pair->far.keepalive = keepalive_start(forward->loop, ends->far.fd, forward->keepalive_ms);
    init_lanes(pair, ends);
    if (forward->idle_ms >= 0) {
        pair->moved_ms = loop_now_ms();
        loop_timer_set(forward->loop, &pair->timer, forward->idle_ms);
    }
    /* While the far side was being connected to, the client has most likely sent something. */
    channel_move(&pair->near.channel, &forward->pool);
    settle(pair);
}

/* Nothing more is read, once what has arrived is. */
static void end_lane(struct forward_side *side)
{
    if (side->ended)
        return;
    channel_move(&side->channel, &side->pair->forward->pool);
    side->cut = !channel_has_read_end(&side->channel);
    channel_end_input(&side->channel);
    channel_move(&side->channel, &side->pair->forward->pool);
}

void forward_stop(struct forward *forward)
{
    if (forward->stopping) {
        lose_patience(&forward->grace);
        return;
    }
    forward->stopping = true;
    struct forward_pair *next;
    for (struct forward_pair *pair = forward->pairs; pair; pair = next) {
        next = pair->next;
        if (pair->failed || pair->until_ms)
            continue;
        begin_parting(pair, STOP_MS);
        end_lane(&pair->near);
        end_lane(&pair->far);
        settle(pair);
    }
    loop_timer_set(forward->loop, &forward->grace, STOP_MS);
    tell_if_stopped(forward);
}

void forward_release(struct forward *forward)
{
    forward->stopping = true;
    loop_timer_cancel(forward->loop, &forward->grace);
    while (forward->pairs)
        finish(forward->pairs, FORWARD_STOPPED);
    channel_pool_release(&forward->pool);
}
