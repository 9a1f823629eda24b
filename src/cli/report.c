#include "cli/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "cli/report_object.h"

void report_as_objects(void)
{
    log_setting.as_object = report_object_message;
}

bool report_is_objects(void)
{
    return log_setting.as_object;
}

void report_listening(const char *address, bool always)
{
    if (report_is_objects()) {
        report_object_event("listening", address, NULL);
        return;
    }
    log_note(always ? 0 : LOG_LEVEL_INFO, "listening on %s", address);
}

void report_connected(const char *peer, const char *local)
{
    if (report_is_objects()) {
        report_object_event("connected", local, peer);
        return;
    }
    log_note(LOG_LEVEL_INFO, "connected to %s", peer);
    /* A line of its own: scripts rely on the first one as it is. A UNIX client has no name. */
    if (strcmp(local, "unix:(unnamed)") != 0)
        log_note(LOG_LEVEL_INFO, "connected from %s", local);
}

void report_accepted(const char *peer, const char *local)
{
    if (report_is_objects()) {
        report_object_event("accepted", local, peer);
        return;
    }
    log_note(LOG_LEVEL_INFO, "accepted %s", peer);
}

static const char *how_it_ended(enum report_how how)
{
    static const char *const names[] = {"eof", "reset", "timeout", "signal", "slow", "error"};
    return names[how];
}

void report_closed(const struct report_end *end)
{
    if (report_is_objects()) {
        report_object_closed(end, how_it_ended(end->how));
        return;
    }
    bool other = end->how != REPORT_EOF;
    log_note(LOG_LEVEL_INFO, "closed %s: %" PRIu64 " bytes in, %" PRIu64 " out%s%s",
             *end->peer ? end->peer : end->local, end->in, end->out, other ? ", " : "",
             other ? how_it_ended(end->how) : "");
}

void report_stats(const struct report_end *end)
{
    char sent[16], received[16], sending[16], receiving[16];
    if (report_is_objects())
        return; /* all of it is in "closed" */
    units_show_size(sent, sizeof sent, end->out);
    units_show_size(received, sizeof received, end->in);
    units_show_size(sending, sizeof sending, units_rate(end->out, end->lasted_ms));
    units_show_size(receiving, sizeof receiving, units_rate(end->in, end->lasted_ms));
    log_warning("sent %s, received %s in %.2f s (%s/s, %s/s)", sent, received,
                (double)end->lasted_ms / 1000, sending, receiving);
    if (end->has_tcp)
        log_warning("rtt %.2f ms, %u retransmits", end->rtt_us / 1000.0, end->retransmits);
}

void report_warning(const char *format, ...)
{
    enum { WARNING_MAX = 2048 };
    char text[WARNING_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_warning("%s", text);
}
