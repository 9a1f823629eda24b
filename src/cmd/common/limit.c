/*
 * See limit.h. Both a timer and a signal fill the command's error and stop its loop; whoever runs the loop returns -1.
 */
#include "cmd/common/limit.h"

#include "base/units.h"

static void limit_over(struct timer *timer)
{
    struct limit *limit = LOOP_OWNER(timer, struct limit, timer);
    *limit->err = limit->reason;
    limit->is_over = true;
    loop_stop(limit->loop, -1);
}

void limit_start(struct limit *limit, struct loop *loop, int64_t limit_ms, struct error *err)
{
    limit->loop = loop;
    limit->err = err;
    limit->is_over = false;
    limit->timer = (struct timer){.fired = limit_over};
    if (limit_ms >= 0)
        loop_timer_set(loop, &limit->timer, limit_ms);
}

void limit_cancel(struct limit *limit)
{
    loop_timer_cancel(limit->loop, &limit->timer);
}

void limit_command(struct limit *limit, struct loop *loop, int64_t limit_ms, struct error *err)
{
    if (limit_ms >= 0) {
        char text[UNITS_DURATION_MAX];
        error_set(&limit->reason, STATUS_TIMEOUT, "the limit of %s for the command is over",
                  units_show_duration(text, limit_ms));
    }
    limit_start(limit, loop, limit_ms, err);
}

void signals_set(sigset_t *set)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action;
    sigemptyset(set);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (sigaction(ends[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(set, ends[i]);
}

static void signals_arrived(void *context, int signal_number)
{
    const struct signals *signals = context;
    error_signal(signals->err, signal_number);
    loop_stop(signals->loop, -1);
}

void signals_catch(struct signals *signals, struct loop *loop, struct error *err)
{
    sigset_t set;
    signals_set(&set);
    *signals = (struct signals){loop, err};
    loop_signals(loop, &set, signals_arrived, signals);
}
