/*
 * What ends a command from outside: a time limit, with status 5, and a signal.
 */
#ifndef CMD_COMMON_LIMIT_H
#define CMD_COMMON_LIMIT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sys/loop.h"

struct limit {
    struct loop *loop;
    struct timer timer;
    struct error reason; /* set by the owner before limit_start */
    struct error *err;
    bool is_over;
};

/* Stops the loop with -1 after limit_ms (-1: never), and fills *err with the reason. */
void limit_start(struct limit *limit, struct loop *loop, int64_t limit_ms, struct error *err);
void limit_cancel(struct limit *limit);

/* Does the same for --max-time, and sets the reason, too. */
void limit_command(struct limit *limit, struct loop *loop, int64_t limit_ms, struct error *err);

struct signals {
    struct loop *loop;
    struct error *err;
};

/* Fills *set with SIGINT, SIGTERM, SIGHUP and SIGQUIT, without those that whoever started us ignores (nohup). */
void signals_set(sigset_t *set);

/* Makes these signals stop the loop with -1, and fill *err so that main, when all is cleaned up, raises the signal
 * again: for a command that has something to clean up. Fills *signals, which must last as long as the loop. */
void signals_catch(struct signals *signals, struct loop *loop, struct error *err);

#endif
