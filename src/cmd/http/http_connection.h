/*
 * The connection to a server, kept from one request to the next.
 */
#ifndef CMD_HTTP_HTTP_CONNECTION_H
#define CMD_HTTP_HTTP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/common/connection_log.h"
#include "cmd/http/http_route.h"
#include "net/dial.h"

/* Start with {0}, loop and the two limits. */
struct http_connection {
    struct loop *loop;
    int64_t timeout_ms; /* for each connection; -1: no limit */
    int64_t idle_ms;    /* what a SOCKS proxy may be silent for; likewise */
    bool open;
    unsigned served; /* answers that have come by it */
    uint64_t in;     /* bytes, for what is told at the end */
    uint64_t out;
    struct connection connection;
    struct address address;
    bool tunneled; /* through a SOCKS proxy */
    struct connection_log log;
};

/* Connects to where the route leads, unless it is connected to it already and has heard nothing since
 * the last answer. Fails as reach does. */
int http_connection_open(struct http_connection *connection, const struct http_route *route,
                         struct error *err);
/* `how`: it ended so. One that is not open: nothing. */
void http_connection_close(struct http_connection *connection, enum report_how how);

#endif
