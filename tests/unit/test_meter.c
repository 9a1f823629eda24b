#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/meter.h"

static int tests, failures;

static void check(bool good, const char *what, const char *text, size_t length)
{
    failures += !good;
    printf("%s %d - %s: %.*s\n", good ? "ok" : "not ok", ++tests, what, (int)length, text);
}

/* A first reading, of a meter that began at 1000 ms. */
static const struct {
    uint64_t total;
    struct meter_reading now;
    unsigned width;
    const char *line;
} lines[] = {
    {0, {1000, 0, 0}, 80, "sent       0 B        0 B/s  0:00"},
    {0, {2000, 2048, 0}, 80, "sent   2.0 KiB    2.0 KiB/s  0:01"},
    {0, {3000, 0, 2048}, 80, "received   2.0 KiB    1.0 KiB/s  0:02"},
    {0, {3000, 10, 2048}, 80, "received   2.0 KiB    1.0 KiB/s  0:02     sent 10 B"},
    {1000,
     {3000, 100, 0},
     80,
     " 10%  [###>                             ]   100/1000 B       50 B/s  eta 0:18"},
    {1000,
     {3000, 0, 7},
     100,
     "  0%  [>                                ]     0/1000 B        0 B/s  eta -:--     received 7 "
     "B"},
    {1000, {3000, 1000, 0}, 60, "100%  [#############]  1000/1000 B      500 B/s  eta 0:00"},
    /* the file has grown meanwhile */
    {1000, {3000, 2000, 0}, 60, "100%  [#############]  2000/1000 B     1000 B/s  eta 0:00"},
    /* what matters least is left out first */
    {3040870, {2200, 1258291, 0}, 39, " 41% [###>    ]   1.0 MiB/s eta 0:01"},
    {3040870, {2200, 1258291, 0}, 29, " 41% [####>     ]   1.0 MiB/s"},
    {3040870, {2200, 1258291, 0}, 20, " 41%   1.0 MiB/s"},
    {3040870, {2200, 1258291, 0}, 9, " 41%"},
    {3040870, {2200, 1258291, 0}, 3, ""},
    {0, {2200, 1258291, 0}, 20, "sent   1.2 MiB"},
    {0, {2200, 1258291, 0}, 0, ""},
    /* a rate has three digits at most, of bytes four */
    {0, {2000, 1023, 0}, 80, "sent    1023 B     1023 B/s  0:01"},
    {0, {2000, 1023900, 0}, 80, "sent 999.9 KiB  999.9 KiB/s  0:01"},
    {0, {2000, 1032192, 0}, 80, "sent   1.0 MiB    1.0 MiB/s  0:01"},
    {360000, {61000, 6000, 0}, 59, "  1% [>           ]   5.9/351.6 KiB     100 B/s eta 59:00"},
    {UINT64_C(1) << 40,
     {3601000, UINT64_C(1) << 39, 0},
     39,
     " 50% [####>   ] 145.6 MiB/s eta 1:00:00"},
    /* centuries are not told */
    {UINT64_MAX, {2000, 1, UINT64_MAX}, 39, "  0% [>       ]       1 B/s eta -:--"},
};

static void test_lines(void)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct meter meter = {.began_ms = 1000, .total = lines[i].total};
        char out[METER_LINE_MAX];
        size_t length = meter_line(&meter, &lines[i].now, lines[i].width, out);
        check(length == strlen(lines[i].line) && memcmp(out, lines[i].line, length) == 0, "a line",
              out, length);
    }
}

static void test_receiving(void)
{
    static const char line[] =
        "disk.img   10%  [##>                   ]   100/1000 B       50 B/s  eta 0:18";
    struct meter meter = {.began_ms = 1000, .total = 1000, .receives = true, .name = "a/disk.img"};
    struct meter_reading now = {3000, 0, 100};
    char out[METER_LINE_MAX];
    size_t length = meter_line(&meter, &now, 79, out);
    check(length == sizeof line - 1 && memcmp(out, line, length) == 0, "it receives", out, length);
}

/* The name is cut in its middle, and what a terminal would obey is escaped. */
static void test_name(void)
{
    static const char line[] = "\\x1b[31m-a...ng-name.iso      100 B       50 B/s  0:02";
    struct meter meter = {.began_ms = 1000,
                          .receives = true,
                          .name = "\033[31m-and-a-very-very-long-name.iso"};
    struct meter_reading now = {3000, 0, 100};
    char out[METER_LINE_MAX];
    size_t length = meter_line(&meter, &now, 79, out);
    check(length == sizeof line - 1 && memcmp(out, line, length) == 0, "a name", out, length);
}

/* The rate is that of the last METER_PAST readings: a transfer that has stalled shows it, in the unit that it had. */
static void test_rate(void)
{
    static const char moving[] = "sent   2.0 MiB    1.0 MiB/s  0:02";
    static const char slower[] = "sent   4.4 MiB    0.2 MiB/s  0:04";
    static const char stalled[] = "sent   4.4 MiB    0.0 KiB/s  0:08";
    struct meter meter = {0};
    struct meter_reading now = {0, 0, 0};
    char out[METER_LINE_MAX];
    size_t length = 0;
    for (int i = 0; i <= 20; i++, now.at_ms += METER_PERIOD_MS, now.sent += 104858)
        length = meter_line(&meter, &now, 79, out);
    check(length == sizeof moving - 1 && memcmp(out, moving, length) == 0, "it moves", out, length);
    now.sent = 4 << 20;
    for (int i = 0; i <= 20; i++, now.at_ms += METER_PERIOD_MS, now.sent += 20972)
        length = meter_line(&meter, &now, 79, out);
    check(length == sizeof slower - 1 && memcmp(out, slower, length) == 0, "it is slower", out,
          length);
    now.sent -= 20972;
    for (int i = 0; i <= 40; i++, now.at_ms += METER_PERIOD_MS)
        length = meter_line(&meter, &now, 79, out);
    check(length == sizeof stalled - 1 && memcmp(out, stalled, length) == 0, "it stalls", out,
          length);
}

/* No line is wider than the terminal, and no part of it changes its width. */
static void test_widths(void)
{
    bool fits = true, steady = true;
    for (unsigned width = 0; width < 200; width++) {
        struct meter meter = {.total = 5000000, .receives = true, .name = "file"};
        size_t first = 0;
        for (uint64_t i = 1; i <= 50; i++) {
            char out[METER_LINE_MAX];
            const struct meter_reading now = {(int64_t)i * 100, 0, i * 100000};
            size_t length = meter_line(&meter, &now, width, out);
            first = first ? first : length;
            fits = fits && length <= width;
            steady = steady && length == first;
        }
    }
    check(fits, "no line is too wide", "", 0);
    check(steady, "no line jumps", "", 0);
}

int main(void)
{
    test_lines();
    test_receiving();
    test_name();
    test_widths();
    test_rate();
    printf("1..%d\n", tests);
    return failures > 0;
}
