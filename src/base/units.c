/*
 * Readers go digit by digit, since strtoull(3) takes signs, blanks and what overflows.
 */
#include "base/units.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char not_duration[] = "is not a duration (5, 0.5, 250ms, 2s, 1m, 1h)";
static const char not_size[] = "is not a size (4096, 64k, 1M, 2GiB)";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads decimal digits at *at, which it moves on; false when there are none or they exceed `max`. */
static bool read_digits(const char **at, uint64_t max, uint64_t *value)
{
    const char *start = *at;
    *value = 0;
    for (; is_digit(**at); (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (*value > (max - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return *at != start;
}

const char *units_duration(const char *text, int64_t *ms)
{
    enum { TEN_YEARS_S = 315360000 };
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {{"", 1000000}, {"s", 1000000}, {"ms", 1000}, {"m", 60000000}, {"h", 3600000000}};
    uint64_t whole = 0, fraction = 0, scale = 1, unit = 0;
    const char *at = text;
    if (*at != '.' && !read_digits(&at, (uint64_t)TEN_YEARS_S * 1000, &whole)) /* .5 is taken */
        return not_duration;
    if (*at == '.') {
        const char *start = ++at;
        if (!is_digit(*at))
            return not_duration;
        for (; is_digit(*at); at++) {
            if (at - start >= 6) /* beyond a microsecond digits no longer count */
                continue;
            fraction = fraction * 10 + (uint64_t)(*at - '0');
            scale *= 10;
        }
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(at, units[i].name) == 0)
            unit = units[i].us;
    if (!unit || whole > (uint64_t)TEN_YEARS_S * 1000000 / unit)
        return not_duration;
    uint64_t us = whole * unit + fraction * unit / scale;
    *ms = (int64_t)((us + 999) / 1000);
    return NULL;
}

const char *units_size(const char *text, uint64_t *bytes)
{
    static const char suffixes[] = "kKmMgGtT";
    uint64_t value;
    const char *at = text;
    if (!read_digits(&at, INT64_MAX, &value))
        return not_size;
    unsigned shift = 0;
    if (*at) {
        const char *suffix = strchr(suffixes, *at);
        if (!suffix || (at[1] && strcmp(at + 1, "iB") != 0))
            return not_size;
        shift = 10 * ((unsigned)(suffix - suffixes) / 2 + 1);
    }
    if (value > (uint64_t)INT64_MAX >> shift)
        return not_size;
    *bytes = value << shift;
    return NULL;
}

const char *units_number(const char *text, int64_t min, int64_t max, int64_t *value)
{
    uint64_t number;
    const char *at = text;
    if (!read_digits(&at, INT64_MAX, &number) || *at)
        return "is not a whole number";
    if ((int64_t)number < min)
        return "is too small";
    if ((int64_t)number > max)
        return "is too large";
    *value = (int64_t)number;
    return NULL;
}

const char *units_percent(const char *text, uint32_t *share)
{
    static const char not_percent[] = "is not a percentage (0-100, 0.5)";
    uint64_t value;
    const char *at = text;
    if (!read_digits(&at, 100, &value))
        return not_percent;
    uint64_t unit = 10000;
    value *= unit;
    if (*at == '.') {
        const char *start = ++at;
        for (; is_digit(*at); at++)
            value += (unit /= 10) * (uint64_t)(*at - '0');
        if (at == start)
            return not_percent;
    }
    if ((*at && strcmp(at, "%") != 0) || value > 1000000)
        return not_percent;
    *share = (uint32_t)value;
    return NULL;
}

static const char *const size_units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

const char *units_size_unit(unsigned unit)
{
    return size_units[unit];
}

unsigned units_find_size_unit(uint64_t bytes)
{
    const unsigned largest = sizeof size_units / sizeof *size_units - 1;
    const double four_digits = 999.95; /* which one decimal makes 1000.0 */
    unsigned unit = bytes >= 1024;
    for (double value = (double)bytes / 1024; value >= four_digits && unit < largest; unit++)
        value /= 1024;
    return unit;
}

double units_size_in(uint64_t bytes, unsigned unit)
{
    return (double)bytes / (double)(UINT64_C(1) << (10 * unit));
}

char *units_show_size(char *out, unsigned long room, uint64_t bytes)
{
    const unsigned unit = units_find_size_unit(bytes);
    snprintf(out, room, unit ? "%.1f %s" : "%.0f %s", units_size_in(bytes, unit), size_units[unit]);
    return out;
}

char *units_show_duration(char *out, int64_t ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"day", 86400000}, {"hour", 3600000}, {"minute", 60000}, {"second", 1000}};
    size_t unit = 0;
    while (unit < sizeof units / sizeof *units - 1 && (ms == 0 || ms % units[unit].ms))
        unit++;
    int64_t whole = ms / units[unit].ms, rest = ms % units[unit].ms;
    const char *plural = whole == 1 && !rest ? "" : "s";
    int digits = 3;
    for (; digits && rest % 10 == 0; digits--) /* 1.500 → 1.5 */
        rest /= 10;
    if (digits)
        snprintf(out, UNITS_DURATION_MAX, "%" PRId64 ".%0*d %s%s", whole, digits, (int)rest,
                 units[unit].name, plural);
    else
        snprintf(out, UNITS_DURATION_MAX, "%" PRId64 " %s%s", whole, units[unit].name, plural);
    return out;
}

char *units_show_time(char *out, int64_t ms)
{
    const int64_t seconds = (ms + 500) / 1000, minutes = seconds / 60;
    if (ms < 1000)
        snprintf(out, UNITS_DURATION_MAX, ms > 0 ? "%d ms" : "under 1 ms", (int)ms);
    else if (ms < 59950)
        snprintf(out, UNITS_DURATION_MAX, "%.1f s", (double)ms / 1000);
    else if (minutes < 60)
        snprintf(out, UNITS_DURATION_MAX, "%d:%02d", (int)minutes, (int)(seconds % 60));
    else
        snprintf(out, UNITS_DURATION_MAX, "%" PRId64 ":%02d:%02d", minutes / 60,
                 (int)(minutes % 60), (int)(seconds % 60));
    return out;
}

const char *units_bytes(uint64_t count)
{
    return count == 1 ? "byte" : "bytes";
}

uint64_t units_rate(uint64_t bytes, int64_t ms)
{
    double rate = (double)bytes * 1000 / (double)(ms > 0 ? ms : 1);
    return rate < (double)UINT64_MAX ? (uint64_t)rate : UINT64_MAX;
}
