/*
 * Whom to connect to for a URL: its host, a UNIX socket, or a proxy.
 */
#ifndef CMD_HTTP_HTTP_ROUTE_H
#define CMD_HTTP_HTTP_ROUTE_H

#include <stdbool.h>

#include "base/error.h"
#include "cmd/http/http_options.h"
#include "net/address.h"
#include "net/proxy.h"
#include "proto/url.h"

struct http_route {
    struct address address; /* where the requests go */
    bool proxied;           /* that is an HTTP proxy, which wants whole URLs */
    char *credentials;      /* for it, the route's; NULL: none */
    bool tunneled;          /* the address is reached through `tunnel` */
    struct proxy tunnel;    /* SOCKS */
};

/* The options, and the variables http_proxy (lower case only: a CGI program's HTTP_PROXY may come
 * from its client), ALL_PROXY and NO_PROXY (these in lower case, too) decide, as with curl. Status 2
 * where they are bad; http_route_release whatever came of it. */
int http_route_find(struct http_route *route, const struct http_options *options,
                    const struct url *url, struct error *err);
void http_route_release(struct http_route *route);

#endif
