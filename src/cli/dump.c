/*
 * See dump.h. A row of 16 bytes at a time, as hexdump -C prints them.
 */
#include "cli/dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HEX_WIDTH = 3 * DUMP_LINE_BYTES + 2 };

size_t dump_head(char *line, char direction, const struct timespec *when, size_t length)
{
    struct tm utc = {0};
    gmtime_r(&when->tv_sec, &utc);
    return (size_t)snprintf(line, DUMP_LINE_MAX,
                            "%c %04d-%02d-%02dT%02d:%02d:%02d.%06ldZ %zu byte%s\n", direction,
                            utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                            utc.tm_min, utc.tm_sec, when->tv_nsec / 1000, length,
                            length == 1 ? "" : "s");
}

size_t dump_line(char *line, char direction, uint64_t offset, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t start = (size_t)snprintf(line, DUMP_LINE_MAX, "%c %08" PRIx64 "  ", direction, offset);
    char *hex = line + start, *text = hex + HEX_WIDTH;
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
