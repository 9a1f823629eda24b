/*
 * What is sent, given so many bytes at a time, from one to all, in the buffer that it is read into:
 * the outcome has to be the same.
 */
#include <stdio.h>
#include <string.h>

#include "proto/telnet.h"

enum { ROOM = 64 };

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *name;
    bool lines, twice;
    const char *in;
    size_t length;
    const char *out;
    size_t out_length;
} cases[] = {
    {"nothing", true, true, BYTES(""), BYTES("")},
    {"LF", true, false, BYTES("a\nb\n"), BYTES("a\r\nb\r\n")},
    {"CR LF stays", true, false, BYTES("a\r\nb\r\n"), BYTES("a\r\nb\r\n")},
    {"LF LF", true, false, BYTES("\n\n\n"), BYTES("\r\n\r\n\r\n")},
    {"CR alone stays", true, false, BYTES("a\rb\r\r\n"), BYTES("a\rb\r\r\n")},
    {"LF CR", true, false, BYTES("\n\r"), BYTES("\r\n\r")},
    {"NUL and 255", true, false, BYTES("\0\n\xff"), BYTES("\0\r\n\xff")},
    {"255 twice", false, true, BYTES("\xff\n\xff\xff"), BYTES("\xff\xff\n\xff\xff\xff\xff")},
    {"both", true, true, BYTES("\xff\n\r\n"), BYTES("\xff\xff\r\n\r\n")},
    {"neither", false, false, BYTES("\xff\n"), BYTES("\xff\n")},
};

/* Encodes at most `by` bytes at a time, each part moved as a pump moves it. */
static size_t encode(struct telnet_encoder encoder, const char *in, size_t length, size_t by,
                     char *out)
{
    size_t used = 0;
    for (size_t at = 0; at < length; at += by) {
        char buffer[ROOM];
        size_t part = length - at < by ? length - at : by;
        memcpy(buffer + part, in + at, part);
        size_t encoded = telnet_encode(&encoder, buffer, buffer + part, part);
        memcpy(out + used, buffer, encoded);
        used += encoded;
    }
    return used;
}

int main(void)
{
    int failures = 0;
    size_t count = sizeof cases / sizeof *cases;
    printf("1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        bool good = true;
        for (size_t by = 1; by <= cases[i].length + 1; by++) {
            char out[ROOM];
            struct telnet_encoder encoder = {.lines = cases[i].lines, .twice = cases[i].twice};
            size_t length = encode(encoder, cases[i].in, cases[i].length, by, out);
            good = good && length == cases[i].out_length && !memcmp(out, cases[i].out, length);
        }
        failures += !good;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, cases[i].name);
    }
    return failures != 0;
}
