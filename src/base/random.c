/*
 * The generator is a counter and a function that mixes its bits, so that its state is one number.
 */
#include "base/random.h"

#include <sys/random.h>
#include <time.h>

uint64_t random_mix(uint64_t state)
{
    state = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    state = (state ^ state >> 27) * UINT64_C(0x94d049bb133111eb);
    return state ^ state >> 31;
}

uint64_t random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return random_mix(*state);
}

uint64_t random_seed(void)
{
    uint64_t seed;
    struct timespec now;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed)
        return seed;
    clock_gettime(CLOCK_MONOTONIC, &now); /* early in the boot of a machine */
    return random_mix((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
}
