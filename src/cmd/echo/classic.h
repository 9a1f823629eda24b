/*
 * What the small services of old send: character generator (RFC 864) and daytime (RFC 867).
 */
#ifndef CMD_ECHO_CLASSIC_H
#define CMD_ECHO_CLASSIC_H

#include <stddef.h>
#include <time.h>

enum {
    CLASSIC_LINES = 95,
    CLASSIC_LINE = 74,
    CLASSIC_PATTERN = CLASSIC_LINES * CLASSIC_LINE,
    CLASSIC_DAYTIME_MAX = 64
};

/* The beginning of the pattern of RFC 864: CLASSIC_LINES lines of CLASSIC_LINE bytes, after which it
 * starts anew. */
void classic_pattern(char *out, size_t length);
/* "Saturday, November 21, 2026 11:12:13-UTC" and CR LF, into CLASSIC_DAYTIME_MAX bytes. Returns its
 * length. */
size_t classic_daytime(char *out, time_t now);

#endif
