#include "cmd/http/http_timing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/json.h"
#include "cli/opt.h"
#include "cli/report.h"

enum { PARTS = 4, BAR = 40 };

/* The ends of the parts, and before them the beginning. */
static void collect(const struct http_timing *timing, int64_t ends[PARTS + 1])
{
    const int64_t known[PARTS + 1] = {timing->began, timing->looked_up, timing->connected,
                                      timing->first_byte, timing->ended};
    ends[0] = known[0];
    for (size_t i = 1; i <= PARTS; i++)
        ends[i] = known[i] < ends[i - 1] ? ends[i - 1] : known[i];
}

/* Each part begins where the one before has ended, also in the chart. */
static void draw_row(const char *part, const int64_t *ends, int64_t from, int64_t to)
{
    char bar[BAR + 1];
    int64_t whole = ends[PARTS] > ends[0] ? ends[PARTS] - ends[0] : 1;
    int start = (int)((from - ends[0]) * BAR / whole), end = (int)((to - ends[0]) * BAR / whole);
    if (end == start && to > from && start < BAR)
        end = start + 1; /* it is there, if only just */
    memset(bar, ' ', (size_t)start);
    memset(bar + start, '#', (size_t)(end - start));
    log_warning("  %-10s %10.3f ms  %.*s", part, (double)(to - from) / 1000, end, bar);
}

static void draw(const struct http_timing *timing, const int64_t *ends)
{
    static const char *const parts[PARTS] = {"name", "connect", "first byte", "transfer"};
    log_warning("%s", timing->name);
    for (size_t i = 0; i < PARTS; i++)
        draw_row(parts[i], ends, ends[i], ends[i + 1]);
    draw_row("total", ends, ends[0], ends[PARTS]);
}

/* In seconds. */
static void write_object(const struct http_timing *timing, const int64_t *ends)
{
    static const char *const parts[PARTS] = {"name", "connect", "first_byte", "transfer"};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        memory_impossible("out of memory");
    fputs("{\"request\":", out);
    json_string(out, timing->name, strlen(timing->name));
    fprintf(out, ",\"status\":%d,\"bytes\":%" PRIu64, timing->status, timing->bytes);
    for (size_t i = 0; i < PARTS; i++)
        fprintf(out, ",\"%s\":%.6f", parts[i], (double)(ends[i + 1] - ends[i]) / 1000000);
    fprintf(out, ",\"total\":%.6f}\n", (double)(ends[PARTS] - ends[0]) / 1000000);
    if (fclose(out))
        memory_impossible("out of memory");
    log_write(text, length);
    free(text);
}

void http_timing_show(const struct http_timing *timing, int form)
{
    int64_t ends[PARTS + 1];
    collect(timing, ends);
    if (form == OPT_TIMING_JSON || report_is_objects())
        write_object(timing, ends);
    else
        draw(timing, ends);
}
