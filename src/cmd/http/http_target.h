/*
 * Whom http-get asks, and what: a URL and the options, checked, turned into an address and requests.
 */
#ifndef CMD_HTTP_HTTP_TARGET_H
#define CMD_HTTP_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cmd/http/http_options.h"
#include "net/address.h"
#include "net/proxy.h"
#include "proto/url.h"

/* Whom to connect to: the host of the URL, a UNIX socket, or a proxy. */
struct http_route {
    struct address address;          /* where the requests go */
    bool proxied;                    /* that is an HTTP proxy, which wants whole URLs */
    char *credentials;               /* for it, the route's; NULL: none */
    bool tunneled;                   /* the address is reached through `tunnel` */
    struct proxy tunnel;             /* SOCKS; HTTP for https */
    char tls_name[URL_HOST_MAX + 1]; /* https: whom the certificate has to name; empty: no TLS */
};

struct http_target {
    char name[200]; /* for messages: "GET http://example.com/"; shortened */
    struct url url; /* its spans point into the text that it was made of, or into: */
    char *encoded;  /* the same with a host in ASCII, the target's; NULL: it was in ASCII */
    struct http_route route;
    bool foreign;      /* not the host that the user named */
    char *credentials; /* the target's own; NULL: none */
};

/* http_target_check_pins checks that each --resolve is HOST:PORT:ADDR: 0, or -1 and status 2. */
int http_target_check_pins(const struct http_options *options, struct error *err);

/* http_target_read_proxy parses the URL of an HTTP proxy. Returns NULL, or what is wrong with it, as url_parse does. */
const char *http_target_read_proxy(struct url *url, const char *text);

/* http_target_init makes a target of `text`, a URL that has to outlive it. `origin` is what the user had asked for,
 * where a redirect leads to this one; else NULL. The options, and the variables http_proxy (lower case only: a CGI
 * program's HTTP_PROXY may come from its client), ALL_PROXY and NO_PROXY (these in lower case, too) decide on the
 * route, as with curl. It fails with status 2 where the URL or the proxy is bad; then nothing is to be released. */
int http_target_init(struct http_target *target, const struct http_options *options,
                     const char *text, const struct http_target *origin, struct error *err);

/* http_target_release frees what the target owns, and wipes the credentials. It may be called twice. */
void http_target_release(struct http_target *target);

/* What one request asks for beside that. */
struct http_wish {
    const char *range;    /* NULL: what the options say */
    const char *if_range; /* NULL: whatever the version */
    bool persistent;      /* the connection may stay open */
};

/* http_target_request returns the text of the request, of *length bytes, which is the caller's to memory_wipe. */
char *http_target_request(const struct http_target *target, const struct http_options *options,
                          const struct http_wish *wish, size_t *length);

#endif
