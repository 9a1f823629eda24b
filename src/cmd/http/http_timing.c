/*
 * The chart has a line for each part, in which its bar begins where that of the part before has ended, and one for all of
 * them; the object has the same figures.
 */
#include "cmd/http/http_timing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/json.h"
#include "cli/opt.h"
#include "cli/report.h"

enum {
    PARTS = 4,
    BAR = 40, /* where there is no terminal */
    BAR_MAX = 160,
    FIGURES = 38,      /* columns before the bars, and the last one */
    WIDTH_FOR_BAR = 60 /* on less, there are the figures alone */
};

/* The columns of the longest bar. */
static int bar_width(void)
{
    const int columns = (int)log_columns();
    if (!columns)
        return BAR;
    if (columns < WIDTH_FOR_BAR)
        return 0;
    return columns - FIGURES < BAR_MAX ? columns - FIGURES : BAR_MAX;
}

/* Writes one line of the chart, in which each part begins where the one before has ended. */
static void draw_part(const char *part, const int64_t *ends, int64_t from, int64_t to)
{
    char bar[BAR_MAX + 1];
    const int width = bar_width();
    int64_t whole = ends[PARTS] > ends[0] ? ends[PARTS] - ends[0] : 1;
    int start = (int)((from - ends[0]) * width / whole);
    int end = (int)((to - ends[0]) * width / whole);
    if (end == start && to > from && start < width)
        end = start + 1; /* it is there, if only just */
    memset(bar, ' ', (size_t)start);
    memset(bar + start, '#', (size_t)(end - start));
    log_warning("  %-10s %10.3f ms  %.*s", part, (double)(to - from) / 1000, end, bar);
}

/* Writes the same as an object; times are in seconds. */
static void write_timing_object(const struct http_timing *timing, const int64_t *ends)
{
    static const char *const parts[PARTS] = {"name", "connect", "first_byte", "transfer"};
    char *text = NULL;
    size_t length;
    FILE *out = memory_stream(&text, &length);
    fputs("{\"request\":", out);
    json_string(out, timing->name, strlen(timing->name));
    fprintf(out, ",\"status\":%d,\"bytes\":%" PRIu64, timing->status, timing->bytes);
    for (size_t i = 0; i < PARTS; i++)
        fprintf(out, ",\"%s\":%.6f", parts[i], (double)(ends[i + 1] - ends[i]) / 1000000);
    fprintf(out, ",\"total\":%.6f}\n", (double)(ends[PARTS] - ends[0]) / 1000000);
    memory_stream_close(out);
    log_write(text, length);
    free(text);
}

void http_timing_show(const struct http_timing *timing, int form)
{
    static const char *const parts[PARTS] = {"name", "connect", "first byte", "transfer"};
    const int64_t known[PARTS + 1] = {timing->began, timing->looked_up, timing->connected,
                                      timing->first_byte, timing->ended};
    int64_t ends[PARTS + 1] = {known[0]}; /* of the parts, and before them the beginning */
    for (size_t i = 1; i <= PARTS; i++)
        ends[i] = known[i] < ends[i - 1] ? ends[i - 1] : known[i];
    if (form == OPT_TIMING_JSON || report_is_objects()) {
        write_timing_object(timing, ends);
        return;
    }
    log_warning("%s", timing->name);
    for (size_t i = 0; i < PARTS; i++)
        draw_part(parts[i], ends, ends[i], ends[i + 1]);
    draw_part("total", ends, ends[0], ends[PARTS]);
}
