/*
 * A timer cuts the time into ten parts. After each it is looked at how many bytes have come in it; a part in which our own
 * side was what held them up is left out, as if it had not been. Once there are ten, their sum has to be as much as
 * the limit wants of their time, so that a trickle is found as well as silence, and a burst counts for all of its bytes.
 */
#include "cmd/http/http_speed.h"

static int64_t speed_part_ms(const struct http_speed *speed)
{
    const int64_t part_ms = speed->time_ms / HTTP_SPEED_PARTS;
    return part_ms ? part_ms : 1;
}

/* Whether the parts, all of which have been counted, are slower than the limit. */
static bool speed_is_below(const struct http_speed *speed)
{
    double bytes = 0, ms = 0;
    for (size_t i = 0; i < HTTP_SPEED_PARTS; i++) {
        bytes += (double)speed->parts[i].bytes;
        ms += (double)speed->parts[i].ms;
    }
    return bytes * 1000 < (double)speed->rate * ms;
}

static void speed_look(struct timer *timer)
{
    struct http_speed *speed = LOOP_OWNER(timer, struct http_speed, timer);
    const int64_t now_ms = loop_now_ms();
    bool counts = true;
    const uint64_t come = speed->look(speed, &counts);
    if (counts) {
        const unsigned part = speed->counted++ % HTTP_SPEED_PARTS;
        speed->parts[part].bytes = come - speed->seen;
        speed->parts[part].ms = now_ms - speed->looked_ms;
    }
    speed->seen = come;
    speed->looked_ms = now_ms;
    if (counts && speed->counted >= HTTP_SPEED_PARTS && speed_is_below(speed)) {
        speed->over(speed);
        return;
    }
    loop_timer_set(speed->loop, timer, speed_part_ms(speed));
}

void http_speed_start(struct http_speed *speed, struct loop *loop)
{
    if (!speed->rate || !speed->time_ms)
        return;
    speed->loop = loop;
    speed->timer.fired = speed_look;
    speed->seen = 0;
    speed->counted = 0;
    speed->looked_ms = loop_now_ms();
    loop_timer_set(loop, &speed->timer, speed_part_ms(speed));
}

void http_speed_stop(struct http_speed *speed)
{
    if (speed->loop)
        loop_timer_cancel(speed->loop, &speed->timer);
    speed->loop = NULL;
}
