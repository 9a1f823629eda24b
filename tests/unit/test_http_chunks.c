/*
 * Chunked bodies, each given so many bytes at a time, from one to all: the outcome has to be the
 * same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http_message.h"

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

struct gathered {
    char data[64];
    size_t length;
    size_t used; /* bytes of the body: framing and data */
};

static void gather(struct gathered *gathered, const char *bytes, size_t length)
{
    gathered->used += length;
    if (length > sizeof gathered->data - gathered->length)
        length = sizeof gathered->data - gathered->length;
    memcpy(gathered->data + gathered->length, bytes, length);
    gathered->length += length;
}

/* Decodes, with at most `by` bytes seen at a time. */
static void read_chunks(const char *bytes, size_t length, size_t by, char out[200])
{
    struct http_chunks chunks = {0};
    struct gathered body = {.used = 0};
    enum http_step step = HTTP_MORE;
    uint64_t left = 0;
    while (body.used < length && (step == HTTP_MORE || step == HTTP_DATA)) {
        size_t part = length - body.used < by ? length - body.used : by, used;
        if (left) {
            part = left < part ? (size_t)left : part;
            gather(&body, bytes + body.used, part);
            left -= part;
            continue;
        }
        step = http_chunks_read(&chunks, bytes + body.used, part, &used);
        body.used += used;
        left = step == HTTP_DATA ? chunks.size : 0;
    }
    if (step == HTTP_MALFORMED)
        snprintf(out, 200, "%.*s malformed: %s", (int)body.length, body.data, chunks.wrong);
    else if (step == HTTP_DONE)
        snprintf(out, 200, "%.*s done /%zu", (int)body.length, body.data, body.used);
    else
        snprintf(out, 200, "%.*s more, %" PRIu64 " left", (int)body.length, body.data, left);
}

static bool chunks_are(const char *bytes, size_t length, const char *expected)
{
    char *exact = malloc(length ? length : 1), out[200];
    if (!exact)
        abort();
    memcpy(exact, bytes, length);
    bool fits = true;
    for (size_t by = 1; by <= length + 1 && fits; by = length > 1000 ? by * 7 : by + 1) {
        read_chunks(exact, length, by, out);
        fits = strcmp(out, expected) == 0;
        if (!fits)
            printf("# %zu at a time: %s\n", by, out);
    }
    free(exact);
    return fits;
}

#define BAD_SIZE " malformed: a bad chunk size"

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    const char *outcome;
} bodies[] = {
#define BODY(name, bytes, outcome)                                                                 \
    {                                                                                              \
        name, bytes, sizeof bytes - 1, outcome                                                     \
    }
    BODY("an empty body", "0\r\n\r\n", " done /5"),
    BODY("one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello done /15"),
    BODY("two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world done /26"),
    BODY("LF alone", "5\nhello\n0\n\n", "hello done /11"),
    BODY("hexadecimal", "0a\r\n0123456789\r\n0B\r\n01234567890\r\n000\r\n\r\n",
         "012345678901234567890 done /40"),
    BODY("15 digits", "000000000000005\r\nhello\r\n000000000000000\r\n\r\n", "hello done /43"),
    BODY("line ends in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n done /14"),
    BODY("what follows is left alone", "0\r\n\r\nmore", " done /5"),
    BODY("an extension", "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", "hello done /27"),
    BODY("blanks behind a size", "5 \t\r\nhello\r\n0 \n\n", "hello done /16"),
    BODY("blanks before an extension", "5 \t; a = \"b\"\r\nhello\r\n0 ;x\r\n\r\n",
         "hello done /29"),
    BODY("a trailer", "0\r\nA: b\r\nC: d\r\n\r\n", " done /17"),
    BODY("a trailer, LF alone", "0\nA: b\n\n", " done /8"),

    BODY("cut before it starts", "", " more, 0 left"),
    BODY("cut in a size", "5", " more, 0 left"),
    BODY("cut in the data", "5\r\nhel", "hel more, 2 left"),
    BODY("cut after the data", "5\r\nhello", "hello more, 0 left"),
    BODY("cut before the last chunk", "5\r\nhello\r\n", "hello more, 0 left"),
    BODY("cut in the trailer", "0\r\nA: b\r\n", " more, 0 left"),
    BODY("cut before the last LF", "0\r\n\r", " more, 0 left"),
    BODY("a huge chunk", "fffffffffffffff\r\nx", "x more, 1152921504606846974 left"),

    BODY("no size", "\r\n", BAD_SIZE),
    BODY("no size, an extension", ";a\r\n", BAD_SIZE),
    BODY("not hexadecimal", "g\r\n", BAD_SIZE),
    BODY("0x", "0x5\r\nhello\r\n", BAD_SIZE),
    BODY("a sign", "-5\r\n", BAD_SIZE),
    BODY("a plus", "+5\r\n", BAD_SIZE),
    BODY("a space first", " 5\r\nhello\r\n", BAD_SIZE),
    BODY("a digit behind a space", "5 5\r\nhello\r\n", BAD_SIZE),
    BODY("a CR alone behind a space", "5 \rhello",
         " malformed: a CR without its LF after a chunk size"),
    BODY("a NUL", "5\0\r\nhello\r\n", BAD_SIZE),
    BODY("16 digits", "0000000000000005\r\n", " malformed: a chunk size of more than 15 digits"),
    BODY("an overflow", "10000000000000005\r\n", " malformed: a chunk size of more than 15 digits"),
    BODY("a CR after the size", "5\rhello", " malformed: a CR without its LF after a chunk size"),
    BODY("a CR in an extension", "5;a\rb\r\n",
         " malformed: a CR without its LF after a chunk size"),
    BODY("a NUL in an extension", "5;a\0b\r\n", " malformed: a NUL byte in a chunk extension"),
    BODY("longer than its size", "4\r\nhello\r\n", "hell malformed: a chunk longer than its size"),
    BODY("a CR after the data", "5\r\nhello\rx", "hello malformed: a chunk longer than its size"),
    BODY("two CRs after the data", "5\r\nhello\r\r\n",
         "hello malformed: a chunk longer than its size"),
    BODY("a trailer without a colon", "0\r\nabc\r\n\r\n", " malformed: a field without a colon"),
    BODY("a NUL in the trailer", "0\r\nA: \0\r\n\r\n", " malformed: a NUL byte in a field"),
    BODY("a folded trailer", "0\r\nA: b\r\n c\r\n\td\r\n\r\n", " done /19"),
    BODY("a trailer that begins with a fold", "0\r\n A: b\r\n\r\n",
         " malformed: a folded line before the first field"),
};

static void test_chunks(void)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        check(chunks_are(bodies[i].bytes, bodies[i].length, bodies[i].outcome), bodies[i].name);
}

static void test_chunk_limits(void)
{
    static const struct {
        const char *name, *start;
        size_t length;
        const char *outcome;
    } cases[] = {
        {"a long extension", "5;", 4098, " more, 0 left"},
        {"one too long", "5;", 4099, " malformed: a chunk extension of more than 4 KiB"},
        {"many blanks", "5 ;", 4098, " more, 0 left"},
        {"a long trailer", "0\r\nA:", 262147, " more, 0 left"},
        {"one too long", "0\r\nA:", 262148, " malformed: a trailer of more than 256 KiB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bytes = malloc(cases[i].length);
        if (!bytes)
            abort();
        memset(bytes, 'x', cases[i].length);
        memcpy(bytes, cases[i].start, strlen(cases[i].start));
        check(chunks_are(bytes, cases[i].length, cases[i].outcome), cases[i].name);
        free(bytes);
    }
}

int main(void)
{
    test_chunks();
    test_chunk_limits();
    printf("1..%d\n", tests);
    return failures > 0;
}
