/*
 * The faults that an echo server makes on purpose, so that a client can be tested. Which piece of a
 * client's data meets which fault follows from the seed, the client's number and the piece's number
 * alone: the same seed gives the same run. Pure.
 */
#ifndef CMD_ECHO_FAULTS_H
#define CMD_ECHO_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* The result says whether any are asked for. */
bool faults_any(const struct faults *faults);

/* The result says whether any of them needs the data in pieces. */
bool faults_cut(const struct faults *faults);

/* faults_decide says what happens to the Nth piece of the Nth client. */
struct fault faults_decide(const struct faults *faults, uint64_t client, uint64_t piece);

/* fault_corrupt flips the bit, if it is to be. */
void fault_corrupt(const struct fault *fault, char *bytes, size_t length);

#endif
