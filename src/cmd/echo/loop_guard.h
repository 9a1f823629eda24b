/*
 * Finds the datagrams that two servers which answer would send each other for ever. In such a loop
 * the same bytes come back from the same source, over and over, each within a moment of our answer.
 * So do those of a client that asks the same again and again; what tells them apart is what happens
 * without an answer. A loop falls silent; a client asks again later, or had sent more than ever was
 * answered. Pure: the owner has the clock, in milliseconds.
 *
 * After LOOP_GUARD_MAX answers of one kind nothing of that kind is answered for LOOP_GUARD_QUIET_MS. What
 * has come through that may repeat itself four times as often before the next silence, which is four
 * times as long (LOOP_GUARD_QUIET_MAX_MS at most), and so on. A silence ends at once when more comes
 * in it than can be under way in a loop.
 */
#ifndef CMD_ECHO_LOOP_GUARD_H
#define CMD_ECHO_LOOP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOOP_GUARD_MAX =
        40, /* two servers with this rule end a loop of one datagram before the 100th */
    LOOP_GUARD_QUIET_MS = 100,
    LOOP_GUARD_QUIET_MAX_MS = 500,
    LOOP_GUARD_APART_MS = 1000, /* what comes later than this after the last is no repetition */
    LOOP_GUARD_IN_LOOP = 1000,  /* datagrams: more do not fit into the buffers of two sockets */
    LOOP_GUARD_SLOTS = 4096
};

/* One kind of datagram: a source and the bytes. */
struct loop_guard_entry {
    uint64_t hash;
    int64_t last_ms;
    int64_t quiet_until_ms; /* 0: not in a silence */
    uint32_t count;         /* answered since the last silence; in one: unanswered */
    uint32_t silences;
};

struct loop_guard {
    uint64_t key;                   /* secret, so that nobody can make two kinds share a slot */
    struct loop_guard_entry *slots; /* the owner's: LOOP_GUARD_SLOTS, zero at first */
};

/* loop_guard_allow tells whether a datagram is to be answered; `hash` is that of its source and its bytes. */
bool loop_guard_allow(struct loop_guard *guard, uint64_t hash, int64_t now_ms);

/* loop_guard_hash returns the hash of some bytes, going on from the hash of others (or the key). */
uint64_t loop_guard_hash(uint64_t hash, const void *bytes, size_t length);

#endif
