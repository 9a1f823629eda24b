/*
 * Range and Content-Range, good and bad.
 */
#include <stdio.h>
#include <string.h>

#include "proto/http_range.h"

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

static const struct {
    const char *value;
    struct http_range range;
} good[] = {
    {"bytes 0-99/200", {true, 0, 99, true, 200}},
    {"BYTES 5-5/6", {true, 5, 5, true, 6}},
    {"bytes 1-2/*", {true, 1, 2, false, 0}},
    {"bytes */200", {false, 0, 0, true, 200}},
    {"bytes */0", {false, 0, 0, true, 0}},
    {"bytes 0-9223372036854775806/9223372036854775807", {true, 0, INT64_MAX - 1, true, INT64_MAX}},
};

static const char *const bad[] = {
    "",
    "bytes",
    "bytes ",
    "bytes /",
    "bytes */*",
    "bytes 0-9",
    "bytes 9-8/",
    "bytes 9-8/9",
    "bytes 0-9/9",
    "bytes 0-9/10 ",
    "bytes -9/10",
    "bytes 0-/10",
    "0-9/10",
    "lines 0-9/10",
    "bytes=0-9/10",
    "bytes 0 -9/10",
    "bytes +0-9/10",
    "bytes 0-9/0x10",
    "bytes 0-9/9223372036854775808",
    "bytes 0-9/-1",
    "bytes **/10",
    "/bytes 0-9/10",
};

static void test_wishes(void)
{
    static const char *const wishes[] = {"0-0",     "5-9",   "7-", "-3",
                                         "0-0,5-9", "-3,7-", "-0", "0-9223372036854775807"};
    static const char *const others[] = {
        "",     "-",    "5",    "9-5", "x-9",  "9-x",  "-x",
        "0-9,", ",0-9", "0--9", "-5-", " 0-9", "0-9 ", "0-9223372036854775808"};
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        check(http_range_is_wish(wishes[i]), wishes[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check(!http_range_is_wish(others[i]), others[i]);
}

static void test_grants(void)
{
    static const struct {
        const char *value, *wish;
        bool grants;
    } cases[] = {
        {"bytes 0-3/100", "0-3", true},    {"bytes 0-3/*", "0-3", true},
        {"bytes 0-2/3", "0-3", true},      {"bytes 0-2/4", "0-3", false},
        {"bytes 0-2/*", "0-3", false},     {"bytes 0-4/100", "0-3", false},
        {"bytes 1-3/4", "0-3", false},     {"bytes */4", "0-3", false},
        {"bytes 2-9/10", "2-", true},      {"bytes 2-8/10", "2-", false},
        {"bytes 2-8/*", "2-", true},       {"bytes 3-9/10", "2-", false},
        {"bytes 7-9/10", "-3", true},      {"bytes 0-1/2", "-3", true},
        {"bytes 0-1/*", "-3", true},       {"bytes 6-9/10", "-3", false},
        {"bytes 1-2/3", "-3", false},      {"bytes 6-8/10", "-3", false},
        {"bytes 0-0/1", "0-0,5-9", false}, {"bytes 0-0/1", "x", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_range range;
        bool read = http_range_read(&range, cases[i].value, strlen(cases[i].value));
        check(read && http_range_grants(&range, cases[i].wish) == cases[i].grants, cases[i].value);
    }
}

int main(void)
{
    struct http_range range;
    test_wishes();
    test_grants();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bool read = http_range_read(&range, good[i].value, strlen(good[i].value));
        const struct http_range *as = &good[i].range;
        check(read && range.is_part == as->is_part && range.first == as->first &&
                  range.last == as->last && range.has_total == as->has_total &&
                  range.total == as->total,
              good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check(!http_range_read(&range, bad[i], strlen(bad[i])), bad[i]);
    printf("1..%d\n", tests);
    return failures > 0;
}
