#include <errno.h>

#include "stream/relay_steps.h"

bool relay_is_one_descriptor(const struct relay_side *side)
{
    return side->in.fd == side->out.fd;
}

static void await(struct relay *relay, struct watch *watch, uint32_t events)
{
    if (events)
        loop_watch(relay->loop, watch, events);
    else
        loop_unwatch(relay->loop, watch);
}

/* Its reader may go away. A socket says so when it has nothing to read either, which is then of no
 * interest any more. */
static bool relay_awaits_reader(const struct relay *relay)
{
    enum fd_kind kind = relay->near.out.kind;
    bool has_ended = relay->near.in.fd >= 0 && !relay->up_open;
    return !relay->near_gone && (kind == FD_PIPE || (kind == FD_SOCKET && has_ended));
}

static void await_near(struct relay *relay, bool in, bool out)
{
    struct relay_side *near = &relay->near;
    if (relay_is_one_descriptor(near)) {
        await(relay, &near->in_watch, (in ? EPOLLIN : 0U) | (out ? EPOLLOUT : 0U));
        return;
    }
    if (near->in.fd >= 0)
        await(relay, &near->in_watch, in ? EPOLLIN : 0U);
    if (!out && relay->down_open && relay_awaits_reader(relay))
        loop_watch(relay->loop, &near->out_watch, 0);
    else
        await(relay, &near->out_watch, out ? EPOLLOUT : 0U);
}

static void await_far(struct relay *relay, bool in, bool out)
{
    struct watch *watch = &relay->far.in_watch;
    /* With nothing to read or write, a reset still has to be heard. */
    if (!in && !out && !relay->far_hung)
        loop_watch(relay->loop, watch, 0);
    else
        await(relay, watch, (in ? EPOLLIN : 0U) | (out ? EPOLLOUT : 0U));
}

static void await_pace(struct relay *relay, const struct pump *pump, struct timer *timer)
{
    if (pump->state == PUMP_WAITS && !loop_timer_is_set(timer))
        loop_timer_set(relay->loop, timer, pump->pace->wait_ms);
}

void relay_await(struct relay *relay)
{
    await_pace(relay, &relay->up, &relay->up_wait);
    await_pace(relay, &relay->down, &relay->down_wait);
    bool up_in = relay->up_open && relay->up.state == PUMP_WANTS_IN;
    bool up_out = relay->up_open && relay->up.state == PUMP_WANTS_OUT;
    bool down_in = relay->down_open && relay->down.state == PUMP_WANTS_IN;
    bool down_out = relay->down_open && relay->down.state == PUMP_WANTS_OUT;
    await_near(relay, up_in, down_out);
    await_far(relay, down_in, up_out);
}

bool relay_divert(struct relay *relay)
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
