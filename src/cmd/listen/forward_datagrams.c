/*
 * listen --to, datagrams: a flow for each client address.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "cmd/common/connection_log.h"
#include "cmd/listen/forward.h"
#include "dgram/flows.h"
#include "sys/descriptors.h"

enum {
    IDLE_MS = 60 * 1000, /* unless -i says otherwise */
    FLOWS_MAX = 4096,    /* unless -m does */
    OTHER_DESCRIPTORS = 32
};

/* All flows. */
struct forwarded_flows {
    struct forwarding *forwarding;
    struct datagram_flows flows;
};

/* One of them. */
struct forwarded_flow {
    struct forwarding *forwarding;
    struct datagram_flow *flow;
    struct forward_dial *dial;  /* while it is connected */
    struct connection_log *log; /* NULL where nobody will read it */
};

/* Its user_data goes first, then the flow. */
static void forget(struct forwarded_flow *user_data, struct report_end end)
{
    if (user_data->dial)
        forward_dial_cancel(user_data->dial);
    end.in = user_data->flow->bytes_in;
    end.out = user_data->flow->bytes_out;
    if (user_data->log)
        connection_log_close(user_data->log, end);
    free(user_data->log);
    free(user_data);
}

static void flow_left(struct datagram_flows *flows, const struct datagram_flow *flow,
                      enum datagram_flow_end how)
{
    static const enum report_how hows[] = {[DATAGRAM_FLOW_IDLE] = REPORT_TIMEOUT,
                                           [DATAGRAM_FLOW_PUSHED] = REPORT_EOF,
                                           [DATAGRAM_FLOW_REFUSED] = REPORT_ERROR,
                                           [DATAGRAM_FLOW_STOPPED] = REPORT_SIGNAL};
    (void)flows;
    forget(flow->user_data, (struct report_end){.how = hows[how]});
}

static void far_connected(void *context, const struct connection *connection,
                          const struct error *err)
{
    struct forwarded_flow *user_data = context;
    struct datagram_flow *flow = user_data->flow;
    user_data->dial = NULL;
    if (!connection) {
        forwarding_warn(user_data->forwarding, &flow->client.peer, err);
        forget(user_data, (struct report_end){.how = connection_log_how(-1, err)});
        datagram_flow_end(flow);
        return;
    }
    forwarding_tell_connected(connection);
    if (user_data->log)
        user_data->log->fd = connection->fd;
    datagram_flow_connected(flow, connection->fd, connection->is_group ? &connection->peer : NULL);
}

static void flow_opened(struct datagram_flows *flows, struct datagram_flow *flow)
{
    struct forwarding *forwarding = LOOP_OWNER(flows, struct forwarded_flows, flows)->forwarding;
    struct forwarded_flow *user_data = memory_new(1, sizeof *user_data);
    user_data->forwarding = forwarding;
    user_data->flow = flow;
    flow->user_data = user_data;
    if (connection_log_is_wanted()) {
        user_data->log = memory_new(1, sizeof *user_data->log);
        connection_log_accept(user_data->log, flow->fd, &flow->client.peer);
    }
    user_data->dial = forward_dial_start(&forwarding->dials, far_connected, user_data);
}

static void stop(struct server *server)
{
    loop_stop(server->loop, 0);
}

/* The lists of who may speak to us have been read again. */
static void review(struct server *server)
{
    struct forwarding *forwarding = LOOP_OWNER(server, struct listening, server)->forwarding;
    datagram_flows_review(forwarding->flows);
}

static size_t most_flows(const struct forwarding *forwarding)
{
    int64_t most = forwarding->listening->given->server.max_conns;
    int64_t room = descriptors_max() - OTHER_DESCRIPTORS;
    if (!most)
        most = FLOWS_MAX;
    if (most > room)
        most = room;
    return most < 1 ? 1 : (size_t)most;
}

_Static_assert((int)DATAGRAM_FLOWS_SOCKETS_MAX >= (int)LISTENER_SOCKETS_MAX, "a listener has more");

int forwarding_datagrams(struct forwarding *forwarding)
{
    struct listening *listening = forwarding->listening;
    const struct listener *listener = &listening->server.listener;
    struct forwarded_flows *all = memory_new(1, sizeof *all);
    int64_t idle_ms = forwarding->limits.idle_ms;
    all->forwarding = forwarding;
    all->flows.loop = listening->loop;
    all->flows.idle_ms = idle_ms >= 0 ? idle_ms : IDLE_MS;
    all->flows.most = most_flows(forwarding);
    all->flows.senders = server_senders(&listening->server);
    all->flows.opened = flow_opened;
    all->flows.left = flow_left;
    forwarding->flows = &all->flows;
    listening->server.stopping = stop;
    listening->server.reviewed = review;
    datagram_flows_init(&all->flows);
    for (size_t i = 0; i < listener->count; i++)
        datagram_flows_add(&all->flows, listener->sockets[i].watch.fd);
    int result = server_ready(&listening->server);
    if (result == 0)
        result = loop_run(listening->loop);
    listening->server.reviewed = NULL;
    datagram_flows_release(&all->flows);
    free(all);
    return result;
}
