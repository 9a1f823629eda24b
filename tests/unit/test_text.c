#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/json.h"

static int tests, failures;

static void check(bool good, const char *what, const char *text)
{
    failures += !good;
    printf("%s %d - %s: %s\n", good ? "ok" : "not ok", ++tests, what, text);
}

/* Escaping for a terminal */

static void test_escape(void)
{
    static const struct {
        const char *bytes;
        size_t length, room;
        const char *expected;
    } cases[] = {
        {"", 0, 10, ""},
        {"plain ~!", 8, 10, "plain ~!"},
        {"a\nb", 3, 10, "a\\x0ab"},
        {"\x1b[31m", 5, 20, "\\x1b[31m"},
        {"\0\x7f\x80\xff", 4, 20, "\\x00\\x7f\\x80\\xff"},
        {"\\x41", 4, 10, "\\x41"},
        {"abcdef", 6, 3, "abc"},
        {"ab\n", 3, 5, "ab"}, /* an escape is never cut */
        {"ab\n", 3, 6, "ab\\x0a"},
        {"\n", 1, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[32];
        size_t length = text_escape(out, cases[i].room, cases[i].bytes, cases[i].length);
        check(length == strlen(cases[i].expected) && !memcmp(out, cases[i].expected, length),
              "escaped", cases[i].expected);
    }
}

/* C escapes */

static const struct {
    const char *text;
    const char *bytes;
    size_t length;
} escapes[] = {
    {"", "", 0},
    {"plain", "plain", 5},
    {"a\\nb", "a\nb", 3},
    {"\\n\\r\\t\\a\\b\\e\\f\\v", "\n\r\t\a\b\033\f\v", 8},
    {"\\\\ \\\" \\'", "\\ \" '", 5},
    {"\\0", "\0", 1},
    {"\\0a", "\0a", 2},
    {"\\101\\7\\377", "A\7\377", 3},
    {"\\1018", "A8", 2},
    {"\\x41\\xA\\xfFF", "A\n\377F", 4},
    {"\\x4g", "\4g", 2},
    {"caf\xc3\xa9", "caf\xc3\xa9", 5},
};

static const char *const not_escapes[] = {"\\",    "a\\",   "\\q", "\\x",      "\\xg",   "\\8",
                                          "\\400", "\\777", "\\N", "ok\\n\\z", "\\u0041"};

static void test_unescape(void)
{
    char text[64];
    size_t length;
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        snprintf(text, sizeof text, "%s", escapes[i].text);
        bool good = !text_unescape(text, &length) && length == escapes[i].length &&
                    memcmp(text, escapes[i].bytes, length) == 0;
        check(good, "escapes are decoded", escapes[i].text);
    }
    for (size_t i = 0; i < sizeof not_escapes / sizeof *not_escapes; i++) {
        snprintf(text, sizeof text, "%s", not_escapes[i]);
        check(text_unescape(text, &length) != NULL, "not an escape", not_escapes[i]);
    }
}

/* Words */

static void test_hex_digit(void)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    for (int byte = 0; byte < 256; byte++) {
        const char *at = byte ? strchr(digits, byte) : NULL;
        char text[] = {(char)byte, '\0'};
        check(text_hex_digit((char)byte) == (at ? (int)(at - digits) % 16 : -1), "digit", text);
    }
}

static void test_distance(void)
{
    static const struct {
        const char *one, *other;
        size_t distance;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"listen", "listen", 0},
        {"lisen", "listen", 1},
        {"listten", "listen", 1},
        {"listan", "listen", 1},
        {"lisetn", "listen", 1}, /* neighbours swapped */
        {"kitten", "sitting", 3},
        {"abc", "xyz", 3},
    };
    char longest[65];
    memset(longest, 'a', 64);
    longest[64] = '\0';
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t there = text_distance(cases[i].one, cases[i].other);
        size_t back = text_distance(cases[i].other, cases[i].one);
        check(there == cases[i].distance && back == there, "the distance to", cases[i].one);
    }
    check(text_distance(longest, "a") == SIZE_MAX, "too long to compare", longest);
    check(text_distance(longest + 1, "a") == 62, "just short enough", longest + 1);
}

static void test_looks(void)
{
    check(text_starts_with("listen", "li"), "begins with", "li");
    check(text_starts_with("listen", ""), "begins with", "nothing");
    check(!text_starts_with("li", "listen"), "does not begin with", "listen");
    check(text_is_digits("0123456789", 10), "digits", "0123456789");
    check(text_is_digits("12x", 2), "digits", "as far as asked");
    check(!text_is_digits("", 0), "no digits", "nothing");
    check(!text_is_digits("1 ", 2) && !text_is_digits("-1", 2), "no digits", "space, sign");
}

/* JSON strings */

static const struct {
    const char *bytes;
    size_t length;
    const char *json;
} strings[] = {
    {"", 0, "\"\""},
    {"a \"b\" \\ /", 9, "\"a \\\"b\\\" \\\\ /\""},
    {"\0\n\x1f\x7f", 4, "\"\\u0000\\u000a\\u001f\\u007f\""},
    {"caf\xc3\xa9", 5, "\"caf\xc3\xa9\""},
    {"\xe2\x82\xac\xf0\x9f\x98\x80", 7, "\"\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"\xc2\x9b", 2, "\"\\u009b\""},                   /* a C1 control */
    {"\xff\x80", 2, "\"\\\\xff\\\\x80\""},            /* no UTF-8 */
    {"\xc3", 1, "\"\\\\xc3\""},                       /* cut */
    {"\xc3\x28", 2, "\"\\\\xc3(\""},                  /* another byte in place of the second */
    {"\xc0\xaf", 2, "\"\\\\xc0\\\\xaf\""},            /* longer than need be */
    {"\xe0\x80\x80", 3, "\"\\\\xe0\\\\x80\\\\x80\""}, /* the same */
    {"\xed\xa0\x80", 3, "\"\\\\xed\\\\xa0\\\\x80\""}, /* a surrogate */
    {"\xf4\x90\x80\x80", 4, "\"\\\\xf4\\\\x90\\\\x80\\\\x80\""}, /* beyond U+10FFFF */
    {"\xf0\x9f\x98", 3, "\"\\\\xf0\\\\x9f\\\\x98\""},
};

static void test_json(void)
{
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        char *out = NULL;
        size_t length = 0;
        FILE *stream = open_memstream(&out, &length);
        if (!stream)
            abort();
        json_string(stream, strings[i].bytes, strings[i].length);
        fclose(stream);
        check(strcmp(out, strings[i].json) == 0, "as JSON", strings[i].json);
        free(out);
    }
}

static void test_put_number(void)
{
    const unsigned numbers[] = {0, 7, 10, 255, 65535, 4294967295};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char right[16], out[16] = "###############";
        int length = snprintf(right, sizeof right, "%u", numbers[i]);
        const char *end = text_put_number(out, numbers[i]);
        check(strcmp(out, right) == 0 && end == out + length, "a number", right);
    }
}

int main(void)
{
    test_escape();
    test_unescape();
    test_hex_digit();
    test_distance();
    test_looks();
    test_json();
    test_put_number();
    printf("1..%d\n", tests);
    return failures > 0;
}
