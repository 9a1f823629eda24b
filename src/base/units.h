/*
 * Numbers with units, as a person types them. Each reader takes the whole string or refuses it: no sign, no space, no
 * trailing junk, no overflow. It returns NULL and sets *value, or returns what is wrong, as words that follow the value:
 * "is not a duration (5, 0.5, 250ms, 2s, 1m, 1h)".
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

enum { UNITS_DURATION_MAX = 40, UNITS_SIZE_MAX = 16 };

/* Reads 5 (seconds), 0.5, .5, 250ms, 2s, 1m or 1h; *ms is in milliseconds, rounded up, at most ten years. */
const char *units_duration(const char *text, int64_t *ms);

/* Reads 4096, 64k, 1M, 2G or 2GiB: powers of 1024. */
const char *units_size(const char *text, uint64_t *bytes);

/* Reads a plain decimal number from `min` to `max`. */
const char *units_number(const char *text, int64_t min, int64_t max, int64_t *value);

/* Reads 0 to 100, perhaps with a %, with decimals, of which four count; *share is in millionths of the whole. */
const char *units_percent(const char *text, uint32_t *share);

/* Writes `bytes` as 12 B, 3.4 KiB, 5.6 MiB … into `out`; UNITS_SIZE_MAX bytes hold any value. Returns out. */
char *units_show_size(char *out, unsigned long room, uint64_t bytes);

/* Returns the number of the unit in which so many bytes are shown, with at most three digits before the point (four in
 * bytes): 0 for B, 1 for KiB …; the name of a unit; and how many of a unit so many bytes are. */
unsigned units_find_size_unit(uint64_t bytes);
const char *units_size_unit(unsigned unit);
double units_size_in(uint64_t bytes, unsigned unit);

/* Returns the word for so many: "byte" or "bytes". */
const char *units_bytes(uint64_t count);

/* Writes a duration as words, to the millisecond, into `out`, which holds UNITS_DURATION_MAX bytes: "1.5 seconds",
 * "1 minute", "2 days". Returns out. */
char *units_show_duration(char *out, int64_t ms);

/* Writes a time to look at, "under 1 ms", "12 ms", "3.4 s", "2:05", "1:02:03", into `out`, which holds UNITS_DURATION_MAX bytes. Returns
 * out. */
char *units_show_time(char *out, int64_t ms);

/* Returns bytes a second; a time that the clock does not show counts as 1 ms. */
uint64_t units_rate(uint64_t bytes, int64_t ms);

#endif
