#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"

static int tests, failures;

static void check(bool good, const char *what, const char *text)
{
    char shown[100];
    size_t length = text_escape(shown, sizeof shown, text, strlen(text));
    failures += !good;
    printf("%s %d - %s: %.*s\n", good ? "ok" : "not ok", ++tests, what, (int)length, shown);
}

/* Durations */

static const struct {
    const char *text;
    int64_t ms;
} durations[] = {
    {"0", 0},
    {"5", 5000},
    {"0.5", 500},
    {".5", 500},
    {".25s", 250},
    {"0.0", 0},
    {"250ms", 250},
    {"2s", 2000},
    {"1m", 60000},
    {"1h", 3600000},
    {"1.5h", 5400000},
    {"0.25m", 15000},
    {"007", 7000},
    {"0.0001", 1},    /* rounded up */
    {"0.000001", 1},  /* a microsecond */
    {"0.0000001", 0}, /* less than that does not count */
    {"0.1ms", 1},
    {"1.999999999999999999999999", 2000},
    {"0.333", 333},
    {"0.3333", 334},
    {"315360000", INT64_C(315360000000)},
    {"315360000000ms", INT64_C(315360000000)},
    {"87600h", INT64_C(315360000000)},
};

static const char *const not_durations[] = {
    "",
    " ",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1 s",
    "s",
    "ms",
    ".",
    ".s",
    "5.",
    "5.s",
    "1..2",
    "1.2.3",
    "1e3",
    "1e9999",
    "0x10",
    "inf",
    "nan",
    "1d",
    "1M",
    "1S",
    "1sec",
    "1,5",
    "5\n",
    "5s\x01",
    "87601h",
    "315360001",
    "18446744073709551616",
    "99999999999999999999999999999999999999999999h",
    "\xd9\xa1",
};

static void test_durations(void)
{
    int64_t ms;
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
        check(!units_duration(durations[i].text, &ms) && ms == durations[i].ms, "a duration",
              durations[i].text);
    for (size_t i = 0; i < sizeof not_durations / sizeof *not_durations; i++)
        check(units_duration(not_durations[i], &ms) != NULL, "not a duration", not_durations[i]);
}

/* Sizes */

static const struct {
    const char *text;
    uint64_t bytes;
} sizes[] = {
    {"0", 0},
    {"4096", 4096},
    {"64k", 65536},
    {"64K", 65536},
    {"64KiB", 65536},
    {"64kiB", 65536},
    {"1MiB", UINT64_C(1) << 20},
    {"2GiB", UINT64_C(2) << 30},
    {"1M", UINT64_C(1) << 20},
    {"2G", UINT64_C(2) << 30},
    {"1T", UINT64_C(1) << 40},
    {"8388607T", UINT64_C(8388607) << 40},
    {"0012", 12},
    {"9223372036854775807", INT64_MAX},
};

static const char *const not_sizes[] = {
    "",
    " ",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1 k",
    "k",
    "1kB",
    "1KiBs",
    "1Ki",
    "1KIB",
    "1iB",
    "1kk",
    "1b",
    "1.5M",
    "0x1",
    "1e3",
    "1P",
    "1\n",
    "8388608T",
    "99999999999999999999G",
    "9223372036854775808",
    "18446744073709551616",
};

static void test_sizes(void)
{
    uint64_t bytes;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check(!units_size(sizes[i].text, &bytes) && bytes == sizes[i].bytes, "a size",
              sizes[i].text);
    for (size_t i = 0; i < sizeof not_sizes / sizeof *not_sizes; i++)
        check(units_size(not_sizes[i], &bytes) != NULL, "not a size", not_sizes[i]);
}

static void test_shown_sizes(void)
{
    static const struct {
        uint64_t bytes;
        const char *shown;
    } shown[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {3482, "3.4 KiB"},
        {UINT64_C(1023948), "999.9 KiB"},
        {UINT64_C(1023949), "1.0 MiB"}, /* never 1000.0 KiB */
        {UINT64_C(5872025), "5.6 MiB"},
        {UINT64_C(1) << 40, "1.0 TiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char out[16];
        check(strcmp(units_show_size(out, sizeof out, shown[i].bytes), shown[i].shown) == 0,
              "a size is shown", shown[i].shown);
    }
}

static void test_times(void)
{
    static const struct {
        int64_t ms;
        const char *shown;
    } shown[] = {
        {0, "under 1 ms"},    {1, "1 ms"},          {999, "999 ms"},  {1000, "1.0 s"},
        {59949, "59.9 s"},    {59950, "1:00"},      {125000, "2:05"}, {3599499, "59:59"},
        {3599500, "1:00:00"}, {3723000, "1:02:03"},
    };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char out[UNITS_DURATION_MAX];
        check(strcmp(units_show_time(out, shown[i].ms), shown[i].shown) == 0, "a time is shown",
              shown[i].shown);
    }
}

static void test_rates(void)
{
    check(units_rate(0, 0) == 0, "a rate", "nothing in no time");
    check(units_rate(5, 0) == 5000, "a rate", "something in no time");
    check(units_rate(3000, 2000) == 1500, "a rate", "3000 in 2 s");
    check(units_rate(UINT64_MAX, 1) == UINT64_MAX, "a rate", "too much");
}

/* Numbers */

static const struct {
    const char *text;
    int64_t least, most;
    const char *wrong; /* NULL: nothing */
    int64_t value;
} numbers[] = {
    {"0", 0, 10, NULL, 0},
    {"10", 0, 10, NULL, 10},
    {"010", 0, 10, NULL, 10},
    {"9223372036854775807", 0, INT64_MAX, NULL, INT64_MAX},
    {"0", 1, 10, "is too small", 0},
    {"11", 0, 10, "is too large", 0},
    {"9223372036854775808", 0, INT64_MAX, "is not a whole number", 0},
    {"", 0, 10, "is not a whole number", 0},
    {"-1", -5, 10, "is not a whole number", 0},
    {"+1", 0, 10, "is not a whole number", 0},
    {" 1", 0, 10, "is not a whole number", 0},
    {"1 ", 0, 10, "is not a whole number", 0},
    {"0x1", 0, 10, "is not a whole number", 0},
    {"1.0", 0, 10, "is not a whole number", 0},
};

static void test_numbers(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t value = -7;
        const char *wrong = units_number(numbers[i].text, numbers[i].least, numbers[i].most,
                                         &value);
        if (numbers[i].wrong)
            check(wrong && strcmp(wrong, numbers[i].wrong) == 0 && value == -7, "not a number",
                  numbers[i].text);
        else
            check(!wrong && value == numbers[i].value, "a number", numbers[i].text);
    }
}

/* Shares */

static const struct {
    const char *text;
    int64_t share; /* -1: none */
} percents[] = {{"0", 0},
                {"100", 1000000},
                {"50", 500000},
                {"0.5", 5000},
                {"12.3456", 123456},
                {"0.00019", 1},
                {"100.0", 1000000},
                {"007", 70000},
                {"100.1", -1},
                {"101", -1},
                {"-1", -1},
                {"", -1},
                {"5%", 50000},
                {"0.5%", 5000},
                {"101%", -1},
                {"5%%", -1},
                {"%", -1},
                {".5", -1},
                {"5.", -1},
                {"1e1", -1},
                {" 5", -1},
                {"18446744073709551617", -1}};

static void test_percents(void)
{
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        uint32_t share = 7;
        const char *wrong = units_percent(percents[i].text, &share);
        if (percents[i].share < 0)
            check(wrong && share == 7, "not a percentage", percents[i].text);
        else
            check(!wrong && share == percents[i].share, "a percentage", percents[i].text);
    }
}

/* Shown durations */

static const struct {
    int64_t ms;
    const char *text;
} shown_durations[] = {
    {0, "0 seconds"},      {1, "0.001 seconds"},    {50, "0.05 seconds"},
    {250, "0.25 seconds"}, {1000, "1 second"},      {1001, "1.001 seconds"},
    {1500, "1.5 seconds"}, {2000, "2 seconds"},     {59000, "59 seconds"},
    {60000, "1 minute"},   {60500, "60.5 seconds"}, {90000, "90 seconds"},
    {120000, "2 minutes"}, {3600000, "1 hour"},     {5400000, "90 minutes"},
    {86400000, "1 day"},   {172800000, "2 days"},   {INT64_MAX, "9223372036854775.807 seconds"},
};

static void test_shown_durations(void)
{
    char text[UNITS_DURATION_MAX];
    for (size_t i = 0; i < sizeof shown_durations / sizeof *shown_durations; i++)
        check(strcmp(units_show_duration(text, shown_durations[i].ms), shown_durations[i].text) ==
                  0,
              "shown as", shown_durations[i].text);
}

int main(void)
{
    test_shown_durations();
    test_durations();
    test_sizes();
    test_shown_sizes();
    test_times();
    test_rates();
    test_numbers();
    test_percents();
    printf("1..%d\n", tests);
    return failures > 0;
}
