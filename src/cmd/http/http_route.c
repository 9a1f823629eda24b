#include "cmd/http/http_route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "proto/no_proxy.h"

enum { PROXY_PORT = 1080 }; /* curl's, where none is given */

/* An empty one is none. */
static const char *variable(const char *name, const char *other)
{
    const char *value = getenv(name);
    if ((!value || !*value) && other)
        value = getenv(other);
    return value && *value ? value : NULL;
}

/* What the user, or the environment, has for this host; NULL: no proxy. */
static const char *find_proxy(const struct http_options *options, const char *host)
{
    const char *none = variable("no_proxy", "NO_PROXY"), *proxy = options->proxy;
    if (!proxy)
        proxy = variable("http_proxy", NULL);
    if (!proxy)
        proxy = variable("all_proxy", "ALL_PROXY");
    if (!proxy || !*proxy || (none && no_proxy_covers(none, host)))
        return NULL;
    return proxy;
}

static int set_unix(struct http_route *route, const char *path, struct error *err)
{
    const struct address_use use = {.unix_socket = true, .family = AF_UNSPEC};
    return address_parse(&route->address, &path, 1, &use, err);
}

static int set_socket(struct http_route *route, const struct url *url, struct error *err)
{
    char *path = memory_new(url->host.length + 1, 1);
    int result = set_unix(route, url_socket(url, path), err);
    free(path);
    return result;
}

static void set_host(struct http_route *route, const struct http_options *options, const char *host,
                     unsigned port)
{
    size_t length = strlen(host);
    const char *pinned = http_options_pinned(options, host, port, &length);
    route->address = (struct address){.kind = ADDRESS_INET,
                                      .socktype = SOCK_STREAM,
                                      .family = options->family.family};
    snprintf(route->address.host, sizeof route->address.host, "%.*s", (int)length,
             pinned ? pinned : host);
    snprintf(route->address.port, sizeof route->address.port, "%u", port);
}

static int set_proxy(struct http_route *route, const struct http_options *options,
                     const char *proxy, struct error *err)
{
    struct url url;
    char host[URL_HOST_MAX + 1];
    const char *wrong = url_parse(&url, proxy);
    if (!wrong && url.userinfo.length) {
        route->credentials = memory_new(url.userinfo.length + 2, 1);
        wrong = url_credentials(&url, route->credentials);
    }
    if (wrong)
        return error_set(err, STATUS_USAGE, "proxy '%.100s' %s", url_harmless(proxy), wrong);
    route->proxied = true;
    if (url.unix_socket)
        return set_socket(route, &url, err);
    set_host(route, options, url_host(&url, host), url.has_port ? url.port : PROXY_PORT);
    return 0;
}

static int set_tunnel(struct http_route *route, const struct http_options *options,
                      const char *proxy, struct error *err)
{
    route->tunneled = true;
    if (proxy_parse(&route->tunnel, proxy, err))
        return -1;
    route->tunnel.address.family = options->family.family;
    return proxy_check(&route->tunnel, &route->address, err);
}

void http_route_release(struct http_route *route)
{
    memory_wipe(route->credentials);
    proxy_release(&route->tunnel);
    *route = (struct http_route){.credentials = NULL};
}

int http_route_find(struct http_route *route, const struct http_options *options,
                    const struct url *url, struct error *err)
{
    char host[URL_HOST_MAX + 1];
    *route = (struct http_route){.credentials = NULL};
    if (options->unix_path)
        return set_unix(route, options->unix_path, err);
    if (url->unix_socket)
        return set_socket(route, url, err);
    url_host(url, host);
    const char *proxy = find_proxy(options, host);
    bool is_socks = proxy && proxy_is_socks(proxy);
    if (proxy && !is_socks)
        return set_proxy(route, options, proxy, err);
    set_host(route, options, host, url->port);
    return is_socks ? set_tunnel(route, options, proxy, err) : 0;
}
