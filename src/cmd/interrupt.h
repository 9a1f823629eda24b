/*
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT for a command that has something to clean up: they stop the
 * loop with -1 and an error that makes main, when all is cleaned up, raise the signal again.
 */
#ifndef CMD_INTERRUPT_H
#define CMD_INTERRUPT_H

#include <signal.h>

#include "base/error.h"
#include "io/loop.h"

struct interrupt {
    struct loop *loop;
    struct error *err;
};

/* These, without those that are ignored. */
void interrupt_set(sigset_t *set);

/* `interrupt` is filled, and must last as long as the loop. */
void interrupt_catch(struct interrupt *interrupt, struct loop *loop, struct error *err);

#endif
