/*
 * See pace.h. The rate is a bucket of credit, which time fills up to a burst and bytes spend; it may be overdrawn, so that
 * what was moved at once is waited for afterwards.
 */
#include "stream/pace.h"

#include <string.h>

enum { BYTE = 1000 }; /* a rate in bytes a second gives so many of these in a millisecond */

static const uint64_t rate_max = (uint64_t)1 << 40;
static const int64_t elapsed_max_ms = 1 << 20;

size_t pace_allow(struct pace *pace, int64_t now_ms, const char *bytes, size_t length)
{
    if (pace->line_ms && bytes) {
        const char *end = memchr(bytes, '\n', length);
        pace->wait_ms = pace->next_line_ms - now_ms;
        if (pace->wait_ms > 0)
            return 0;
        if (end)
            length = (size_t)(end - bytes) + 1;
    }
    if (!pace->rate)
        return length;
    int64_t rate = (int64_t)(pace->rate < rate_max ? pace->rate : rate_max);
    int64_t elapsed_ms = pace->counted_ms ? now_ms - pace->counted_ms : 0;
    int64_t burst = rate * PACE_BURST_MS + BYTE;
    pace->counted_ms = now_ms;
    pace->credit += rate * (elapsed_ms < elapsed_max_ms ? elapsed_ms : elapsed_max_ms);
    if (pace->credit > burst)
        pace->credit = burst;
    if (pace->credit < BYTE) {
        int64_t part = rate * PACE_PART_MS > BYTE ? rate * PACE_PART_MS : BYTE;
        pace->wait_ms = (part - pace->credit + rate - 1) / rate;
        return 0;
    }
    uint64_t allowed = (uint64_t)(pace->credit / BYTE);
    return allowed < length ? (size_t)allowed : length;
}

void pace_spend(struct pace *pace, int64_t now_ms, const char *bytes, size_t length)
{
    pace->credit -= (int64_t)length * BYTE;
    if (bytes && length && bytes[length - 1] == '\n')
        pace->next_line_ms = now_ms + pace->line_ms;
}
