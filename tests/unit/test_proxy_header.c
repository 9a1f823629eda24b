/*
 * PROXY headers: each is read whole and with any number of its bytes missing, which has to ask for
 * more, never to be taken for complete; what is written is read back.
 */
#include <stdio.h>
#include <string.h>

#include "proto/proxy_header.h"

#define BYTES(text) text, sizeof(text) - 1
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define IPV4_BLOCK "\xc0\x00\x02\x01\xcb\x00\x71\x02\x30\x39\x01\xbb"
#define IPV6_BLOCK                                                                                 \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                                                     \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x30\x39\x01\xbb"

struct header_case {
    const char *name;
    const char *in; /* data may follow the header */
    size_t length;
    size_t size;   /* of the header; 0: more is needed */
    bool wrong;    /* or it is malformed */
    char begins;   /* the first byte of the source */
    unsigned port; /* of the source */
    enum proxy_family family;
    bool datagram;
};

/* The rest is zero. */
#define GOOD(name, text, length, ...)                                                              \
    {                                                                                              \
        name, BYTES(text), length, false, __VA_ARGS__                                              \
    }
#define WRONG(name, text)                                                                          \
    {                                                                                              \
        name, BYTES(text), 0, true, 0, 0, PROXY_UNKNOWN, false                                     \
    }
#define NOTHING_SAID 0, 0, PROXY_UNKNOWN, false

static const struct header_case cases[] = {
    GOOD("v1 TCP4", "PROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\nGET", 44, '\xc0', 12345,
         PROXY_IPV4, false),
    GOOD("v1 TCP6", "PROXY TCP6 2001:db8::1 ::1 12345 443\r\n\r\n", 38, '\x20', 12345, PROXY_IPV6,
         false),
    GOOD("v1 the longest TCP6",
         "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         104, '\xff', 65535, PROXY_IPV6, false),
    GOOD("v1 UNKNOWN", "PROXY UNKNOWN\r\n", 15, NOTHING_SAID),
    GOOD("v1 UNKNOWN and more", "PROXY UNKNOWN what ever  it is\r\nx", 32, NOTHING_SAID),
    GOOD("v1 port 0", "PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n", 32, 1, 0, PROXY_IPV4, false),
    GOOD("v2 TCP4", SIGNATURE "\x21\x11\0\x0c" IPV4_BLOCK "data", 28, '\xc0', 12345, PROXY_IPV4,
         false),
    GOOD("v2 UDP4", SIGNATURE "\x21\x12\0\x0c" IPV4_BLOCK, 28, '\xc0', 12345, PROXY_IPV4, true),
    GOOD("v2 TCP6", SIGNATURE "\x21\x21\0\x24" IPV6_BLOCK, 52, '\x20', 12345, PROXY_IPV6, false),
    GOOD("v2 with a TLV", SIGNATURE "\x21\x11\0\x10" IPV4_BLOCK "\x04\0\1x", 32, '\xc0', 12345,
         PROXY_IPV4, false),
    GOOD("v2 LOCAL", SIGNATURE "\x20\0\0\0", 16, NOTHING_SAID),
    GOOD("v2 LOCAL with a block", SIGNATURE "\x20\x11\0\x0c" IPV4_BLOCK, 28, NOTHING_SAID),
    GOOD("v2 without a family", SIGNATURE "\x21\0\0\0x", 16, NOTHING_SAID),
    GOOD("v2 without a transport", SIGNATURE "\x21\x10\0\x0c" IPV4_BLOCK, 28, NOTHING_SAID),
    WRONG("no header", "GET / HTTP/1.1\r\n"),
    WRONG("another letter", "PROXX"),
    WRONG("v1 LF alone", "PROXY UNKNOWN\n"),
    WRONG("v1 nothing", "PROXY \r\n"),
    WRONG("v1 lower case", "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n"),
    WRONG("v1 one port", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n"),
    WRONG("v1 three ports", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n"),
    WRONG("v1 two spaces", "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n"),
    WRONG("v1 port 65536", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n"),
    WRONG("v1 port 01", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n"),
    WRONG("v1 port -1", "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n"),
    WRONG("v1 IPv6 for TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n"),
    WRONG("v1 a name", "PROXY TCP4 localhost localhost 1 2\r\n"),
    WRONG("v1 NUL", "PROXY UNKNOWN \0\r\n"),
    WRONG("v1 too long",
          "PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"),
    WRONG("v2 version 1", SIGNATURE "\x11\x11\0\x0c" IPV4_BLOCK),
    WRONG("v2 command 2", SIGNATURE "\x22\x11\0\x0c" IPV4_BLOCK),
    WRONG("v2 family 4", SIGNATURE "\x21\x41\0\x0c" IPV4_BLOCK),
    WRONG("v2 transport 3", SIGNATURE "\x21\x13\0\x0c" IPV4_BLOCK),
    WRONG("v2 a short block", SIGNATURE "\x21\x11\0\x0b" IPV4_BLOCK),
};

static bool reads_whole(const struct header_case *c)
{
    struct proxy_header header;
    size_t size;
    const char *complaint = proxy_header_read(c->in, c->length, &header, &size);
    if (c->wrong)
        return complaint != NULL;
    return !complaint && size == c->size && header.family == c->family &&
           header.datagram == c->datagram && header.source.port == c->port &&
           header.source.address[0] == (unsigned char)c->begins;
}

/* A part of a header asks for more; of a wrong one, it may be wrong already. */
static bool reads_parts(const struct header_case *c)
{
    for (size_t part = 0; part < c->size; part++) {
        struct proxy_header header;
        size_t size;
        const char *complaint = proxy_header_read(c->in, part, &header, &size);
        if (complaint || (size && size != c->size))
            return false;
    }
    return true;
}

static bool comes_back(enum proxy_family family, size_t length)
{
    struct proxy_header sent = {.family = family, .datagram = family == PROXY_IPV6};
    struct proxy_header got;
    char bytes[PROXY_HEADER_MAX];
    size_t size;
    memset(sent.source.address, 's', sizeof sent.source.address);
    memset(sent.destination.address, 'd', sizeof sent.destination.address);
    sent.source.port = 12345;
    sent.destination.port = 443;
    if (proxy_header_write(&sent, 2, bytes) != length ||
        proxy_header_read(bytes, length, &got, &size) || size != length || got.family != family)
        return false;
    bool has_port = family == PROXY_IPV4 || family == PROXY_IPV6;
    return family == PROXY_UNKNOWN ||
           (got.datagram == sent.datagram && got.source.address[3] == 's' &&
            got.destination.address[3] == 'd' && got.source.port == (has_port ? 12345 : 0) &&
            got.destination.port == (has_port ? 443 : 0));
}

/* Whether this is written as version 1, and read as what was written. */
static bool comes_back_as(enum proxy_family family, bool datagram, const char *text)
{
    struct proxy_header sent = {.family = family, .datagram = datagram}, got;
    char bytes[PROXY_HEADER_MAX];
    size_t size;
    memset(sent.source.address, 1, sizeof sent.source.address);
    memset(sent.destination.address, 2, sizeof sent.destination.address);
    sent.source.port = 12345;
    sent.destination.port = 443;
    size_t length = proxy_header_write(&sent, 1, bytes);
    return length == strlen(text) && memcmp(bytes, text, length) == 0 &&
           !proxy_header_read(bytes, length, &got, &size) && size == length &&
           (got.family == family || got.family == PROXY_UNKNOWN);
}

int main(void)
{
    int failures = 0;
    size_t count = sizeof cases / sizeof *cases;
    printf("1..%zu\n", count + 2);
    for (size_t i = 0; i < count; i++) {
        bool good = reads_whole(&cases[i]) && reads_parts(&cases[i]);
        failures += !good;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, cases[i].name);
    }
    bool good = comes_back(PROXY_UNKNOWN, 16) && comes_back(PROXY_IPV4, 28) &&
                comes_back(PROXY_IPV6, 52) && comes_back(PROXY_UNIX, 232);
    failures += !good;
    printf("%s %zu - what is written comes back\n", good ? "ok" : "not ok", count + 1);
    good = comes_back_as(PROXY_IPV4, false, "PROXY TCP4 1.1.1.1 2.2.2.2 12345 443\r\n") &&
           comes_back_as(
               PROXY_IPV6, false,
               "PROXY TCP6 101:101:101:101:101:101:101:101 202:202:202:202:202:202:202:202 "
               "12345 443\r\n") &&
           comes_back_as(PROXY_IPV4, true, "PROXY UNKNOWN\r\n") &&
           comes_back_as(PROXY_UNIX, false, "PROXY UNKNOWN\r\n") &&
           comes_back_as(PROXY_UNKNOWN, false, "PROXY UNKNOWN\r\n");
    failures += !good;
    printf("%s %zu - version 1\n", good ? "ok" : "not ok", count + 2);
    return failures != 0;
}
