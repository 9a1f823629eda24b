/*
 * Bytes as a person reads them: lines laid out as hexdump -C does, after a direction and a time.
 *
 *     > 2026-11-21T04:05:06.123456Z 6 bytes
 *     > 00000000  68 65 6c 6c 6f 0a                                 |hello.|
 *
 * Pure: whoever wants the lines writes them.
 */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { DUMP_LINE_MAX = 128, DUMP_LINE_BYTES = 16 };

/* Each writes one line, LF included and no NUL, and returns its length. `direction` is '>' for what
 * is sent, '<' for what arrives; `offset` counts the bytes of that direction. */
size_t dump_head(char *line, char direction, const struct timespec *when, size_t length);
/* Of at most DUMP_LINE_BYTES. */
size_t dump_line(char *line, char direction, uint64_t offset, const char *bytes, size_t length);

#endif
