/*
 * What http-get's options may be: http_options_check looks at each of them, and at those that do not go together, before
 * anything is fetched. A --resolve is read anew each time that it is looked for (read_pin): there are few.
 */
#include "cmd/http/http_options.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/units.h"
#include "net/proxy.h"
#include "proto/http_range.h"
#include "proto/http_request.h"
#include "proto/idna.h"
#include "proto/sha256.h"
#include "proto/url.h"

/* What a --resolve says; the texts point into it. */
struct pin {
    const char *host;
    size_t host_length;
    int64_t port;
    const char *address;
    size_t address_length;
};

/* Reads HOST:PORT:ADDR, where ADDR may be in brackets. Returns whether it is that. */
static bool read_pin(struct pin *pin, const char *text)
{
    char port[6] = "", address[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)];
    const char *colon = strchr(text, ':'), *second = colon ? strchr(colon + 1, ':') : NULL;
    if (!second || colon == text || (size_t)(second - colon) > sizeof port)
        return false;
    memcpy(port, colon + 1, (size_t)(second - colon - 1));
    *pin = (struct pin){.host = text,
                        .host_length = (size_t)(colon - text),
                        .address = second + 1,
                        .address_length = strlen(second + 1)};
    if (*pin->address == '[' && pin->address[pin->address_length - 1] == ']') {
        pin->address++;
        pin->address_length -= 2;
    }
    if (units_number(port, 1, UINT16_MAX, &pin->port) || pin->address_length >= sizeof address)
        return false;
    memcpy(address, pin->address, pin->address_length);
    address[pin->address_length] = '\0';
    return inet_pton(AF_INET, address, binary) == 1 || inet_pton(AF_INET6, address, binary) == 1;
}

const char *http_options_pinned(const struct http_options *options, const char *host, unsigned port,
                                size_t *length)
{
    for (size_t i = 0; i < options->pinned.count; i++) {
        struct pin pin;
        char given[URL_HOST_MAX + 1], encoded[IDNA_NAME_MAX + 1];
        if (!read_pin(&pin, options->pinned.items[i]) || pin.port != port ||
            pin.host_length > URL_HOST_MAX)
            continue;
        snprintf(given, sizeof given, "%.*s", (int)pin.host_length, pin.host);
        /* A host that is not ASCII is asked for by its encoded name. */
        bool matches = idna_is_ascii(given)
                           ? strcmp(given, "*") == 0 || strcasecmp(given, host) == 0
                           : !idna_encode(given, encoded) && strcasecmp(encoded, host) == 0;
        if (!matches)
            continue;
        *length = pin.address_length;
        return pin.address;
    }
    return NULL;
}

const char *http_options_field(const struct http_options *options, const char *name)
{
    return http_request_users_value(options->fields.items, options->fields.count, name);
}

static int check_value(const char *name, const char *value, struct error *err)
{
    const char *wrong = value ? http_request_check_value(value) : NULL;
    return wrong ? error_set(err, STATUS_USAGE, "option --%s: its value %s", name, wrong) : 0;
}

/* Checks what goes into the fields of the request. */
static int check_request_fields(const struct http_options *options, struct error *err)
{
    struct url url;
    if (check_value("user-agent", options->user_agent, err) ||
        check_value("referer", options->referer, err) || check_value("user", options->user, err))
        return -1;
    /* RFC 9110, 10.1.3. */
    if (options->referer && !url_parse(&url, options->referer) && url.userinfo.length)
        return error_set(err, STATUS_USAGE, "option --referer: leave USER:PASS@ out of its value");
    for (size_t i = 0; i < options->cookies.count; i++)
        if (check_value("cookie", options->cookies.items[i], err))
            return -1;
    for (size_t i = 0; i < options->fields.count; i++) {
        const char *field = options->fields.items[i], *wrong = http_request_check_field(field);
        /* What follows a field's name may be a secret, and is not shown. */
        size_t length = http_request_name_length(field);
        const char *rest = field[length] == ':' ? ": ..." : field[length] ? "..." : "";
        if (wrong)
            return error_set(err, STATUS_USAGE, "option --header: '%.*s%s' %s",
                             length < 100 ? (int)length : 100, field, rest, wrong);
    }
    return 0;
}

/* Two of these cannot both be. */
static const char *find_conflict(const struct http_options *options, int urls)
{
    bool file = options->remote_name || (options->output && strcmp(options->output, "-") != 0);
    bool partly = options->include || options->head || options->range;
    const struct {
        bool one, other;
        const char *why;
    } conflicts[] = {
        {options->output, urls > 1, "--output takes one URL"},
        {options->sha256, urls > 1, "--sha256 takes one URL"},
        {options->output, options->remote_name, "--output and --remote-name are two names"},
        {options->http09, options->head || options->http10,
         "--http0.9 knows neither --head nor --http1.0"},
        {options->sha256, partly, "--sha256 is of a whole body: no --include, --head or --range"},
        {options->resume, !file, "--continue needs --output or --remote-name"},
        {options->resume, partly || options->http09,
         "--continue goes with no --include, --head, --range or --http0.9"},
    };
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++)
        if (conflicts[i].one && conflicts[i].other)
            return conflicts[i].why;
    return NULL;
}

int http_options_check(const struct http_options *options, int urls, struct error *err)
{
    const char *conflict = find_conflict(options, urls), *wrong = NULL;
    const char *range = options->range, *proxy = options->proxy, *digest = options->sha256;
    struct url url;
    struct pin pin;
    if (conflict)
        return error_set(err, STATUS_USAGE, "%s", conflict);
    if (check_request_fields(options, err))
        return -1;
    if (range && !http_range_is_wish(range))
        return error_set(err, STATUS_USAGE,
                         "option --range: '%.100s' is not a range (0-99, 100-, -50)", range);
    if (proxy && *proxy && !proxy_is_socks(proxy))
        wrong = url_parse(&url, proxy);
    if (wrong)
        return error_set(err, STATUS_USAGE, "option --proxy: '%.100s' %s", url_redacted(proxy),
                         wrong);
    for (size_t i = 0; i < options->pinned.count; i++)
        if (!read_pin(&pin, options->pinned.items[i]))
            return error_set(err, STATUS_USAGE, "option --resolve: '%.100s' is not HOST:PORT:ADDR",
                             options->pinned.items[i]);
    if (digest &&
        (strlen(digest) != SHA256_TEXT || strspn(digest, "0123456789abcdefABCDEF") != SHA256_TEXT))
        return error_set(err, STATUS_USAGE,
                         "option --sha256: '%.100s' is not a digest of 64 hexadecimal digits",
                         digest);
    return 0;
}
