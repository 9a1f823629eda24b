#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/address.h"

static int tests, failures;

static void check(bool good, const char *what, const char *text)
{
    char shown[100];
    size_t length = text_escape(shown, sizeof shown, text, strlen(text));
    failures += !good;
    printf("%s %d - %s: %.*s\n", good ? "ok" : "not ok", ++tests, what, (int)length, shown);
}

/* What was said beside the address. */
enum { LISTEN = 1, UDP = 2, UNIX = 4, V4 = 8, V6 = 16 };

static struct address_use use_of(unsigned flags)
{
    return (struct address_use){.listening = flags & LISTEN,
                                .udp = flags & UDP,
                                .unix_socket = flags & UNIX,
                                .family = flags & V4   ? AF_INET
                                          : flags & V6 ? AF_INET6
                                                       : AF_UNSPEC};
}

static int parse(struct address *address, const char *first, const char *second, unsigned flags,
                 struct error *err)
{
    const char *words[] = {first, second};
    const struct address_use use = use_of(flags);
    return address_parse(address, words, second ? 2 : 1, &use, err);
}

/* "tcp HOST|PORT", "udp6 HOST|PORT", "raw4 PROTO|HOST", "stream PATH", "dgram abstract @NAME", "vsock 2|80", "fd 3" */
static void describe(const struct address *address, char *out, size_t room)
{
    const bool datagrams = address->socktype == SOCK_DGRAM;
    const bool raw = address->socktype == SOCK_RAW;
    const char *type = datagrams ? "dgram" : "stream";
    const char *family = address->family == AF_INET ? "4" : address->family == AF_INET6 ? "6" : "";
    if (address->socktype == SOCK_SEQPACKET)
        type = "seqpacket";
    if (address->kind == ADDRESS_INET)
        snprintf(out, room, "%s%s %s|%s", datagrams ? "udp" : "tcp", family, address->host,
                 address->port);
    else if (address->kind == ADDRESS_UNIX && address->family == AF_UNIX)
        snprintf(out, room, "%s %s%s", type, address->abstract ? "abstract " : "", address->path);
    else if (address->kind == ADDRESS_VSOCK && address->family == AF_VSOCK)
        snprintf(out, room, "vsock %s %u|%u", type, address->cid, address->vsock_port);
    else if (address->kind == ADDRESS_RAW)
        snprintf(out, room, "%s%s %d|%s", raw ? "raw" : "ping", family, address->protocol,
                 address->host);
    else if (address->kind == ADDRESS_FD)
        snprintf(out, room, "fd %d", address->fd);
    else if (address->kind == ADDRESS_SYSTEMD)
        snprintf(out, room, "systemd %s", address->path);
    else
        snprintf(out, room, "?");
}

#define PATH_107                                                                                   \
    "/23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"   \
    "12345678901234567"
#define HOST_255                                                                                   \
    "123456789012345678901234567890123456789012345678901234567890.234567890123456789012345678901"  \
    "23456789012345678901234567890.2345678901234567890123456789012345678901234567890123456789.23"  \
    "456789012345678901234567890123456789012345678901234567890.234567890123456"
#define PORT_31 "a23456789012345678901234567890b"

static const struct {
    const char *first, *second;
    unsigned flags;
    const char *expected;
} good[] = {
    /* Two words. */
    {"localhost", "80", 0, "tcp localhost|80"},
    {"example.com.", "http", 0, "tcp example.com.|http"},
    {"127.0.0.1", "1", 0, "tcp 127.0.0.1|1"},
    {"127.0.0.1", "65535", 0, "tcp 127.0.0.1|65535"},
    {"127.0.0.1", "00080", 0, "tcp 127.0.0.1|00080"},
    {"127.1", "80", 0, "tcp 127.1|80"},
    {"::1", "80", 0, "tcp ::1|80"},
    {"::", "80", LISTEN, "tcp ::|80"},
    {"[::1]", "80", 0, "tcp ::1|80"},
    {"fe80::1%eth0", "80", 0, "tcp fe80::1%eth0|80"},
    {"fe80::1%2", "80", 0, "tcp fe80::1%2|80"},
    {"::ffff:127.0.0.1", "80", 0, "tcp ::ffff:127.0.0.1|80"},
    {"under_score-1", "80", 0, "tcp under_score-1|80"},
    {"caf\xc3\xa9.example", "80", 0, "tcp caf\xc3\xa9.example|80"},
    {"80", "90", 0, "tcp 80|90"},
    {"*", "80", LISTEN, "tcp |80"},
    {"*", "80", 0, "tcp |80"},
    {"localhost", "0", LISTEN, "tcp localhost|0"},
    {"localhost", "80x", 0, "tcp localhost|80x"},
    {"localhost", "8-0x", 0, "tcp localhost|8-0x"},
    {"localhost", "krb5_prop", 0, "tcp localhost|krb5_prop"},
    {"localhost", PORT_31, 0, "tcp localhost|" PORT_31},
    {HOST_255, "80", 0, "tcp " HOST_255 "|80"},
    {"localhost", "53", UDP, "udp localhost|53"},
    {"localhost", "53", V4, "tcp4 localhost|53"},
    {"localhost", "53", V6 | UDP, "udp6 localhost|53"},
    {"127.0.0.1", "53", V4, "tcp4 127.0.0.1|53"},
    {"::1%lo", "53", V6, "tcp6 ::1%lo|53"},
    /* One word. */
    {"localhost:80", NULL, 0, "tcp localhost|80"},
    {"localhost:http", NULL, 0, "tcp localhost|http"},
    {"127.0.0.1:0", NULL, LISTEN, "tcp 127.0.0.1|0"},
    {"[2001:db8::1]:80", NULL, 0, "tcp 2001:db8::1|80"},
    {"[::]:0", NULL, LISTEN, "tcp ::|0"},
    {"[fe80::1%lo]:80", NULL, 0, "tcp fe80::1%lo|80"},
    {"[::1]:80", NULL, V6, "tcp6 ::1|80"},
    {"80", NULL, 0, "tcp |80"},
    {"0", NULL, LISTEN, "tcp |0"},
    {"http", NULL, 0, "tcp |http"},
    {"localhost", NULL, 0, "tcp |localhost"},
    {":80", NULL, 0, "tcp |80"},
    {":http", NULL, LISTEN, "tcp |http"},
    {"*:80", NULL, LISTEN, "tcp |80"},
    {"@name:80", NULL, UNIX, "stream abstract @name:80"},
    /* Prefixes. */
    {"tcp:localhost:80", NULL, 0, "tcp localhost|80"},
    {"tcp:localhost", "80", 0, "tcp localhost|80"},
    {"TCP:localhost:80", NULL, 0, "tcp localhost|80"},
    {"tcp:80", NULL, 0, "tcp |80"},
    {"tcp::80", NULL, 0, "tcp |80"},
    {"tcp:*:80", NULL, 0, "tcp |80"},
    {"tcp:[::1]:80", NULL, 0, "tcp ::1|80"},
    {"tcp://h:80", NULL, 0, "tcp h|80"},
    {"UDP6://[::1]:53", NULL, 0, "udp6 ::1|53"},
    {"10.0.0.1/x", NULL, 0, "stream 10.0.0.1/x"},
    {"./10.0.0.0/24", NULL, 0, "stream ./10.0.0.0/24"},
    {"tcp:::1", "80", 0, "tcp ::1|80"},
    {"tcp:localhost:80", NULL, UDP | UNIX, "tcp localhost|80"},
    {"tcp:localhost:80", NULL, V6, "tcp6 localhost|80"},
    {"tcp4:localhost:80", NULL, 0, "tcp4 localhost|80"},
    {"tcp4:127.0.0.1:80", NULL, V4, "tcp4 127.0.0.1|80"},
    {"tcp6:[::1]:80", NULL, V6, "tcp6 ::1|80"},
    {"tcp6:localhost", "80", 0, "tcp6 localhost|80"},
    {"udp:localhost:53", NULL, 0, "udp localhost|53"},
    {"udp4:53", NULL, LISTEN, "udp4 |53"},
    {"udp6:[::1]:53", NULL, UNIX, "udp6 ::1|53"},
    {"tcp:udp:80", NULL, 0, "tcp udp|80"},
    /* UNIX. */
    {"/run/x.sock", NULL, 0, "stream /run/x.sock"},
    {"./x:80", NULL, 0, "stream ./x:80"},
    {"./@x", NULL, 0, "stream ./@x"},
    {"@a/b", NULL, 0, "stream abstract @a/b"},
    {"x/", NULL, UDP, "dgram x/"},
    {"x", NULL, UNIX, "stream x"},
    {"80", NULL, UNIX, "stream 80"},
    {"x", NULL, UNIX | UDP, "dgram x"},
    {"a b\n\xff", NULL, UNIX, "stream a b\n\xff"},
    {"unix:x", NULL, 0, "stream x"},
    {"unix:x", NULL, UDP, "dgram x"},
    {"unix:x", NULL, V4, "stream x"},
    {"unix:x:80", NULL, 0, "stream x:80"},
    {"unix:unix:x", NULL, 0, "stream unix:x"},
    {"unix:@x", NULL, 0, "stream abstract @x"},
    {"unix:@x", NULL, UNIX | UDP, "dgram abstract @x"},
    {"unix:@@", NULL, 0, "stream abstract @@"},
    {"unix-dgram:x", NULL, 0, "dgram x"},
    {"unix-dgram:@x", NULL, UNIX, "dgram abstract @x"},
    {"unix-seqpacket:/x", NULL, UDP, "seqpacket /x"},
    {PATH_107, NULL, 0, "stream " PATH_107},
    {"unix:@" PATH_107, NULL, 0, "stream abstract @" PATH_107},
    /* The others. */
    {"vsock:2:80", NULL, 0, "vsock stream 2|80"},
    {"vsock:0:0", NULL, 0, "vsock stream 0|0"},
    {"vsock:4294967294:4294967294", NULL, 0, "vsock stream 4294967294|4294967294"},
    {"vsock:2:80", NULL, UDP, "vsock dgram 2|80"},
    {"vsock:80", NULL, LISTEN, "vsock stream 4294967295|80"},
    {"vsock::80", NULL, LISTEN, "vsock stream 4294967295|80"},
    {"vsock:*:80", NULL, LISTEN, "vsock stream 4294967295|80"},
    /* Raw and ping sockets: the family is that of a literal, or that alone has the protocol. */
    {"raw:253:127.0.0.1", NULL, 0, "raw4 253|127.0.0.1"},
    {"RAW:255:h", NULL, 0, "raw 255|h"},
    {"raw:1:h", NULL, 0, "raw4 1|h"},
    {"raw:01:h", NULL, 0, "raw4 1|h"},
    {"raw:Icmp:h", NULL, UDP, "raw4 1|h"},
    {"raw:icmp:h", NULL, V6, "raw6 1|h"},
    {"raw:icmp:::1", NULL, 0, "raw6 1|::1"},
    {"raw:58:::1", NULL, 0, "raw6 58|::1"},
    {"raw:58:[::1]", NULL, V6, "raw6 58|::1"},
    {"raw:ipv6-icmp:[fe80::1%lo]", NULL, 0, "raw6 58|fe80::1%lo"},
    {"raw:58:fe80::1%lo", NULL, 0, "raw6 58|fe80::1%lo"},
    {"raw:ipv6-icmp:h", NULL, 0, "raw6 58|h"},
    {"raw:58:127.0.0.1", NULL, 0, "raw4 58|127.0.0.1"},
    {"raw:udp:h", NULL, V4, "raw4 17|h"},
    {"raw:a/n:h", NULL, 0, "raw -1|h"},
    {"raw:127.0.0.1:h", NULL, 0, "raw -1|h"},
    {"raw:253", NULL, LISTEN, "raw 253|"},
    {"raw:icmp", NULL, LISTEN, "raw4 1|"},
    {"raw:58", NULL, LISTEN, "raw6 58|"},
    {"raw:253:*", NULL, LISTEN | V4, "raw4 253|"},
    {"raw:253:[::]", NULL, LISTEN, "raw6 253|::"},
    {"icmp:127.0.0.1", NULL, 0, "ping4 1|127.0.0.1"},
    {"ICMP:h", NULL, 0, "ping4 1|h"},
    {"icmp:h", NULL, V6, "ping6 58|h"},
    {"icmp:::1", NULL, 0, "ping6 58|::1"},
    {"icmp:[::1]", NULL, 0, "ping6 58|::1"},
    {"fd:0", NULL, 0, "fd 0"},
    {"fd:3", NULL, LISTEN, "fd 3"},
    {"fd:2147483647", NULL, V6, "fd 2147483647"},
    {"systemd:", NULL, LISTEN, "systemd "},
    {"systemd:web", NULL, 0, "systemd web"},
};

static void test_good(void)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char found[512] = "", name[512];
        struct address address;
        struct error err;
        snprintf(name, sizeof name, "%s %s", good[i].first, good[i].second ? good[i].second : "");
        if (parse(&address, good[i].first, good[i].second, good[i].flags, &err))
            snprintf(found, sizeof found, "%.200s", err.text);
        else
            describe(&address, found, sizeof found);
        bool same = strcmp(found, good[i].expected) == 0;
        check(same, "taken", name);
        if (!same)
            printf("# %s\n", found);
    }
}

#define NOT_A_PORT "the port is neither a number nor the name of a service"
#define NOT_A_HOST "the host has a character that no host name has"
#define NOT_IPV6 "the host is neither a name nor an IPv6 address"
#define NOT_1 "the port is not from 1 to 65535"
#define NOT_0 "the port is not from 0 to 65535"
#define NO_PORT "the port is missing"
#define RANGE                                                                                      \
    "a range of hosts is no address; for connect --probe the shell makes them: 10.0.0.{1..254}:22"
#define ONE_WORD "this kind of address is one word"
#define NO_PROTOCOL "the protocol is neither a number nor the name of one"
#define NOT_VSOCK "not vsock:CID:PORT, two numbers"

static const struct {
    const char *first, *second;
    unsigned flags;
    const char *why; /* in the message */
} bad[] = {
    /* Ports. */
    {"h", "0", 0, NOT_1},
    {"h", "65536", 0, NOT_1},
    {"h", "65536", LISTEN, NOT_0},
    {"h", "4294967376", 0, NOT_1},
    {"h", "18446744073709551696", 0, NOT_1},
    {"h", "000080", 0, NOT_1},
    {"h", "-1", 0, NOT_A_PORT},
    {"h", "+80", 0, NOT_A_PORT},
    {"h", " 80", 0, NOT_A_PORT},
    {"h", "80 ", 0, NOT_A_PORT},
    {"h", "80\n", 0, NOT_A_PORT},
    {"h", "8.0", 0, NOT_A_PORT},
    {"h", "0.0x", 0, NOT_A_PORT},
    {"h", "80:90", 0, NOT_A_PORT},
    {"h", "80/tcp", 0, NOT_A_PORT},
    {"h", "http\x01", 0, NOT_A_PORT},
    {"h", "-http", 0, NOT_A_PORT},
    {"h", "--", 0, NOT_A_PORT},
    {"h", "\xc3\xa9", 0, NOT_A_PORT},
    {"h", PORT_31 "c", 0, NOT_A_PORT},
    {"h", "", 0, NO_PORT},
    {"h:", NULL, 0, NO_PORT},
    {":", NULL, 0, NO_PORT},
    {"", NULL, 0, NO_PORT},
    {"", "80", LISTEN, "the host is empty"},
    {"", "80", 0, "the host is empty"},
    {"tcp:", "80", 0, "the host is empty"},
    {"example.com", NULL, 0, NO_PORT},
    {"127.0.0.1", NULL, LISTEN, NO_PORT},
    {"*", NULL, LISTEN, NO_PORT},
    {"0", NULL, 0, NOT_1},
    {"h:0", NULL, 0, NOT_1},
    {"-1", NULL, LISTEN, NOT_A_PORT},
    {" 80", NULL, 0, NOT_A_PORT},
    {"h:+80", NULL, 0, NOT_A_PORT},
    {"h:-1", NULL, 0, NOT_A_PORT},
    {"h:80 ", NULL, 0, NOT_A_PORT},
    /* Hosts. */
    {"a b", "80", 0, NOT_A_HOST},
    {"a\x01", "80", 0, NOT_A_HOST},
    {"a\x7f", "80", 0, NOT_A_HOST},
    {"a/b", "80", 0, ONE_WORD},
    {"tcp:a/b", "80", 0, NOT_A_HOST},
    {"tcp:a/b:80", NULL, 0, NOT_A_HOST},
    {"user@h:80", NULL, 0, NOT_A_HOST},
    {"**", "80", LISTEN, NOT_A_HOST},
    {"127.0.0.1%lo", "80", 0, NOT_A_HOST},
    {"a%b", "80", 0, NOT_A_HOST},
    {HOST_255 "x", "80", 0, "the host is longer than 255 bytes"},
    {HOST_255 "x:80", NULL, 0, "the host is longer than 255 bytes"},
    {"::g", "80", 0, NOT_IPV6},
    {":", "80", 0, NOT_IPV6},
    {"1:2:3:4:5:6:7:8:9", "80", 0, NOT_IPV6},
    {"::1%", "80", 0, NOT_IPV6},
    {"::1%a%b", "80", 0, NOT_IPV6},
    {"::1%a/b", "80", 0, ONE_WORD},
    {"::1%\x01", "80", 0, NOT_IPV6},
    /* Brackets. */
    {"::1:80", NULL, 0, "an IPv6 address with a port is written [ADDRESS]:PORT"},
    {"::1", NULL, 0, "an IPv6 address with a port is written [ADDRESS]:PORT"},
    {"h:80:90", NULL, 0, "more than one ':' (several ports are for connect --probe: HOST:22,80)"},
    {"h:80", "90", 0, "the first word has a port already"},
    {"10.0.0.0/24", "22", 0, RANGE},
    {"10.0.0.0/24:22", NULL, 0, RANGE},
    {"10.0.0.1-20", "22", 0, RANGE},
    {"tcp:10.0.0.1-20:22", NULL, 0, RANGE},
    {"[::1]", NULL, 0, NO_PORT},
    {"[::1]:", NULL, 0, NO_PORT},
    {"[::1]x", NULL, 0, "something other than a port follows the bracket"},
    {"[::1]80", NULL, 0, "something other than a port follows the bracket"},
    {"[::1]:90", "80", 0, "something other than a port follows the bracket"},
    {"[::1", NULL, 0, "the bracket is not closed"},
    {"[::1:80", "80", 0, "the bracket is not closed"},
    {"[]:80", NULL, 0, "the brackets hold no IPv6 address"},
    {"[*]:80", NULL, 0, "the brackets hold no IPv6 address"},
    {"[127.0.0.1]:80", NULL, 0, "the brackets hold no IPv6 address"},
    {"[localhost]:80", NULL, 0, "the brackets hold no IPv6 address"},
    {"[[::1]]:80", NULL, 0, "something other than a port follows the bracket"},
    {"[::1]:0", NULL, 0, NOT_1},
    {"[::1]: 80", NULL, 0, NOT_A_PORT},
    /* Families. */
    {"::1", "80", V4, "an IPv6 address, where IPv4 is asked for"},
    {"[::1]:80", NULL, V4, "an IPv6 address, where IPv4 is asked for"},
    {"tcp4:[::1]:80", NULL, 0, "an IPv6 address, where IPv4 is asked for"},
    {"127.0.0.1", "80", V6, "an IPv4 address, where IPv6 is asked for"},
    {"udp6:127.0.0.1:53", NULL, 0, "an IPv4 address, where IPv6 is asked for"},
    {"tcp6:localhost:80", NULL, V4, "it asks for IPv6, and -4 for IPv4"},
    {"udp4:localhost", "80", V6, "it asks for IPv4, and -6 for IPv6"},
    /* Prefixes with nothing to them. */
    {"tcp:", NULL, LISTEN, NO_PORT},
    {"tcp6:", NULL, 0, NO_PORT},
    {"tcp:localhost:0", NULL, 0, NOT_1},
    /* UNIX. */
    {"", NULL, UNIX, "the path is missing"},
    {"unix:", NULL, 0, "the path is missing"},
    {"unix:@", NULL, 0, "the path is missing"},
    {"@", NULL, UNIX, "the path is missing"},
    {"unix-seqpacket:", NULL, LISTEN, "the path is missing"},
    {PATH_107 "8", NULL, 0, "the path is 108 bytes, the limit is 107"},
    {"unix:" PATH_107 "8", NULL, 0, "the path is 108 bytes, the limit is 107"},
    {"unix:@" PATH_107 "8", NULL, 0, "the path is 108 bytes, the limit is 107"},
    {PATH_107 PATH_107, NULL, LISTEN, "the path is 214 bytes, the limit is 107"},
    {"/x", "80", 0, ONE_WORD},
    {"x", "80", UNIX, ONE_WORD},
    {"unix:x", "80", 0, ONE_WORD},
    /* The others. */
    {"vsock:", NULL, 0, NOT_VSOCK},
    {"vsock:", NULL, LISTEN, NOT_VSOCK},
    {"vsock:2", NULL, 0, NOT_VSOCK},
    {"vsock:2:", NULL, 0, NOT_VSOCK},
    {"vsock::80", NULL, 0, NOT_VSOCK},
    {"vsock:*:80", NULL, 0, NOT_VSOCK},
    {"vsock:-1:80", NULL, 0, NOT_VSOCK},
    {"vsock:4294967295:80", NULL, 0, NOT_VSOCK},
    {"vsock:2:4294967295", NULL, 0, NOT_VSOCK},
    {"vsock:00000000002:80", NULL, 0, NOT_VSOCK},
    {"vsock:2:http", NULL, 0, NOT_VSOCK},
    {"vsock:2:80:90", NULL, 0, NOT_VSOCK},
    {"vsock:2", "80", 0, ONE_WORD},
    {"raw:", NULL, 0, "the protocol is missing"},
    {"raw::h", NULL, 0, "the protocol is missing"},
    {"raw:256:h", NULL, 0, "the protocol is not from 1 to 255"},
    {"raw:4294967297:h", NULL, LISTEN, "the protocol is not from 1 to 255"},
    {"raw:0:h", NULL, 0, "there is no raw socket for protocol 0"},
    {"raw:a b:h", NULL, 0, NO_PROTOCOL},
    {"raw:\x1b[m:h", NULL, 0, NO_PROTOCOL},
    {"raw:" PORT_31 "c:h", NULL, 0, NO_PROTOCOL},
    {"raw:1", NULL, 0, "the host is missing: raw:PROTO:HOST"},
    {"raw:1:*", NULL, 0, "the host is missing: raw:PROTO:HOST"},
    {"raw:127.0.0.1", NULL, 0, "the host is missing: raw:PROTO:HOST"},
    {"raw:1:", NULL, 0, "the host is empty"},
    {"raw:1:", NULL, LISTEN, "the host is empty"},
    {"raw:1:a b", NULL, 0, "the host has a character that no host name has"},
    {"raw:1:h:80", NULL, 0, "the host is neither a name nor an IPv6 address"},
    {"raw:1:" HOST_255 "x", NULL, 0, "the host is longer than 255 bytes"},
    {"raw:1:[::1", NULL, 0, "the bracket is not closed"},
    {"raw:1:[", NULL, 0, "the bracket is not closed"},
    {"raw:1:[]", NULL, 0, "the brackets hold no IPv6 address"},
    {"raw:1:[::1]:80", NULL, 0, "something follows the bracket"},
    {"raw:1:[127.0.0.1]", NULL, 0, "the brackets hold no IPv6 address"},
    {"raw:1:::1", NULL, V4, "an IPv6 address, where IPv4 is asked for"},
    {"raw:1:127.0.0.1", NULL, V6, "an IPv4 address, where IPv6 is asked for"},
    {"raw:1", "h", 0, ONE_WORD},
    {"icmp:", NULL, 0, "the host is missing: icmp:HOST"},
    {"icmp:*", NULL, 0, "the host is missing: icmp:HOST"},
    {"icmp:h:80", NULL, 0, "the host is neither a name nor an IPv6 address"},
    {"icmp:::1", NULL, V4, "an IPv6 address, where IPv4 is asked for"},
    {"icmp:h", NULL, LISTEN, "a ping socket hears answers alone (raw:icmp hears all)"},
    {"icmp:h", "1", 0, ONE_WORD},
    {"fd:", NULL, 0, "not fd:N, a number"},
    {"fd:-1", NULL, 0, "not fd:N, a number"},
    {"fd:3x", NULL, 0, "not fd:N, a number"},
    {"fd:2147483648", NULL, 0, "not fd:N, a number"},
    {"fd:3", "80", 0, ONE_WORD},
    {"systemd:web", "80", 0, ONE_WORD},
    {"systemd:" PATH_107 "8", NULL, 0, "the name is too long"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char name[512];
        struct address address;
        struct error err = {0};
        snprintf(name, sizeof name, "%s %s", bad[i].first, bad[i].second ? bad[i].second : "");
        int result = parse(&address, bad[i].first, bad[i].second, bad[i].flags, &err);
        bool right = result == -1 && err.status == STATUS_USAGE && strstr(err.text, bad[i].why);
        check(right, "refused", name);
        if (!right)
            printf("# %s\n", err.text);
    }
}

int main(void)
{
    test_good();
    test_bad();
    printf("1..%d\n", tests);
    return failures > 0;
}
