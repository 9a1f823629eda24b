/*
 * Datagrams that repeat themselves, with a clock of the test's own.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/echo/loop_guard.h"

static int tests, failures;
static struct loop_guard_entry slots[LOOP_GUARD_SLOTS];

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

static struct loop_guard fresh(void)
{
    memset(slots, 0, sizeof slots);
    return (struct loop_guard){.slots = slots};
}

/* Two servers with this rule, `seeds` forged datagrams and `rtt_ms` there and back: how many answers
 * until silence, at most `most`. */
static long loop(int seeds, int64_t rtt_ms, long most)
{
    struct loop_guard repeats = fresh();
    long answers = 0;
    int alive = seeds;
    for (int64_t now_ms = 1; alive && answers < most; now_ms += rtt_ms) {
        int next = 0;
        for (int i = 0; i < alive; i++)
            next += loop_guard_allow(&repeats, 42, now_ms) &&
                    loop_guard_allow(&repeats, 43, now_ms);
        answers += 2L * next;
        alive = next;
    }
    return answers;
}

static void test_loops(void)
{
    check(loop(1, 1, 1000) <= 2L * LOOP_GUARD_MAX, "a loop of one ends before the 100th answer");
    check(loop(1, 900, 1000) <= 2L * LOOP_GUARD_MAX, "a slow one too");
    check(loop(10, 1, 10000) <= 2L * LOOP_GUARD_MAX, "a loop of ten");
    check(loop(300, 1, 1000000) < 10000, "as many as two sockets hold");
    check(loop(10, 300, 100000) < 2000, "ten on a slow way");
}

/* Answers that a client gets which sends the same `count` times, `pause_us` apart, and after each
 * that is lost waits `patience_ms`. */
static long client(long count, int64_t pause_us, int64_t patience_ms)
{
    struct loop_guard repeats = fresh();
    long answers = 0;
    int64_t now_us = 1000000;
    for (long i = 0; i < count; i++, now_us += pause_us) {
        bool answered = loop_guard_allow(&repeats, 42, now_us / 1000);
        answers += answered;
        now_us += answered ? 0 : patience_ms * 1000;
    }
    return answers;
}

static void test_clients(void)
{
    check(client(1000, 1001000, 0) == 1000, "one a second is never cut");
    check(client(LOOP_GUARD_MAX, 50, 0) == LOOP_GUARD_MAX, "a few at once are not");
    check(client(10000, 50, 1000) >= 9992, "one that waits for each answer loses few");
    check(client(2000000, 5, 0) > 1990000, "200,000 a second lose less than one in 200");
}

static void test_kinds(void)
{
    struct loop_guard repeats = fresh();
    bool all = true;
    for (int i = 0; i < 100000; i++) {
        uint64_t hash = loop_guard_hash(7, &i, sizeof i);
        all = all && loop_guard_allow(&repeats, hash, 1);
    }
    check(all, "what differs is not a repetition");
    check(loop_guard_hash(1, "abc", 3) != loop_guard_hash(2, "abc", 3), "the key counts");
    check(loop_guard_hash(1, "abc", 3) != loop_guard_hash(1, "abc\0", 4), "the length counts");
    check(loop_guard_hash(1, "12345678", 8) != loop_guard_hash(1, "12345679", 8),
          "each byte counts");
    check(loop_guard_hash(1, "", 0) == loop_guard_hash(1, "x", 0), "nothing is nothing");
}

int main(void)
{
    test_loops();
    test_clients();
    test_kinds();
    printf("1..%d\n", tests);
    return failures != 0;
}
