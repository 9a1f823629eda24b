/*
 * A stream of which only stretches are data: they pass from one end to another as fast as the
 * pump can; what is between them (the framing) is given to a parser.
 */
#ifndef IO_FRAMED_H
#define IO_FRAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/end.h"
#include "io/loop.h"
#include "io/pump.h"

/* What the parser finds next. */
enum framed_next {
    FRAMED_DATA, /* after the framing come *data bytes of data; UINT64_MAX: all, until the end */
    FRAMED_MORE, /* all bytes were framing, and more is needed */
    FRAMED_END,  /* the framing says that this is all */
    FRAMED_WRONG /* the framing is malformed */
};

enum framed_outcome {
    FRAMED_COMPLETE,
    FRAMED_CUT, /* the stream ended before its framing said so: `missing` */
    FRAMED_MALFORMED,
    FRAMED_FAILED_IN, /* errno in `failure` */
    FRAMED_FAILED_OUT
};

struct framed {
    struct loop *loop;
    struct pump pump;
    char *bytes;   /* room for what has been read and not yet parsed; the owner's */
    size_t room;   /* at least 1 */
    size_t start;  /* of what is in it now */
    size_t length; /* of that */
    /* The parser. *used: how many of the bytes were framing. */
    enum framed_next (*next)(void *context, const char *bytes, size_t length, size_t *used,
                             uint64_t *data);
    void *context;
    uint64_t data;         /* bytes of the stretch that the pump has not been given yet */
    bool loaded;           /* the pump has something to do */
    enum framed_next then; /* what the parser has found behind what the pump holds */
    uint64_t stretch;      /* the last one's length */
    size_t gap;            /* bytes of framing since the last stretch */
    size_t last_gap;       /* the same between the two before */
    unsigned turns;
    bool finished;
    enum framed_outcome outcome;
    uint64_t missing; /* of a stretch that was cut; 0: the stream ended between stretches */
    int failure;      /* errno */
    uint64_t read;    /* bytes read from the stream beside the pump */
    uint64_t loaned;  /* bytes given to the pump that it has not read itself */
    struct watch in_watch;
    struct watch out_watch;
    struct timer pause; /* until the pump's pace lets it go on */
};

/* The owner sets loop, bytes, room, start, length, next and context, the rest is 0, and has called
 * pump_init on the pump, perhaps pump_pace, and pump_filter with a filter that only looks; with data
 * set, the stream starts with a stretch of that length. Runs the loop until there is an outcome: 0.
 * When somebody else stops the loop: -1. The pump is the owner's to release. */
int framed_run(struct framed *framed);

/* Bytes that have come by the stream since then. */
uint64_t framed_taken(const struct framed *framed);

#endif
