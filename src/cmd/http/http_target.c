/*
 * A target is what one URL means together with the options: its name for messages, whom to connect to (the route) and
 * what to send. A redirect makes a new target of the URL where it leads; the one that the user had named is its
 * origin, and says which credentials may go there. The route is found first by the options (--unix-socket), then by
 * the URL (http+unix://), then by the proxy that the options or the environment name for the host; without one it
 * leads to the host itself, or to the address that --resolve pins it to.
 */
#include "cmd/http/http_target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "proto/http_request.h"
#include "proto/idna.h"
#include "proto/no_proxy.h"

enum { PROXY_PORT = 1080 }; /* curl's, where none is given */

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

/* Returns the address of the first --resolve that is for this host and port, of *length bytes; NULL: there is none.
 * They are read anew each time: there are few. */
static const char *find_pin(const struct http_options *options, const char *host, unsigned port,
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

/* Returns the variable of the environment with this name, or with the other one; NULL: it is unset, or empty. */
static const char *read_variable(const char *name, const char *other)
{
    const char *value = getenv(name);
    if ((!value || !*value) && other)
        value = getenv(other);
    return value && *value ? value : NULL;
}

const char *http_target_read_proxy(struct url *url, const char *text)
{
    const char *wrong = url_parse(url, text);
    return wrong || !url->tls ? wrong : "is https: a proxy is asked by http:// or socks5://";
}

/* The proxy that the user, or the environment, has for this host; NULL: none. */
static const char *find_proxy(const struct http_options *options, bool tls, const char *host)
{
    const char *none = read_variable("no_proxy", "NO_PROXY"), *proxy = options->proxy;
    if (!proxy)
        proxy = tls ? read_variable("https_proxy", "HTTPS_PROXY")
                    : read_variable("http_proxy", NULL);
    if (!proxy)
        proxy = read_variable("all_proxy", "ALL_PROXY");
    if (!proxy || !*proxy || (none && no_proxy_covers(none, host)))
        return NULL;
    return proxy;
}

static int set_unix(struct http_route *route, const char *path, struct error *err)
{
    const struct address_use use = {.unix_socket = true, .family = AF_UNSPEC};
    return address_parse(&route->address, &path, 1, &use, err);
}

static int set_unix_of_url(struct http_route *route, const struct url *url, struct error *err)
{
    char *path = memory_new(url->host.length + 1, 1);
    int result = set_unix(route, url_socket(url, path), err);
    free(path);
    return result;
}

static void set_host(struct address *address, const struct http_options *options, const char *host,
                     unsigned port)
{
    size_t length = strlen(host);
    const char *pinned = find_pin(options, host, port, &length);
    *address = (struct address){.kind = ADDRESS_INET,
                                .socktype = SOCK_STREAM,
                                .family = options->family.family};
    snprintf(address->host, sizeof address->host, "%.*s", (int)length, pinned ? pinned : host);
    text_put_number(address->port, port);
}

/* Sets *credentials to the URL's "NAME:PASS", the caller's; NULL: it has none. Returns NULL, or what is wrong with
 * them. */
static const char *decode_credentials(const struct url *url, char **credentials)
{
    *credentials = NULL;
    if (!url->userinfo.length)
        return NULL;
    *credentials = memory_new(url->userinfo.length + 2, 1);
    const char *wrong = url_credentials(url, *credentials);
    if (!wrong)
        return NULL;
    free(*credentials);
    *credentials = NULL;
    return wrong;
}

/* Finds the route to a TLS server: openssl(1) can ask an HTTP proxy that has a host and a port to connect us to it. */
static int find_tls_route(struct http_route *route, const struct http_options *options,
                          const struct url *url, struct error *err)
{
    char host[URL_HOST_MAX + 1];
    struct url hop;
    url_host(url, host);
    const char *proxy = find_proxy(options, true, host);
    if (options->send_proxy)
        return error_set(err, STATUS_USAGE,
                         "option --send-proxy: for https, openssl(1) makes the connection, and no "
                         "header can go before TLS");
    if (options->unix_path)
        return error_set(err, STATUS_USAGE, "https goes by no UNIX socket: curl(1) can do that");
    if (proxy && proxy_is_socks(proxy))
        return error_set(err, STATUS_USAGE,
                         "https goes by no SOCKS proxy, '%.100s': an http:// proxy can be used, or "
                         "curl(1)",
                         url_redacted(proxy));
    set_host(&route->address, options, host, url->port);
    snprintf(route->tls_name, sizeof route->tls_name, "%s", host);
    if (!proxy)
        return 0;
    struct proxy *tunnel = &route->tunnel;
    const char *wrong = http_target_read_proxy(&hop, proxy);
    if (!wrong && hop.unix_socket)
        wrong = "is a UNIX socket: not for https";
    if (!wrong)
        wrong = decode_credentials(&hop, &tunnel->user);
    if (wrong)
        return error_set(err, STATUS_USAGE, "proxy '%.100s' %s", url_redacted(proxy), wrong);
    /* Names are the proxy's to look up, as curl has it, whatever --resolve says of them. */
    snprintf(route->address.host, sizeof route->address.host, "%s", host);
    route->address.family = AF_UNSPEC;
    route->tunneled = true;
    tunnel->kind = PROXY_HTTP;
    set_host(&tunnel->address, options, url_host(&hop, host), hop.has_port ? hop.port : PROXY_PORT);
    char *colon = tunnel->user ? strchr(tunnel->user, ':') : NULL;
    tunnel->password = colon ? memory_copy(colon + 1, strlen(colon + 1)) : memory_copy("", 0);
    if (colon)
        *colon = '\0';
    return 0;
}

/* Finds the route to the host of `url`. */
static int find_route(struct http_route *route, const struct http_options *options,
                      const struct url *url, struct error *err)
{
    char host[URL_HOST_MAX + 1];
    url_host(url, host);
    if (options->via.command && (options->unix_path || url->unix_socket || url->tls))
        return error_set(err, STATUS_USAGE, "--via is for http:// URLs with a host and a port");
    if (url->tls)
        return find_tls_route(route, options, url, err);
    if (options->via.command) {
        set_host(&route->address, options, host, url->port);
        return 0;
    }
    if (options->unix_path)
        return set_unix(route, options->unix_path, err);
    if (url->unix_socket)
        return set_unix_of_url(route, url, err);
    const char *proxy = find_proxy(options, false, host);
    if (!proxy || proxy_is_socks(proxy)) {
        set_host(&route->address, options, host, url->port);
        if (!proxy)
            return 0;
        route->tunneled = true;
        if (proxy_parse(&route->tunnel, proxy, err))
            return -1;
        route->tunnel.address.family = options->family.family;
        return proxy_check(&route->tunnel, &route->address, err);
    }
    struct url hop;
    const char *wrong = http_target_read_proxy(&hop, proxy);
    if (!wrong)
        wrong = decode_credentials(&hop, &route->credentials);
    if (wrong)
        return error_set(err, STATUS_USAGE, "proxy '%.100s' %s", url_redacted(proxy), wrong);
    if (options->send_proxy)
        return error_set(err, STATUS_USAGE,
                         "option --send-proxy: an HTTP proxy, '%.100s', passes on requests, and no "
                         "connection; a SOCKS proxy does",
                         url_redacted(proxy));
    route->proxied = true;
    if (hop.unix_socket)
        return set_unix_of_url(route, &hop, err);
    set_host(&route->address, options, url_host(&hop, host), hop.has_port ? hop.port : PROXY_PORT);
    return 0;
}

/* Finds what is sent as Authorization: what the options and the first URL say is for its host alone. Returns NULL, or
 * what is wrong with the URL's. */
static const char *find_credentials(struct http_target *target, const struct http_options *options,
                                    const struct http_target *origin)
{
    const char *user = options->user;
    if (user && !target->foreign) {
        target->credentials = memory_new(strlen(user) + 2, 1);
        stpcpy(stpcpy(target->credentials, user), strchr(user, ':') ? "" : ":");
        return NULL;
    }
    const char *wrong = decode_credentials(&target->url, &target->credentials);
    if (!wrong && !target->credentials && origin && !target->foreign && origin->credentials)
        target->credentials = memory_copy(origin->credentials, strlen(origin->credentials));
    return wrong;
}

/* Writes the URL with its host in A-labels (RFC 5891) where that is not ASCII: by these alone it is asked for, and
 * named, whether the resolver is asked, the server or a proxy. Returns NULL, or what is wrong with the host. */
static const char *encode_host(struct http_target *target, const char *text)
{
    const struct url_span host = target->url.host;
    char given[URL_HOST_MAX + 1], encoded[IDNA_NAME_MAX + 1];
    if (target->url.unix_socket || host.length > URL_HOST_MAX)
        return NULL;
    memcpy(given, host.start, host.length);
    given[host.length] = '\0';
    if (idna_is_ascii(given))
        return NULL;
    const char *wrong = idna_encode(given, encoded);
    if (wrong)
        return wrong;
    size_t before = (size_t)(host.start - text), length = strlen(encoded);
    const char *behind = host.start + host.length;
    target->encoded = memory_new(before + length + strlen(behind) + 1, 1);
    memcpy(target->encoded, text, before);
    stpcpy(stpcpy(target->encoded + before, encoded), behind);
    return url_parse(&target->url, target->encoded);
}

static bool is_path(const char *text)
{
    return strncmp(text, "/", 1) == 0 || strncmp(text, "./", 2) == 0 ||
           strncmp(text, "../", 3) == 0;
}

/* Says whether an address of another kind, or what has only one of the two slashes, stands where a URL should: a host of
 * that name would have a port. */
static const char *wrong_kind(const char *text)
{
    const size_t length = strcspn(text, ":/");
    const char *rest = text + length;
    const bool is_http = text_is_word(text, length, "http") || text_is_word(text, length, "https");
    if (is_path(text) || (text_is_word(text, length, "unix") && *rest == ':' && rest[1]))
        return "is a path; a UNIX socket is asked with -U PATH http://localhost/";
    if (is_http && !text_starts_with(rest, "://") && !text_is_digits(rest + 1, 1) &&
        (*rest == ':' || text_starts_with(rest, "//")))
        return "is not written http://HOST/";
    return NULL;
}

/* Writes the name for messages. It leaves room for the reason in an error of 300 bytes. */
static void write_name(struct http_target *target, const char *method)
{
    enum { SHOWN = 80 };
    const struct url *url = &target->url;
    char authority[URL_AUTHORITY_MAX];
    int length = url->target.length < SHOWN ? (int)url->target.length : SHOWN;
    const char *slash = length && *url->target.start == '/' ? "" : "/";
    if (url->unix_socket)
        snprintf(authority, sizeof authority, "%.*s", (int)url->host.length, url->host.start);
    else
        url_authority(url, authority);
    snprintf(target->name, sizeof target->name, "%s http%s://%.*s%s%.*s%s", method,
             url->unix_socket ? "+unix"
             : url->tls       ? "s"
                              : "",
             SHOWN, authority, slash, length, url->target.start,
             url->target.length > SHOWN ? "..." : "");
}

void http_target_release(struct http_target *target)
{
    memory_wipe(target->credentials);
    free(target->encoded);
    target->credentials = target->encoded = NULL;
    memory_wipe(target->route.credentials);
    proxy_release(&target->route.tunnel);
    target->route = (struct http_route){.credentials = NULL};
}

int http_target_check_pins(const struct http_options *options, struct error *err)
{
    struct pin pin;
    for (size_t i = 0; i < options->pinned.count; i++)
        if (!read_pin(&pin, options->pinned.items[i]))
            return error_set(err, STATUS_USAGE, "option --resolve: '%.100s' is not HOST:PORT:ADDR",
                             options->pinned.items[i]);
    return 0;
}

int http_target_init(struct http_target *target, const struct http_options *options,
                     const char *text, const struct http_target *origin, struct error *err)
{
    *target = (struct http_target){.credentials = NULL};
    const char *wrong = url_parse(&target->url, text);
    const char *kind = origin ? NULL : wrong_kind(text);
    if (kind)
        wrong = kind;
    if (!wrong)
        wrong = encode_host(target, text);
    target->foreign = !wrong && origin && !url_is_same_origin(&target->url, &origin->url);
    if (!wrong)
        wrong = find_credentials(target, options, origin);
    int result = 0;
    if (wrong)
        result = error_set(err, STATUS_USAGE, "URL '%.100s' %s", url_redacted(text), wrong);
    else
        write_name(target, options->head ? "HEAD" : "GET");
    if (!result)
        result = find_route(&target->route, options, &target->url, err);
    if (result)
        http_target_release(target);
    return result;
}

char *http_target_request(const struct http_target *target, const struct http_options *options,
                          const struct http_wish *wish, size_t *length)
{
    const struct http_request request = {
        .method = options->head ? "HEAD" : "GET",
        .url = &target->url,
        .version = options->http09   ? HTTP_09
                   : options->http10 ? HTTP_10
                                     : HTTP_11,
        .absolute = target->route.proxied,
        .persistent = wish->persistent,
        .foreign = target->foreign,
        .user_agent = *options->user_agent ? options->user_agent : NULL,
        .referer = options->referer,
        .cookies = options->cookies.items,
        .cookie_count = options->cookies.count,
        .range = wish->range ? wish->range : options->range,
        .if_range = wish->if_range,
        .credentials = target->credentials,
        .proxy_credentials = target->route.credentials,
        .fields = options->fields.items,
        .field_count = options->fields.count,
    };
    return http_request_text(&request, length);
}
