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
    {"https://example.com", "example.com", 443, "", "example.com"},
    {"HTTPS://h:80/x", "h", 80, "/x", "h:80"},
    {"https://[::1]:443", "::1", 443, "", "[::1]"},
    {"http://h/a/b?c=d#e", "h", 80, "/a/b?c=d", "h"},
    {"http://h?q", "h", 80, "?q", "h"},
    {"http://h#f", "h", 80, "", "h"},
    {"http://h#f?q/p", "h", 80, "", "h"},
    {"http://h/?#", "h", 80, "/?", "h"},
    {"h/a@b", "h", 80, "/a@b", "h"},
    {"h/../a/./b//", "h", 80, "/../a/./b//", "h"},
    {"h/http://x:99999/", "h", 80, "/http://x:99999/", "h"},
    {"h/caf\xc3\xa9", "h", 80, "/caf\xc3\xa9", "h"},
    {"h\xc3\xa9:81", "h\xc3\xa9", 81, "", "h\xc3\xa9:81"},
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
    "ftp://h",
    "file:///etc/passwd",
    "gopher://h",
    "http+unix://h",
    "http+unix://",
    "http+unix://%2Fa%00b/",
    "unix://%2Fa",
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

static const struct {
    const char *base;
    const char *reference;
    const char *target; /* of the request, behind the host; NULL: refused */
} references[] = {
    /* RFC 3986, 5.4.1 and 5.4.2, as far as they are http */
    {"http://a/b/c/d;p?q", "g", "a /b/c/g"},
    {"http://a/b/c/d;p?q", "./g", "a /b/c/g"},
    {"http://a/b/c/d;p?q", "g/", "a /b/c/g/"},
    {"http://a/b/c/d;p?q", "/g", "a /g"},
    {"http://a/b/c/d;p?q", "//g", "g /"},
    {"http://a/b/c/d;p?q", "?y", "a /b/c/d;p?y"},
    {"http://a/b/c/d;p?q", "g?y", "a /b/c/g?y"},
    {"http://a/b/c/d;p?q", "#s", "a /b/c/d;p?q"},
    {"http://a/b/c/d;p?q", "g#s", "a /b/c/g"},
    {"http://a/b/c/d;p?q", "g?y#s", "a /b/c/g?y"},
    {"http://a/b/c/d;p?q", ";x", "a /b/c/;x"},
    {"http://a/b/c/d;p?q", "g;x?y#s", "a /b/c/g;x?y"},
    {"http://a/b/c/d;p?q", "", "a /b/c/d;p?q"},
    {"http://a/b/c/d;p?q", ".", "a /b/c/"},
    {"http://a/b/c/d;p?q", "./", "a /b/c/"},
    {"http://a/b/c/d;p?q", "..", "a /b/"},
    {"http://a/b/c/d;p?q", "../", "a /b/"},
    {"http://a/b/c/d;p?q", "../g", "a /b/g"},
    {"http://a/b/c/d;p?q", "../..", "a /"},
    {"http://a/b/c/d;p?q", "../../", "a /"},
    {"http://a/b/c/d;p?q", "../../g", "a /g"},
    {"http://a/b/c/d;p?q", "../../../g", "a /g"},
    {"http://a/b/c/d;p?q", "../../../../g", "a /g"},
    {"http://a/b/c/d;p?q", "/./g", "a /g"},
    {"http://a/b/c/d;p?q", "/../g", "a /g"},
    {"http://a/b/c/d;p?q", "g.", "a /b/c/g."},
    {"http://a/b/c/d;p?q", ".g", "a /b/c/.g"},
    {"http://a/b/c/d;p?q", "g..", "a /b/c/g.."},
    {"http://a/b/c/d;p?q", "..g", "a /b/c/..g"},
    {"http://a/b/c/d;p?q", "./../g", "a /b/g"},
    {"http://a/b/c/d;p?q", "./g/.", "a /b/c/g/"},
    {"http://a/b/c/d;p?q", "g/./h", "a /b/c/g/h"},
    {"http://a/b/c/d;p?q", "g/../h", "a /b/c/h"},
    {"http://a/b/c/d;p?q", "g;x=1/../y", "a /b/c/y"},
    {"http://a/b/c/d;p?q", "g?y/../x", "a /b/c/g?y/../x"},
    {"http://a/b/c/d;p?q", "g#s/../x", "a /b/c/g"},
    {"http://a/b/c/d;p?q", "http:g", NULL},
    {"http://a/b/c/d;p?q", "mailto:g", NULL},
    {"http://a/b/c/d;p?q", "gopher://g/", NULL},
    {"http://a/b/c/d;p?q", "file:///etc/passwd", NULL},
    {"http://a/b/c/d;p?q", "g:81/x", NULL},
    {"http://a/b/c/d;p?q", "//g:x/", NULL},
    {"http://a/b/c/d;p?q", "///g", NULL},
    {"http://a/b/c/d;p?q", "/a\rb", NULL},
    /* https */
    {"https://a/b/c", "//g/", "g /"},
    {"https://a/b/c", "g", "a /b/g"},
    {"http://a/b/c", "https://g/", "g /"},
    /* others */
    {"a", "g", "a /g"},
    {"a?q", "g", "a /g"},
    {"a?q/r", "g", "a /g"},
    {"a?q", "", "a /?q"},
    {"a?q", "?r", "a /?r"},
    {"a", "..", "a /"},
    {"a:81/b", "c", "a:81 /c"},
    {"a:81/b", "//c", "c /"},
    {"me:x@a/b", "c", "a /c"},
    {"[::1]:81/b", "c", "[::1]:81 /c"},
    {"a/b", "HTTP://Me:y@c:82/d", "c:82 /d"},
    {"a/b", "c d\xc3\xa9%20\"", "a /c%20d%C3%A9%20\""},
    {"a/b", "//h\xc3\xa9/\xc3\xa9", "h\xc3\xa9 /%C3%A9"},
    {"a/b", "http://h\xc3\xa9?\xc3\xa9", "h\xc3\xa9 /?%C3%A9"},
    {"a/b", "//", NULL},
    {"a/b", "/http://c/", "a /http://c/"},
    {"http+unix://%2Fx/b", "c", "localhost /c"},
};

static bool refers(const char *base, const char *reference, const char *expected)
{
    struct url from, to;
    const char *wrong;
    char authority[URL_AUTHORITY_MAX], target[300], found[600];
    if (url_parse(&from, base))
        return false;
    char *text = url_refer(&from, reference, strlen(reference), &wrong);
    if (text && !wrong)
        wrong = url_parse(&to, text);
    if (!wrong) {
        url_target(&to, target);
        snprintf(found, sizeof found, "%s %s", url_authority(&to, authority), target);
    }
    bool fits = expected ? !wrong && strcmp(found, expected) == 0 : wrong != NULL;
    free(text);
    return fits;
}

static void test_references(void)
{
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        check(refers(references[i].base, references[i].reference, references[i].target),
              "a reference", references[i].reference);
}

static void test_origins(void)
{
    static const char *const same[] = {"http://H:80/x", "me@h?q", "h:"};
    static const char *const others[] = {"h:81", "g", "hh", "http+unix://%2Fh"};
    struct url one, other;
    bool wrong = url_parse(&one, "http://h/");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        check(!wrong && !url_parse(&other, same[i]) && url_is_same_origin(&one, &other), "the same",
              same[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check(!wrong && !url_parse(&other, others[i]) && !url_is_same_origin(&one, &other),
              "another", others[i]);
}

static void test_socket(void)
{
    struct url url;
    char out[32];
    check(!url_parse(&url, "http+unix://%2Frun%2fx.sock/p?q") && url.unix_socket &&
              strcmp(url_socket(&url, out), "/run/x.sock") == 0,
          "a socket", "");
    check(!url_parse(&url, "http+unix://%40x") && strcmp(url_socket(&url, out), "@x") == 0,
          "an abstract one", "");
}

static void test_harmless(void)
{
    check(!strcmp(url_redacted("ftp://me:se/cr@et@h/"), "@h/"), "a password is not shown", "");
    check(!strcmp(url_redacted("ftp://h/"), "ftp://h/"), "without one, all is shown", "");
}

int main(void)
{
    test_good();
    test_bad();
    test_long();
    test_credentials();
    test_references();
    test_origins();
    test_socket();
    test_harmless();
    printf("1..%d\n", tests);
    return failures > 0;
}
