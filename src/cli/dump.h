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

/* dump_head writes the line before some bytes: when they passed, and how many they are; LF included and no NUL.
 * `line` holds DUMP_LINE_MAX bytes; `direction` is '>' for what is sent, '<' for what arrives. It returns the line's
 * length. */
size_t dump_head(char *line, char direction, const struct timespec *when, size_t length);

/* dump_line writes, likewise, the line of at most DUMP_LINE_BYTES of them; `offset` counts the bytes of that
 * direction. */
size_t dump_line(char *line, char direction, uint64_t offset, const char *bytes, size_t length);

#endif
