/*
 * When the timer fires, the limit looks when something moved last: it is over, or the timer is set for the rest of the time.
 */
#include "sys/idle_limit.h"

static void idle_limit_look(struct timer *timer)
{
    struct idle_limit *limit = LOOP_OWNER(timer, struct idle_limit, timer);
    int64_t left_ms = limit->moved_ms + limit->limit_ms - loop_now_ms();
    if (left_ms > 0)
        loop_timer_set(limit->loop, timer, left_ms);
    else
        limit->over(limit);
}

void idle_limit_start(struct idle_limit *limit, struct loop *loop, int64_t limit_ms,
                      void (*over)(struct idle_limit *limit))
{
    *limit = (struct idle_limit){.timer.fired = idle_limit_look,
                                 .limit_ms = limit_ms,
                                 .over = over};
    if (limit_ms < 0)
        return;
    limit->loop = loop;
    limit->moved_ms = loop_now_ms();
    loop_timer_set(loop, &limit->timer, limit_ms);
}

void idle_limit_moved(struct idle_limit *limit)
{
    if (limit->loop)
        limit->moved_ms = loop_now_ms();
}

void idle_limit_stop(struct idle_limit *limit)
{
    if (limit->loop)
        loop_timer_cancel(limit->loop, &limit->timer);
    limit->loop = NULL;
}
