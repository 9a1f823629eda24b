/*
 * See faults.h. Every decision is drawn from the seed, the client's number and the piece's place, so that a run repeats
 * however the bytes are read.
 */
#include "cmd/echo/faults.h"

#include "base/random.h"

bool faults_cut(const struct faults *faults)
{
    return faults->drop || faults->duplicate || faults->corrupt;
}

bool faults_any(const struct faults *faults)
{
    return faults_cut(faults) || faults->close_after != UINT64_MAX ||
           faults->reset_after != UINT64_MAX || faults->stall_after != UINT64_MAX ||
           faults->delay_ms || faults->jitter_ms || faults->rate || faults->chunk;
}

static bool fault_happens(uint32_t share, uint64_t *state)
{
    return random_next(state) % FAULTS_WHOLE < share;
}

/* A number is drawn for each kind, asked for or not: one option does not change what another does. */
struct fault faults_decide(const struct faults *faults, uint64_t client, uint64_t piece)
{
    uint64_t state = random_mix(random_mix(random_mix(faults->seed) + client) + piece);
    struct fault fault;
    fault.drop = fault_happens(faults->drop, &state);
    fault.duplicate = fault_happens(faults->duplicate, &state);
    fault.corrupt = fault_happens(faults->corrupt, &state);
    fault.bit = random_next(&state);
    fault.late_ms = (int64_t)(random_next(&state) % ((uint64_t)faults->jitter_ms + 1));
    fault.late_ms += faults->delay_ms;
    return fault;
}

void fault_corrupt(const struct fault *fault, char *bytes, size_t length)
{
    if (!fault->corrupt || !length)
        return;
    uint64_t bit = fault->bit % ((uint64_t)length * 8);
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
}
