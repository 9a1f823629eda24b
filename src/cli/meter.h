/*
 * --progress: one live line on a terminal that says how far a transfer is. It knows readings of two counters, and
 * nothing of where they come from.
 *
 *     disk.img  41% [##########>               ]   1.2/2.9 MiB    1.0 MiB/s  eta 0:01
 *
 * It fits the terminal: what matters least is left out first. No part changes its width while the transfer goes on.
 */
#ifndef CLI_METER_H
#define CLI_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METER_PERIOD_MS = 100, /* between two readings */
    METER_PAST = 20,       /* readings that the rate is taken over */
    METER_LINE_MAX = 256
};

struct meter_reading {
    int64_t at_ms;
    uint64_t sent;
    uint64_t received;
};

/* It starts as {0} with began_ms, total, receives and name set by the owner. */
struct meter {
    int64_t began_ms;
    uint64_t total;   /* bytes that will be sent; 0: not known */
    bool receives;    /* the total is of what will be received, and nothing is sent */
    const char *name; /* of the file; the owner's; NULL: none */
    struct meter_reading past[METER_PAST]; /* a ring */
    size_t count;                          /* readings taken so far */
    unsigned rate_unit;                    /* of the rate that was shown last (base/units) */
    char shown[METER_LINE_MAX];            /* the line on the terminal */
    size_t shown_length;                   /* 0: none */
};

/* meter_line takes a reading, and writes the line that goes with it into `out` (METER_LINE_MAX bytes, without NUL), of
 * at most `width` columns. It returns the line's length. */
size_t meter_line(struct meter *meter, const struct meter_reading *now, unsigned width, char *out);

/* meter_draw draws the line, if stderr is a terminal that can take it now. */
void meter_draw(struct meter *meter, const struct meter_reading *now);

/* meter_clear takes it away. */
void meter_clear(struct meter *meter);

#endif
