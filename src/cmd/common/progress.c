/*
 * See progress.h. A timer draws; nobody else knows of it.
 */
#include "cmd/common/progress.h"

#include "cli/report.h"

static void progress_draw(struct timer *timer)
{
    struct progress *progress = LOOP_OWNER(timer, struct progress, timer);
    meter_draw(&progress->meter,
               &(struct meter_reading){loop_now_ms(), *progress->sent, *progress->received});
    loop_timer_set(progress->loop, timer, METER_PERIOD_MS);
}

void progress_start(struct progress *progress, struct loop *loop, const struct fd *in)
{
    if (!report_is_watched())
        return;
    progress->loop = loop;
    progress->timer.fired = progress_draw;
    progress->meter.began_ms = loop_now_ms();
    if (in)
        progress->meter.total = fd_unread_size(*in);
    loop_timer_set(loop, &progress->timer, METER_PERIOD_MS);
}

void progress_stop(struct progress *progress)
{
    if (!progress->loop)
        return;
    loop_timer_cancel(progress->loop, &progress->timer);
    meter_clear(&progress->meter);
}
