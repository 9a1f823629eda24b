/*
 * The header of IPv4 packets: of every first byte and of every length, only a whole one is one.
 */
#include <stdbool.h>
#include <stdio.h>

#include "proto/ip_header.h"

static int tests, failures;

static void check(const char *what, size_t found, size_t expected)
{
    const bool good = found == expected;
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
    if (!good)
        printf("# %zu and not %zu\n", found, expected);
}

static const struct {
    const char *what;
    unsigned char first;
    size_t length;
    size_t expected;
} cases[] = {
    {"a header alone", 0x45, 20, 20},
    {"a header and a payload", 0x45, 21, 20},
    {"one with options", 0x46, 100, 24},
    {"the longest", 0x4f, 60, 60},
    {"the longest, cut by a byte", 0x4f, 59, 0},
    {"options that are not there", 0x46, 20, 0},
    {"a header that is cut", 0x45, 19, 0},
    {"a header shorter than one can be", 0x44, 100, 0},
    {"no length at all", 0x40, 100, 0},
    {"IPv6", 0x65, 100, 0},
    {"no version", 0x05, 100, 0},
    {"the largest packet", 0x45, 65535, 20},
    {"nothing", 0x45, 0, 0},
    {"a byte", 0x45, 1, 0},
};

/* Returns how many of all first bytes and lengths have a header that they cannot have. */
static size_t count_impossible(void)
{
    size_t wrong = 0;
    for (unsigned first = 0; first < 256; first++)
        for (size_t length = 0; length < 80; length++) {
            const unsigned char packet[80] = {(unsigned char)first};
            const size_t header = ip_header_length(packet, length), words = first & 0x0f;
            const bool is_whole = first >> 4 == 4 && words >= 5 && words * 4 <= length;
            wrong += header != (is_whole ? words * 4 : 0);
        }
    return wrong;
}

int main(void)
{
    static unsigned char packet[65535];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        packet[0] = cases[i].first;
        check(cases[i].what, ip_header_length(packet, cases[i].length), cases[i].expected);
    }
    check("every first byte, every length", count_impossible(), 0);
    printf("1..%d\n", tests);
    return failures > 0;
}
