/*
 * Heads of HTTP answers, each given whole, a byte at a time, and in every split in two: the outcome
 * has to be the same.
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

/* What came of a head, as text: "done 200 /19 length 5", "more", "malformed: a folded field". */
static void describe_head(const struct http_head *head, enum http_step step, char *out, size_t room)
{
    if (step == HTTP_MORE)
        snprintf(out, room, "more");
    else if (step == HTTP_MALFORMED)
        snprintf(out, room, "malformed: %s", head->wrong);
    else if (head->has_length)
        snprintf(out, room, "done 1.%d %d /%zu length %" PRIu64, head->minor, head->status,
                 head->length, head->content_length);
    else
        snprintf(out, room, "done 1.%d %d /%zu%s", head->minor, head->status, head->length,
                 head->chunked ? " chunked" : "");
}

/* The head in parts: `first` bytes, and then `step` at a time. */
static void read_head(const char *bytes, size_t length, size_t first, size_t by, char out[200])
{
    struct http_head head = {0};
    enum http_step step = HTTP_MORE;
    for (size_t end = first; step == HTTP_MORE; end = length - end < by ? length : end + by) {
        step = http_head_read(&head, bytes, end);
        if (end == length)
            break;
    }
    describe_head(&head, step, out, 200);
}

static bool head_is(const char *bytes, size_t length, const char *expected)
{
    char *exact = malloc(length ? length : 1), out[200];
    if (!exact)
        abort();
    memcpy(exact, bytes, length);
    read_head(exact, length, length, 1, out);
    bool fits = strcmp(out, expected) == 0;
    if (!fits)
        printf("# whole: %s\n", out);
    read_head(exact, length, 0, 1, out);
    fits = fits && strcmp(out, expected) == 0;
    for (size_t split = 0; split <= length && length < 1000 && fits; split++) {
        read_head(exact, length, split, length, out);
        fits = strcmp(out, expected) == 0;
    }
    free(exact);
    return fits;
}

#define OK "HTTP/1.1 200 OK\r\n"
#define NO_STATUS_LINE "malformed: no HTTP/1.x status line"
#define FOLDED_FRAMING "malformed: a folded Content-Length or Transfer-Encoding"
#define BAD_STATUS_LINE "malformed: a bad status line"

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    const char *outcome;
} heads[] = {
#define HEAD(name, bytes, outcome)                                                                 \
    {                                                                                              \
        name, bytes, sizeof bytes - 1, outcome                                                     \
    }
    HEAD("no byte", "", "more"),
    HEAD("the shortest", "HTTP/1.1 200\r\n\r\n", "done 1.1 200 /16"),
    HEAD("an empty reason", "HTTP/1.1 200 \r\n\r\n", "done 1.1 200 /17"),
    HEAD("a reason", "HTTP/1.1 404 Not Found\r\n\r\n", "done 1.1 404 /26"),
    HEAD("a reason of digits", "HTTP/1.1 200 200\r\n\r\n", "done 1.1 200 /20"),
    HEAD("a reason in UTF-8", "HTTP/1.1 200 \xc3\xa9\r\n\r\n", "done 1.1 200 /19"),
    HEAD("LF alone", "HTTP/1.0 200 OK\nA: b\n\n", "done 1.0 200 /22"),
    HEAD("what follows is left alone", OK "\r\nbody\r\n\r\n", "done 1.1 200 /19"),
    HEAD("status 999", "HTTP/1.1 999 x\r\n\r\n", "done 1.1 999 /18"),
    HEAD("cut in the status line", "HTTP/1.1 20", "more"),
    HEAD("cut after the status line", OK, "more"),
    HEAD("cut in a field", OK "A: b", "more"),
    HEAD("cut before the last LF", OK "A: b\r\n\r", "more"),

    HEAD("no HTTP at all", "hello\n", NO_STATUS_LINE),
    HEAD("another protocol", "SSH-2.0-x\r\n", NO_STATUS_LINE),
    HEAD("zero bytes alone", "\0\0\0\0", NO_STATUS_LINE),
    HEAD("an empty line first", "\r\n" OK "\r\n", NO_STATUS_LINE),
    HEAD("a space first", " " OK "\r\n", NO_STATUS_LINE),
    HEAD("lower case", "http/1.1 200 OK\r\n\r\n", NO_STATUS_LINE),
    HEAD("HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "done 1.1 200 /19"),
    HEAD("HTTP/1.9", "HTTP/1.9 200 OK\r\n\r\n", "done 1.1 200 /19"),
    HEAD("HTTP/1.x", "HTTP/1.x 200 OK\r\n\r\n", NO_STATUS_LINE),
    HEAD("HTTP/1.10", "HTTP/1.10 200 OK\r\n\r\n", NO_STATUS_LINE),
    HEAD("HTTP/2", "HTTP/2 200 OK\r\n\r\n", NO_STATUS_LINE),
    HEAD("HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", NO_STATUS_LINE),
    HEAD("two spaces", "HTTP/1.1  200 OK\r\n\r\n", BAD_STATUS_LINE),
    HEAD("no status", "HTTP/1.1 \r\n\r\n", BAD_STATUS_LINE),
    HEAD("one digit", "HTTP/1.1 2 OK\r\n\r\n", BAD_STATUS_LINE),
    HEAD("two digits", "HTTP/1.1 20\r\n\r\n", BAD_STATUS_LINE),
    HEAD("four digits", "HTTP/1.1 2000 OK\r\n\r\n", BAD_STATUS_LINE),
    HEAD("a negative status", "HTTP/1.1 -12 OK\r\n\r\n", BAD_STATUS_LINE),
    HEAD("status 099", "HTTP/1.1 099 OK\r\n\r\n", BAD_STATUS_LINE),
    HEAD("status 000", "HTTP/1.1 000 OK\r\n\r\n", BAD_STATUS_LINE),
    HEAD("a CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n",
         "malformed: a CR or NUL byte in the status line"),
    HEAD("two CRs after the reason", "HTTP/1.1 200 OK\r\r\n\r\n",
         "malformed: a CR or NUL byte in the status line"),
    HEAD("a NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n",
         "malformed: a CR or NUL byte in the status line"),

    HEAD("fields", OK "A: b\r\nC-d:\r\nE:\t f \t\r\n\r\n", "done 1.1 200 /40"),
    HEAD("a colon in a value", OK "A: b:c\r\n\r\n", "done 1.1 200 /27"),
    HEAD("no colon", OK "abc\r\n\r\n", "malformed: a field without a colon"),
    HEAD("no colon, LF alone", OK "abc\n\n", "malformed: a field without a colon"),
    HEAD("no name", OK ": b\r\n\r\n", "malformed: a field without a name"),
    HEAD("a space before the colon", OK "A : b\r\n\r\n", "malformed: a space in a field name"),
    HEAD("a space in a name", OK "A b: c\r\n\r\n", "malformed: a space in a field name"),
    HEAD("a folded field", OK "A: b\r\n c\r\n\r\n", "done 1.1 200 /29"),
    HEAD("folded with a tab", OK "A: b\r\n\tc\r\n\r\n", "done 1.1 200 /29"),
    HEAD("folded without a colon to come", OK "A:\n b\n\n", "done 1.1 200 /24"),
    HEAD("folded, with what looks like a length", OK "A: b\r\n Content-Length: 5\r\n\r\n",
         "done 1.1 200 /45"),
    HEAD("a NUL in a fold", OK "A: b\r\n \0\r\n\r\n", "malformed: a NUL byte in a field"),
    HEAD("the first field folded", OK " A: b\r\n\r\n",
         "malformed: a folded line before the first field"),
    HEAD("a folded length", OK "Content-Length: 5\r\n \r\n\r\n", FOLDED_FRAMING),
    HEAD("a length that goes on", OK "Content-Length: 5\r\n 5\r\n\r\n", FOLDED_FRAMING),
    HEAD("a folded coding", OK "transfer-encoding: chunked\n\t,\n\n", FOLDED_FRAMING),
    HEAD("a fold after a field after a length", OK "Content-Length: 5\r\nA: b\r\n c\r\n\r\n",
         "done 1.1 200 /48 length 5"),
    HEAD("a bad byte in a name", OK "A(b): c\r\n\r\n", "malformed: a bad byte in a field name"),
    HEAD("a high byte in a name", OK "\xe4: c\r\n\r\n", "malformed: a bad byte in a field name"),
    HEAD("a NUL in a name", OK "A\0: b\r\n\r\n", "malformed: a bad byte in a field name"),
    HEAD("a NUL in a value", OK "A: b\0c\r\n\r\n", "malformed: a NUL byte in a field"),
    HEAD("a CR in a value", OK "A: b\rc\r\n\r\n", "malformed: a CR without its LF in a field"),
    HEAD("two CRs", OK "A: b\r\r\n\r\n", "malformed: a CR without its LF in a field"),
    HEAD("a CR for the empty line", OK "\rA: b\r\n\r\n",
         "malformed: a CR without its LF in a field"),

    HEAD("a length", OK "Content-Length: 5\r\n\r\n", "done 1.1 200 /38 length 5"),
    HEAD("a length of 0", OK "content-length:0\r\n\r\n", "done 1.1 200 /37 length 0"),
    HEAD("spaces around a length", OK "Content-Length: \t 5 \t\r\n\r\n",
         "done 1.1 200 /42 length 5"),
    HEAD("leading zeros", OK "Content-Length: 000000000000000000000000000000007\r\n\r\n",
         "done 1.1 200 /70 length 7"),
    HEAD("the longest", OK "Content-Length: 9223372036854775807\r\n\r\n",
         "done 1.1 200 /56 length 9223372036854775807"),
    HEAD("2^63", OK "Content-Length: 9223372036854775808\r\n\r\n",
         "malformed: a Content-Length out of range"),
    HEAD("2^64 + 5", OK "Content-Length: 18446744073709551621\r\n\r\n",
         "malformed: a Content-Length out of range"),
    HEAD("an empty length", OK "Content-Length:\r\n\r\n",
         "malformed: a Content-Length that is not a number"),
    HEAD("a negative length", OK "Content-Length: -6\r\n\r\n",
         "malformed: a Content-Length that is not a number"),
    HEAD("a sign", OK "Content-Length: +6\r\n\r\n",
         "malformed: a Content-Length that is not a number"),
    HEAD("junk after a length", OK "Content-Length: 5x\r\n\r\n",
         "malformed: a Content-Length that is not a number"),
    HEAD("a hexadecimal length", OK "Content-Length: 0x5\r\n\r\n",
         "malformed: a Content-Length that is not a number"),
    HEAD("a list of one length", OK "Content-Length: 6, 6 ,,6\r\n\r\n",
         "done 1.1 200 /45 length 6"),
    HEAD("a list of two lengths", OK "Content-Length: 6, 7\r\n\r\n",
         "malformed: two different Content-Lengths"),
    HEAD("a list of no length", OK "Content-Length: , ,\r\n\r\n",
         "malformed: a Content-Length that is not a number"),
    HEAD("two lengths without a comma", OK "Content-Length: 6 6\r\n\r\n",
         "malformed: a Content-Length that is not a number"),
    HEAD("the same length twice", OK "Content-Length: 6\r\nContent-Length: 6\r\n\r\n",
         "done 1.1 200 /57 length 6"),
    HEAD("two lengths", OK "Content-Length: 6\r\nContent-Length: 7\r\n\r\n",
         "malformed: two different Content-Lengths"),

    HEAD("chunked", OK "Transfer-Encoding: chunked\r\n\r\n", "done 1.1 200 /47 chunked"),
    HEAD("CHUNKED", OK "transfer-ENCODING:CHUNKED\t\r\n\r\n", "done 1.1 200 /47 chunked"),
    HEAD("gzip", OK "Transfer-Encoding: gzip\r\n\r\n",
         "malformed: a transfer coding other than chunked"),
    HEAD("gzip, chunked", OK "Transfer-Encoding: gzip, chunked\r\n\r\n",
         "malformed: a transfer coding other than chunked"),
    HEAD("chunked, identity", OK "Transfer-Encoding: chunked, identity\r\n\r\n",
         "malformed: a transfer coding other than chunked"),
    HEAD("empty elements", OK "Transfer-Encoding: ,, chunked , \t,\r\n\r\n",
         "done 1.1 200 /55 chunked"),
    HEAD("chunked, chunked", OK "Transfer-Encoding: chunked, chunked\r\n\r\n",
         "malformed: two transfer codings"),
    HEAD("no coding", OK "Transfer-Encoding:\r\n\r\n",
         "malformed: a Transfer-Encoding without a coding"),
    HEAD("empty elements alone", OK "Transfer-Encoding: ,\r\n\r\n",
         "malformed: a Transfer-Encoding without a coding"),
    HEAD("xchunked", OK "Transfer-Encoding: xchunked\r\n\r\n",
         "malformed: a transfer coding other than chunked"),
    HEAD("chunked twice", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         "malformed: two transfer codings"),
    HEAD("a length, then chunked", OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         "malformed: a Content-Length beside chunked"),
    HEAD("chunked, then a length", OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
         "malformed: a Content-Length beside chunked"),
    HEAD("longer names are others", OK "Content-Length-X: x\r\nX-Content-Length: x\r\n\r\n",
         "done 1.1 200 /61"),
    HEAD("a shorter name is another", OK "Content: x\r\nT: y\r\n\r\n", "done 1.1 200 /37"),
};

static void test_heads(void)
{
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        check(head_is(heads[i].bytes, heads[i].length, heads[i].outcome), heads[i].name);
}

/* A head of exactly `length` bytes with `fields` fields. */
static char *big_head(size_t length, size_t fields)
{
    char *head = malloc(length + 1), *at = stpcpy(head, OK);
    if (!head)
        abort();
    for (size_t i = 1; i < fields; i++)
        at = stpcpy(at, "A:\r\n");
    at = stpcpy(at, "B:");
    memset(at, 'x', (size_t)(head + length - 4 - at));
    memcpy(head + length - 4, "\r\n\r\n", 5);
    return head;
}

static void test_limits(void)
{
    static const struct {
        const char *name;
        size_t length, fields;
        const char *outcome;
    } cases[] = {
        {"a head of 256 KiB", 262144, 1, "done 1.1 200 /262144"},
        {"a byte more", 262145, 1, "malformed: a head of more than 256 KiB"},
        {"a megabyte", 1048576, 1, "malformed: a head of more than 256 KiB"},
        {"1000 fields", 8000, 1000, "done 1.1 200 /8000"},
        {"1001 fields", 8000, 1001, "malformed: more than 1000 fields"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *head = big_head(cases[i].length, cases[i].fields);
        check(head_is(head, cases[i].length, cases[i].outcome), cases[i].name);
        free(head);
    }
}

static void test_field(void)
{
    static const char bytes[] =
        "HTTP/1.1 404  Not: Found \r\nA: one\r\nab:\t two \r\nA: x\r\nE:\n\r\n";
    static const struct {
        const char *name, *value;
    } cases[] = {{"a", "one"}, {"AB", "two"},        {"E", ""},        {"B", NULL},
                 {"", NULL},   {"HTTP/1.1 4", NULL}, {"HTTP/1", NULL}, {"ABC", NULL}};
    struct http_head head = {0};
    check(http_head_read(&head, bytes, sizeof bytes - 1) == HTTP_DONE, "a head with fields");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = 0;
        const char *value = http_head_field(&head, bytes, cases[i].name, &length);
        bool fits = !value == !cases[i].value;
        if (value && cases[i].value)
            fits = strlen(cases[i].value) == length && !strncmp(value, cases[i].value, length);
        check(fits, cases[i].name);
    }
    size_t length = 0;
    const char *status = http_head_status(&head, bytes, &length);
    check(length == 15 && !strncmp(status, "404  Not: Found", length), "status and reason");
}

static void test_next(void)
{
    static const char bytes[] = "HTTP/1.1 200 A:\r\na: 1\r\nB: x\r\nA:\r\nA : no\nA: 3\n\n";
    static const char text[] = "HTTP/1.1 200 A:\r\na: 1\r\nB: x\r\nA:\r\nA: 3\n\nA: 4\n";
    struct http_head wrong = {0}, head = {0};
    check(http_head_read(&wrong, bytes, sizeof bytes - 1) == HTTP_MALFORMED, "a space in a name");
    check(http_head_read(&head, text, sizeof text - 1) == HTTP_DONE, "three of a name");
    size_t length = 0, found = 0;
    const char *value = NULL;
    static const char *const values[] = {"1", "", "3"};
    while ((value = http_head_next(&head, text, "A", value, &length)) && found < 3) {
        check(strlen(values[found]) == length && !strncmp(value, values[found], length),
              "the next");
        found++;
    }
    check(found == 3 && !value, "all of them");
}

static void test_unfold(void)
{
    static const struct {
        const char *head, *unfolded;
    } cases[] = {
        {"HTTP/1.1 200\r\nA: b \t\r\n \t c\r\nD: e\r\n\r\n",
         "HTTP/1.1 200\r\nA: b c\r\nD: e\r\n\r\n"},
        {"HTTP/1.1 200\nA:\n b\n\tc\n\n", "HTTP/1.1 200\nA: b c\n\n"},
        {"HTTP/1.1 200\nA: b\n \n\n", "HTTP/1.1 200\nA: b \n\n"},
        {"HTTP/1.1 200\nA: b\n \n c\n\n", "HTTP/1.1 200\nA: b c\n\n"},
        {"HTTP/1.1 200\nA: b\n\n", "HTTP/1.1 200\nA: b\n\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const char body[] = " body\n x";
        char bytes[100];
        struct http_head head = {0};
        size_t length = (size_t)snprintf(bytes, sizeof bytes, "%s%s", cases[i].head, body);
        size_t expected = strlen(cases[i].unfolded);
        bool done = http_head_read(&head, bytes, length) == HTTP_DONE;
        length = http_head_unfold(&head, bytes, length);
        check(done && head.length == expected && length == expected + strlen(body) &&
                  memcmp(bytes, cases[i].unfolded, expected) == 0 &&
                  memcmp(bytes + expected, body, strlen(body)) == 0,
              "an unfolded head");
    }
}

/* RFC 9110, 9.3.6. */
static void test_connect(void)
{
    static const char *const ignored[] = {
        "HTTP/1.1 200\nContent-Length: x\nTransfer-Encoding: gzip\nContent-Length: 1\n\n",
        "HTTP/1.1 299\nContent-Length: 1\n 2\n\n"};
    static const char *const refused[] = {"HTTP/1.1 407\nContent-Length: x\n\n",
                                          "HTTP/1.1 407\nContent-Length: 1\n 2\n\n"};
    for (size_t i = 0; i < 2; i++) {
        struct http_head head = {.answers_connect = true}, other = head;
        check(http_head_read(&head, ignored[i], strlen(ignored[i])) == HTTP_DONE &&
                  !head.has_length && !head.chunked,
              "a tunnel has no body");
        check(http_head_read(&other, refused[i], strlen(refused[i])) == HTTP_MALFORMED,
              "a refusal has one");
    }
}

static void test_persistence(void)
{
    static const struct {
        const char *text;
        bool persistent;
    } cases[] = {
        {"HTTP/1.1 200\n\n", true},
        {"HTTP/1.1 200\nConnection: close\n\n", false},
        {"HTTP/1.1 200\nConnection: Close\n\n", false},
        {"HTTP/1.1 200\nConnection: x,close ,y\n\n", false},
        {"HTTP/1.1 200\nConnection: x\nConnection: close\n\n", false},
        {"HTTP/1.1 200\nConnection: closed, keep-alive\n\n", true},
        {"HTTP/1.1 200\nConnection:\n\n", true},
        {"HTTP/1.0 200\n\n", false},
        {"HTTP/1.0 200\nConnection: Keep-Alive\n\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_head head = {0};
        bool done = http_head_read(&head, cases[i].text, strlen(cases[i].text)) == HTTP_DONE;
        check(done && http_head_is_persistent(&head, cases[i].text) == cases[i].persistent,
              "persistence");
    }
}

static void test_body(void)
{
    static const struct {
        const char *name;
        struct http_head head;
        bool answers_head;
        enum http_body_kind body;
    } cases[] = {
        {"until close", {.status = 200}, false, HTTP_BODY_UNTIL_CLOSE},
        {"length", {.status = 200, .has_length = true}, false, HTTP_BODY_LENGTH},
        {"chunked", {.status = 404, .chunked = true}, false, HTTP_BODY_CHUNKED},
        {"HEAD", {.status = 200, .chunked = true}, true, HTTP_BODY_NONE},
        {"HEAD with a length", {.status = 404, .has_length = true}, true, HTTP_BODY_NONE},
        {"100", {.status = 100, .has_length = true}, false, HTTP_BODY_NONE},
        {"204", {.status = 204, .chunked = true}, false, HTTP_BODY_NONE},
        {"304", {.status = 304, .has_length = true}, false, HTTP_BODY_NONE},
        {"205", {.status = 205}, false, HTTP_BODY_UNTIL_CLOSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(http_head_body(&cases[i].head, cases[i].answers_head) == cases[i].body,
              cases[i].name);
}

int main(void)
{
    test_heads();
    test_limits();
    test_field();
    test_next();
    test_unfold();
    test_connect();
    test_persistence();
    test_body();
    printf("1..%d\n", tests);
    return failures > 0;
}
