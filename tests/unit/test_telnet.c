/*
 * What a telnet server sends, given so many bytes at a time, from one to all: the same data and the
 * same answers have to come of it.
 */
#include <stdio.h>
#include <string.h>

#include "proto/telnet.h"

enum { ROOM = 64 };

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *name;
    const char *in;
    size_t length;
    const char *data;
    size_t data_length;
    const char *answers;
    size_t answers_length;
} cases[] = {
    {"nothing", BYTES(""), BYTES(""), BYTES("")},
    {"data", BYTES("a\r\n\0\376b"), BYTES("a\r\n\0\376b"), BYTES("")},
    {"DO is answered with WONT", BYTES("a\377\375\1b"), BYTES("ab"), BYTES("\377\374\1")},
    {"WILL is answered with DONT", BYTES("\377\373\3"), BYTES(""), BYTES("\377\376\3")},
    {"WONT and DONT are not answered", BYTES("\377\374\1\377\376\3x"), BYTES("x"), BYTES("")},
    {"several, each once", BYTES("\377\375\30\377\373\1\377\375\1\377\375\30"), BYTES(""),
     BYTES("\377\374\1\377\374\30\377\376\1")},
    {"option 255", BYTES("\377\375\377x"), BYTES("x"), BYTES("\377\374\377")},
    {"IAC IAC is 255", BYTES("a\377\377\377\377\375"), BYTES("a\377\377\375"), BYTES("")},
    {"NOP, GA, AYT and what is undefined", BYTES("\377\361a\377\371\377\366b\377\1c"), BYTES("abc"),
     BYTES("")},
    {"a sub-negotiation", BYTES("a\377\372\30\1\377\360b"), BYTES("ab"), BYTES("")},
    {"IAC IAC and commands in one", BYTES("a\377\372\30\377\377\360\377\375\1\377\360b"),
     BYTES("ab"), BYTES("")},
    {"SE without SB", BYTES("a\377\360b"), BYTES("ab"), BYTES("")},
    {"cut", BYTES("a\377\375"), BYTES("a"), BYTES("")},
    {"cut in a sub-negotiation", BYTES("a\377\372\30xyz\377"), BYTES("a"), BYTES("")},
};

static bool decode(size_t number, size_t by)
{
    char data[ROOM], answers[TELNET_ANSWERS_MAX];
    struct telnet telnet = {0};
    size_t used = 0, length = cases[number].length;
    for (size_t at = 0; at < length; at += by) {
        size_t part = length - at < by ? length - at : by;
        memcpy(data + used, cases[number].in + at, part);
        used += telnet_decode(&telnet, data + used, part);
    }
    bool due = telnet.refuses;
    size_t answered = telnet_answer(&telnet, answers);
    return due == (answered > 0) && !telnet.refuses && used == cases[number].data_length &&
           !memcmp(data, cases[number].data, used) && answered == cases[number].answers_length &&
           !memcmp(answers, cases[number].answers, answered);
}

static bool refuse_everything(void)
{
    char answers[TELNET_ANSWERS_MAX];
    struct telnet telnet = {0};
    for (int times = 0; times < 3; times++)
        for (int option = 0; option < TELNET_OPTIONS; option++) {
            char ask[] = {'\377', '\375', (char)option, '\377', '\373', (char)option};
            telnet_decode(&telnet, ask, sizeof ask);
        }
    return telnet_answer(&telnet, answers) == TELNET_ANSWERS_MAX;
}

int main(void)
{
    int failures = 0;
    size_t count = sizeof cases / sizeof *cases;
    printf("1..%zu\n", count + 1);
    for (size_t i = 0; i < count; i++) {
        bool good = true;
        for (size_t by = 1; by <= cases[i].length + 1; by++)
            good = good && decode(i, by);
        failures += !good;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, cases[i].name);
    }
    bool good = refuse_everything();
    failures += !good;
    printf("%s %zu - all at once, again and again\n", good ? "ok" : "not ok", count + 1);
    return failures != 0;
}
