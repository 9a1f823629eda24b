/*
 * Frames, each stream of them fed one byte at a time, two, three … and all at once: the outcome
 * has to be the same. And what is sent is received.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/frame.h"

enum { TEXT_MAX = 400, LIMIT = 20 };

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

/* Native lengths: a small one of two bytes, and the greatest. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define INT(low, high) low "\0\0" high
#define LARGEST "\xff\xff\xff\x7f"
#else
#define INT(low, high) high "\0\0" low
#define LARGEST "\x7f\xff\xff\xff"
#endif
#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *framing;
    const char *name;
    const char *bytes;
    size_t length;
    const char *outcome; /* each message in brackets; then what is wrong, or how much is left */
} streams[] = {
    {"native", "nothing", BYTES(""), ""},
    {"native", "a message", BYTES(INT("\5", "\0") "hola\0"), "[hola]"},
    {"native", "two, one of them empty", BYTES(INT("\1", "\0") "\0" INT("\2", "\0") "x\0"),
     "[][x]"},
    {"native", "a NUL inside", BYTES(INT("\4", "\0") "a\0b\0"), "[a\\x00b]"},
    {"native", "the longest", BYTES(INT("\x15", "\0") "12345678901234567890\0"),
     "[12345678901234567890]"},
    {"native", "longer", BYTES(INT("\x16", "\0") "123456789012345678901\0"),
     "malformed: a message of 21 bytes, where at most 20 are taken"},
    {"native", "the longest there can be", BYTES(LARGEST),
     "malformed: a message of 2147483646 bytes, where at most 20 are taken"},
    {"native", "length 0", BYTES(INT("\0", "\0") "hola\0"), "malformed: a length of 0"},
    {"native", "a negative length", BYTES("\xff\xff\xff\xff"), "malformed: a length of -1"},
    {"native", "no NUL", BYTES(INT("\2", "\0") "x\0" INT("\2", "\0") "xy"),
     "[x]malformed: no NUL at the end"},
    {"native", "cut in the length", BYTES(INT("\2", "\0") "x\0\2\0"), "[x]2 left"},
    {"native", "cut in the message", BYTES(INT("\5", "\0") "ho"), "6 left"},
    {"native", "cut before the NUL", BYTES(INT("\3", "\0") "ho"), "6 left"},
    {"u32be", "two messages", BYTES("\0\0\0\4hola\0\0\0\0"), "[hola][]"},
    {"u32be", "a NUL belongs to the message", BYTES("\0\0\0\2x\0"), "[x\\x00]"},
    {"u32be", "too long", BYTES("\0\0\0\x15"),
     "malformed: a message of 21 bytes, where at most 20 are taken"},
    {"u32be", "the longest there can be", BYTES("\xff\xff\xff\xff"),
     "malformed: a message of 4294967295 bytes, where at most 20 are taken"},
    {"u32be", "cut", BYTES("\0\0\0\2x"), "5 left"},
    {"line", "lines", BYTES("one\n\ntwo\r\n"), "[one][][two\\x0d]"},
    {"line", "cut", BYTES("one\ntwo"), "[one]3 left"},
    {"line", "the longest", BYTES("12345678901234567890\n"), "[12345678901234567890]"},
    {"line", "too long, and no end in sight", BYTES("123456789012345678901"),
     "malformed: a message of more than 20 bytes"},
    {"netstring", "two messages", BYTES("4:hola,0:,"), "[hola][]"},
    {"netstring", "two digits", BYTES("12:hello world!,"), "[hello world!]"},
    {"netstring", "a comma and a colon inside", BYTES("3:,:,,"), "[,:,]"},
    {"netstring", "no comma", BYTES("2:hola,"), "malformed: no comma at the end"},
    {"netstring", "a leading zero", BYTES("04:hola,"), "malformed: a length that starts with 0"},
    {"netstring", "no digits", BYTES(":,"), "malformed: no digits and a colon before the message"},
    {"netstring", "a sign", BYTES("+4:hola,"),
     "malformed: no digits and a colon before the message"},
    {"netstring", "too long", BYTES("21:"),
     "malformed: a message of 21 bytes, where at most 20 are taken"},
    {"netstring", "ten digits", BYTES("9999999999:"),
     "malformed: a message of 9999999999 bytes, where at most 20 are taken"},
    {"netstring", "digits without end", BYTES("18446744073709551620:hola,"),
     "malformed: a length of more than 10 digits"},
    {"netstring", "cut in the digits", BYTES("12"), "2 left"},
    {"netstring", "cut before the comma", BYTES("2:ab"), "4 left"},
};

static void add(char *outcome, const char *text, size_t length)
{
    size_t used = strlen(outcome);
    outcome[used + text_escape(outcome + used, TEXT_MAX - 1 - used, text, length)] = '\0';
}

static void add_text(char *outcome, const char *text)
{
    add(outcome, text, strlen(text));
}

/* After each message a reader goes on, or stops and keeps what is left, or has it fed again. */
enum stop { GO_ON, KEEP, FEED_AGAIN, STOPS };

/* Takes what is complete; false once it is malformed. What was fed ends at `end`. */
static bool take(struct frame_reader *reader, enum stop stop, const char *end, char *outcome)
{
    struct frame frame;
    enum frame_step step;
    while ((step = frame_reader_next(reader, &frame)) == FRAME_MESSAGE) {
        add_text(outcome, "[");
        add(outcome, frame.message, frame.length);
        add_text(outcome, "]");
        if (stop == KEEP)
            frame_reader_keep(reader);
        if (stop != FEED_AGAIN)
            continue;
        size_t rest = frame_reader_return(reader);
        frame_reader_feed(reader, end - rest, rest);
    }
    if (step == FRAME_MALFORMED) {
        add_text(outcome, "malformed: ");
        add_text(outcome, reader->wrong);
    }
    return step == FRAME_MORE;
}

/* Feeds `by` bytes at a time, each piece in a block of its own that is gone afterwards. */
static void read_stream(size_t row, size_t by, enum stop stop, char *outcome)
{
    struct frame_reader reader;
    bool good = true;
    *outcome = '\0';
    frame_reader_init(&reader, framing_find(streams[row].framing), LIMIT);
    for (size_t at = 0; good && at < streams[row].length; at += by) {
        size_t part = streams[row].length - at < by ? streams[row].length - at : by;
        char *piece = malloc(part);
        if (!piece)
            abort();
        memcpy(piece, streams[row].bytes + at, part);
        frame_reader_feed(&reader, piece, part);
        good = take(&reader, stop, piece + part, outcome);
        free(piece);
    }
    struct frame rest = frame_reader_rest(&reader);
    if (good && rest.length)
        snprintf(outcome + strlen(outcome), TEXT_MAX - strlen(outcome), "%zu left", rest.length);
    frame_reader_release(&reader);
}

static void check_stream(size_t row)
{
    char name[100], outcome[TEXT_MAX];
    bool good = true;
    for (size_t by = 1; by <= streams[row].length + 1; by++) {
        for (int stop = GO_ON; stop < STOPS; stop++) {
            read_stream(row, by, (enum stop)stop, outcome);
            if (strcmp(outcome, streams[row].outcome) == 0)
                continue;
            printf("# %zu at a time: %s\n", by, outcome);
            good = false;
        }
    }
    snprintf(name, sizeof name, "%s: %s", streams[row].framing, streams[row].name);
    check(good, name);
}

static void check_there_and_back(const char *framing)
{
    static const char *const messages[] = {"", "x", "hola mundo", "12:,", "1234567890123456789"};
    const struct framing *chosen = framing_find(framing);
    struct frame_reader reader;
    bool good = true;
    frame_reader_init(&reader, chosen, LIMIT);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct frame_ends ends;
        struct frame frame;
        size_t length = strlen(messages[i]);
        good &= !frame_wrap(&ends, chosen, messages[i], length);
        frame_reader_feed(&reader, ends.head, ends.head_length);
        good &= frame_reader_next(&reader, &frame) == FRAME_MORE || !length;
        frame_reader_feed(&reader, messages[i], length);
        frame_reader_keep(&reader);
        frame_reader_feed(&reader, ends.tail, ends.tail_length);
        good &= frame_reader_next(&reader, &frame) == FRAME_MESSAGE || !length;
    }
    good &= frame_reader_rest(&reader).length == 0;
    frame_reader_release(&reader);
    check(good, framing);
}

static void check_refusals(void)
{
    struct frame_ends ends;
    check(!framing_find("") && !framing_find("natives") && !framing_find("LINE"), "unknown names");
    check(frame_wrap(&ends, &framing_line, "a\nb", 3) != NULL, "a line with a newline");
    check(frame_wrap(&ends, &framing_nul, "a\0b", 3) != NULL, "a NUL in what NUL ends");
    check(!frame_wrap(&ends, &framing_native, "a\0b", 3), "a NUL in a native frame");
    check(frame_wrap(&ends, &framing_native, "", (size_t)FRAME_MESSAGE_MAX + 1) != NULL,
          "longer than an int says");
    check(!frame_wrap(&ends, &framing_native, "", FRAME_MESSAGE_MAX) && ends.head_length == 4,
          "as long as an int says");
}

/* A length is a claim: memory follows the bytes that came, by doubling. */
static void check_memory(void)
{
    struct frame_reader reader;
    struct frame frame;
    char zeros[1000] = "";
    bool good = true;
    frame_reader_init(&reader, framing_find("u32be"), FRAME_MESSAGE_MAX);
    frame_reader_feed(&reader, "\x7f\xff\xff\xfe", 4);
    for (size_t i = 1; i <= 100; i++) {
        good &= frame_reader_next(&reader, &frame) == FRAME_MORE;
        good &= reader.room <= 2 * (4 + sizeof zeros * i);
        frame_reader_feed(&reader, zeros, sizeof zeros);
    }
    frame_reader_release(&reader);
    check(good, "a hostile length takes no memory");
    frame_reader_init(&reader, &framing_line, LIMIT);
    frame_reader_feed(&reader, "1234567890", 10);
    good = frame_reader_next(&reader, &frame) == FRAME_MORE;
    frame_reader_feed(&reader, "1234\nx", 6);
    good &= frame_reader_next(&reader, &frame) == FRAME_MESSAGE && frame.length == 14;
    good &= frame_reader_next(&reader, &frame) == FRAME_MORE && reader.room == 1;
    frame_reader_feed(&reader, "\n", 1);
    good &= frame_reader_next(&reader, &frame) == FRAME_MESSAGE;
    good &= frame_reader_next(&reader, &frame) == FRAME_MORE && !reader.kept;
    frame_reader_release(&reader);
    check(good, "what a message took is given back");
}

int main(void)
{
    for (size_t row = 0; row < sizeof streams / sizeof *streams; row++)
        check_stream(row);
    check_there_and_back("native");
    check_there_and_back("u32be");
    check_there_and_back("netstring");
    check_refusals();
    check_memory();
    printf("1..%d\n", tests);
    return failures > 0;
}
