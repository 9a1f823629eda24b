#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/url.h"

static int tests, failures;

static void check(bool good, const char *what, const char *text)
{
    char shown[80];
    size_t length = text_escape(shown, sizeof shown, text, strlen(text));
    failures += !good;
    printf("%s %d - %s: %.*s\n", good ? "ok" : "not ok", ++tests, what, (int)length, shown);
}

static const struct {
    const char *text;
    const char *host;
    unsigned port;
    const char *target;
    const char *authority;
} good[] = {
    {"example.com", "example.com", 80, "", "example.com"},
    {"http://example.com", "example.com", 80, "", "example.com"},
    {"HTTP://Example.COM/", "Example.COM", 80, "/", "Example.COM"},
    {"http://h/a/b?c=d#e", "h", 80, "/a/b?c=d", "h"},
    {"http://h?q", "h", 80, "?q", "h"},
    {"http://h#f", "h", 80, "", "h"},
    {"http://h#f?q/p", "h", 80, "", "h"},
    {"http://h/?#", "h", 80, "/?", "h"},
    {"h/a@b", "h", 80, "/a@b", "h"},
    {"h/../a/./b//", "h", 80, "/../a/./b//", "h"},
    {"h/http://x:99999/", "h", 80, "/http://x:99999/", "h"},
    {"h/caf\xc3\xa9", "h", 80, "/caf\xc3\xa9", "h"},
    {"localhost:8080/x", "localhost", 8080, "/x", "localhost:8080"},
    {"127.0.0.1:1", "127.0.0.1", 1, "", "127.0.0.1:1"},
    {"h:65535", "h", 65535, "", "h:65535"},
    {"h:", "h", 80, "", "h"},
    {"h:/x", "h", 80, "/x", "h"},
    {"h:080", "h", 80, "", "h"},
    {"under_score-1.test.", "under_score-1.test.", 80, "", "under_score-1.test."},
    {"[::1]", "::1", 80, "", "[::1]"},
    {"http://[::1]:8080/x", "::1", 8080, "/x", "[::1]:8080"},
    {"[2001:db8::192.0.2.1]:", "2001:db8::192.0.2.1", 80, "", "[2001:db8::192.0.2.1]"},
    {"[fe80::1%eth0]:81", "fe80::1%eth0", 81, "", "[fe80::1]:81"},
    {"[fe80::1%25eth0]", "fe80::1%eth0", 80, "", "[fe80::1]"},
    {"[fe80::1%25]", "fe80::1%25", 80, "", "[fe80::1]"},
    {"me@h", "h", 80, "", "h"},
    {"http://me:secret@h:81/x", "h", 81, "/x", "h:81"},
    {"http://a@b@h/", "h", 80, "/", "h"},
    {"http://me:se:cr@et@[::1]:81", "::1", 81, "", "[::1]:81"},
    {"@h", "h", 80, "", "h"},
};

static void test_good(void)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct url url;
        char host[URL_HOST_MAX + 1], authority[URL_AUTHORITY_MAX];
        bool fits = !url_parse(&url, good[i].text);
        fits = fits && strcmp(url_host(&url, host), good[i].host) == 0;
        fits = fits && strcmp(url_authority(&url, authority), good[i].authority) == 0;
        fits = fits && url.port == good[i].port && url.target.length == strlen(good[i].target);
        fits = fits && strncmp(url.target.start, good[i].target, url.target.length) == 0;
        check(fits, "taken", good[i].text);
    }
}

static const char *const bad[] = {
    "",
    "/",
    "http://",
    "http:///x",
    "http://?x",
    "http://me@/",
    "//h/",
    ":80",
    ":",
    /* other schemes */
    "https://h",
    "HTTPS://h",
    "ftp://h",
    "file:///etc/passwd",
    "gopher://h",
    "http+unix://h",
    "://h",
    "httpx://h",
    "htt://h",
    /* bytes */
    "h/a b",
    "h/a\tb",
    "h/a\nb",
    "h/a\rb",
    " h",
    "h ",
    "h/\x7f",
    "h/\x01",
    "http://h\r\nX: y/",
    "a b.c",
    "h\xc3\xa9",
    "h!",
    "h*",
    "h\\x",
    "h,i",
    "a\"b",
    "(h)",
    "h;x",
    "h=x",
    "h&x",
    /* ports */
    "h:0",
    "h:65536",
    "h:99999",
    "h:100000",
    "h:4294967376",
    "h:-1",
    "h:+80",
    "h:80x",
    "h:http",
    "h:0x50",
    "h:8.0",
    "h:8 0",
    "h:80:80",
    "::1",
    "::1:80",
    "h:80]",
    /* brackets */
    "[::1",
    "[]",
    "[",
    "]",
    "[::1]x",
    "[::1]80",
    "[::1]:x",
    "[::1]:0",
    "[::1]:65536",
    "[h]",
    "[127.0.0.1]",
    "[::1%]",
    "[::1%a b]",
    "[::1%a/b]",
    "[::g]",
    "[:1]",
    "[::1::]",
    "x[::1]",
    "[[::1]]",
    "[%eth0]",
    "[1:2:3:4:5:6:7:8:9]",
};

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct url url;
        check(url_parse(&url, bad[i]), "refused", bad[i]);
    }
}

static void test_long(void)
{
    enum { LENGTH = 65536 };
    struct url url;
    char *text = malloc(LENGTH + 1);
    if (!text)
        abort();
    memset(text, 'a', LENGTH);
    text[LENGTH] = '\0';
    check(url_parse(&url, text), "a host of 64 KiB is refused", "");
    text[URL_HOST_MAX] = '/';
    check(!url_parse(&url, text) && url.target.length == LENGTH - URL_HOST_MAX,
          "a host of 255 bytes and a path of 64 KiB are taken", "");
    text[URL_HOST_MAX] = 'a';
    text[URL_HOST_MAX + 1] = '/';
    check(url_parse(&url, text), "a host of 256 bytes is refused", "");
    text[0] = '[';
    text[300] = ']';
    check(url_parse(&url, text), "long brackets are refused", "");
    free(text);
}

static const struct {
    const char *text;
    const char *credentials; /* NULL: refused */
} credentials[] = {
    {"me:secret@h", "me:secret"},
    {"me@h", "me:"},
    {"me:@h", "me:"},
    {":secret@h", ":secret"},
    {"a:b:c@h", "a:b:c"},
    {"m%40e:s%3ac%2F@h", "m@e:s:c/"},
    {"me%3asecret@h", "me:secret:"},
    {"me:100%@h", "me:100%"},
    {"me:%4@h", "me:%4"},
    {"me:%zz@h", "me:%zz"},
    {"me:a%20b@h", "me:a b"},
    {"me%0a:x@h", NULL},
    {"me:x%0D%0AX-Evil:%20y@h", NULL},
    {"me:%00@h", NULL},
    {"me:%7f@h", NULL},
};

static void test_credentials(void)
{
    for (size_t i = 0; i < sizeof credentials / sizeof *credentials; i++) {
        struct url url;
        if (url_parse(&url, credentials[i].text)) {
            check(false, "parsed", credentials[i].text);
            continue;
        }
        char *out = malloc(url.userinfo.length + 2);
        if (!out)
            abort();
        const char *wrong = url_credentials(&url, out);
        bool fits = credentials[i].credentials ? !wrong && !strcmp(out, credentials[i].credentials)
                                               : wrong != NULL;
        check(fits, "credentials", credentials[i].text);
        free(out);
    }
}

static void test_harmless(void)
{
    check(!strcmp(url_harmless("ftp://me:se/cr@et@h/"), "@h/"), "a password is not shown", "");
    check(!strcmp(url_harmless("ftp://h/"), "ftp://h/"), "without one, all is shown", "");
}

int main(void)
{
    test_good();
    test_bad();
    test_long();
    test_credentials();
    test_harmless();
    printf("1..%d\n", tests);
    return failures > 0;
}
