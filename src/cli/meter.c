/*
 * See meter.h. The line is drawn anew at most ten times a second, from two readings of the counters; base/log takes it
 * away before a message. A line is a row of parts: each has its columns, more than it needs at the moment, so that those
 * behind it do not jump.
 */
#include "cli/meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"

enum {
    AN_HOUR_S = 3600,
    A_WEEK_S = 604800,
    SIZE_COLUMNS = 9,  /* "999.9 MiB" */
    RATE_COLUMNS = 11, /* and "/s" */
    TIME_COLUMNS = 7,  /* "1:02:03" */
    NAME_COLUMNS = 24,
    BAR_MIN = 8,
    BAR_MAX = 52,
    WIDTH_FOR_GAPS = 60, /* on less, a blank is between the parts, else two */
    PART_MAX = 64
};

/* The parts, from left to right. */
enum part_kind { NAME, PERCENT, BAR, AMOUNT, RATE, TIME, OTHER, PARTS };

/* In which order they are left out. The percentage, or else the amount, stays. */
static const enum part_kind expendable[] = {OTHER, NAME, AMOUNT, TIME, BAR, RATE};

struct part {
    char text[PART_MAX];
    unsigned columns; /* that are its own; 0: it is not there */
};

/* What is read off two readings. */
struct progress_now {
    uint64_t moved; /* in the direction that counts, where more has moved, and in the other one */
    uint64_t other;
    uint64_t rate;
    bool sends; /* the direction that counts */
    int64_t elapsed_s;
};

static struct progress_now meter_take(struct meter *meter, const struct meter_reading *now)
{
    /* The rate is taken since the earliest reading that is remembered, whose place the new one gets. */
    struct meter_reading then = {.at_ms = meter->began_ms};
    struct meter_reading *place = &meter->past[meter->count++ % METER_PAST];
    if (meter->count > METER_PAST)
        then = *place;
    *place = *now;
    const bool sends = !meter->receives && (meter->total || now->sent >= now->received);
    const uint64_t moved = sends ? now->sent : now->received;
    const uint64_t before = sends ? then.sent : then.received;
    return (struct progress_now){.moved = moved,
                                 .other = sends ? now->received : now->sent,
                                 .rate = units_rate(moved - before, now->at_ms - then.at_ms),
                                 .sends = sends,
                                 .elapsed_s = (now->at_ms - meter->began_ms) / 1000};
}

/* Writes "0:07", "12:34" or "1:02:03" behind `what`. */
static void set_time(struct part *part, const char *what, uint64_t seconds)
{
    const unsigned columns = (unsigned)strlen(what) + TIME_COLUMNS;
    int length;
    if (seconds >= AN_HOUR_S)
        length = snprintf(part->text, PART_MAX, "%s%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, what,
                          seconds / AN_HOUR_S, seconds % AN_HOUR_S / 60, seconds % 60);
    else
        length = snprintf(part->text, PART_MAX, "%s%" PRIu64 ":%02" PRIu64, what, seconds / 60,
                          seconds % 60);
    part->columns = (unsigned)length > columns ? (unsigned)length : columns;
}

/* Keeps the unit of the rate as long as the number says something in it. */
static void rate_text(struct meter *meter, uint64_t rate, char *out)
{
    char text[PART_MAX];
    const unsigned unit = units_find_size_unit(rate);
    if (unit > meter->rate_unit || (rate && units_size_in(rate, meter->rate_unit) < 0.05))
        meter->rate_unit = unit;
    snprintf(text, sizeof text, meter->rate_unit ? "%.1f %s/s" : "%.0f %s/s",
             units_size_in(rate, meter->rate_unit), units_size_unit(meter->rate_unit));
    snprintf(out, PART_MAX, "%*s", RATE_COLUMNS, text);
}

/* Writes "  1.2/2.9 MiB". Returns the columns. */
static unsigned share_text(char *out, uint64_t done, uint64_t total)
{
    char whole[32];
    const unsigned unit = units_find_size_unit(total);
    const int decimals = unit > 0;
    const int length = snprintf(whole, sizeof whole, "%.*f", decimals, units_size_in(total, unit));
    return (unsigned)snprintf(out, PART_MAX, "%*.*f/%s %s", length, decimals,
                              units_size_in(done, unit), whole, units_size_unit(unit));
}

/* Writes the name without its directories, and without its middle where it is long: its end says more than that. */
static unsigned name_text(char *out, const char *path)
{
    enum { HEAD = 10, DOTS = 3 };
    char shown[4 * 256];
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    size_t length = text_escape(shown, sizeof shown - 1, name, strlen(name));
    shown[length] = '\0';
    if (length > NAME_COLUMNS)
        return (unsigned)snprintf(out, PART_MAX, "%.*s...%s", HEAD, shown,
                                  shown + length - (NAME_COLUMNS - HEAD - DOTS));
    return (unsigned)snprintf(out, PART_MAX, "%s", shown);
}

/* Fills the parts, but for the bar. */
static void meter_fill(struct meter *meter, const struct progress_now *now, struct part *parts)
{
    char size[16];
    const uint64_t left = now->moved < meter->total ? meter->total - now->moved : 0;
    if (meter->name)
        parts[NAME].columns = name_text(parts[NAME].text, meter->name);
    rate_text(meter, now->rate, parts[RATE].text);
    parts[RATE].columns = RATE_COLUMNS;
    if (now->other) {
        snprintf(parts[OTHER].text, PART_MAX, "%s %s", now->sends ? "received" : "sent",
                 units_show_size(size, sizeof size, now->other));
        parts[OTHER].columns = (unsigned)strlen("received ") + SIZE_COLUMNS;
    }
    if (!meter->total) {
        const char *what = meter->receives ? "" : now->sends ? "sent " : "received ";
        parts[AMOUNT].columns = (unsigned)snprintf(parts[AMOUNT].text, PART_MAX, "%s%*s", what,
                                                   SIZE_COLUMNS,
                                                   units_show_size(size, sizeof size, now->moved));
        set_time(&parts[TIME], "", (uint64_t)now->elapsed_s);
        return;
    }
    const int percent = (int)((double)(meter->total - left) * 100 / (double)meter->total);
    parts[PERCENT].columns = (unsigned)snprintf(parts[PERCENT].text, PART_MAX, "%3d%%", percent);
    parts[BAR].columns = BAR_MIN;
    parts[AMOUNT].columns = share_text(parts[AMOUNT].text, now->moved, meter->total);
    /* What is left is shown only while something moves, and as far as that can be taken seriously. */
    const bool is_known = !left || (now->rate && left / now->rate <= A_WEEK_S);
    set_time(&parts[TIME], "eta ", left && is_known ? left / now->rate : 0);
    if (!is_known)
        strcpy(parts[TIME].text, "eta -:--");
}

/* Draws "[####>   ]". */
static void bar_text(char *out, unsigned columns, double share)
{
    const unsigned inner = columns - 2;
    unsigned filled = (unsigned)(share * inner);
    out[0] = '[';
    memset(out + 1, ' ', inner);
    memset(out + 1, '#', filled);
    if (filled < inner)
        out[1 + filled] = '>';
    memcpy(out + 1 + inner, "]", sizeof "]");
}

/* The columns of all that are there, with the gaps between them. */
static unsigned parts_columns(const struct part *parts, unsigned gap)
{
    unsigned columns = 0;
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].columns)
            columns += (columns ? gap : 0) + parts[i].columns;
    return columns;
}

size_t meter_line(struct meter *meter, const struct meter_reading *now, unsigned width, char *out)
{
    struct part parts[PARTS] = {{.columns = 0}};
    const struct progress_now taken = meter_take(meter, now);
    const unsigned gap = width < WIDTH_FOR_GAPS ? 1 : 2;
    size_t used = 0;
    meter_fill(meter, &taken, parts);
    for (size_t i = 0; i < sizeof expendable / sizeof *expendable; i++) {
        const enum part_kind kind = expendable[i];
        const bool stays = kind == AMOUNT && !meter->total;
        if (parts_columns(parts, gap) > width && !stays)
            parts[kind].columns = 0;
    }
    const unsigned columns = parts_columns(parts, gap);
    if (columns > width)
        return 0;
    if (parts[BAR].columns) {
        const unsigned more = width - columns, most = BAR_MAX - BAR_MIN;
        parts[BAR].columns += more < most ? more : most;
        bar_text(parts[BAR].text, parts[BAR].columns,
                 taken.moved < meter->total ? (double)taken.moved / (double)meter->total : 1);
    }
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].columns)
            used += (size_t)snprintf(out + used, METER_LINE_MAX - used, "%*s%-*s",
                                     used ? (int)gap : 0, "", (int)parts[i].columns, parts[i].text);
    while (used && out[used - 1] == ' ')
        used--;
    return used;
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
