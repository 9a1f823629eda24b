/*
 * Whom to connect to for a URL: its host, a UNIX socket, or a proxy.
 */
#ifndef CMD_HTTP_ROUTE_H
#define CMD_HTTP_ROUTE_H

#include <stdbool.h>

#include "base/error.h"
#include "cmd/http_options.h"
#include "net/address.h"
#include "proto/url.h"

struct http_route {
    struct address address;
    bool proxied;
    char *credentials; /* for the proxy, the caller's to free; NULL: none */
};

/* The options, and the variables http_proxy (lower case only: a CGI program's HTTP_PROXY may come
 * from its client), ALL_PROXY and NO_PROXY (these in lower case, too) decide, as with curl. Status 2
 * where they are bad. */
int http_route_find(struct http_route *route, const struct http_options *options,
                    const struct url *url, struct error *err);

#endif
