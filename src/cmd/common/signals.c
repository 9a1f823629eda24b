/*
 * See signals.h.
 */
#include "cmd/common/signals.h"

void signals_set(sigset_t *set)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action;
    sigemptyset(set);
    /* One that whoever started us ignores (nohup) stays ignored. */
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
