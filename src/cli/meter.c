/*
 * See meter.h. The line is drawn anew at most ten times a second, from two readings of the counters; base/log takes
 * it away before a message.
 */
#include "cli/meter.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"

enum { AN_HOUR_S = 3600 };

/* Text that grows up to METER_LINE_MAX. */
struct line {
    char *out;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void line_add(struct line *line, const char *format,
                                                           ...)
{
    size_t room = METER_LINE_MAX - line->length;
    va_list args;
    va_start(args, format);
    int wrote = vsnprintf(line->out + line->length, room, format, args);
    va_end(args);
    if (wrote > 0)
        line->length += (size_t)wrote < room ? (size_t)wrote : room - 1;
}

/* Adds "0:07", "12:34" or "1:02:03". */
static void line_add_time(struct line *line, uint64_t seconds)
{
    if (seconds >= AN_HOUR_S)
        line_add(line, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / AN_HOUR_S,
                 seconds % AN_HOUR_S / 60, seconds % 60);
    else
        line_add(line, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
}

static void line_add_flow(struct line *line, const char *what, uint64_t bytes, uint64_t rate)
{
    char amount[16], speed[16];
    line_add(line, ", %s %s at %s/s", what, units_show_size(amount, sizeof amount, bytes),
             units_show_size(speed, sizeof speed, rate));
}

size_t meter_line(struct meter *meter, const struct meter_reading *now, unsigned width, char *out)
{
    enum { A_WEEK_S = 604800 };
    struct line line = {out, 0};
    /* The rate is taken since the earliest reading that is remembered, whose place the new one gets. */
    struct meter_reading then = {.at_ms = meter->began_ms};
    struct meter_reading *place = &meter->past[meter->count++ % METER_PAST];
    if (meter->count > METER_PAST)
        then = *place;
    *place = *now;
    int64_t ms = now->at_ms - then.at_ms;
    uint64_t tx_rate = units_rate(now->sent - then.sent, ms);
    uint64_t rx_rate = units_rate(now->received - then.received, ms);
    uint64_t moved = meter->receives ? now->received : now->sent;
    uint64_t rate = meter->receives ? rx_rate : tx_rate;
    uint64_t left = moved < meter->total ? meter->total - moved : 0;
    line_add_time(&line, (uint64_t)(now->at_ms - meter->began_ms) / 1000);
    if (meter->total)
        line_add(&line, ", %d%%",
                 (int)((double)(meter->total - left) * 100 / (double)meter->total));
    /* What is left is shown only while something moves, and as far as that can be taken seriously. */
    if (meter->total && rate && left / rate <= A_WEEK_S) {
        line_add(&line, ", ");
        line_add_time(&line, left / rate);
        line_add(&line, " left");
    }
    if (now->sent || (!meter->receives && (meter->total || !now->received)))
        line_add_flow(&line, "sent", now->sent, tx_rate);
    if (now->received || meter->receives)
        line_add_flow(&line, "received", now->received, rx_rate);
    return line.length < width ? line.length : width;
}

/* The cursor is left at the start of the line: where the terminal has become so narrow that the line wraps, its start
 * can still be found, and its rest lies below. It may have become so just now, without a signal: the line is drawn
 * with wrapping off (DECAWM). */

static const char erase_line[] = "\033[K", erase_below[] = "\033[J";

static bool has_wrapped(const struct meter *meter, unsigned columns)
{
    return meter->shown_length > columns;
}

void meter_draw(struct meter *meter, const struct meter_reading *now)
{
    char line[METER_LINE_MAX], text[METER_LINE_MAX + 32];
    unsigned columns = log_columns();
    if (!columns)
        return;
    /* In the last column the cursor would wait for the next line. */
    size_t length = meter_line(meter, now, columns - 1, line);
    bool same = length == meter->shown_length && memcmp(line, meter->shown, length) == 0;
    if (same && log_setting.live)
        return;
    int used = snprintf(text, sizeof text, "\r%s\033[?7l%.*s%s\033[?7h\r",
                        has_wrapped(meter, columns) ? erase_below : "", (int)length, line,
                        erase_line);
    if (!log_live(true, text, (size_t)used))
        return;
    memcpy(meter->shown, line, length);
    meter->shown_length = length;
}

void meter_clear(struct meter *meter)
{
    char text[8];
    if (!log_setting.live)
        return;
    int used = snprintf(text, sizeof text, "\r%s",
                        has_wrapped(meter, log_columns()) ? erase_below : erase_line);
    log_live(false, text, (size_t)used);
}
