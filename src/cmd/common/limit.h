/*
 * A time limit that ends the command with status 5.
 */
#ifndef CMD_COMMON_LIMIT_H
#define CMD_COMMON_LIMIT_H

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

/* After limit_ms (-1: never) the loop stops with -1, and *err is the reason. */
void limit_start(struct limit *limit, struct loop *loop, int64_t limit_ms, struct error *err);
void limit_cancel(struct limit *limit);

/* --max-time: the same, and the reason too. */
void limit_command(struct limit *limit, struct loop *loop, int64_t limit_ms, struct error *err);

#endif
