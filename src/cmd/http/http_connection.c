#include "cmd/http/http_connection.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include "cmd/common/connect_retry.h"

static bool is_same(const struct address *one, const struct address *other)
{
    return one->kind == other->kind && one->family == other->family &&
           one->abstract == other->abstract && strcasecmp(one->host, other->host) == 0 &&
           strcmp(one->port, other->port) == 0 && strcmp(one->path, other->path) == 0;
}

/* Whatever has come meanwhile, the end most likely, is no answer to what is asked next. */
static bool is_quiet(int fd)
{
    struct pollfd socket = {.fd = fd, .events = POLLIN};
    return poll(&socket, 1, 0) == 0;
}

int http_connection_open(struct http_connection *connection, const struct http_route *route,
                         struct error *err)
{
    static const struct connect_retry_options once = {.wait_ms = -1};
    const struct dial_options how = {.timeout_ms = connection->timeout_ms};
    const struct connect_retry way = {&route->address, route->tunneled ? &route->tunnel : NULL,
                                      &once, &how, connection->idle_ms};
    if (connection->open && is_same(&connection->address, &route->address) &&
        connection->tunneled == route->tunneled && is_quiet(connection->connection.fd))
        return 0;
    http_connection_close(connection, REPORT_EOF);
    if (connect_with_retry(connection->loop, &way, &connection->connection, err))
        return -1;
    char local[SOCKNAME_TEXT_MAX];
    const struct connection *dialed = &connection->connection;
    connection->open = true;
    connection->served = 0;
    connection->in = connection->out = 0;
    connection->address = route->address;
    connection->tunneled = route->tunneled;
    connection->log = (struct connection_log){.fd = dialed->fd};
    connection_log_open(&connection->log, dialed->fd, &dialed->peer);
    report_connected(connection->log.peer, sockname_text(&dialed->local, local));
    return 0;
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
