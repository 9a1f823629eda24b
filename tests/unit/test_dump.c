/*
 * Lines of a hex dump, as hexdump -C writes them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/dump.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    uint64_t offset;
    const char *bytes;
    size_t length;
    const char *line;
} cases[] = {
    {0, BYTES("hello\n"),
     "> 00000000  68 65 6c 6c 6f 0a                                 |hello.|\n"},
    {16, BYTES("0123456789abcdef"),
     "> 00000010  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"},
    {0xabc, BYTES("\0\x1b\x7e\x7f\x80\xff 12"),
     "> 00000abc  00 1b 7e 7f 80 ff 20 31  32                       |..~... 12|\n"},
    {0x123456789, BYTES("x"),
     "> 123456789  78                                                |x|\n"},
    {UINT64_MAX, BYTES("0123456789abcdef"),
     "> ffffffffffffffff  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  "
     "|0123456789abcdef|\n"},
};

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

static bool is(const char *line, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(line, expected, length) == 0;
}

int main(void)
{
    char line[DUMP_LINE_MAX];
    const struct timespec when = {951782399, 123456789}, start = {0, 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = dump_line(line, ">", cases[i].offset, cases[i].bytes, cases[i].length);
        check(is(line, length, cases[i].line), "a line");
    }
    size_t length = dump_head(line, "<", &when, 65536);
    check(is(line, length, "< 2000-02-28T23:59:59.123456Z 65536 bytes\n"), "a head");
    length = dump_head(line, ">", &start, 1);
    check(is(line, length, "> 1970-01-01T00:00:00.000000Z 1 byte\n"), "one byte");
    char mark[DUMP_MARK_MAX], note[DUMP_NOTE_MAX], text[2 * DUMP_NOTE_MAX];
    length = dump_line(line, dump_mark(mark, UINT64_MAX, '>'), UINT64_MAX, "0123456789abcdef", 16);
    check(length < DUMP_LINE_MAX &&
              memcmp(line, "18446744073709551615> ffffffffffffffff  30 ", 43) == 0,
          "the longest line");
    length = dump_head(line, dump_mark(mark, 3, '<'), &start, 0);
    check(is(line, length, "3< 1970-01-01T00:00:00.000000Z 0 bytes\n"), "a mark with a number");
    length = dump_note(note, dump_mark(mark, 3, ' '), &start, "from [::1]:7");
    check(is(note, length, "3  1970-01-01T00:00:00.000000Z from [::1]:7\n"), "a note");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    length = dump_note(note, ">", &start, text);
    check(length == DUMP_NOTE_MAX && note[length - 1] == '\n', "a note that is too long is cut");
    printf("1..%d\n", tests);
    return failures != 0;
}
