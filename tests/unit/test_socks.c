/*
 * SOCKS: what is said, byte by byte, and what each answer means, fed one byte at a time and as much
 * as is wanted: the outcome has to be the same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/socks.h"

#define BYTES(text) text, sizeof(text) - 1

static int tests, failures;

static void check(bool good, const char *what, const char *got)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
    if (!good)
        printf("# %s\n", got);
}

static const struct {
    const char *name;
    struct socks socks;
    const char *answers; /* of the proxy, all of them */
    size_t length;
    const char *outcome; /* what is said, escaped, a space before each; then the end */
} talks[] = {
    {"5, a name",
     {.version = 5, .host = "example.com", .port = 80},
     BYTES("\5\0"
           "\5\0\0\1\1\2\3\4\0\x50"),
     " \\x05\\x01\\x00 \\x05\\x01\\x00\\x03\\x0bexample.com\\x00P done"},
    {"5, IPv4",
     {.version = 5, .host = "10.1.2.3", .port = 258},
     BYTES("\5\0"
           "\5\0\0\1\1\2\3\4\0\x50"),
     " \\x05\\x01\\x00 \\x05\\x01\\x00\\x01\\x0a\\x01\\x02\\x03\\x01\\x02 done"},
    {"5, IPv6, bound to a name",
     {.version = 5, .host = "::1", .port = 1},
     BYTES("\5\0"
           "\5\0\0\3\2ab\0\x50"),
     " \\x05\\x01\\x00 \\x05\\x01\\x00\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
     "\\x00\\x00\\x00\\x00\\x01\\x00\\x01 done"},
    {"5, with a password",
     {.version = 5, .host = "a", .port = 1, .user = "me", .password = "no"},
     BYTES("\5\2"
           "\1\0"
           "\5\0\0\4................\0\1"),
     " \\x05\\x02\\x00\\x02 \\x01\\x02me\\x02no \\x05\\x01\\x00\\x03\\x01a\\x00\\x01 done"},
    {"5, a password that is not wanted",
     {.version = 5, .host = "a", .port = 1, .user = "me", .password = ""},
     BYTES("\5\0"
           "\5\0\0\1....\0\1"),
     " \\x05\\x02\\x00\\x02 \\x05\\x01\\x00\\x03\\x01a\\x00\\x01 done"},
    {"5, a password refused",
     {.version = 5, .host = "a", .port = 1, .user = "u", .password = "p"},
     BYTES("\5\2"
           "\1\1"),
     " \\x05\\x02\\x00\\x02 \\x01\\x01u\\x01p refused: user name or password refused"},
    {"5, a password wanted",
     {.version = 5, .host = "a", .port = 1},
     BYTES("\5\xff"),
     " \\x05\\x01\\x00 refused: it wants to know who we are"},
    {"5, a method not offered",
     {.version = 5, .host = "a", .port = 1},
     BYTES("\5\2"),
     " \\x05\\x01\\x00 refused: it wants a way to log in that was not offered"},
    {"5, refused by the target, cut short",
     {.version = 5, .host = "a", .port = 1},
     BYTES("\5\0"
           "\5\5"),
     " \\x05\\x01\\x00 \\x05\\x01\\x00\\x03\\x01a\\x00\\x01 refused: connection refused"},
    {"5, a code without a meaning",
     {.version = 5, .host = "a", .port = 1},
     BYTES("\5\0"
           "\5\x99\0\1"),
     " \\x05\\x01\\x00 \\x05\\x01\\x00\\x03\\x01a\\x00\\x01 refused: refused, with a code that "
     "means nothing"},
    {"5, an address of no kind",
     {.version = 5, .host = "a", .port = 1},
     BYTES("\5\0"
           "\5\0\0\7....."),
     " \\x05\\x01\\x00 \\x05\\x01\\x00\\x03\\x01a\\x00\\x01 refused: its answer is malformed"},
    {"5, answered in HTTP",
     {.version = 5, .host = "a", .port = 1},
     BYTES("HTTP/1.1 400"),
     " \\x05\\x01\\x00 refused: its answer is not SOCKS5"},
    {"5, cut off",
     {.version = 5, .host = "a", .port = 1},
     BYTES("\5\0"
           "\5\0\0\1\1"),
     " \\x05\\x01\\x00 \\x05\\x01\\x00\\x03\\x01a\\x00\\x01 more"},
    {"4, an address",
     {.version = 4, .host = "10.1.2.3", .port = 80, .user = "me"},
     BYTES("\0\x5a......"),
     " \\x04\\x01\\x00P\\x0a\\x01\\x02\\x03me\\x00 done"},
    {"4a, a name",
     {.version = 4, .host = "a.b", .port = 80},
     BYTES("\0\x5a......"),
     " \\x04\\x01\\x00P\\x00\\x00\\x00\\x01\\x00a.b\\x00 done"},
    {"4, rejected",
     {.version = 4, .host = "a", .port = 80},
     BYTES("\0\x5b......"),
     " \\x04\\x01\\x00P\\x00\\x00\\x00\\x01\\x00a\\x00 refused: rejected or failed"},
    {"4, another user",
     {.version = 4, .host = "a", .port = 80},
     BYTES("\0\x5d......"),
     " \\x04\\x01\\x00P\\x00\\x00\\x00\\x01\\x00a\\x00 refused: identd says that we are another "
     "user"},
    {"4, a code without a meaning",
     {.version = 4, .host = "a", .port = 80},
     BYTES("\0\x01......"),
     " \\x04\\x01\\x00P\\x00\\x00\\x00\\x01\\x00a\\x00 refused: refused, with a code that means "
     "nothing"},
    {"4, answered in SOCKS5",
     {.version = 4, .host = "a", .port = 80},
     BYTES("\5\x5a......"),
     " \\x04\\x01\\x00P\\x00\\x00\\x00\\x01\\x00a\\x00 refused: its answer is not SOCKS4"},
};

static void add_said(struct socks *socks, char *outcome, size_t room)
{
    unsigned char said[SOCKS_WRITE_MAX];
    size_t used = strlen(outcome);
    outcome[used++] = ' ';
    size_t length = socks_write(socks, said);
    used += text_escape(outcome + used, room - used - 1, (const char *)said, length);
    outcome[used] = '\0';
}

/* The next `most` bytes of what is wanted, of an answer that starts at `bytes`. */
static size_t hear_more(const struct socks *socks, size_t heard, size_t left, size_t most)
{
    size_t more = socks->wanted - heard;
    if (more > most)
        more = most;
    return more < left - heard ? more : left - heard;
}

/* The answers `most` bytes at a time. */
static void talk(size_t which, size_t most, char *outcome, size_t room)
{
    struct socks socks = talks[which].socks;
    const char *answers = talks[which].answers;
    size_t heard = 0, length = talks[which].length;
    *outcome = '\0';
    add_said(&socks, outcome, room);
    for (;;) {
        enum socks_step step = socks_read(&socks, (const void *)answers, heard);
        if (step == SOCKS_MORE && heard < length) {
            heard += hear_more(&socks, heard, length, most);
            continue;
        }
        answers += heard;
        length -= heard;
        heard = 0;
        if (step == SOCKS_WRITE) {
            add_said(&socks, outcome, room);
            continue;
        }
        strncat(outcome,
                step == SOCKS_MORE   ? " more"
                : step == SOCKS_DONE ? " done"
                                     : " refused: ",
                room - strlen(outcome) - 1);
        if (step == SOCKS_REFUSED)
            strncat(outcome, socks.why, room - strlen(outcome) - 1);
        return;
    }
}

int main(void)
{
    char outcome[1024];
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++)
        for (size_t most = 1; most <= SOCKS_READ_MAX; most += SOCKS_READ_MAX - 1) {
            talk(i, most, outcome, sizeof outcome);
            check(strcmp(outcome, talks[i].outcome) == 0, talks[i].name, outcome);
        }
    const struct socks six = {.version = 4, .host = "::1"};
    check(socks_check(&six) != NULL, "4 knows no IPv6 addresses", "it was let pass");
    printf("1..%d\n", tests);
    return failures > 0;
}
