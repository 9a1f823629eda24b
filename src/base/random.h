/*
 * Numbers that look random, and are the same for the same start: splitmix64 (Steele, Lea and Flood,
 * "Fast splittable pseudorandom number generators", 2014). Not for secrets.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/* Mixes the bits of a number: a permutation in which every bit of the input moves every bit. */
uint64_t random_mix(uint64_t state);

/* Returns the next number, and moves *state on. */
uint64_t random_next(uint64_t *state);

/* Returns a start that nobody knows beforehand. */
uint64_t random_seed(void);

#endif
