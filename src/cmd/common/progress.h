/*
 * --progress: a timer of the loop that draws the live line of cli/meter from the counters of a
 * transfer, which does not notice.
 */
#ifndef CMD_COMMON_PROGRESS_H
#define CMD_COMMON_PROGRESS_H

#include <stdint.h>

#include "cli/meter.h"
#include "sys/fd.h"
#include "sys/loop.h"

/* What draws the line. It starts as {0} and these two counters, which are the owner's. */
struct progress {
    const uint64_t *sent;
    const uint64_t *received;
    struct loop *loop; /* NULL: not started */
    struct timer timer;
    struct meter meter;
};

/* Begins to draw. `in` is what is sent: how much there is of a regular file is asked now. NULL: the owner has set
 * meter.total and meter.receives. Nothing is drawn where stderr is no terminal, or has objects written to it. */
void progress_start(struct progress *progress, struct loop *loop, const struct fd *in);
/* Takes the line away; where none was started, it does nothing. */
void progress_stop(struct progress *progress);

#endif
