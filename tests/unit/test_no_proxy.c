/*
 * NO_PROXY, as curl reads it.
 */
#include <stdio.h>

#include "proto/no_proxy.h"

static int tests, failures;

static const struct {
    const char *list;
    const char *host;
    bool covered;
} cases[] = {
    {"", "h", false},
    {"*", "h", true},
    {"*", "::1", true},
    {"h", "h", true},
    {"B\xc3\xbc"
     "cher.test",
     "www.xn--bcher-kva.test", true},
    {".b\xc3\xbc"
     "cher.test",
     "xn--bcher-kva.test", true},
    {"b\xfc"
     "cher.test",
     "xn--bcher-kva.test", false},
    {"H", "h", true},
    {"h", "H.", true},
    {"h.", "h", true},
    {"h", "hh", false},
    {"hh", "h", false},
    {"example.com", "www.example.com", true},
    {".example.com", "www.example.com", true},
    {".example.com", "example.com", true},
    {"example.com", "badexample.com", false},
    {"www.example.com", "example.com", false},
    {"a,b, c\td", "d", true},
    {"a,b, c", "c", true},
    {",,a,,", "a", true},
    {",", "a", false},
    {".", "a", false},
    {"a*", "ab", false},
    {"a,*", "b", false},
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.1", "127.0.0.2", false},
    {"0.0.1", "127.0.0.1", false},
    {"127.0.0.0/8", "127.9.9.9", true},
    {"127.0.0.0/8", "128.0.0.1", false},
    {"10.0.0.0/9", "10.127.0.1", true},
    {"10.0.0.0/9", "10.128.0.1", false},
    {"10.0.0.1/32", "10.0.0.1", true},
    {"10.0.0.1/33", "10.0.0.1", false},
    {"0.0.0.0/0", "10.0.0.1", true},
    {"10.0.0.0/", "10.0.0.0", false},
    {"10.0.0.0/-1", "10.0.0.0", false},
    {"10.0.0.0/0008", "10.0.0.0", false},
    {"::1", "::1", true},
    {"[::1]", "::1", true},
    {"0:0::1", "::1", true},
    {"fe80::/10", "fe80::1", true},
    {"fe80::/10", "fec0::1", false},
    {"::1", "127.0.0.1", false},
    {"localhost", "127.0.0.1", false},
    {"[", "a", false},
    {"[]", "a", false},
};

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool fits = no_proxy_covers(cases[i].list, cases[i].host) == cases[i].covered;
        failures += !fits;
        printf("%s %d - '%s' and %s\n", fits ? "ok" : "not ok", ++tests, cases[i].list,
               cases[i].host);
    }
    printf("1..%d\n", tests);
    return failures > 0;
}
