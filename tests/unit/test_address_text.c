#include <stdio.h>
#include <string.h>

#include "net/address.h"

static int tests, failures;

static void check(const char *what, const char *found, const char *expected)
{
    bool good = strcmp(found, expected) == 0;
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
    if (!good)
        printf("# '%s' and not '%s'\n", found, expected);
}

/* What is typed, and how it is shown where it is listened on and connected to. */
static const struct {
    const char *typed;
    const char *listening;
    const char *connecting;
} cases[] = {
    {"127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:80"},
    {"example.com:http", "example.com:http", "example.com:http"},
    {"[::1]:80", "[::1]:80", "[::1]:80"},
    {"[fe80::1%lo]:80", "[fe80::1%lo]:80", "[fe80::1%lo]:80"},
    {"80", "*:80", "localhost:80"},
    {"*:80", "*:80", "localhost:80"},
    {"udp:127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:80"},
    {"/tmp/s", "unix:/tmp/s", "unix:/tmp/s"},
    {"unix-dgram:s", "unix:s", "unix:s"},
    {"unix:@name", "unix:@name", "unix:@name"},
    {"vsock:2:1024", "vsock:2:1024", "vsock:2:1024"},
    {"raw:253:127.0.0.1", "raw:253:127.0.0.1", "raw:253:127.0.0.1"},
    {"RAW:ipv6-icmp:::1", "raw:ipv6-icmp:[::1]", "raw:ipv6-icmp:[::1]"},
    {"raw:icmp", "raw:icmp", "raw:icmp"},
    {"raw:1:*", "raw:1", "raw:1"},
    {"fd:7", "fd:7", "fd:7"},
    {"systemd:", "systemd", "systemd"},
    {"systemd:web", "systemd:web", "systemd:web"},
};

static void test_cases(void)
{
    const struct address_use use = {.listening = true};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address address;
        struct error err;
        char text[ADDRESS_TEXT_MAX];
        if (address_parse(&address, &cases[i].typed, 1, &use, &err)) {
            check(cases[i].typed, err.text, "");
            continue;
        }
        check(cases[i].typed, address_text(&address, true, text), cases[i].listening);
        check(cases[i].typed, address_text(&address, false, text), cases[i].connecting);
    }
}

/* The longest there is ends within the array. */
static void test_longest(void)
{
    struct address address = {.kind = ADDRESS_INET};
    char text[ADDRESS_TEXT_MAX];
    memset(address.host, ':', ADDRESS_HOST_MAX);
    memset(address.port, 'p', ADDRESS_PORT_MAX);
    address_text(&address, false, text);
    check("the longest host and port", text + strlen(text) - 4, "pppp");
    address = (struct address){.kind = ADDRESS_RAW, .socktype = SOCK_RAW};
    memset(address.host, ':', ADDRESS_HOST_MAX);
    memset(address.port, 'p', ADDRESS_PORT_MAX);
    address_text(&address, false, text);
    check("the longest host and protocol", text + strlen(text) - 2, ":]");
}

int main(void)
{
    test_cases();
    test_longest();
    printf("1..%d\n", tests);
    return failures > 0;
}
