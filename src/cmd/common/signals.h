/*
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT for a command that has something to clean up: they stop the
 * loop with -1 and an error that makes main, when all is cleaned up, raise the signal again.
 */
#ifndef CMD_COMMON_SIGNALS_H
#define CMD_COMMON_SIGNALS_H

#include <signal.h>

#include "base/error.h"
#include "sys/loop.h"

struct signals {
    struct loop *loop;
    struct error *err;
};

/* These, without those that are ignored. */
void signals_set(sigset_t *set);

/* `signals` is filled, and must last as long as the loop. */
void signals_catch(struct signals *signals, struct loop *loop, struct error *err);

#endif
