/*
 * How long a command that is to end waits for what still has to leave: as long as some of it leaves, but half a second
 * at most (DRAIN_MAX_MS). What does not move for DRAIN_STUCK_MS is given up, so that nothing that is stuck keeps a
 * command from ending within a tenth of a second.
 */
#ifndef SYS_DRAIN_H
#define SYS_DRAIN_H

#include "sys/loop.h"

enum { DRAIN_MAX_MS = 500, DRAIN_STUCK_MS = 80 };

/* It lies in the struct of whoever waits. All zero is one that was never started. */
struct drain {
    struct loop *loop;
    struct timer timer;
    uint64_t left;     /* when it was looked at last, */
    int64_t looked_ms; /* by loop_now_ms */
    int64_t until_ms;  /* no longer, whatever moves */
    int64_t stuck_ms;  /* for so long `left` has not changed */
    uint64_t (*count)(struct drain *drain);
    void (*over)(struct drain *drain);
};

/* Begins to wait. `count` says, every 20 ms, how much is left: any measure that changes when something leaves. `over`
 * is called once, from the loop, when nothing is left or the wait is over; it may free the owner. Whoever is done before
 * stops it. A second start, as by a second signal, changes nothing. */
void drain_start(struct drain *drain, struct loop *loop, uint64_t (*count)(struct drain *drain),
                 void (*over)(struct drain *drain));

/* Waits no longer. It may be called twice, and of one that was never started. */
void drain_stop(struct drain *drain);

#endif
