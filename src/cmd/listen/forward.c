/*
 * listen --to: each client is joined to a connection of its own to another address.
 *
 *     remote dials    connections to that address, for many clients; one look-up of its name is enough for all
 *     connections     a client waits for its remote connection (`pending`), and is then joined to it (stream/forward.h)
 *     programs        with --via and --tls, a program of the client's own is that connection, and the client stays until it
 *                     has ended (stream_program_gone)
 *     datagrams       a flow for each client's address (dgram/flows.h)
 *
 * With --output or --hex-dump each connection and each flow has filters of its own (cmd/common/filters.h), by which what
 * passes is written down; they hold it up where the file does not take that.
 *
 * What both have in common is struct forwarding; listen_forward, at the end, checks what was asked for and starts
 * one of them.
 */
#include "stream/forward.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/foreign.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/modes.h"
#include "cmd/listen/listening.h"
#include "command.h"
#include "dgram/flows.h"
#include "net/address.h"
#include "net/attempt.h"
#include "net/dial.h"
#include "net/hostname.h"
#include "net/proxy_header.h"
#include "net/resolver.h"
#include "sys/descriptors.h"
#include "sys/sock.h"

enum {
    FLOW_IDLE_MS = 60 * 1000, /* unless -i says otherwise */
    FLOWS_MAX = 4096,         /* unless -m does */
    OTHER_DESCRIPTORS = 32,   /* than those of flows */
    PROGRAM_END_MS = 1000,    /* from the end of a program's connection to its own */
    TLS_LINGER_MS = 5000      /* of a client that has ended, and openssl(1) cannot say so */
};

/* Remote dials
 *
 * While the name is not known, whoever is to be connected waits in a queue, and one dialer, which is nobody's in
 * particular, asks. The first in the queue gets what it has connected; the others connect to what was found, each
 * with a dialer of its own, or fail for the reason that it failed. */

struct remote_dials {
    struct loop *loop;
    const struct address *to;
    const struct dial_options *how; /* its `known` is not NULL */
    bool is_name;                   /* there is something to be looked up */
    struct dialer *asking;          /* while the name is looked up */
    struct list waiting;            /* for the name */
};

struct remote_dial {
    struct remote_dials *dials;
    struct list_node node; /* of those that wait */
    struct dialer *dialer; /* NULL: it waits */
    void (*done)(void *context, const struct connection *connection, const struct error *err);
    void *context;
};

/* Ends a dial, of which its owner is informed when it is gone. `context` is the dial. */
static void remote_dial_end(void *context, const struct connection *connection,
                            const struct error *err)
{
    const struct remote_dial ended = *(struct remote_dial *)context;
    free(context);
    ended.done(ended.context, connection, err);
}

static struct remote_dial *remote_dials_take_first(struct remote_dials *dials)
{
    struct remote_dial *first = LIST_FIRST(&dials->waiting, struct remote_dial, node);
    list_remove(&dials->waiting, &first->node);
    return first;
}

static void remote_dials_asked(void *context, const struct connection *connection,
                               const struct error *err);

/* Lets those who wait connect, if the name is known; else one of them has to ask again. */
static void remote_dials_go_on(struct remote_dials *dials)
{
    while (dials->waiting.first && (!dials->is_name || dials->how->known->count)) {
        struct remote_dial *next = remote_dials_take_first(dials);
        next->dialer = dial_start(dials->loop, dials->to, dials->how, remote_dial_end, next);
    }
    if (dials->waiting.first && !dials->asking)
        dials->asking = dial_start(dials->loop, dials->to, dials->how, remote_dials_asked, dials);
}

static void remote_dials_asked(void *context, const struct connection *connection,
                               const struct error *err)
{
    struct remote_dials *dials = context;
    dials->asking = NULL;
    if (connection && dials->waiting.first)
        remote_dial_end(remote_dials_take_first(dials), connection, NULL);
    else if (connection)
        sock_close(connection->fd);
    while (!connection && dials->waiting.first)
        remote_dial_end(remote_dials_take_first(dials), NULL, err);
    remote_dials_go_on(dials);
}

/* Connects as dial_start does. `done` is called when the dial is gone, unless remote_dial_cancel comes before it. */
static struct remote_dial *remote_dial_start(struct remote_dials *dials,
                                             void (*done)(void *context,
                                                          const struct connection *connection,
                                                          const struct error *err),
                                             void *context)
{
    struct remote_dial *started = memory_new(1, sizeof *started);
    *started = (struct remote_dial){.dials = dials, .done = done, .context = context};
    list_append(&dials->waiting, &started->node);
    remote_dials_go_on(dials);
    return started;
}

static void remote_dial_cancel(struct remote_dial *dial)
{
    if (dial->dialer)
        dial_cancel(dial->dialer);
    else
        list_remove(&dial->dials->waiting, &dial->node);
    free(dial);
}

/* One run */

struct forwarding {
    struct listening *listening;
    struct address to;
    struct dial_options how;
    struct sockopt sockopt; /* of the remote sockets */
    struct via via;         /* what connects instead, where `how` says so */
    struct remote_dials dials;
    struct resolved known;       /* what the name of the remote address was found to be */
    struct limit_options limits; /* of the server: -w is for connecting here */
    uint64_t written_down;       /* connections and flows, by number */
    bool has_failed;             /* what passes cannot be written down */
};

/* Warns that a remote connection could not be made for `client`. Of those about a lack of descriptors or of local
 * ports, one in 10 s is printed, and no more clients come for a while. */
static void forwarding_warn(struct forwarding *forwarding, const struct sockname *client,
                            const struct error *err)
{
    char name[SOCKNAME_TEXT_MAX];
    if (attempt_is_shortage(err->errnum) && !listener_rest(&forwarding->listening->server.listener))
        return;
    report_warning("%s: %s", sockname_text(client, name), err->text);
}

/* Enters its sandbox. A name is looked up again when it is connected to. */
static void forwarding_confine(const struct forwarding *forwarding)
{
    const unsigned lookups = SANDBOX_LOOKUP | SANDBOX_SERVICES;
    struct server *server = &forwarding->listening->server;
    if (forwarding->how.via)
        server_skip_sandbox(server);
    else
        server_confine(server, SANDBOX_SOCKETS | (forwarding->dials.is_name ? lookups : 0));
}

/* Logs a remote connection, at -v, or as an object. */
static void forwarding_log_connected(const struct connection *connection)
{
    if (!connection_log_is_wanted())
        return;
    char peer[SOCKNAME_TEXT_MAX], local[SOCKNAME_TEXT_MAX];
    report_connected(sockname_text(&connection->peer, peer),
                     sockname_text(&connection->local, local));
}

/* Begins to write a client's connection down, from the one whose name is `client` and who speaks to `fd`. Returns its
 * filters, for written_down_end, or NULL where nothing is to be written. */
static struct filters *written_down_begin(struct forwarding *forwarding, int fd,
                                          const struct sockname *client)
{
    struct filters *shared = &forwarding->listening->filters;
    char name[SOCKNAME_TEXT_MAX], text[SOCKNAME_TEXT_MAX + 8];
    if (!flow_filter(&shared->tx))
        return NULL;
    struct filters *filters = memory_new(1, sizeof *filters);
    snprintf(text, sizeof text, "from %s", connection_log_name(fd, client, name));
    filters_begin(filters, shared, ++forwarding->written_down, text);
    return filters;
}

/* Ends the run where what passes cannot be written down; filters_close says why. */
static void forwarding_fail_if(struct forwarding *forwarding, const struct filters *filters)
{
    if (!filters->failed || forwarding->has_failed)
        return;
    forwarding->has_failed = true;
    loop_stop(forwarding->listening->loop, -1);
}

/* Frees the filters, which may be NULL, of a connection that has ended. Returns whether they were held. */
static bool written_down_end(struct forwarding *forwarding, struct filters *filters,
                             enum report_how how)
{
    char text[32];
    if (!filters)
        return false;
    const bool held = filters->tx.filter.held || filters->rx.filter.held;
    snprintf(text, sizeof text, "ended: %s", report_how_text(how));
    filters_end(filters, text);
    forwarding_fail_if(forwarding, filters);
    free(filters);
    return held;
}

/* Connections */

struct stream_client {
    struct stream_forwarding *all;
    struct list_node node; /* while it is not joined */
    int fd;                /* its own until it is joined */
    struct proxied_ends proxied;
    struct remote_dial *dial; /* while the remote side is connected to */
    size_t preface_length;
    struct connection_log *log; /* NULL where nobody will read it */
    struct filters *filters;    /* once it is joined; NULL where nothing is written down */
    /* Of its program, where it has one: */
    struct via_program *via;   /* once it is joined; NULL: none */
    struct forward_pair *pair; /* while that waits to hear how the program has ended; else NULL */
    struct timer program_end;  /* how long it waits */
    bool program_ended;
    bool program_failed;
    bool program_was_first; /* it ended, or failed, before the client did */
    bool is_silent;         /* the same, and has sent nothing */
    bool is_left;           /* by its pair: it stays until the program has ended */
};

struct stream_forwarding {
    struct forwarding *forwarding;
    struct forward forward;
    struct list pending; /* clients that are not joined yet */
};

static void stream_client_free(struct stream_client *client)
{
    struct server *server = &client->all->forwarding->listening->server;
    free(client);
    server_left(server);
}

/* Ends a client that is not joined yet. */
static void stream_client_reject(struct stream_client *client, enum report_how how)
{
    if (client->dial)
        remote_dial_cancel(client->dial);
    connection_log_end(client->log, (struct report_end){.how = how});
    sock_abort(client->fd); /* an end would say that there was nothing to say */
    list_remove(&client->all->pending, &client->node);
    stream_client_free(client);
}

/* Logs at -v why a pair has ended that did not end by itself. */
static void stream_log_failure(const struct stream_client *client, const struct forward_pair *pair,
                               enum forward_end how)
{
    const char *name = client->log->peer;
    if (how == FORWARD_IDLE)
        log_note(LOG_LEVEL_INFO, "%s: nothing moved within the time limit", name);
    else if (how == FORWARD_FAILED && !(client->filters && client->filters->failed))
        log_note(LOG_LEVEL_INFO, "%s: %s: %s", name,
                 pair->failed == &pair->local ? "the client" : "the far side",
                 strerror(pair->failure));
}

/* Warns of a command that has ended before its client, without a byte, as if that were all. */
static void stream_warn_of_silence(const struct stream_client *client)
{
    const struct forwarding *forwarding = client->all->forwarding;
    const char *command = forwarding->via.command;
    if (!command)
        return;
    char name[SOCKNAME_TEXT_MAX], to[ADDRESS_TEXT_MAX];
    report_warning("%s: connect to %s by '%.100s': it ended with status 0, without a byte",
                   sockname_text(&client->proxied.source, name),
                   address_text(&forwarding->to, false, to), command);
}

/* Notes whether a program that has closed its connection brought nothing, and its client was still waiting. */
static void stream_note_silence(struct stream_client *client, const struct forward_pair *pair)
{
    if (client->is_silent || pair->local.ended || pair->remote.channel.pump.taken)
        return;
    client->is_silent = true;
    if (client->program_ended && !client->program_failed)
        stream_warn_of_silence(client);
}

/* Informs of the end of a client's program, which comes once: err is NULL where it ended in order. */
static void stream_program_gone(void *context, const struct error *err)
{
    struct stream_client *client = context;
    struct forward_pair *pair = client->pair;
    client->program_ended = true;
    client->program_failed = err != NULL;
    client->pair = NULL;
    loop_timer_cancel(client->all->forward.pairs.loop, &client->program_end);
    const bool matters = !client->is_left || client->program_was_first;
    if (err && matters)
        forwarding_warn(client->all->forwarding, &client->proxied.source, err);
    else if (!err && client->is_silent)
        stream_warn_of_silence(client);
    if (client->is_left)
        stream_client_free(client);
    else if (pair)
        forward_end_remote(pair, err ? ECONNRESET : 0);
}

/* A program that has closed its connection goes on with something else. */
static void stream_program_stays(struct timer *timer)
{
    struct stream_client *client = LOOP_OWNER(timer, struct stream_client, program_end);
    struct forward_pair *pair = client->pair;
    client->pair = NULL;
    forward_end_remote(pair, 0);
}

/* Says how the remote side has ended. The end of a program's socket says as little as that of a TLS connection without
 * its close_notify: only its status tells whether that was all. One that has shut down its sending half is not about to end. */
static int stream_remote_ended(struct forward *forward, struct forward_pair *pair)
{
    struct stream_client *client = pair->user_data;
    struct pollfd socket = {.fd = pair->remote.watch.fd, .events = POLLIN};
    if (!client->via || forward->pairs.stopping)
        return 0;
    stream_note_silence(client, pair);
    if (client->program_ended)
        return client->program_failed ? ECONNRESET : 0;
    if (poll(&socket, 1, 0) != 1 || !(socket.revents & POLLHUP))
        return 0;
    client->pair = pair;
    if (!loop_timer_is_set(&client->program_end)) {
        client->program_end.fired = stream_program_stays;
        loop_timer_set(forward->pairs.loop, &client->program_end, PROGRAM_END_MS);
    }
    return EAGAIN;
}

/* Leaves the program of a client whose pair has ended. */
static void stream_leave_program(struct stream_client *client, const struct forward_pair *pair)
{
    client->pair = NULL;
    client->is_left = true;
    client->program_was_first = pair->remote.channel.pump.in_ended || pair->failed == &pair->remote;
    const bool has_all = pair->local.ended && !pair->local.cut;
    loop_timer_cancel(client->all->forward.pairs.loop, &client->program_end);
    if (client->program_was_first)
        stream_note_silence(client, pair);
    if (has_all || client->program_was_first)
        via_leave(client->via);
    else
        via_abort(client->via);
}

static void stream_pair_left(struct forward *forward, const struct forward_pair *pair,
                             enum forward_end how)
{
    static const enum report_how hows[] = {[FORWARD_EOF] = REPORT_EOF,
                                           [FORWARD_IDLE] = REPORT_TIMEOUT,
                                           [FORWARD_STOPPED] = REPORT_SIGNAL,
                                           [FORWARD_FAILED] = REPORT_ERROR};
    struct stream_client *client = pair->user_data;
    struct forwarding *forwarding = client->all->forwarding;
    struct report_end end = {.how = hows[how]};
    (void)forward;
    if (how == FORWARD_FAILED && !(client->filters && client->filters->failed))
        end.how = connection_log_how_failed(pair->failure);
    else if (how == FORWARD_STOPPED && forwarding->listening->err->status == STATUS_TIMEOUT)
        end.how = REPORT_TIMEOUT;
    if (client->log) {
        stream_log_failure(client, pair, how);
        end.in = pair->local.channel.pump.taken - client->preface_length;
        end.out = pair->remote.channel.pump.moved;
        connection_log_end(client->log, end);
    }
    written_down_end(forwarding, client->filters, end.how);
    const bool stays = client->via && !client->program_ended;
    if (client->via)
        stream_leave_program(client, pair);
    if (!stays)
        stream_client_free(client);
}

static void stream_all_left(struct forward *forward)
{
    loop_stop(forward->pairs.loop, 0);
}

static void stream_remote_connected(void *context, const struct connection *connection,
                                    const struct error *err)
{
    struct stream_client *client = context;
    struct forwarding *forwarding = client->all->forwarding;
    struct proxied_ends *proxied = &client->proxied;
    char preface[PROXY_HEADER_MAX];
    client->dial = NULL;
    if (!connection) {
        forwarding_warn(forwarding, &proxied->source, err);
        stream_client_reject(client, connection_log_how(-1, err));
        return;
    }
    forwarding_log_connected(connection);
    client->via = connection->via;
    if (client->via)
        via_await_end(client->via, stream_program_gone, client);
    if (forwarding->listening->given->forward.send_proxy) {
        if (!proxied->destination.length)
            sock_name(client->fd, &proxied->destination);
        client->preface_length = proxied_ends_write(
            proxied, forwarding->listening->given->forward.send_proxy, SOCK_STREAM, preface);
    }
    client->filters = written_down_begin(forwarding, client->fd, &proxied->source);
    if (client->filters)
        filters_greeting(client->filters, preface, client->preface_length); /* an error is kept */
    const struct forward_ends ends = {
        .local = fd_of_socket(client->fd),
        .remote = fd_of_socket(connection->fd),
        .local_socktype = forwarding->listening->server.listener.socktype,
        .remote_socktype = connection->socktype,
        .preface = preface,
        .preface_length = client->preface_length,
        .local_filter = client->filters ? &client->filters->tx.filter : NULL,
        .remote_filter = client->filters ? &client->filters->rx.filter : NULL};
    list_remove(&client->all->pending, &client->node);
    forward_join(&client->all->forward, &ends, client);
}

static void stream_client_joined(struct server *server, const struct admitted_client *admitted)
{
    struct stream_forwarding *all = LOOP_OWNER(server, struct listening, server)->serving;
    struct stream_client *client = memory_new(1, sizeof *client);
    client->all = all;
    client->fd = admitted->fd;
    client->proxied = (struct proxied_ends){.source = *admitted->peer,
                                            .destination = admitted->destination};
    list_append(&all->pending, &client->node);
    client->log = connection_log_new(client->fd, &client->proxied.source);
    client->dial = remote_dial_start(&all->forwarding->dials, stream_remote_connected, client);
}

static void stream_stop(struct server *server)
{
    struct stream_forwarding *all = LOOP_OWNER(server, struct listening, server)->serving;
    server_refuse(server);
    while (all->pending.first)
        stream_client_reject(LIST_FIRST(&all->pending, struct stream_client, node), REPORT_SIGNAL);
    forward_stop(&all->forward);
}

static int forward_connections(struct forwarding *forwarding)
{
    struct listening *listening = forwarding->listening;
    const struct listen_options *given = listening->given;
    struct stream_forwarding all = {
        .forwarding = forwarding,
        .forward = {.pairs = {.loop = listening->loop,
                              .idle_ms = forwarding->limits.idle_ms,
                              .keepalive_ms = given->sockopt.keepalive_ms},
                    .linger_ms = given->forward.via.tls && !given->transfer.shutdown ? TLS_LINGER_MS
                                                                                     : 0,
                    .left = stream_pair_left,
                    .remote_ended = stream_remote_ended,
                    .stopped = stream_all_left}};
    listening->serving = &all;
    listening->server.joined = stream_client_joined;
    listening->server.stop = stream_stop;
    int result = server_ready(&listening->server);
    if (result == 0) {
        forwarding_confine(forwarding);
        server_accept(&listening->server);
        result = loop_run(listening->loop);
    }
    server_refuse(&listening->server);
    while (all.pending.first)
        stream_client_reject(LIST_FIRST(&all.pending, struct stream_client, node), REPORT_TIMEOUT);
    forward_release(&all.forward);
    via_drain(&forwarding->via, listening->loop);
    return result;
}

/* Datagrams */

struct flow_forwarding {
    struct forwarding *forwarding;
    struct datagram_flows flows;
};

/* The client of a flow. */
struct flow_client {
    struct forwarding *forwarding;
    struct datagram_flow *flow;
    struct remote_dial *dial;   /* while it is connected */
    struct connection_log *log; /* NULL where nobody will read it */
    struct filters *filters;    /* NULL where nothing is written down */
};

/* Frees the client; the flow goes after it. */
static void flow_client_free(struct flow_client *client, struct report_end end)
{
    /* What was held up by it goes on, and is held up again by the next datagram. */
    if (written_down_end(client->forwarding, client->filters, end.how))
        datagram_flows_resume(client->flow->flows);
    if (client->dial)
        remote_dial_cancel(client->dial);
    end.in = client->flow->bytes_in;
    end.out = client->flow->bytes_out;
    connection_log_end(client->log, end);
    free(client);
}

static void flow_left(struct datagram_flows *flows, const struct datagram_flow *flow,
                      enum datagram_flow_end how)
{
    static const enum report_how hows[] = {[DATAGRAM_FLOW_IDLE] = REPORT_TIMEOUT,
                                           [DATAGRAM_FLOW_PUSHED] = REPORT_EOF,
                                           [DATAGRAM_FLOW_REFUSED] = REPORT_ERROR,
                                           [DATAGRAM_FLOW_STOPPED] = REPORT_SIGNAL};
    (void)flows;
    flow_client_free(flow->user_data, (struct report_end){.how = hows[how]});
}

static void flow_remote_connected(void *context, const struct connection *connection,
                                  const struct error *err)
{
    struct flow_client *client = context;
    struct datagram_flow *flow = client->flow;
    client->dial = NULL;
    if (!connection) {
        forwarding_warn(client->forwarding, &flow->client.peer, err);
        flow_client_free(client, (struct report_end){.how = connection_log_how(-1, err)});
        datagram_flow_end(flow);
        return;
    }
    forwarding_log_connected(connection);
    if (client->log)
        client->log->fd = connection->fd;
    datagram_flow_connected(flow, connection->fd, connection->is_group ? &connection->peer : NULL);
}

/* What has passed is written down. */
static void flow_released(struct filter *filter)
{
    datagram_flows_resume(filter->mover);
}

/* Writes a datagram down, which is in the buffer. */
static bool flow_look(struct datagram_flows *flows, struct datagram_flow *flow, bool from_client,
                      size_t length)
{
    struct flow_client *client = flow->user_data;
    struct filters *filters = client->filters;
    int result = from_client ? filters_look_tx(filters, flows->buffer, length)
                             : filters_look_rx(filters, flows->buffer, length);
    if (filters->tx.filter.held || filters->rx.filter.held)
        datagram_flows_hold(flows);
    forwarding_fail_if(client->forwarding, filters);
    return result == 0;
}

static void flow_opened(struct datagram_flows *flows, struct datagram_flow *flow)
{
    struct forwarding *forwarding = LOOP_OWNER(flows, struct flow_forwarding, flows)->forwarding;
    struct flow_client *client = memory_new(1, sizeof *client);
    client->forwarding = forwarding;
    client->flow = flow;
    flow->user_data = client;
    client->log = connection_log_new(flow->fd, &flow->client.peer);
    client->filters = written_down_begin(forwarding, flow->fd, &flow->client.peer);
    if (client->filters) {
        filter_set_mover(&client->filters->tx.filter, flows, flow_released);
        filter_set_mover(&client->filters->rx.filter, flows, flow_released);
    }
    client->dial = remote_dial_start(&forwarding->dials, flow_remote_connected, client);
}

static void flows_stop(struct server *server)
{
    loop_stop(server->loop, 0);
}

/* Called when the lists of who may speak to us have been read again. */
static void flows_reviewed(struct server *server)
{
    struct flow_forwarding *all = LOOP_OWNER(server, struct listening, server)->serving;
    datagram_flows_review(&all->flows);
}

_Static_assert((int)DATAGRAM_FLOWS_SOCKETS_MAX >= (int)LISTENER_SOCKETS_MAX, "a listener has more");

static int forward_datagrams(struct forwarding *forwarding)
{
    struct listening *listening = forwarding->listening;
    struct server *server = &listening->server;
    struct flow_forwarding *all = memory_new(1, sizeof *all); /* too large for the stack */
    int sockets[LISTENER_SOCKETS_MAX];
    int64_t idle_ms = forwarding->limits.idle_ms, max = listening->given->server.max_conns;
    int64_t room = descriptors_max() - OTHER_DESCRIPTORS;
    if (!max)
        max = FLOWS_MAX;
    if (max > room)
        max = room;
    all->forwarding = forwarding;
    all->flows.loop = listening->loop;
    all->flows.idle_ms = idle_ms >= 0 ? idle_ms : FLOW_IDLE_MS;
    all->flows.max = max < 1 ? 1 : (size_t)max;
    all->flows.opened = flow_opened;
    all->flows.left = flow_left;
    if (flow_filter(&listening->filters.tx))
        all->flows.look = flow_look;
    listening->serving = all;
    server->stop = flows_stop;
    server->reviewed = flows_reviewed;
    size_t count = server_datagram_sockets(server, sockets, &all->flows.senders);
    datagram_flows_start(&all->flows, sockets, count);
    int result = server_ready(server);
    if (result == 0) {
        forwarding_confine(forwarding);
        result = loop_run(listening->loop);
    }
    server->reviewed = NULL;
    datagram_flows_release(&all->flows);
    free(all);
    return result;
}

/* The command */

static int forward_read_address(const struct listen_options *given, struct address *to,
                                struct error *err)
{
    const struct address_use use = {.udp = given->protocol.udp, .family = given->family.family};
    const char *answer = foreign_operand("listen", given->forward.to, true);
    unsigned port;
    if (answer && *answer)
        return error_set(err, STATUS_USAGE, "option --to: '%.100s': %s", given->forward.to, answer);
    if (address_parse(to, &given->forward.to, 1, &use, err)) {
        if (given->family.family != AF_UNSPEC)
            error_add(err, " (-4 and -6 are for --to, too; tcp4:PORT and tcp6:PORT are not)");
        return -1;
    }
    /* A service that nobody knows would turn each client away; and whoever is in a sandbox can look up none. */
    if (to->kind == ADDRESS_INET) {
        if (resolver_port(to, given->family.numeric, &port, err))
            return -1;
        snprintf(to->port, sizeof to->port, "%u", port);
    }
    if (to->kind == ADDRESS_FD || to->kind == ADDRESS_SYSTEMD)
        return error_set(err, STATUS_USAGE,
                         "option --to: an inherited socket is connected already, once for all");
    return 0;
}

/* Checks whether a program can connect to the address, where one is to. */
static int forward_check_program(const struct forward_options *given, const struct address *to,
                                 struct error *err)
{
    struct via via = {0};
    struct error missing;
    if (via_options_check(&given->via, false, to, &via, err) < 0)
        return -1;
    if (given->via.tls && given->send_proxy)
        return error_set(err, STATUS_USAGE,
                         "option --send-proxy: with --tls, openssl(1) makes the connection");
    if (given->via.tls && program_look_up("openssl", &missing))
        return error_set(err, STATUS_CONNECT,
                         "option --tls: openssl(1) is needed for it and cannot be run: %s",
                         strerror(missing.errnum));
    return 0;
}

int listen_check_forward(const struct listen_options *typed, unsigned kind, struct error *err)
{
    struct address to;
    if (forward_read_address(typed, &to, err))
        return -1;
    /* Datagrams go to datagrams, connections to connections. */
    const unsigned to_kind = modes_of_address(&to);
    const bool from_datagrams = kind & MODE_DATAGRAMS, to_datagrams = to_kind & MODE_DATAGRAMS;
    if ((kind | to_kind) & MODE_IP)
        return error_set(err, STATUS_USAGE, "option --to is not for raw sockets");
    if (kind && from_datagrams != to_datagrams)
        return error_set(err, STATUS_USAGE, "option --to: %s cannot be forwarded to %s%s",
                         from_datagrams ? "datagrams" : "connections",
                         to_datagrams ? "a datagram socket" : "a connection",
                         from_datagrams
                             ? " (their data can: sockctl listen -u -k PORT | sockctl connect HOST "
                               "PORT)"
                             : " (a program can: -k -c 'sockctl connect -u -q0 HOST PORT')");
    if (forward_check_program(&typed->forward, &to, err))
        return -1;
    if (typed->workers > 1 && (typed->transfer.output || typed->transfer.hex_dump))
        return error_set(err, STATUS_USAGE,
                         "option --workers: what passes is one process's to write down");
    if (to_datagrams && typed->workers > 1)
        return error_set(err, STATUS_USAGE,
                         "option --workers: datagrams are one process's to forward");
    /* An option of a socket may be for either side. */
    return modes_check(&listen_command, typed, MODE_FORWARD | (kind ? kind | to_kind : 0), err);
}

/* Chooses the options of the remote sockets: the user's are for both sides, except what only makes sense for one. */
static void forward_choose_sockopt(struct forwarding *forwarding)
{
    const struct sockopt none = SOCKOPT_DEFAULTS;
    const struct sockopt *given = &forwarding->listening->given->sockopt;
    forwarding->sockopt = forwarding->to.kind == ADDRESS_INET ? *given : none;
    forwarding->sockopt.rcvbuf = given->rcvbuf;
    forwarding->sockopt.sndbuf = given->sndbuf;
    forwarding->sockopt.interface = NULL;
    forwarding->sockopt.fastopen = false;
    forwarding->sockopt.join.count = 0;
    forwarding->sockopt.no_delay = forwarding->to.kind == ADDRESS_INET &&
                                   forwarding->to.socktype == SOCK_STREAM;
}

int listen_forward(struct listening *listening)
{
    const struct listen_options *given = listening->given;
    struct server *server = &listening->server;
    struct error *err = listening->err;
    struct forwarding forwarding = {.listening = listening,
                                    .limits = given->limits,
                                    .how = {.numeric = given->family.numeric,
                                            .timeout_ms = given->limits.timeout_ms,
                                            .sockopt = &forwarding.sockopt,
                                            .known = &forwarding.known,
                                            .any_sender = true},
                                    .dials = {.to = &forwarding.to, .how = &forwarding.how}};
    struct sockname literal;
    struct error ignored;
    if (forward_read_address(given, &forwarding.to, err))
        return -1;
    const bool to_datagrams = forwarding.to.socktype == SOCK_DGRAM;
    forwarding.via.children = &server->children;
    if (via_options_check(&given->forward.via, false, &forwarding.to, &forwarding.via, err) > 0)
        forwarding.how.via = &forwarding.via;
    forward_choose_sockopt(&forwarding);
    server_send_at_once(server);
    int result = listen_share(listening);
    if (result == 1) {
        server_reserve(server, forwarding.how.via ? 3 : 2);
        forwarding.dials.loop = listening->loop;
        forwarding.dials.is_name = !forwarding.how.via && forwarding.to.kind == ADDRESS_INET &&
                                   hostname_read_literal(forwarding.to.host, &literal, &ignored) !=
                                       1;
        forwarding.limits.timeout_ms = -1;
        server->limits = &forwarding.limits;
        result = to_datagrams ? forward_datagrams(&forwarding) : forward_connections(&forwarding);
    }
    server_refuse(server);
    if (forwarding.dials.asking)
        dial_cancel(forwarding.dials.asking);
    server->limits = &given->limits;
    resolved_release(&forwarding.known);
    via_release(&forwarding.via);
    return result;
}
