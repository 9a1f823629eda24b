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
    {0, {1000, 0, 0}, 200, "0:00, sent 0 B at 0 B/s"},
    {0, {2000, 2048, 0}, 200, "0:01, sent 2.0 KiB at 2.0 KiB/s"},
    {0, {3000, 0, 2048}, 200, "0:02, received 2.0 KiB at 1.0 KiB/s"},
    {0, {3000, 10, 2048}, 200, "0:02, sent 10 B at 5 B/s, received 2.0 KiB at 1.0 KiB/s"},
    {1000, {3000, 100, 0}, 200, "0:02, 10%, 0:18 left, sent 100 B at 50 B/s"},
    {1000, {3000, 0, 7}, 200, "0:02, 0%, sent 0 B at 0 B/s, received 7 B at 3 B/s"},
    {1000, {3000, 999, 0}, 200, "0:02, 99%, 0:00 left, sent 999 B at 499 B/s"},
    {1000, {3000, 1000, 0}, 200, "0:02, 100%, 0:00 left, sent 1000 B at 500 B/s"},
    /* the file has grown meanwhile */
    {1000, {3000, 2000, 0}, 200, "0:02, 100%, 0:00 left, sent 2.0 KiB at 1000 B/s"},
    {1000, {3000, 100, 0}, 9, "0:02, 10%"},
    {1000, {3000, 100, 0}, 0, ""},
    {360000, {61000, 6000, 0}, 200, "1:00, 1%, 59:00 left, sent 5.9 KiB at 100 B/s"},
    {UINT64_C(1) << 40,
     {3601000, UINT64_C(1) << 39, 0},
     200,
     "1:00:00, 50%, 1:00:00 left, sent 512.0 GiB at 145.6 MiB/s"},
    /* centuries are not told */
    {UINT64_MAX,
     {2000, 1, UINT64_MAX},
     200,
     "0:01, 0%, sent 1 B at 1 B/s, received 16.0 EiB at "
     "16.0 EiB/s"},
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
    static const char line[] = "0:02, 10%, 0:18 left, received 100 B at 50 B/s";
    struct meter meter = {.began_ms = 1000, .total = 1000, .receives = true};
    struct meter_reading now = {3000, 0, 100};
    char out[METER_LINE_MAX];
    size_t length = meter_line(&meter, &now, METER_LINE_MAX, out);
    check(length == sizeof line - 1 && memcmp(out, line, length) == 0, "it receives", out, length);
}

/* The rate is that of the last METER_PAST readings: a transfer that has stalled shows it. */
static void test_rate(void)
{
    static const char moving[] = "0:02, sent 2.0 MiB at 1.0 MiB/s";
    static const char stalled[] = "0:06, sent 4.0 MiB at 0 B/s";
    struct meter meter = {0};
    struct meter_reading now = {0, 0, 0};
    char out[METER_LINE_MAX];
    size_t length = 0;
    for (int i = 0; i <= 20; i++, now.at_ms += METER_PERIOD_MS, now.sent += 104858)
        length = meter_line(&meter, &now, METER_LINE_MAX, out);
    check(length == sizeof moving - 1 && memcmp(out, moving, length) == 0, "it moves", out, length);
    now.sent = 4 << 20;
    for (int i = 0; i <= 40; i++, now.at_ms += METER_PERIOD_MS)
        length = meter_line(&meter, &now, METER_LINE_MAX, out);
    check(length == sizeof stalled - 1 && memcmp(out, stalled, length) == 0, "it stalls", out,
          length);
}

int main(void)
{
    test_lines();
    test_receiving();
    test_rate();
    printf("1..%d\n", tests);
    return failures > 0;
}
