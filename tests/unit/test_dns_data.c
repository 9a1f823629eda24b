/*
 * DNS: the data of records as text, at the ends of what each field may hold. tests/dns_data.bats has the ordinary ones, beside
 * dig(1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dns_data.h"

#define BYTES(text) text, sizeof(text) - 1

static int failures, number;

static void check(bool good, const char *what, const char *name)
{
    failures += !good;
    printf("%s %d - %s: %s\n", good ? "ok" : "not ok", ++number, what, name);
}

static const struct {
    const char *type;
    const char *bytes;
    size_t length;
    const char *shown; /* NULL: it is malformed */
} cases[] = {
    {"RRSIG", BYTES("\0\1\5\2\0\0\0\1\377\377\377\377\0\0\0\0\1\0\0x"),
     "A 5 2 1 21060207062815 19700101000000 256 . eA=="},
    {"RRSIG", BYTES("\0\1\5\2\0\0\0\1\377\377\377\377\0\0\0\0\1\0\0"), NULL},
    {"NSEC", BYTES("\0\0\1\100"), ". A"},
    {"NSEC", BYTES("\0"), NULL},
    {"NSEC",
     BYTES("\0\377\40"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
     ". TYPE65535"},
    {"NSEC",
     BYTES("\0\0\41"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
     NULL},
    {"NSEC", BYTES("\0\1\1\100\0\1\100"), NULL},
    {"NSEC", BYTES("\0\0\0"), NULL},
    {"NSEC", BYTES("\0\0\2\100\0"), NULL},
    {"NSEC", BYTES("\0\0\2\100"), NULL},
    {"NSEC3", BYTES("\1\0\0\0\0\1\0"), "1 0 0 - 00"},
    {"NSEC3", BYTES("\1\0\0\0\0\1\377"), "1 0 0 - VS"},
    {"NSEC3", BYTES("\1\0\0\0\0\5\377\377\377\377\377"), "1 0 0 - VVVVVVVV"},
    {"NSEC3", BYTES("\1\0\0\0\0\6foobar"), "1 0 0 - CPNMUOJ1E8"},
    {"NSEC3", BYTES("\1\0\0\0\0\0"), NULL},
    {"NSEC3", BYTES("\1\0\0\0\0\2x"), NULL},
    {"NSEC3", BYTES("\1\0\0\0\2x"), NULL},
    {"NSEC3PARAM", BYTES("\1\0\0\0\1\252"), "1 0 0 AA"},
    {"NSEC3PARAM", BYTES("\1\0\0\0\0x"), NULL},
    {"LOC", BYTES("\0\0\231\220\200\0\0\0\177\377\377\377\0\0\0\0"),
     "0 0 0.000 N 0 0 0.001 W -100000.00m 0.00m 90000000m 0.09m"},
    {"LOC", BYTES("\0\0\0\0\0\0\0\0\200\0\0\0\0\0\0\0"), NULL},
    {"LOC", BYTES("\0\0\0\12\200\0\0\0\200\0\0\0\0\0\0\0"), NULL},
    {"LOC", BYTES("\0\0\0\1\200\0\0\0\200\0\0\0\0\0\0\0"), NULL},
    {"LOC", BYTES("\0\0\0"), NULL},
    {"LOC", BYTES("\1\0\0"), "\\# 3 010000"},
    {"LOC", BYTES(""), NULL},
    {"CERT", BYTES("\0\375\0\0\20x"), "URI 0 ED448 eA=="},
    {"CERT", BYTES("\1\0\0\0\4x"), "256 0 4 eA=="},
    {"CERT", BYTES("\0\1\0\0\5"), NULL},
    {"DS", BYTES("\0\1\5\1"), NULL},
    {"CAA", BYTES("\0\0x"), NULL},
    {"EUI48", BYTES("\0\1\2\3\4\377"), "00-01-02-03-04-ff"},
    {"EUI64", BYTES("\0\1\2\3\4\377"), NULL},
    {"L64", BYTES("\0\1\0\0\0\1\20\0\377\377"), "1 0:1:1000:ffff"},
    {"CSYNC", BYTES("\0\0\0\0\0\1"), "0 1"},
    {"SVCB", BYTES("\0\1\0\0\10\0\0"), "1 . ohttp"},
    {"SVCB", BYTES("\0\1\0\0\10\0\1x"), NULL},
    {"SVCB", BYTES("\0\1\0\0\7\0\1/"), "1 . dohpath=\"/\""},
    {"SVCB", BYTES("\0\1\0\0\7\0\0"), NULL},
    {"SVCB", BYTES("\0\1\0\0\11\0\0"), "1 . key9"},
    {"OPT", BYTES(""), "\\# 0"},
};

static char *show(size_t i)
{
    const struct dns_reader reader = {.bytes = (const unsigned char *)cases[i].bytes,
                                      .length = cases[i].length};
    const struct dns_record record = {.type = dns_type_read(cases[i].type), .end = cases[i].length};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    const int result = dns_data_print(out, &reader, &record);
    fclose(out);
    if (!result)
        return text;
    free(text);
    return NULL;
}

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *shown = show(i);
        const char *expected = cases[i].shown;
        check(expected && shown ? !strcmp(expected, shown) : expected == shown, cases[i].type,
              shown ? shown : "malformed");
        free(shown);
    }
    printf("1..%d\n", number);
    return failures != 0;
}
