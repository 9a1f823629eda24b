/*
 * See loop_guard.h. The same datagram is answered a bounded number of times in a row, then not at all for a silence; what
 * still comes after it was no loop, and is answered more often before the next.
 */
#include "cmd/echo/loop_guard.h"

#include <string.h>

#include "base/random.h"

enum { SILENCES_MAX = 8 }; /* that make a difference */

static uint32_t min_of(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

bool loop_guard_allow(struct loop_guard *guard, uint64_t hash, int64_t now_ms)
{
    struct loop_guard_entry *kind = &guard->slots[hash % LOOP_GUARD_SLOTS];
    if (kind->hash != hash)
        *kind = (struct loop_guard_entry){.hash = hash};
    bool apart = now_ms - kind->last_ms > LOOP_GUARD_APART_MS;
    uint32_t max = (uint32_t)LOOP_GUARD_MAX << 2 * kind->silences;
    kind->last_ms = now_ms;
    if (kind->quiet_until_ms) {
        if (now_ms < kind->quiet_until_ms && kind->count++ < min_of(max, LOOP_GUARD_IN_LOOP))
            return false;
        kind->quiet_until_ms = 0;
        kind->count = 0;
        kind->silences = min_of(kind->silences + 1, SILENCES_MAX);
        max = (uint32_t)LOOP_GUARD_MAX << 2 * kind->silences;
    }
    if (apart)
        kind->count = 0;
    if (++kind->count <= max)
        return true;
    uint32_t quiet_ms = (uint32_t)LOOP_GUARD_QUIET_MS << 2 * kind->silences;
    kind->quiet_until_ms = now_ms + min_of(quiet_ms, LOOP_GUARD_QUIET_MAX_MS);
    kind->count = 0;
    return false;
}

uint64_t loop_guard_hash(uint64_t hash, const void *bytes, size_t length)
{
    const char *at = bytes;
    hash = random_mix(hash ^ length);
    for (; length >= sizeof hash; at += sizeof hash, length -= sizeof hash) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = random_mix(hash ^ word);
    }
    uint64_t rest = 0;
    memcpy(&rest, at, length);
    return random_mix(hash ^ rest);
}
