/*
 * A connection serves one request after the other to where its route leads. It is found again by that route: the address,
 * what lies between (a SOCKS proxy, or one that joins us to a TLS server), and the name that its certificate had to have;
 * all else is the same for every URL of a command, the credentials for a proxy too. An HTTP proxy that is asked for whole
 * URLs is the address itself, and one connection to it serves all hosts. What is idle is not watched: before it is used
 * again it is looked at, and closed where its end, or anything else that nobody has asked for, has come by it.
 */
#include "cmd/http/http_connection.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include "cli/report.h"
#include "cmd/common/connect_retry.h"

static bool address_is_same(const struct address *one, const struct address *other)
{
    return one->kind == other->kind && one->family == other->family &&
           one->abstract == other->abstract && strcasecmp(one->host, other->host) == 0 &&
           strcmp(one->port, other->port) == 0 && strcmp(one->path, other->path) == 0;
}

static bool connection_leads(const struct http_connection *connection,
                             const struct http_route *route)
{
    return address_is_same(&connection->address, &route->address) &&
           connection->tunneled == route->tunneled &&
           (!route->tunneled ||
            (connection->tunnel_kind == route->tunnel.kind &&
             address_is_same(&connection->tunnel_address, &route->tunnel.address))) &&
           strcasecmp(connection->tls_name, route->tls_name) == 0;
}

/* Whatever has come meanwhile, the end most likely, is no answer to what is asked next. */
static bool connection_is_idle(const struct http_connection *connection)
{
    struct pollfd socket = {.fd = connection->connection.fd, .events = POLLIN};
    return poll(&socket, 1, 0) == 0;
}

/* Returns the place for a connection to where the route leads: the one that has it, a free one, or the one not used for
 * the longest time. */
static struct http_connection *connections_find_place(struct http_connections *connections,
                                                      const struct http_route *route)
{
    struct http_connection *place = &connections->kept[0];
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct http_connection *kept = &connections->kept[i];
        if (kept->open && connection_leads(kept, route))
            return kept;
        if (place->open && (!kept->open || kept->used < place->used))
            place = kept;
    }
    return place;
}

static int connection_open(struct http_connections *connections, struct http_connection *connection,
                           const struct http_route *route, struct error *err)
{
    static const struct connect_retry_options once = {.wait_ms = -1};
    struct via *via = connections->via;
    const bool is_tls = *route->tls_name;
    const struct dial_options how = {.timeout_ms = connections->timeout_ms,
                                     .via = via->command || is_tls ? via : NULL};
    const struct connect_retry target = {&route->address,
                                         route->tunneled && !is_tls ? &route->tunnel : NULL, &once,
                                         &how, connections->idle_ms};
    via->name = is_tls ? route->tls_name : NULL;
    via->proxy = is_tls && route->tunneled ? &route->tunnel : NULL;
    if (how.via && via_check(via, &route->address, err))
        return -1;
    if (connect_with_retry(connections->loop, &target, &connection->connection, err))
        return -1;
    const struct send_proxy send_proxy = {.version = connections->send_proxy,
                                          .target = route->tunneled ? &route->address : NULL};
    if (connect_send_proxy(connections->loop, &connection->connection, &send_proxy, err)) {
        connection_close(&connection->connection);
        return -1;
    }
    char local[SOCKNAME_TEXT_MAX];
    const struct connection *dialed = &connection->connection;
    connection->open = true;
    connection->served = 0;
    connection->in = connection->out = 0;
    connection->address = route->address;
    connection->tunneled = route->tunneled;
    connection->tunnel_kind = route->tunnel.kind;
    connection->tunnel_address = route->tunnel.address;
    stpcpy(connection->tls_name, route->tls_name);
    connection->log = (struct connection_log){.fd = dialed->fd};
    connection_log_open(&connection->log, dialed->fd, &dialed->peer);
    report_connected(connection->log.peer, sockname_text(&dialed->local, local));
    return 0;
}

struct http_connection *http_connections_get(struct http_connections *connections,
                                             const struct http_route *route, struct error *err)
{
    struct http_connection *connection = connections_find_place(connections, route);
    const bool is_kept = connection->open && connection_leads(connection, route) &&
                         connection_is_idle(connection);
    if (!is_kept) {
        http_connection_close(connection, REPORT_EOF);
        if (connection_open(connections, connection, route, err))
            return NULL;
    }
    connection->used = ++connections->uses;
    return connection;
}

void http_connections_close(struct http_connections *connections)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        http_connection_close(&connections->kept[i], REPORT_EOF);
}

int http_connection_fail(struct http_connection *connection, bool received, int result,
                         struct error *err)
{
    if (!connection->open)
        return result;
    connection->open = false;
    result = connection_end(&connection->connection, received, result, err);
    connection_log_close(&connection->log,
                         (struct report_end){.in = connection->in,
                                             .out = connection->out,
                                             .how = connection_log_how(result, err)});
    return result;
}

void http_connection_close(struct http_connection *connection, enum report_how how)
{
    if (!connection->open)
        return;
    connection->open = false;
    connection_log_close(&connection->log, (struct report_end){.in = connection->in,
                                                               .out = connection->out,
                                                               .how = how});
    connection_close(&connection->connection);
}
