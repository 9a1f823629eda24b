/*
 * A timer looks again and again, since no event reports that the kernel has passed on what it was given. A look that comes
 * late, since the machine was busy, counts for no more than LATE_MS: its peers had no time either.
 */
#include "sys/drain.h"

enum { LOOK_MS = 20, LATE_MS = 30 };

static void drain_look(struct timer *timer)
{
    struct drain *drain = LOOP_OWNER(timer, struct drain, timer);
    int64_t now_ms = loop_now_ms();
    uint64_t left = drain->count(drain);
    int64_t since_ms = now_ms - drain->looked_ms;
    drain->stuck_ms += since_ms < LATE_MS ? since_ms : LATE_MS;
    if (left != drain->left)
        drain->stuck_ms = 0;
    drain->left = left;
    drain->looked_ms = now_ms;
    if (left && now_ms < drain->until_ms && drain->stuck_ms < DRAIN_STUCK_MS)
        loop_timer_set(drain->loop, timer, LOOK_MS);
    else
        drain->over(drain);
}

void drain_start(struct drain *drain, struct loop *loop, uint64_t (*count)(struct drain *drain),
                 void (*over)(struct drain *drain))
{
    if (drain->loop) /* its timer is set */
        return;
    *drain = (struct drain){.loop = loop, .timer.fired = drain_look, .count = count, .over = over};
    drain->left = count(drain);
    drain->looked_ms = loop_now_ms();
    drain->until_ms = drain->looked_ms + DRAIN_MAX_MS;
    loop_timer_set(loop, &drain->timer, LOOK_MS);
}

void drain_stop(struct drain *drain)
{
    if (drain->loop)
        loop_timer_cancel(drain->loop, &drain->timer);
    drain->loop = NULL;
}
