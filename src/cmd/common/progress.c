/*
 * See progress.h. A timer draws; nobody else knows of it.
 */
#include "cmd/common/progress.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/report.h"

static void progress_draw(struct timer *timer)
{
    struct progress *progress = LOOP_OWNER(timer, struct progress, timer);
    meter_draw(&progress->meter,
               &(struct meter_reading){loop_now_ms(), *progress->sent, *progress->received});
    loop_timer_set(progress->loop, timer, METER_PERIOD_MS);
}

/* What a regular file still holds; 0 of anything else. */
static uint64_t progress_size_of(const struct fd *in)
{
    struct stat status;
    if (in->kind != FD_FILE || fstat(in->fd, &status) < 0)
        return 0;
    off_t at = lseek(in->fd, 0, SEEK_CUR);
    return at >= 0 && at < status.st_size ? (uint64_t)(status.st_size - at) : 0;
}

void progress_start(struct progress *progress, struct loop *loop, const struct fd *in)
{
    if (!log_columns() || report_is_objects())
        return;
    progress->loop = loop;
    progress->timer.fired = progress_draw;
    progress->meter.began_ms = loop_now_ms();
    if (in)
        progress->meter.total = progress_size_of(in);
    loop_timer_set(loop, &progress->timer, METER_PERIOD_MS);
}

void progress_stop(struct progress *progress)
{
    if (!progress->loop)
        return;
    loop_timer_cancel(progress->loop, &progress->timer);
    meter_clear(&progress->meter);
}
