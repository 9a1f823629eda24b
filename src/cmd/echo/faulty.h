/*
 * A connection's data on its way back to the client, with faults. A stream is taken apart for them:
 * where pieces can be dropped, doubled or changed, one is a line, or FAULTY_PIECE bytes of a longer
 * line (or a chunk), or what came before a pause of FAULTY_PAUSE_MS or the end; so the same data
 * meets the same faults however the network has cut it. A message is one piece. What is under way
 * is bounded, and beyond it nothing is read.
 */
#ifndef CMD_ECHO_FAULTY_H
#define CMD_ECHO_FAULTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "cmd/echo/faults.h"
#include "stream/filter.h"
#include "stream/pace.h"
#include "stream/pump.h"

enum {
    FAULTY_PIECE = 1024,
    FAULTY_PAUSE_MS = 50,
    FAULTY_HELD = 1 << 18, /* bytes under way; one read or message more */
    FAULTY_CHUNK_MS = 1    /* between two chunks, so that the client reads one at a time */
};

struct faulty {
    int fd;
    bool by_message;
    const struct faults *faults; /* the owner's */
    struct tap *tap;             /* the owner's; sees what arrives; NULL: nobody does */
    uint64_t number;             /* of the client */
    uint64_t pieces;             /* decided upon */
    char *open;                  /* the beginning of a piece; the struct's own, as the pieces are */
    size_t open_length;
    int64_t open_ms; /* when something was added last */
    bool in_ended;
    struct list under_way; /* pieces, in the order in which they leave */
    size_t held;           /* bytes that they take */
    struct pace pace;
    int64_t next_chunk_ms;
    bool stalled;
    int64_t reset_ms; /* not later than that; 0: not yet asked for */
    uint64_t taken;
    uint64_t moved;
    int failure;
    /* After PUMP_WAITS: */
    bool may_read;   /* wait for the client too */
    int64_t wait_ms; /* -1: for as long as it takes */
};

/* faulty_init starts with a socket, which stays the owner's. Then the owner sets `tap` and `number`. */
void faulty_init(struct faulty *faulty, int fd, bool by_message, const struct faults *faults);
void faulty_release(struct faulty *faulty);

/* faulty_move moves what can be moved now, by way of `buffer` of SEQPACKET_MAX bytes. PUMP_FAILED_OUT with `failure` 0
 * says that the connection is to be reset. */
enum pump_state faulty_move(struct faulty *faulty, char *buffer);

#endif
