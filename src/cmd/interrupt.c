#include "cmd/interrupt.h"

void interrupt_set(sigset_t *set)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action;
    sigemptyset(set);
    /* One that whoever started us ignores (nohup) stays ignored. */
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (sigaction(ends[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(set, ends[i]);
}

static void arrived(void *context, int signal_number)
{
    const struct interrupt *interrupt = context;
    error_signal(interrupt->err, signal_number);
    loop_stop(interrupt->loop, -1);
}

void interrupt_catch(struct interrupt *interrupt, struct loop *loop, struct error *err)
{
    sigset_t set;
    interrupt_set(&set);
    *interrupt = (struct interrupt){loop, err};
    loop_signals(loop, &set, arrived, interrupt);
}
