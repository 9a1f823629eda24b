/*
 * A URL, and the request for it: whatever the URL is, the request has the lines it should have. Behind
 * a LF comes a Location that is followed, and a list of hosts without a proxy.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/http_request.h"
#include "proto/idna.h"
#include "proto/no_proxy.h"
#include "proto/url.h"

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_request(const struct url *url, const char *credentials)
{
    size_t length, lines = 0, spaces = 0;
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .version = HTTP_10,
                                         .credentials = credentials};
    char *text = http_request_text(&request, &length);
    require(strlen(text) == length);
    size_t first = strcspn(text, "\r");
    for (size_t i = 0; i < length; i++) {
        lines += text[i] == '\n';
        spaces += text[i] == ' ' && i < first;
        require(text[i] != '\n' || text[i - 1] == '\r');
    }
    /* The request, Host, Accept, the end, and perhaps Authorization. */
    require(lines == (credentials ? 5 : 4) && spaces == 2);
    free(text);
}

/* What it leads to is a URL of the same form. */
static void check_reference(const struct url *base, const char *reference)
{
    const char *wrong;
    struct url url;
    char *text = url_refer(base, reference, strlen(reference), &wrong);
    require((text == NULL) == (wrong != NULL));
    if (text && !url_parse(&url, text))
        check_request(&url, NULL);
    free(text);
}

/* Of a host as url_parse takes it. */
static void check_encoding(const char *host)
{
    char encoded[IDNA_NAME_MAX + 1];
    if (!idna_encode(host, encoded))
        require(strlen(encoded) <= IDNA_NAME_MAX && idna_is_ascii(encoded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char host[URL_HOST_MAX + 1], authority[URL_AUTHORITY_MAX];
    char *text = malloc(size + 1), *credentials = malloc(size + 2);
    require(text != NULL && credentials != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    char *reference = strchr(text, '\n');
    if (reference)
        *reference++ = '\0';
    struct url url;
    url_redacted(text);
    if (!url_parse(&url, text)) {
        require(url.port > 0 && url.host.length > 0);
        require(strlen(url_host(&url, host)) <= URL_HOST_MAX);
        check_encoding(host);
        require(strlen(url_socket(&url, credentials)) <= url.host.length);
        if (reference) {
            check_reference(&url, reference);
            no_proxy_covers(reference, host);
        }
        require(strlen(url_authority(&url, authority)) < URL_AUTHORITY_MAX);
        require(url.unix_socket || !strpbrk(host, " \r\n/@"));
        require(!strpbrk(authority, " \r\n/@"));
        const char *wrong = url_credentials(&url, credentials);
        check_request(&url, wrong ? NULL : credentials);
    }
    free(text);
    free(credentials);
    return 0;
}
