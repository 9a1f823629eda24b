/*
 * See classic.h. RFC 864, RFC 867 and RFC 868: the texts of chargen, daytime and time.
 */
#include "cmd/echo/classic.h"

void classic_pattern(char *out, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        size_t line = i / CLASSIC_LINE;
        size_t column = i % CLASSIC_LINE;
        if (column < CLASSIC_LINE - 2)
            out[i] = (char)(' ' + (line + column) % CLASSIC_LINES);
        else
            out[i] = "\r\n"[column - (CLASSIC_LINE - 2)];
    }
}

size_t classic_daytime(char *out, time_t now)
{
    struct tm utc;
    if (!gmtime_r(&now, &utc))
        return 0;
    return strftime(out, CLASSIC_DAYTIME_MAX, "%A, %B %d, %Y %H:%M:%S-UTC\r\n", &utc);
}
