/*
 * Numbers with units, as a person types them. Each reader takes the whole string or refuses it:
 * no sign, no space, no trailing junk, no overflow. It returns NULL and sets *value, or returns
 * what is wrong, as words that follow the value: "is not a duration (5, 0.5, 250ms, 2s, 1m, 1h)".
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

enum { UNITS_DURATION_MAX = 40 };

/* 5 (seconds), 0.5, 250ms, 2s, 1m, 1h; *ms in milliseconds, rounded up, at most ten years. */
const char *units_duration(const char *text, int64_t *ms);
/* 4096, 64k, 1M, 2G: powers of 1024. */
const char *units_size(const char *text, uint64_t *bytes);
/* A plain decimal number from `least` to `most`. */
const char *units_number(const char *text, int64_t least, int64_t most, int64_t *value);

/* 0 to 100, with decimals, of which four count; in millionths of the whole. */
const char *units_percent(const char *text, uint32_t *share);

/* `bytes` as 12 B, 3.4 KiB, 5.6 MiB … into `out` (16 bytes hold any value). Returns out. */
char *units_show_size(char *out, unsigned long room, uint64_t bytes);
/* A duration as words: "1.5 seconds", "1 minute", "2 days"; to the millisecond. `out` has
 * UNITS_DURATION_MAX bytes. Returns out. */
char *units_show_duration(char *out, int64_t ms);
/* Bytes a second; a time that the clock does not show counts as 1 ms. */
uint64_t units_rate(uint64_t bytes, int64_t ms);

#endif
