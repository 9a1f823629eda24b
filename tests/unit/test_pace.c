/*
 * A pace, with a clock of the test's own.
 */
#include <stdbool.h>
#include <stdio.h>

#include "stream/pace.h"

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

/* How many of `length` bytes go in ten seconds to one who waits as told, and `late_ms` longer. */
static uint64_t run(uint64_t rate, size_t length, int64_t late_ms, int *wakes)
{
    struct pace pace = {.rate = rate};
    uint64_t gone = 0;
    *wakes = 0;
    for (int64_t now_ms = 5000; now_ms < 15000; now_ms += pace.wait_ms + late_ms) {
        size_t allowed;
        ++*wakes;
        while ((allowed = pace_allow(&pace, now_ms, NULL, length)) > 0) {
            pace_spend(&pace, now_ms, NULL, allowed);
            gone += allowed;
        }
    }
    return gone;
}

static void check_rates(void)
{
    static const uint64_t rates[] = {1, 7, 100, 1000, 12345, 1 << 20, (uint64_t)1 << 33};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        int wakes;
        uint64_t most = rates[i] * 10;
        for (int64_t late_ms = 0; late_ms <= 70; late_ms += 35) {
            uint64_t gone = run(rates[i], 65536, late_ms, &wakes);
            check(gone <= most && gone + 1 >= most - most / 50, "within two per cent, never more");
            check(wakes <= 502, "at most fifty times a second");
        }
    }
}

static void check_burst(void)
{
    struct pace pace = {.rate = 1000};
    check(pace_allow(&pace, 1000, NULL, 9999) == 0 && pace.wait_ms == PACE_PART_MS,
          "it starts with nothing");
    check(pace_allow(&pace, 1020, NULL, 9999) == 20, "a part");
    check(pace_allow(&pace, 99999999, NULL, 9999) == 101, "after a pause, a tenth of a second's");
    pace_spend(&pace, 99999999, NULL, 300);
    check(pace_allow(&pace, 99999999, NULL, 1) == 0 && pace.wait_ms == 219, "a debt is waited for");
    pace.rate = UINT64_MAX;
    check(pace_allow(&pace, INT64_MAX, NULL, 1) == 1, "no overflow");
}

static void check_lines(void)
{
    struct pace pace = {.line_ms = 500};
    check(pace_allow(&pace, 1000, "ab\ncd\n", 6) == 3, "the first line at once");
    pace_spend(&pace, 1000, "ab", 2);
    check(pace_allow(&pace, 1000, "\ncd\n", 4) == 1, "the rest of it at once");
    pace_spend(&pace, 1010, "\n", 1);
    check(pace_allow(&pace, 1020, "cd\n", 3) == 0 && pace.wait_ms == 490, "a pause");
    check(pace_allow(&pace, 1510, "cd", 2) == 2, "the next line");
    pace_spend(&pace, 1510, "cd", 2);
    check(pace_allow(&pace, 1510, "e", 1) == 1, "no pause inside a line");
}

int main(void)
{
    check_rates();
    check_burst();
    check_lines();
    printf("1..%d\n", tests);
    return failures != 0;
}
