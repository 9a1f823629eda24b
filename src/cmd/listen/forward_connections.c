/*
 * listen --to, connections: each client waits for its connection to the far side, and is then joined
 * to it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/listen/forward.h"
#include "net/proxy_header.h"
#include "sys/sock.h"

struct forwarded {
    struct forwarding *forwarding;
    struct forwarded *next; /* these two, while it is not joined */
    struct forwarded *previous;
    int fd; /* its own until it is joined */
    struct proxied_ends proxied;
    struct forward_dial *dial; /* while the far side is connected to */
    size_t preface_length;
    struct connection_log *log; /* NULL where nobody will read it */
};

static struct server *server_of(const struct forwarded *client)
{
    return &client->forwarding->listening->server;
}

/* The row of those who are not joined yet. */

static void enter_row(struct forwarding *forwarding, struct forwarded *client)
{
    client->next = forwarding->first;
    if (client->next)
        client->next->previous = client;
    forwarding->first = client;
}

static void leave_row(struct forwarded *client)
{
    if (client->previous)
        client->previous->next = client->next;
    else
        client->forwarding->first = client->next;
    if (client->next)
        client->next->previous = client->previous;
}

/* Ends */

static void forget(struct forwarded *client)
{
    struct server *server = server_of(client);
    free(client->log);
    free(client);
    server_left(server);
}

/* Before it was joined. */
static void turn_away(struct forwarded *client, enum report_how how)
{
    if (client->dial)
        forward_dial_cancel(client->dial);
    if (client->log)
        connection_log_close(client->log, (struct report_end){.how = how});
    sock_abort(client->fd); /* an end would say that there was nothing to say */
    leave_row(client);
    forget(client);
}

static enum report_how how_pair_left(const struct forwarding *forwarding,
                                     const struct forward_pair *pair, enum forward_end how)
{
    static const enum report_how hows[] = {[FORWARD_EOF] = REPORT_EOF,
                                           [FORWARD_IDLE] = REPORT_TIMEOUT,
                                           [FORWARD_STOPPED] = REPORT_SIGNAL};
    if (how == FORWARD_FAILED)
        return connection_log_how_failed(pair->failure);
    if (how == FORWARD_STOPPED && forwarding->listening->err->status == STATUS_TIMEOUT)
        return REPORT_TIMEOUT;
    return hows[how];
}

static void tell_end(const struct forwarded *client, const struct forward_pair *pair,
                     enum forward_end how)
{
    const char *name = client->log->peer;
    if (how == FORWARD_FAILED)
        log_note(LOG_LEVEL_INFO, "%s: %s: %s", name,
                 pair->failed == &pair->near ? "the client" : "the far side",
                 strerror(pair->failure));
    else if (how == FORWARD_IDLE)
        log_note(LOG_LEVEL_INFO, "%s: nothing moved within the time limit", name);
    connection_log_close(client->log,
                         (struct report_end){.in = channel_taken(&pair->near.channel) -
                                                   client->preface_length,
                                             .out = channel_moved(&pair->far.channel),
                                             .how = how_pair_left(client->forwarding, pair, how)});
}

static void pair_left(struct forward *forward, const struct forward_pair *pair,
                      enum forward_end how)
{
    struct forwarded *client = pair->user_data;
    (void)forward;
    if (client->log)
        tell_end(client, pair, how);
    forget(client);
}

static void all_left(struct forward *forward)
{
    loop_stop(forward->loop, 0);
}

/* The far side */

static size_t write_preface(struct forwarded *client, char *out)
{
    struct proxied_ends *proxied = &client->proxied;
    if (!client->forwarding->listening->given->forward.send_proxy)
        return 0;
    if (!proxied->destination.length)
        sock_name(client->fd, &proxied->destination);
    return proxied_ends_write(proxied, SOCK_STREAM, out);
}

static void far_connected(void *context, const struct connection *connection,
                          const struct error *err)
{
    struct forwarded *client = context;
    struct forwarding *forwarding = client->forwarding;
    char preface[PROXY_HEADER_MAX];
    client->dial = NULL;
    if (!connection) {
        forwarding_warn(forwarding, &client->proxied.source, err);
        turn_away(client, connection_log_how(-1, err));
        return;
    }
    forwarding_tell_connected(connection);
    client->preface_length = write_preface(client, preface);
    const struct forward_ends ends = {.near = fd_of_socket(client->fd),
                                      .far = fd_of_socket(connection->fd),
                                      .near_socktype = server_of(client)->listener.socktype,
                                      .far_socktype = connection->socktype,
                                      .preface = preface,
                                      .preface_length = client->preface_length};
    leave_row(client);
    forward_join(&forwarding->forward, &ends, client);
}

static void connect_far(struct forwarded *client)
{
    struct forwarding *forwarding = client->forwarding;
    if (connection_log_is_wanted()) {
        client->log = memory_new(1, sizeof *client->log);
        connection_log_accept(client->log, client->fd, &client->proxied.source);
    }
    client->dial = forward_dial_start(&forwarding->dials, far_connected, client);
}

/* The client */

static void client_came(struct server *server, int fd, const struct sockname *peer)
{
    struct listening *listening = LOOP_OWNER(server, struct listening, server);
    struct forwarded *client = memory_new(1, sizeof *client);
    client->forwarding = listening->forwarding;
    client->fd = fd;
    client->proxied = (struct proxied_ends){.source = *peer, .destination = server->destination};
    enter_row(listening->forwarding, client);
    connect_far(client);
}

static void turn_all_away(struct forwarding *forwarding, enum report_how how)
{
    while (forwarding->first)
        turn_away(forwarding->first, how);
}

static void stop(struct server *server)
{
    struct forwarding *forwarding = LOOP_OWNER(server, struct listening, server)->forwarding;
    server_refuse(server);
    turn_all_away(forwarding, REPORT_SIGNAL);
    forward_stop(&forwarding->forward);
}

int forwarding_connections(struct forwarding *forwarding)
{
    struct listening *listening = forwarding->listening;
    forwarding->forward = (struct forward){.loop = listening->loop,
                                           .idle_ms = forwarding->limits.idle_ms,
                                           .keepalive_ms = listening->given->sockopt.keepalive_ms,
                                           .left = pair_left,
                                           .stopped = all_left};
    listening->server.joined = client_came;
    listening->server.stopping = stop;
    int result = server_ready(&listening->server);
    if (result == 0) {
        server_accept(&listening->server);
        result = loop_run(listening->loop);
    }
    server_refuse(&listening->server);
    turn_all_away(forwarding, REPORT_TIMEOUT);
    forward_release(&forwarding->forward);
    return result;
}
