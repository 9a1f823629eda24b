/*
 * See report.h. With --log json each event is an object, one a line, with "event" and "time" (RFC 3339, UTC; see
 * sockctl(1), LOG), built in memory so that it leaves in one write; else it is a line for base/log.
 */
#include "cli/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/units.h"
#include "cli/json.h"

/* An object that is being written. */
struct object {
    FILE *out;
    char *line;
    size_t length;
};

static void object_begin(struct object *object, const char *event)
{
    struct timespec now;
    struct tm utc;
    object->out = open_memstream(&object->line, &object->length);
    if (!object->out) {
        log_setting.as_object = NULL; /* an error as an object would end here again */
        memory_impossible("out of memory");
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    fprintf(object->out, "{\"event\":\"%s\",\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\"",
            event, utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
            utc.tm_sec, now.tv_nsec / 1000000);
}

/* Adds a member; one that is NULL or empty is left out. */
static void object_put_text(const struct object *object, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    fprintf(object->out, ",\"%s\":", name);
    json_string(object->out, text, strlen(text));
}

static void object_end(struct object *object)
{
    fputs("}\n", object->out);
    if (fclose(object->out) == 0)
        log_write(object->line, object->length);
    free(object->line);
}

/* Prints an event in the life of a connection. */
static void object_print_event(const char *event, const char *local, const char *peer)
{
    struct object object;
    object_begin(&object, event);
    object_put_text(&object, "local", local);
    object_put_text(&object, "remote", peer);
    object_end(&object);
}

static void object_print_message(const struct log_message *message)
{
    struct object object;
    object_begin(&object, message->event);
    object_put_text(&object, "message", message->text);
    if (message->status)
        fprintf(object.out, ",\"status\":%d", message->status);
    object_end(&object);
}

void report_as_objects(void)
{
    log_setting.as_object = object_print_message;
    tzset(); /* gmtime(3) would do it, and read a file, when nothing can be opened any more */
}

bool report_is_objects(void)
{
    return log_setting.as_object;
}

void report_listening(const char *address, bool is_udp, bool always)
{
    if (report_is_objects()) {
        object_print_event("listening", address, NULL);
        return;
    }
    /* Scripts rely on the address being all that follows. */
    log_note(always ? 0 : LOG_LEVEL_INFO, "listening on %s%s", address,
             is_udp && log_columns() ? " (UDP)" : "");
}

void report_connected(const char *peer, const char *local)
{
    if (report_is_objects()) {
        object_print_event("connected", local, peer);
        return;
    }
    log_note(LOG_LEVEL_INFO, "connected to %s", peer);
    /* A line of its own: scripts rely on the first one as it is. A UNIX client has no name, nor has our end of a program. */
    if (strcmp(local, "unix:(unnamed)") != 0 && strcmp(local, "unnamed") != 0)
        log_note(LOG_LEVEL_INFO, "from local address %s", local);
}

void report_accepted(const char *peer, const char *local)
{
    if (report_is_objects()) {
        object_print_event("accepted", local, peer);
        return;
    }
    log_note(LOG_LEVEL_INFO, "accepted %s", peer);
}

const char *report_how_text(enum report_how how)
{
    static const char *const texts[] = {"eof", "reset", "timeout", "signal", "slow", "error"};
    return texts[how];
}

void report_closed(const struct report_end *end)
{
    const char *how = report_how_text(end->how);
    struct object object;
    bool other = end->how != REPORT_EOF;
    if (!report_is_objects()) {
        log_note(LOG_LEVEL_INFO, "closed %s: %" PRIu64 " %s in, %" PRIu64 " out%s%s",
                 *end->peer ? end->peer : end->local, end->in, units_bytes(end->in), end->out,
                 other ? ", " : "", other ? how : "");
        return;
    }
    object_begin(&object, "closed");
    object_put_text(&object, "local", end->local);
    object_put_text(&object, "remote", end->peer);
    fprintf(object.out,
            ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"seconds\":%.3f,\"how\":\"%s\"",
            end->in, end->out, (double)end->lasted_ms / 1000, how);
    if (end->has_tcp)
        fprintf(object.out, ",\"rtt_us\":%u,\"retransmits\":%u", end->rtt_us, end->retransmits);
    object_end(&object);
}

/* Writes " in 2.5 s (1.0 MiB/s, 12 B/s)", with the rate of each direction that moved. Returns the end. */
static char *put_time_and_rates(char *at, const uint64_t *moved, size_t count, int64_t ms)
{
    char text[UNITS_DURATION_MAX];
    const char *before = " (";
    at = stpcpy(stpcpy(at, " in "), units_show_time(text, ms));
    for (size_t i = 0; ms > 0 && i < count; i++) {
        if (!moved[i])
            continue;
        units_show_size(text, sizeof text, units_rate(moved[i], ms));
        at = stpcpy(stpcpy(stpcpy(at, before), text), "/s");
        before = ", ";
    }
    return stpcpy(at, *before == ',' ? ")" : "");
}

void report_stats(const struct report_end *end)
{
    char sent[UNITS_SIZE_MAX], received[UNITS_SIZE_MAX], text[256], tcp[64] = "";
    const uint64_t moved[] = {end->out, end->in};
    const unsigned columns = log_columns();
    if (report_is_objects())
        return; /* all of it is in "closed" */
    units_show_size(sent, sizeof sent, end->out);
    units_show_size(received, sizeof received, end->in);
    char *at = text + snprintf(text, sizeof text, "sent %s, received %s", sent, received);
    at = put_time_and_rates(at, moved, 2, end->lasted_ms);
    if (end->has_tcp)
        snprintf(tcp, sizeof tcp, "rtt %.2f ms, %u retransmit%s", end->rtt_us / 1000.0,
                 end->retransmits, end->retransmits == 1 ? "" : "s");
    const size_t whole = strlen("sockctl: ; ") + (size_t)(at - text) + strlen(tcp);
    if (*tcp && columns && whole > columns) {
        log_warning("%s", text);
        log_warning("%s", tcp);
    } else {
        log_warning("%s%s%s", text, *tcp ? "; " : "", tcp);
    }
}

bool report_is_watched(void)
{
    return log_columns() > 0 && !report_is_objects();
}

void report_wrote(const char *name, uint64_t bytes, int64_t ms)
{
    char size[16], rates[128] = "";
    if (!report_is_watched())
        return;
    units_show_size(size, sizeof size, bytes);
    if (ms >= 0)
        put_time_and_rates(rates, &bytes, 1, ms);
    if (name)
        log_warning("wrote %s: %s%s", name, size, rates);
    else
        log_warning("received %s%s", size, rates);
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

int report_flush_stdout(struct error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    if (errno == EPIPE)
        return error_silent(err, STATUS_LOCAL_IO);
    return error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}
