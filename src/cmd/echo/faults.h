/*
 * The faults that an echo server makes on purpose, so that a client can be tested: which piece of a client's data meets
 * which fault, and a connection on which they happen.
 *
 * What happens to a piece follows from the seed, the client's number and the piece's number alone: the same seed gives the
 * same run. A stream is taken apart for that: where pieces can be dropped, doubled or changed, one is a line, or
 * FAULTY_PIECE bytes of a longer line (or a chunk), or what came before a pause of FAULTY_PAUSE_MS or the end; so the same
 * data meets the same faults however the network has cut it. A message is one piece. What is under way is bounded, and
 * beyond it nothing is read.
 */
#ifndef CMD_ECHO_FAULTS_H
#define CMD_ECHO_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "stream/filter.h"
#include "stream/pace.h"
#include "stream/pump.h"

enum { FAULTS_WHOLE = 1000000 }; /* shares are in millionths */

struct faults {
    int64_t delay_ms;
    int64_t jitter_ms; /* up to so much more */
    uint64_t rate;     /* bytes a second for each client; 0: no limit */
    uint64_t chunk;    /* bytes in one write; 0: no limit */
    uint32_t drop;     /* of all pieces, in millionths */
    uint32_t duplicate;
    uint32_t corrupt;
    uint64_t close_after; /* bytes sent to a client; UINT64_MAX: never */
    uint64_t reset_after;
    uint64_t stall_after;
    uint64_t seed;
};

/* What happens to one piece. */
struct fault {
    bool drop;
    bool duplicate;
    bool corrupt;
    uint64_t bit; /* to be flipped: modulo the length in bits */
    int64_t late_ms;
};

/* faults_any tells whether any are asked for. Pure. */
bool faults_any(const struct faults *faults);

/* faults_decide tells what happens to the Nth piece of the Nth client. Pure. */
struct fault faults_decide(const struct faults *faults, uint64_t client, uint64_t piece);

/* fault_corrupt flips the bit, if it is to be flipped. Pure. */
void fault_corrupt(const struct fault *fault, char *bytes, size_t length);

enum {
    FAULTY_PIECE = 1024,
    FAULTY_PAUSE_MS = 50,
    FAULTY_HELD = 1 << 18, /* bytes under way; one read or message more */
    FAULTY_CHUNK_MS = 1    /* between two chunks, so that the client reads one at a time */
};

/* A connection whose data goes back to the client with faults. */
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
    bool may_read;   /* after PUMP_WAITS: the client is awaited, too */
    int64_t wait_ms; /* after PUMP_WAITS: for how long; -1: for as long as it takes */
};

/* faulty_init starts with a socket, which stays the owner's. Then the owner sets `tap` and `number`. */
void faulty_init(struct faulty *faulty, int fd, bool by_message, const struct faults *faults);

/* faulty_release frees what is under way. */
void faulty_release(struct faulty *faulty);

/* faulty_move moves what can be moved now, by way of `buffer` of SEQPACKET_MAX bytes. PUMP_FAILED_OUT with `failure` 0
 * says that the connection is to be reset. */
enum pump_state faulty_move(struct faulty *faulty, char *buffer);

#endif
