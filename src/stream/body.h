/*
 * A stream of which only segments are data: they pass from one descriptor to another as fast as the pump can; what is
 * between them (the framing) is given to a parser.
 */
#ifndef STREAM_BODY_H
#define STREAM_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/pump.h"
#include "sys/fd.h"
#include "sys/idle_limit.h"
#include "sys/loop.h"

/* What the parser finds next, after the framing that it was given. */
enum body_next {
    BODY_DATA, /* after the framing come *data bytes of data; UINT64_MAX: all, until the end */
    BODY_MORE, /* all bytes were framing, and more is needed */
    BODY_END,  /* the framing says that this is all */
    BODY_WRONG /* the framing is malformed */
};

enum body_outcome {
    BODY_COMPLETE,
    BODY_CUT, /* the stream ended before its framing said so: `missing` */
    BODY_MALFORMED,
    BODY_FAILED_IN, /* errno in `failure` */
    BODY_FAILED_OUT
};

struct body {
    struct loop *loop;
    struct pump pump;
    char *bytes;   /* room for what has been read and not yet parsed; the owner's */
    size_t room;   /* at least 1 */
    size_t start;  /* of what is in it now */
    size_t length; /* of that */
    /* The parser. *used: how many of the bytes were framing. */
    enum body_next (*next)(void *context, const char *bytes, size_t length, size_t *used,
                           uint64_t *data);
    void *context;
    struct idle_limit *idle; /* the owner's, told what has moved; NULL: none */
    bool gathers;            /* `in` is written in crumbs, and read with naps while it is long */
    uint64_t data;           /* bytes of the segment that the pump has not been given yet */
    bool loaded;             /* the pump has something to do */
    enum body_next then;     /* what the parser has found behind what the pump holds */
    uint64_t segment;        /* the last one's length */
    size_t framing;          /* bytes of framing since the last segment */
    size_t last_framing;     /* the same between the two before */
    unsigned turns;
    bool held;     /* waiting for `out`, or because the pump's pace says so */
    bool was_held; /* it has been since body_was_held was called */
    bool finished;
    enum body_outcome outcome;
    uint64_t missing;  /* of a segment that was cut; 0: the stream ended between segments */
    int failure;       /* errno */
    uint64_t read;     /* bytes read from the stream beside the pump */
    uint64_t borrowed; /* bytes given to the pump that it has not read itself */
    uint64_t seen;     /* bytes that the idle limit has been told of */
    uint64_t gathered; /* bytes that the pump had taken when `in` was awaited last */
    struct watch in_watch;
    struct watch out_watch;
    struct timer pause; /* until the pump's pace lets it go on */
};

/* Runs the loop until there is an outcome: 0. When somebody else stops the loop: -1. The owner has set loop, bytes,
 * room, start, length, next and context, idle and gathers perhaps, the rest is 0; and has called pump_init on the pump,
 * which is its to release, perhaps pump_attach without a filter. With `data` set, the stream starts with a segment of that
 * length. */
int body_run(struct body *body);

/* Returns how many bytes have come by the stream since body_run was called. */
uint64_t body_taken(const struct body *body);

/* Says whether, since the last call, anything has waited for `out` or for the pace, so that less was read than had come. */
bool body_was_held(struct body *body);

#endif
