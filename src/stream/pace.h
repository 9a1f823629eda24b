/*
 * How fast bytes may go: so many a second, or line by line with a pause between. Pure: whoever moves the bytes asks first,
 * says what has moved, and waits where the answer is 0. Times are those of loop_now_ms.
 */
#ifndef STREAM_PACE_H
#define STREAM_PACE_H

#include <stddef.h>
#include <stdint.h>

enum {
    PACE_BURST_MS = 100, /* what an idle flow saves up, at most; and a byte */
    PACE_PART_MS = 20    /* what is worth waking up for */
};

struct pace {
    uint64_t rate;        /* set by the owner: bytes a second; 0: no limit */
    int64_t line_ms;      /* set by the owner: from the end of a line until the next; 0: none */
    int64_t credit;       /* thousandths of bytes; below 0 after more was spent than allowed */
    int64_t counted_ms;   /* credit has been given up to then */
    int64_t next_line_ms; /* no line before; whoever sends messages sets it after each */
    int64_t wait_ms;      /* after an answer of 0: how long */
};

/* Returns how many of the `length` (not 0) bytes may go now: with line_ms, to the end of the first line. `bytes` is NULL
 * where nobody can see them; then only the rate counts. After 0, wait_ms says how long to wait. */
size_t pace_allow(struct pace *pace, int64_t now_ms, const char *bytes, size_t length);

/* Says that the bytes have gone. */
void pace_spend(struct pace *pace, int64_t now_ms, const char *bytes, size_t length);

#endif
