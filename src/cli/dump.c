/*
 * See dump.h. A row of 16 bytes at a time, as hexdump -C prints them.
 */
#include "cli/dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HEX_WIDTH = 3 * DUMP_LINE_BYTES + 2, OFFSET_DIGITS = 8 };

static const char digits[] = "0123456789abcdef";

char *dump_mark(char *mark, uint64_t connection, char direction)
{
    if (connection)
        snprintf(mark, DUMP_MARK_MAX, "%" PRIu64 "%c", connection, direction);
    else
        snprintf(mark, DUMP_MARK_MAX, "%c", direction);
    return mark;
}

size_t dump_note(char *line, const char *mark, const struct timespec *when, const char *text)
{
    struct tm utc = {0};
    gmtime_r(&when->tv_sec, &utc);
    size_t length = (size_t)snprintf(line, DUMP_NOTE_MAX,
                                     "%s %04d-%02d-%02dT%02d:%02d:%02d.%06ldZ %s", mark,
                                     utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                     utc.tm_min, utc.tm_sec, when->tv_nsec / 1000, text);
    if (length > DUMP_NOTE_MAX - 1)
        length = DUMP_NOTE_MAX - 1;
    line[length++] = '\n';
    return length;
}

size_t dump_head(char *line, const char *mark, const struct timespec *when, size_t length)
{
    char note[DUMP_NOTE_MAX], text[32];
    snprintf(text, sizeof text, "%zu byte%s", length, length == 1 ? "" : "s");
    size_t used = dump_note(note, mark, when, text);
    memcpy(line, note, used);
    return used;
}

/* Writes an offset, by hand: there are as many as lines. */
static char *dump_offset(char *out, uint64_t offset)
{
    unsigned count = OFFSET_DIGITS;
    while (count < 2 * sizeof offset && offset >> 4 * count)
        count++;
    while (count--)
        *out++ = digits[offset >> 4 * count & 15];
    return out;
}

size_t dump_line(char *line, const char *mark, uint64_t offset, const char *bytes, size_t length)
{
    char *hex = stpcpy(line, mark);
    *hex++ = ' ';
    hex = dump_offset(hex, offset);
    *hex++ = ' ';
    *hex++ = ' ';
    char *text = hex + HEX_WIDTH;
    memset(hex, ' ', HEX_WIDTH);
    *text++ = '|';
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        hex[0] = digits[byte >> 4];
        hex[1] = digits[byte & 15];
        hex += i == DUMP_LINE_BYTES / 2 - 1 ? 4 : 3;
        *text = '.';
        if (byte >= 0x20 && byte < 0x7f)
            *text = bytes[i];
        text++;
    }
    *text++ = '|';
    *text++ = '\n';
    return (size_t)(text - line);
}
