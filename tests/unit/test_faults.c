/*
 * Faults on purpose, and the classic services' words.
 */
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "cmd/echo/echo.h"
#include "cmd/echo/faults.h"

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

static void test_random(void)
{
    /* The first numbers of splitmix64 from 1234567, as its authors publish them. */
    uint64_t state = 1234567;
    check(random_next(&state) == UINT64_C(6457827717110365317), "the first number");
    check(random_next(&state) == UINT64_C(3203168211198807973), "the second");
}

static void test_shares(void)
{
    struct faults faults = {.drop = 250000, .jitter_ms = 9, .delay_ms = 1, .seed = 3};
    int dropped = 0, other = 0, early = 0;
    for (uint64_t piece = 0; piece < 100000; piece++) {
        struct fault fault = faults_decide(&faults, 1, piece);
        dropped += fault.drop;
        other += fault.duplicate || fault.corrupt;
        early += fault.late_ms < 1 || fault.late_ms > 10;
    }
    check(dropped > 24000 && dropped < 26000, "a quarter is a quarter");
    check(other == 0 && early == 0, "nothing else, in time");
    faults.drop = FAULTS_WHOLE;
    check(faults_decide(&faults, 1, 2).drop, "all are all");
}

static void test_runs(void)
{
    struct faults one = {.drop = 500000, .seed = 3};
    struct faults also_late = {.drop = 500000, .corrupt = 500000, .jitter_ms = 100, .seed = 3};
    struct faults other = {.drop = 500000, .seed = 4};
    int same = 0, clients = 0, seeds = 0;
    for (uint64_t piece = 0; piece < 1000; piece++) {
        bool drop = faults_decide(&one, 1, piece).drop;
        same += drop == faults_decide(&also_late, 1, piece).drop;
        clients += drop == faults_decide(&one, 2, piece).drop;
        seeds += drop == faults_decide(&other, 1, piece).drop;
    }
    check(same == 1000, "one option does not change what another does");
    check(clients > 400 && clients < 600, "each client has its own");
    check(seeds > 400 && seeds < 600, "each seed has its own");
}

static void test_corruption(void)
{
    struct faults faults = {.corrupt = FAULTS_WHOLE};
    char bytes[5] = {0};
    bool one_bit = true;
    for (uint64_t piece = 0; piece < 1000; piece++) {
        struct fault fault = faults_decide(&faults, 1, piece);
        memset(bytes, 0, sizeof bytes);
        fault_corrupt(&fault, bytes, sizeof bytes);
        int bits = 0;
        for (size_t i = 0; i < sizeof bytes; i++)
            bits += __builtin_popcount((unsigned char)bytes[i]);
        one_bit = one_bit && bits == 1;
        fault_corrupt(&fault, bytes, 0);
    }
    check(one_bit, "a bit, and nothing of nothing");
}

static void test_classic(void)
{
    char pattern[CHARGEN_PATTERN];
    chargen_fill(pattern, sizeof pattern);
    check(memcmp(pattern, " !\"#", 4) == 0 && memcmp(pattern + 72, "\r\n!\"", 4) == 0, "chargen");
    check(pattern[sizeof pattern - 3] == '~' - 24 && pattern[sizeof pattern - CHARGEN_LINE] == '~',
          "its last line");
    char line[DAYTIME_MAX];
    check(daytime_write(line, 0) == 41 &&
              strcmp(line, "Thursday, January 01, 1970 00:00:00-UTC\r\n") == 0,
          "daytime");
}

int main(void)
{
    test_random();
    test_shares();
    test_runs();
    test_corruption();
    test_classic();
    printf("1..%d\n", tests);
    return failures != 0;
}
