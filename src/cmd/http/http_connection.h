/*
 * The connections that are kept from one request to the next: an idle one for each of the last few servers.
 */
#ifndef CMD_HTTP_HTTP_CONNECTION_H
#define CMD_HTTP_HTTP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/common/connection_log.h"
#include "cmd/http/http_target.h"
#include "net/dial.h"
#include "net/via.h"
#include "sys/loop.h"

enum { HTTP_CONNECTIONS_MAX = 8 };

/* One of them. */
struct http_connection {
    bool open;
    unsigned served; /* answers that have come by it; whoever takes one counts it */
    uint64_t in;     /* bytes, for the log record at the end; likewise */
    uint64_t out;
    struct connection connection;
    /* Where it leads, as in struct http_route. */
    struct address address;
    bool tunneled;
    enum proxy_kind tunnel_kind;
    struct address tunnel_address;
    char tls_name[URL_HOST_MAX + 1];
    uint64_t used; /* the number of its last use */
    struct connection_log log;
};

/* All of them. The owner sets what comes before `kept`, the rest is 0. */
struct http_connections {
    struct loop *loop;
    int64_t timeout_ms; /* for each connection; -1: no limit */
    int send_proxy;     /* the version of the PROXY header that goes first; 0: none */
    int64_t idle_ms;    /* what a SOCKS proxy may be silent for; likewise */
    struct via *
        via; /* what makes the connections to https, or, where it has a command, all; the owner's */
    struct http_connection kept[HTTP_CONNECTIONS_MAX];
    uint64_t uses;
};

/* http_connections_get returns a connection to where the route leads: one that is kept, if it is still up and nothing has
 * come by it since the last answer, else a new one, in the place of the one not used for the longest time. It fails as
 * connect_with_retry does, with NULL. */
struct http_connection *http_connections_get(struct http_connections *connections,
                                             const struct http_route *route, struct error *err);

/* http_connections_close closes them all. */
void http_connections_close(struct http_connections *connections);

/* http_connection_fail closes the connection, if it is open, after what it brought has come to `result`; a program that
 * made it may be why. `received`: it had brought something. Returns -1, or `result`: see via_end. */
int http_connection_fail(struct http_connection *connection, bool received, int result,
                         struct error *err);

/* http_connection_close closes the connection, if it is open; the log record says that it ended by `how`. */
void http_connection_close(struct http_connection *connection, enum report_how how);

#endif
