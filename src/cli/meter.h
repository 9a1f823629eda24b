/*
 * --progress: one live line on a terminal that says how far a transfer is. It knows readings of two
 * counters, and nothing of where they come from.
 */
#ifndef CLI_METER_H
#define CLI_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METER_PERIOD_MS = 100, /* between two readings */
    METER_PAST = 20,       /* readings that the rate is taken over */
    METER_LINE_MAX = 160
};

struct meter_reading {
    int64_t at_ms;
    uint64_t sent;
    uint64_t received;
};

/* It starts as {0} with began_ms, total and receives set by the owner. */
struct meter {
    int64_t began_ms;
    uint64_t total;                        /* bytes that will be sent; 0: not known */
    bool receives;                         /* the total is of what will be received */
    struct meter_reading past[METER_PAST]; /* a ring */
    size_t count;                          /* readings taken so far */
    char shown[METER_LINE_MAX];            /* the line on the terminal */
    size_t shown_length;                   /* 0: none */
};

/* meter_line takes a reading, and writes the line that goes with it into `out` (METER_LINE_MAX bytes, without
 * NUL), cut to `width` columns: "0:12, 31%, 0:26 left, sent 3.1 MiB at 256.0 KiB/s, received …".
 * It returns the line's length. */
size_t meter_line(struct meter *meter, const struct meter_reading *now, unsigned width, char *out);

/* meter_draw draws the line, if stderr is a terminal that can take it now. */
void meter_draw(struct meter *meter, const struct meter_reading *now);

/* meter_clear takes it away. */
void meter_clear(struct meter *meter);

#endif
