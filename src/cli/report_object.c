#include "cli/report_object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "cli/json.h"

/* Built in memory, so that it leaves in one write. */
struct object {
    FILE *out;
    char *line;
    size_t length;
};

static void put_time(FILE *out)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    fprintf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", utc.tm_year + 1900, utc.tm_mon + 1,
            utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000);
}

static void begin(struct object *object, const char *event)
{
    object->out = open_memstream(&object->line, &object->length);
    if (!object->out) {
        log_setting.as_object = NULL; /* an error as an object would end here again */
        memory_impossible("out of memory");
    }
    fprintf(object->out, "{\"event\":\"%s\",\"time\":\"", event);
    put_time(object->out);
    putc('"', object->out);
}

static void put_text(const struct object *object, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    fprintf(object->out, ",\"%s\":", name);
    json_string(object->out, text, strlen(text));
}

static void end_object(struct object *object)
{
    fputs("}\n", object->out);
    if (fclose(object->out) == 0)
        log_write(object->line, object->length);
    free(object->line);
}

void report_object_event(const char *event, const char *local, const char *peer)
{
    struct object object;
    begin(&object, event);
    put_text(&object, "local", local);
    put_text(&object, "remote", peer);
    end_object(&object);
}

void report_object_closed(const struct report_end *end, const char *how)
{
    struct object object;
    begin(&object, "closed");
    put_text(&object, "local", end->local);
    put_text(&object, "remote", end->peer);
    fprintf(object.out,
            ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"seconds\":%.3f,\"how\":\"%s\"",
            end->in, end->out, (double)end->lasted_ms / 1000, how);
    if (end->has_tcp)
        fprintf(object.out, ",\"rtt_us\":%u,\"retransmits\":%u", end->rtt_us, end->retransmits);
    end_object(&object);
}

void report_object_message(const struct log_message *message)
{
    struct object object;
    begin(&object, message->event);
    put_text(&object, "message", message->text);
    if (message->status)
        fprintf(object.out, ",\"status\":%d", message->status);
    end_object(&object);
}
