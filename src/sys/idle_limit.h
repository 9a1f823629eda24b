/*
 * How long something may stay without anything moving (-i, and what is like it): one timer each, which is set
 * anew only when it fires, so that what moves often costs one reading of the clock and no more.
 */
#ifndef SYS_IDLE_LIMIT_H
#define SYS_IDLE_LIMIT_H

#include "sys/loop.h"

/* It lies in the struct of whoever is limited. All zero is one that was never started. */
struct idle_limit {
    struct loop *loop; /* of the caller; NULL without a limit */
    struct timer timer;
    int64_t limit_ms;
    int64_t moved_ms; /* when something moved last, by loop_now_ms */
    void (*over)(struct idle_limit *limit);
};

/* Begins to count. A limit_ms below 0 is none: then `over` is never called. `over` is called once for
 * each start, from the loop; it may start the limit again, or free its owner. */
void idle_limit_start(struct idle_limit *limit, struct loop *loop, int64_t limit_ms,
                      void (*over)(struct idle_limit *limit));

/* Notes that something has moved. */
void idle_limit_moved(struct idle_limit *limit);

/* Counts no more. It may be called twice, and of one that was never started. */
void idle_limit_stop(struct idle_limit *limit);

#endif
