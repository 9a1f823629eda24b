/*
 * The text of requests, and what of the user's fields is taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http_request.h"

static int tests, failures;

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

#define AGENT "User-Agent: x/1\r\nAccept: */*\r\n"
#define FIELDS(...)                                                                                \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const struct {
    const char *url;
    struct http_request request;
    const char *text;
} requests[] = {
    {"h/p?q", {.method = "GET", .version = HTTP_09, .credentials = "a:b"}, "GET /p?q\r\n"},
    {"h", {.method = "GET"}, "GET / HTTP/1.1\r\nHost: h\r\n" AGENT "Connection: close\r\n\r\n"},
    {"h:81?q#f",
     {.method = "HEAD"},
     "HEAD /?q HTTP/1.1\r\nHost: h:81\r\n" AGENT "Connection: close\r\n\r\n"},
    {"me:x@[::1]:81/p",
     {.method = "GET", .version = HTTP_10},
     "GET /p HTTP/1.0\r\nHost: [::1]:81\r\n" AGENT "\r\n"},
    {"h",
     {.method = "GET", .version = HTTP_10, .credentials = "Aladdin:open sesame"},
     "GET / HTTP/1.0\r\nHost: h\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n" AGENT
     "\r\n"},
    {"h",
     {.method = "GET", .version = HTTP_10, .credentials = "a:\xff\xfe\xfd"},
     "GET / HTTP/1.0\r\nHost: h\r\nAuthorization: Basic YTr//v0=\r\n" AGENT "\r\n"},
    {"h",
     {.method = "GET",
      .version = HTTP_10,
      .range = "0-9",
      .referer = "r",
      .cookies = FIELDS("c=d", "", "e=f; g"),
      .cookie_count = 3},
     "GET / HTTP/1.0\r\nHost: h\r\n" AGENT
     "Range: bytes=0-9\r\nReferer: r\r\nCookie: c=d; e=f; g\r\n\r\n"},
    {"h",
     {.method = "GET",
      .version = HTTP_10,
      .cookies = FIELDS("c=d"),
      .cookie_count = 1,
      .fields = FIELDS("Host:", "host: a", "HOST: b", "cookie: e", "Proxy-Authorization: x"),
      .field_count = 5},
     "GET / HTTP/1.0\r\n" AGENT "host: a\r\ncookie: e\r\n\r\n"},
    {"h",
     {.method = "GET",
      .version = HTTP_10,
      .absolute = true,
      .foreign = true,
      .proxy_credentials = "a:b",
      .fields = FIELDS("proxy-authorization: x"),
      .field_count = 1},
     "GET http://h/ HTTP/1.0\r\nHost: h\r\n" AGENT "proxy-authorization: x\r\n\r\n"},
    {"h",
     {.method = "GET",
      .version = HTTP_10,
      .fields = FIELDS("A: b", "C;", "D:", "accept: x"),
      .field_count = 4},
     "GET / HTTP/1.0\r\nHost: h\r\nUser-Agent: x/1\r\nA: b\r\nC:\r\naccept: x\r\n\r\n"},
    {"h",
     {.method = "GET",
      .credentials = "a:b",
      .fields = FIELDS("HOST: other", "User-Agent:", "Accept: ", "Connection: x",
                       "authorization: y"),
      .field_count = 5},
     "GET / HTTP/1.1\r\nHOST: other\r\nConnection: x\r\nauthorization: y\r\n\r\n"},
    {"h/a/../b/./c?d/../e",
     {.method = "GET", .persistent = true},
     "GET /b/c?d/../e HTTP/1.1\r\nHost: h\r\n" AGENT "\r\n"},
    {"h:81/p?q",
     {.method = "GET",
      .version = HTTP_10,
      .absolute = true,
      .proxy_credentials = "a:b",
      .range = "9-",
      .if_range = "\"v\""},
     "GET http://h:81/p?q HTTP/1.0\r\nHost: h:81\r\nProxy-Authorization: Basic YTpi\r\n" AGENT
     "Range: bytes=9-\r\nIf-Range: \"v\"\r\n\r\n"},
    {"h",
     {.method = "GET",
      .version = HTTP_10,
      .foreign = true,
      .cookies = FIELDS("c"),
      .cookie_count = 1,
      .fields = FIELDS("authorization: y", "cookie: z", "Host: other", "X: y"),
      .field_count = 4},
     "GET / HTTP/1.0\r\nHost: h\r\n" AGENT "X: y\r\n\r\n"},
    {"http+unix://%2Frun%2Fx.sock/p",
     {.method = "GET", .version = HTTP_10},
     "GET /p HTTP/1.0\r\nHost: localhost\r\n" AGENT "\r\n"},
};

static void test_requests(void)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct http_request request = requests[i].request;
        struct url url;
        size_t length;
        if (url_parse(&url, requests[i].url))
            abort();
        request.url = &url;
        request.user_agent = "x/1";
        char *text = http_request_text(&request, &length);
        bool fits = length == strlen(requests[i].text) && !strcmp(text, requests[i].text);
        check(fits, requests[i].url);
        if (!fits)
            printf("# %s\n", text);
        free(text);
    }
}

static void test_user_fields(void)
{
    static const char *const good[] = {"A: b", "A:b", "A:", "A;", "X-1_2: \xc3\xa9\t!"};
    static const char *const bad[] = {"",        ":",       ": b",      "A",       "A b",
                                      "A : b",   "A b: c",  "A;b",      "@file",   "A: b\r\nC: d",
                                      "A: b\nc", "A: b\rc", "A\r\n: b", "A: \x7f", "\xc3\xa9: b"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check(!http_request_check_field(good[i]), "a good field");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check(http_request_check_field(bad[i]), "a bad field");
    check(!http_request_check_value(""), "an empty value");
    check(http_request_check_value("a\r\nb"), "a bad value");
}

static void test_harmless(void)
{
    size_t length = 22;
    const char *line = http_request_redacted("authorization: Basic x", &length);
    check(length == 18 && !strncmp(line, "Authorization: ...", length), "credentials are hidden");
    length = 28;
    line = http_request_redacted("Proxy-Authorization: Basic x", &length);
    check(length == 24 && !strncmp(line, "Proxy-Authorization: ...", length),
          "those for a proxy too");
    length = 4;
    line = http_request_redacted("A: b", &length);
    check(length == 4 && !strncmp(line, "A: b", length), "others are not");
}

int main(void)
{
    test_requests();
    test_user_fields();
    test_harmless();
    printf("1..%d\n", tests);
    return failures > 0;
}
