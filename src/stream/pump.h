/*
 * One direction of flow: bytes read from one descriptor and not yet written to another.
 *
 * A pump copies or splices, and picks by the kinds of the descriptors, and by what comes: zero-copy (splice(2)) for streams
 * where the kernel can and nobody has to see the bytes; else a buffer. Where the kernel refuses it falls back to the buffer
 * by itself. It holds at most PUMP_BUFFER bytes and one pipe's worth, and does not read while it cannot write: that is the
 * back-pressure. The buffer (or pipe) is taken when bytes arrive and given back when they have left.
 */
#ifndef STREAM_PUMP_H
#define STREAM_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/filter.h"
#include "stream/pace.h"
#include "sys/fd.h"

enum { PUMP_BUFFER = 65536, PUMP_PIPE = 1 << 20 };

/* Spare buffers and pipes, shared by the pumps of one thread. Starts as {0}. */
struct pump_pool {
    char *buffers[4];
    size_t buffer_count;
    int pipes[4][2];
    size_t pipe_count;
};

/* Gives up what the pool holds, once its pumps are released. May be called twice. */
void pump_pool_release(struct pump_pool *pool);

enum pump_state {
    PUMP_WANTS_IN,  /* nothing to write: wait until `in` is readable */
    PUMP_WANTS_OUT, /* something to write: wait until `out` is writable */
    PUMP_WAITS,     /* not before pace->wait_ms have passed */
    PUMP_HELD,      /* not before the filter's owner can take more, see filter.h */
    PUMP_ENDED,     /* `in` is at its end, or the limit is reached, and all has been written */
    PUMP_FAILED_IN, /* reading failed: see failure */
    PUMP_FAILED_OUT /* writing failed: see failure */
};

/* How bytes are moved: two methods and two short cuts; pump.c says when. */
enum pump_method {
    PUMP_COPY,        /* read into a buffer, write from it */
    PUMP_SPLICE,      /* one descriptor is a pipe: splice between the two, for small pieces */
    PUMP_SPLICE_PIPE, /* splice into a pipe of our own, and from it: for streams */
    PUMP_DISCARD      /* from TCP to /dev/null: the bytes are only counted */
};

struct pump {
    struct fd in;
    struct fd out;
    struct pump_pool *pool;
    enum pump_state state;
    int failure;    /* errno */
    uint64_t limit; /* bytes still to be taken from `in`; UINT64_MAX: until its end */
    uint64_t taken; /* bytes read from `in`, as the filter has left them */
    uint64_t moved; /* bytes written to `out` */
    uint64_t own;   /* of those taken: they are answers of the filter's */
    bool in_ended;
    enum pump_method method;
    bool may_splice;   /* nobody has to see the bytes, and the kernel can */
    bool made_room;    /* its pipes and its socket have been asked to hold more */
    unsigned in_a_row; /* copying: reads that filled the buffer; by a pipe: fills that were small */
    char *buffer;      /* the pool's; NULL while nothing is held in it */
    size_t held;       /* bytes in the buffer */
    size_t offset;     /* of the first of them */
    int pipe[2];       /* the pool's; -1 while there is none */
    size_t piped;      /* bytes in the pipe, which follow those in the buffer */
    size_t fill;       /* bytes that were put into it last */
    struct tap *tap;   /* the owner's; NULL: nobody looks at the bytes */
    struct filter *filter; /* the owner's; NULL: nobody changes them */
    struct pace *pace;     /* the owner's; NULL: as fast as it goes */
    uint64_t stalled_at;   /* `taken` when splicing found nothing although `in` was ready */
};

/* Prepares a pump between two descriptors, which stay the owner's. `pool` outlives the pump. */
void pump_init(struct pump *pump, struct fd in, struct fd out, struct pump_pool *pool);
/* Shows a tap what is read, lets a filter change it after that, and slows the pump down; NULL is none. What somebody has to
 * see, or to find lines in, is copied. To be called before the first move. */
void pump_attach(struct pump *pump, struct tap *tap, struct filter *filter, struct pace *pace);

/* Says that much will come, which need not be found out by copying. To be called after pump_attach, and before the first
 * move. */
void pump_expect_stream(struct pump *pump);

/* Puts bytes that have been read elsewhere in front of what `in` delivers, behind others that were put there: at most
 * PUMP_BUFFER in all, at most the limit, against which they count. Neither tap nor filter sees them. */
void pump_preload(struct pump *pump, const void *bytes, size_t length);

/* Makes bytes go to `out` from now on, those that are held first. A failure to write is forgotten. */
void pump_divert(struct pump *pump, struct fd out);

/* Forgets what is held, all of which is an answer of the filter's that `out` has refused, and goes on as if there had been
 * none. */
void pump_drop_answer(struct pump *pump);

/* Gives back what the pump holds. Closes neither descriptor. May be called twice. */
void pump_release(struct pump *pump);

/* Moves what can be moved now without blocking, a bounded amount. Returns pump->state. */
enum pump_state pump_move(struct pump *pump);

#endif
