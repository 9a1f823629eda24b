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

/* HOST:PORT:ADDR. */
struct pin {
    const char *host;
    size_t host_length;
    int64_t port;
    const char *address;
    size_t address_length;
};

static bool is_address(const char *text, size_t length)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return inet_pton(AF_INET, copy, address) == 1 || inet_pton(AF_INET6, copy, address) == 1;
}

static bool read_pin(struct pin *pin, const char *text)
{
    char port[6] = "";
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
    return !units_number(port, 1, UINT16_MAX, &pin->port) &&
           is_address(pin->address, pin->address_length);
}

/* A host that is not ASCII is asked for by its encoded name. */
static bool is_pin_of(const struct pin *pin, const char *host)
{
    char given[URL_HOST_MAX + 1], encoded[IDNA_NAME_MAX + 1];
    if (pin->host_length > URL_HOST_MAX)
        return false;
    snprintf(given, sizeof given, "%.*s", (int)pin->host_length, pin->host);
    if (idna_is_ascii(given))
        return strcmp(given, "*") == 0 || strcasecmp(given, host) == 0;
    return !idna_encode(given, encoded) && strcasecmp(encoded, host) == 0;
}

const char *http_options_pinned(const struct http_options *options, const char *host, unsigned port,
                                size_t *length)
{
    struct pin pin;
    for (size_t i = 0; i < options->pinned.count; i++) {
        if (!read_pin(&pin, options->pinned.items[i]) || pin.port != port)
            continue;
        if (!is_pin_of(&pin, host))
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

/* Checks of one option each. */

static int check_value(const char *name, const char *value, struct error *err)
{
    const char *wrong = value ? http_request_check_value(value) : NULL;
    return wrong ? error_set(err, STATUS_USAGE, "option --%s: its value %s", name, wrong) : 0;
}

/* RFC 9110, 10.1.3. */
static int check_referer(const char *referer, struct error *err)
{
    struct url url;
    if (!referer || url_parse(&url, referer) || !url.userinfo.length)
        return 0;
    return error_set(err, STATUS_USAGE, "option --referer: leave USER:PASS@ out of its value");
}

/* What follows a field's name may be a secret, and is not shown. */
static int check_fields(const struct http_options *options, struct error *err)
{
    for (size_t i = 0; i < options->fields.count; i++) {
        const char *field = options->fields.items[i], *wrong = http_request_check_field(field);
        size_t length = http_request_name_length(field);
        const char *rest = field[length] == ':' ? ": ..." : field[length] ? "..." : "";
        if (wrong)
            return error_set(err, STATUS_USAGE, "option --header: '%.*s%s' %s",
                             length < 100 ? (int)length : 100, field, rest, wrong);
    }
    return 0;
}

static int check_values(const struct http_options *options, struct error *err)
{
    if (check_value("user-agent", options->user_agent, err) ||
        check_value("referer", options->referer, err) || check_value("user", options->user, err) ||
        check_referer(options->referer, err))
        return -1;
    for (size_t i = 0; i < options->cookies.count; i++)
        if (check_value("cookie", options->cookies.items[i], err))
            return -1;
    return check_fields(options, err);
}

static int check_range(const char *range, struct error *err)
{
    if (!range || http_range_is_wish(range))
        return 0;
    return error_set(err, STATUS_USAGE, "option --range: '%.100s' is not a range (0-99, 100-, -50)",
                     range);
}

static int check_proxy(const char *proxy, struct error *err)
{
    struct url url;
    bool is_http = proxy && *proxy && !proxy_is_socks(proxy);
    const char *wrong = is_http ? url_parse(&url, proxy) : NULL;
    return wrong ? error_set(err, STATUS_USAGE, "option --proxy: '%.100s' %s", url_redacted(proxy),
                             wrong)
                 : 0;
}

static int check_pins(const struct http_options *options, struct error *err)
{
    struct pin pin;
    for (size_t i = 0; i < options->pinned.count; i++)
        if (!read_pin(&pin, options->pinned.items[i]))
            return error_set(err, STATUS_USAGE, "option --resolve: '%.100s' is not HOST:PORT:ADDR",
                             options->pinned.items[i]);
    return 0;
}

static int check_digest(const char *digest, struct error *err)
{
    if (!digest ||
        (strlen(digest) == SHA256_TEXT && strspn(digest, "0123456789abcdefABCDEF") == SHA256_TEXT))
        return 0;
    return error_set(err, STATUS_USAGE,
                     "option --sha256: '%.100s' is not a digest of 64 hexadecimal digits", digest);
}

/* Checks of several. */

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
    const char *conflict = find_conflict(options, urls);
    if (conflict)
        return error_set(err, STATUS_USAGE, "%s", conflict);
    if (check_values(options, err) || check_range(options->range, err) ||
        check_proxy(options->proxy, err) || check_pins(options, err))
        return -1;
    return check_digest(options->sha256, err);
}
