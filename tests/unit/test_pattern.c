/*
 * Expressions over bytes: what their escapes mean, and where they match among NULs.
 */
#include <stdio.h>
#include <string.h>

#include "base/pattern.h"

static int tests, failures;

static void check(bool fits, const char *what)
{
    failures += !fits;
    printf("%s %d - %s\n", fits ? "ok" : "not ok", ++tests, what);
}

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *text;
    const char *bytes;
    size_t length;
    ptrdiff_t end; /* of the match; -1: none */
} cases[] = {
    {"b", BYTES("abc"), 2},
    {"", BYTES("abc"), 0},
    {"", BYTES(""), 0},
    {"^b", BYTES("abc"), -1},
    {"c$", BYTES("abc"), 3},
    {"a|b", BYTES("xb"), 2},
    {"a+", BYTES("xaay"), 3},
    {"\\+OK", BYTES("+OK"), 3},
    {"a\\.b", BYTES("axb"), -1},
    {"\\(\\)", BYTES("()"), 2},
    {"\\r\\n", BYTES("a\r\n"), 3},
    {"[\\r\\n]+x", BYTES("a\r\n\nx"), 5},
    {"\\t\\f\\v\\a\\e", BYTES("\t\f\v\a\033"), 5},
    {"\\x41", BYTES("A"), 1},
    {"\\x4", BYTES("\004"), 1},
    {"\\x410", BYTES("A0"), 2},
    {"\\0101", BYTES("\0101"), 2},
    {"\\xff\\xfe", BYTES("\xff\xfe"), 2},
    /* A byte that is written as an escape stands for itself. */
    {"\\x2e", BYTES("x"), -1},
    {"\\x2e", BYTES("."), 1},
    {"a\\x2a", BYTES("aaa*"), 4},
    {"\\x5b", BYTES("["), 1},
    {"\\x5c", BYTES("\\"), 1},
    {"[\\x2e]", BYTES("\\"), -1},
    {"[\\x2e]", BYTES("."), 1},
    {"[\\x41-\\x43]+", BYTES("xABCD"), 4},
    {"[^\\n]+\\n", BYTES("abc\n"), 4},
    /* Brackets end where they end. */
    {"[]\\x41]+", BYTES("]A]"), 3},
    {"[^]\\x41]+", BYTES("]A]b"), 4},
    {"[[:digit:]\\x2e]+", BYTES("v1.2"), 4},
    {"[[:alpha:]]\\x2e", BYTES("ab"), -1},
    {"[a\\]\\x2e", BYTES("a."), 2},
    {"[a\\]\\x2e", BYTES("ax"), -1},
    /* NUL: on neither side of it does the expression see the other. */
    {"b", BYTES("a\0b"), 3},
    {"ab", BYTES("a\0b"), -1},
    {"^b", BYTES("a\0b"), -1},
    {"^a", BYTES("a\0b"), 1},
    {"c", BYTES("\0\0c\0"), 3},
    {"a.b", BYTES("a\0b\0a-b"), 7},
    /* Lines. */
    {"^b", BYTES("a\nb"), 3},
    {"^b", BYTES("a\r\nb"), 4},
    {"a$", BYTES("a\nb"), 1},
    {"a\\r$", BYTES("a\r\nb"), 2},
    {"a.*b", BYTES("a\nb a-b"), 7},
    {"a[^x]b", BYTES("a\nb"), -1},
    {"a\\nb", BYTES("a\nb"), 3},
    {"^b", BYTES("a\0b\nb"), 5},
};

static void find(size_t which)
{
    char why[PATTERN_WHY_MAX], bytes[64], what[128];
    struct pattern pattern;
    size_t length = cases[which].length;
    struct pattern_place place = {0}, later = {0};
    snprintf(what, sizeof what, "%s in case %zu", cases[which].text, which);
    if (!pattern_compile(&pattern, cases[which].text, why)) {
        check(false, why);
        return;
    }
    memcpy(bytes, cases[which].bytes, length);
    check(pattern_find(&pattern, bytes, length, &place) == cases[which].end, what);
    /* The same when it comes byte by byte, of what needs no look ahead. */
    ptrdiff_t end = -1;
    for (size_t i = 0; i <= length && end < 0; i++) {
        memcpy(bytes, cases[which].bytes, length);
        end = pattern_find(&pattern, bytes, i, &later);
    }
    check((end >= 0) == (cases[which].end >= 0), "… and in pieces");
    pattern_release(&pattern);
}

/* Bytes that do not begin a line. */
static void find_in_line(void)
{
    char why[PATTERN_WHY_MAX], bytes[] = "b\nb";
    struct pattern pattern;
    struct pattern_place place = {.in_line = true};
    check(pattern_compile(&pattern, "^b", why), "^b");
    check(pattern_find(&pattern, bytes, 1, &place) == -1, "^b within a line");
    bytes[1] = '\n';
    check(pattern_find(&pattern, bytes, 3, &place) == 3, "^b in the next line");
    pattern_release(&pattern);
}

static const char *const bad[] = {"a(",  "[",      "*(",       "a{2,1}",   "a\\0b",     "\\x00",
                                  "\\x", "\\xg",   "[a\\x5d]", "[\\x5ea]", "[a\\x2db]", "[\\0]",
                                  "[",   "[[:x]]", "[b-a]",    "[a\\"};

int main(void)
{
    char why[PATTERN_WHY_MAX];
    struct pattern pattern;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        find(i);
    find_in_line();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool compiles = pattern_compile(&pattern, bad[i], why);
        check(!compiles && *why, bad[i]);
        if (compiles)
            pattern_release(&pattern);
    }
    printf("1..%d\n", tests);
    return failures > 0;
}
