/*
 * See drain.h. A timer looks again and again, since nobody tells when the kernel has passed on what it was given.
 */
#include "sys/drain.h"

enum { LOOK_MS = 20 };

static void drain_look(struct timer *timer)
{
    struct drain *drain = LOOP_OWNER(timer, struct drain, timer);
    int64_t now_ms = loop_now_ms();
    uint64_t left = drain->count(drain);
    if (left != drain->left)
        drain->moved_ms = now_ms;
    drain->left = left;
    if (left && now_ms < drain->until_ms && now_ms - drain->moved_ms < DRAIN_STUCK_MS)
        loop_timer_set(drain->loop, timer, LOOK_MS);
    else
        drain->over(drain);
}

void drain_start(struct drain *drain, struct loop *loop, uint64_t (*count)(struct drain *drain),
                 void (*over)(struct drain *drain))
{
    *drain = (struct drain){.loop = loop, .timer.fired = drain_look, .count = count, .over = over};
    drain->left = count(drain);
    drain->moved_ms = loop_now_ms();
    drain->until_ms = drain->moved_ms + DRAIN_MAX_MS;
    loop_timer_set(loop, &drain->timer, LOOK_MS);
}

bool drain_is_started(const struct drain *drain)
{
    return drain->loop != NULL;
}

void drain_stop(struct drain *drain)
{
    if (drain->loop)
        loop_timer_cancel(drain->loop, &drain->timer);
    drain->loop = NULL;
}
