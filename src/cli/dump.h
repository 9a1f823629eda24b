/*
 * Bytes as a person reads them: lines laid out as hexdump -C does, after a direction and a time. Where there are several
 * connections, a direction has the number of its own in front.
 *
 *     > 2026-11-21T04:05:06.123456Z 6 bytes
 *     > 00000000  68 65 6c 6c 6f 0a                                 |hello.|
 *     3< 2026-11-21T04:05:06.123456Z 4096 bytes left out
 *
 * Pure: whoever wants the lines writes them.
 */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { DUMP_LINE_MAX = 128, DUMP_LINE_BYTES = 16, DUMP_NOTE_MAX = 512, DUMP_MARK_MAX = 24 };

/* dump_mark writes what each line of a direction begins with: '>' for what is sent, '<' for what arrives, ' ' for what
 * concerns both, behind the number of the connection, unless that is 0. `mark` holds DUMP_MARK_MAX bytes; it is returned. */
char *dump_mark(char *mark, uint64_t connection, char direction);

/* dump_note writes a line that says something of the bytes at that time, LF included and no NUL, of which `line` takes
 * at most DUMP_NOTE_MAX bytes, and returns its length. */
size_t dump_note(char *line, const char *mark, const struct timespec *when, const char *text);

/* dump_head writes likewise the line before some bytes, in at most DUMP_LINE_MAX bytes: when they passed, and how many
 * they are. */
size_t dump_head(char *line, const char *mark, const struct timespec *when, size_t length);

/* dump_line writes likewise the line of at most DUMP_LINE_BYTES of them, in at most DUMP_LINE_MAX bytes; `offset` counts
 * the bytes of that direction. */
size_t dump_line(char *line, const char *mark, uint64_t offset, const char *bytes, size_t length);

#endif
