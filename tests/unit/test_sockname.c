#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>

#include "base/text.h"
#include "net/address.h"
#include "net/hostname.h"
#include "sys/sockname.h"

static int tests, failures;

static void check(bool good, const char *what, const char *text)
{
    char shown[100];
    size_t length = text_escape(shown, sizeof shown, text, strlen(text));
    failures += !good;
    printf("%s %d - %s: %.*s\n", good ? "ok" : "not ok", ++tests, what, (int)length, shown);
}

#define PATH_107                                                                                   \
    "/23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"   \
    "12345678901234567"
static struct sockname inet_name(const char *host, unsigned port, unsigned zone)
{
    struct sockname name = {.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in sin = {.sin_family = AF_INET};
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_scope_id = zone};
    if (inet_pton(AF_INET, host, &sin.sin_addr) == 1) {
        memcpy(&name.storage, &sin, sizeof sin);
    } else {
        inet_pton(AF_INET6, host, &sin6.sin6_addr);
        memcpy(&name.storage, &sin6, sizeof sin6);
        name.length = sizeof sin6;
    }
    sockname_set_port(&name, port);
    return name;
}

static void check_name(const struct sockname *name, const char *text, const char *host,
                       unsigned port)
{
    char found[SOCKNAME_TEXT_MAX];
    check(strcmp(sockname_text(name, found), text) == 0, "a name is shown", text);
    check(strcmp(sockname_host(name, found), host) == 0, "a host is shown", host);
    check(sockname_port(name) == port, "a port is shown", text);
}

static void test_inet_names(void)
{
    static const struct {
        const char *host;
        unsigned port, zone;
        const char *text, *shown;
    } names[] = {
        {"127.0.0.1", 80, 0, "127.0.0.1:80", "127.0.0.1"},
        {"0.0.0.0", 0, 0, "0.0.0.0:0", "0.0.0.0"},
        {"::1", 65535, 0, "[::1]:65535", "::1"},
        {"::", 80, 0, "*:80", "::"},
        {"::ffff:192.0.2.1", 80, 0, "192.0.2.1:80", "192.0.2.1"},
        {"fe80::1", 80, 1, "[fe80::1%lo]:80", "fe80::1%lo"},
        {"fe80::1", 80, 4000000000, "[fe80::1%4000000000]:80", "fe80::1%4000000000"},
        {"1111:2222:3333:4444:5555:6666:7777:8888", 1, 0,
         "[1111:2222:3333:4444:5555:6666:7777:8888]:1", "1111:2222:3333:4444:5555:6666:7777:8888"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct sockname name = inet_name(names[i].host, names[i].port, names[i].zone);
        check_name(&name, names[i].text, names[i].shown, names[i].port);
    }
}

/* A UNIX name as the kernel gives it: `length` bytes of sun_path. */
static struct sockname unix_name(const char *path, size_t length)
{
    struct sockname name = {0};
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    memcpy(sun.sun_path, path, length);
    memcpy(&name.storage, &sun, sizeof sun);
    name.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return name;
}

/* Names of raw and ping sockets have no port. */
static void test_raw_names(void)
{
    struct sockname v4 = inet_name("192.0.2.1", 253, 0), v6 = inet_name("fe80::1", 0, 1);
    v4.protocol = 253;
    v6.protocol = 58;
    check_name(&v4, "raw:253:192.0.2.1", "192.0.2.1", 0);
    check_name(&v6, "raw:58:[fe80::1%lo]", "fe80::1%lo", 0);
    v4.protocol = v6.protocol = SOCKNAME_PING;
    check_name(&v4, "icmp:192.0.2.1", "192.0.2.1", 0);
    check_name(&v6, "icmp:[fe80::1%lo]", "fe80::1%lo", 0);
}

static void test_other_names(void)
{
    const struct sockname path = unix_name("/x", 3), nameless = unix_name("", 0);
    const struct sockname full = unix_name(PATH_107 "8", 108);
    const struct sockname abstract = unix_name("\0a\0\xff", 4);
    const struct sockname none = {.length = 0};
    struct sockname vsock = {.length = sizeof(struct sockaddr_vm)};
    struct sockaddr_vm vm = {.svm_family = AF_VSOCK, .svm_cid = 2, .svm_port = 1234567};
    memcpy(&vsock.storage, &vm, sizeof vm);
    check_name(&path, "unix:/x", "/x", 0);
    check_name(&nameless, "unix:(unnamed)", "", 0);
    check_name(&full, "unix:" PATH_107 "8", PATH_107 "8", 0);
    check_name(&abstract, "unix:@a@\xff", "@a@\xff", 0);
    check_name(&none, "unnamed", "", 0);
    check_name(&vsock, "vsock:2:1234567", "2", 1234567);
    vm.svm_cid = VMADDR_CID_ANY;
    memcpy(&vsock.storage, &vm, sizeof vm);
    check_name(&vsock, "vsock:*:1234567", "*", 1234567);
}

/* The length is what tells names apart: a path has its NUL, an abstract name has none. */
static void test_unix_lengths(void)
{
    static const struct {
        const char *word;
        size_t length;
        char first;
    } cases[] = {
        {"unix:a", 2, 'a'},
        {"unix:@a", 2, '\0'},
        {"unix:" PATH_107, 108, '/'},
        {"unix:@" PATH_107, 108, '\0'},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct address_use use = {.family = AF_UNSPEC};
        struct address address;
        struct sockname name;
        struct error err;
        char text[SOCKNAME_TEXT_MAX];
        check(address_parse(&address, &cases[i].word, 1, &use, &err) == 0, "taken", cases[i].word);
        sockname_of_unix(&name, &address);
        const struct sockaddr_un *sun = (const struct sockaddr_un *)(const void *)&name.storage;
        check(name.length == offsetof(struct sockaddr_un, sun_path) + cases[i].length &&
                  sun->sun_path[0] == cases[i].first,
              "its length is right", cases[i].word);
        check(strcmp(sockname_text(&name, text), cases[i].word) == 0, "reads as it was written",
              cases[i].word);
    }
}

/* Host names */

#define LABEL_63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"
#define NAME_253                                                                                   \
    LABEL_63 "." LABEL_63 "." LABEL_63                                                             \
             ".abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefg"                          \
             "hija"

static void test_hostnames(void)
{
    static const char *const possible[] = {
        "a",     "a.",       "localhost",    "a-b_c.D9",          "1",        "127.1",
        "1.2.3", "10.0.0.1", LABEL_63 ".a.", "caf\xc3\xa9.test",  NAME_253,   NAME_253 ".",
        "-",     "0x7f.1",   "3com.example", "1.0.0.127.in-addr", "2001.db8",
    };
    static const char *const impossible[] = {
        "",          ".",           "..",     "a..b",  ".a",         "a..",          "300.1.1.1",
        "1.2.3.4.5", "1.2.3.4.",    "a b",    "a\nb",  "a\x7f",      "a/b",          "a:b",
        "a@b",       "a%b",         "*",      "[::1]", LABEL_63 "d", LABEL_63 "d.a", NAME_253 "b",
        "a\\b",      NAME_253 "b.", "a\x1b[", "a\"b",
    };
    for (size_t i = 0; i < sizeof possible / sizeof *possible; i++)
        check(!hostname_check(possible[i]), "can be a host's name", possible[i]);
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++)
        check(hostname_check(impossible[i]) != NULL, "cannot be a host's name", impossible[i]);
}

static void test_loopback(void)
{
    static const struct {
        const char *host;
        bool is_loopback;
    } names[] = {
        {"127.0.0.1", true},
        {"127.255.255.254", true},
        {"126.255.255.255", false},
        {"128.0.0.1", false},
        {"::1", true},
        {"::", false},
        {"::2", false},
        {"::ffff:127.1.2.3", true},
        {"::ffff:10.0.0.127", false},
        {"2001:db8::7f00:1", false},
        {"::ffff:128.0.0.1", false},
    };
    const struct sockname path = {.storage.ss_family = AF_UNIX};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct sockname name = inet_name(names[i].host, 80, 0);
        check(sockname_is_loopback(&name) == names[i].is_loopback, "loopback or not",
              names[i].host);
    }
    check(!sockname_is_loopback(&path), "loopback or not", "unix");
}

int main(void)
{
    test_inet_names();
    test_loopback();
    test_raw_names();
    test_other_names();
    test_unix_lengths();
    test_hostnames();
    printf("1..%d\n", tests);
    return failures > 0;
}
