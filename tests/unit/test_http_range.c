/*
 * Content-Range, good and bad.
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

int main(void)
{
    struct http_range range;
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
