#include "cli/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/message.h"

void report_listening(const char *address, bool always)
{
    message_tell(always ? 0 : MESSAGE_STORY, "listening on %s", address);
}

void report_connected(const char *peer, const char *local)
{
    message_tell(MESSAGE_STORY, "connected to %s", peer);
    /* A line of its own: scripts rely on the first one as it is. A UNIX client has no name. */
    if (strcmp(local, "unix:") != 0)
        message_tell(MESSAGE_STORY, "connected from %s", local);
}

void report_accepted(const char *peer)
{
    message_tell(MESSAGE_STORY, "accepted %s", peer);
}

void report_closed(const char *peer, uint64_t in, uint64_t out)
{
    message_tell(MESSAGE_STORY, "closed %s: %" PRIu64 " bytes in, %" PRIu64 " out", peer, in, out);
}

void report_warning(const char *format, ...)
{
    enum { WARNING_MAX = 2048 };
    char text[WARNING_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    message_print("%s", text);
}
