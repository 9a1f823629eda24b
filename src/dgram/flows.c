/*
 * See flows.h. A flow is found by the client's address in a hash table, and has a connected socket of its own to the
 * remote side. All flows stand in a list by when they last moved: one timer looks at the last one, and where there are
 * too many that one goes. What arrives before the remote side is connected waits, bounded in number and bytes.
 */
#include "dgram/flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

enum {
    ROUNDS = 64,      /* datagrams of one socket in one go, so that others get their turn */
    FULL_ROUNDS = 16, /* of one datagram each, after which more are read in one go */
    BUCKETS_MIN = 256,
    /* What waits for a flow that is not connected yet: */
    WAITING_ITEMS_MAX = 64,
    WAITING_BYTES_MAX = 512 * 1024,
    WAITING_ALL_BYTES_MAX = 2 << 20, /* for all such flows together */
    WAITING_COST = 64                /* in bytes, of an item beside its own */
};

struct datagram_waiting {
    struct list_node node;
    size_t length;
    char bytes[];
};

/* The table, by the client's address */

static struct datagram_flow **flows_bucket(struct datagram_flows *flows,
                                           const struct sockname *peer)
{
    uint64_t hash = sockname_hash(peer, flows->seed);
    return &flows->buckets[(hash ^ hash >> 32) & (flows->bucket_count - 1)];
}

static void flow_enter_bucket(struct datagram_flow *flow)
{
    struct datagram_flow **bucket = flows_bucket(flow->flows, &flow->client.peer);
    flow->next = *bucket;
    *bucket = flow;
}

/* Makes room for as many flows again. */
static void flows_grow_table(struct datagram_flows *flows)
{
    free(flows->buckets);
    flows->bucket_count = flows->bucket_count ? 2 * flows->bucket_count : BUCKETS_MIN;
    flows->buckets = memory_new(flows->bucket_count, sizeof(struct datagram_flow *));
    LIST_EACH (struct datagram_flow, flow, &flows->by_use, node)
        flow_enter_bucket(flow);
}

/* The list by use */

static struct datagram_flow *flows_oldest(const struct datagram_flows *flows)
{
    return LIST_ITEM(flows->by_use.last, struct datagram_flow, node);
}

/* Moves a flow to the front. */
static void flow_use(struct datagram_flow *flow)
{
    struct list *list = &flow->flows->by_use;
    list_remove(list, &flow->node);
    list_insert(list, &flow->node, list->first);
    flow->used_ms = loop_now_ms();
}

/* The end of one */

static void flow_drop_waiting(struct datagram_flow *flow, struct datagram_waiting *waiting)
{
    list_remove(&flow->waiting, &waiting->node);
    flow->waiting_bytes -= waiting->length + WAITING_COST;
    flow->flows->waiting_bytes -= waiting->length + WAITING_COST;
    free(waiting);
}

void datagram_flow_end(struct datagram_flow *flow)
{
    struct datagram_flows *flows = flow->flows;
    struct datagram_flow **at = flows_bucket(flows, &flow->client.peer);
    LIST_EACH (struct datagram_waiting, waiting, &flow->waiting, node)
        flow_drop_waiting(flow, waiting);
    if (flow->remote.fd >= 0) {
        loop_forget(flows->loop, &flow->remote);
        send_queue_forget(&flows->send_queue, flow->remote.fd);
        sock_close(flow->remote.fd);
    }
    while (*at != flow)
        at = &(*at)->next;
    *at = flow->next;
    if (flow->is_unread)
        list_remove(&flows->unread, &flow->unread);
    list_remove(&flows->by_use, &flow->node);
    free(flow);
}

static void flow_leave(struct datagram_flow *flow, enum datagram_flow_end how)
{
    flow->flows->left(flow->flows, flow, how);
    datagram_flow_end(flow);
}

static void flows_idle_due(struct timer *timer)
{
    struct datagram_flows *flows = LOOP_OWNER(timer, struct datagram_flows, idle);
    int64_t now_ms = loop_now_ms();
    struct datagram_flow *oldest;
    while ((oldest = flows_oldest(flows)) && oldest->used_ms + flows->idle_ms <= now_ms)
        flow_leave(oldest, DATAGRAM_FLOW_IDLE);
    if (oldest)
        loop_timer_set(flows->loop, timer, oldest->used_ms + flows->idle_ms - now_ms);
}

/* Holding
 *
 * While all is held, a socket that has something to be read is watched no more, and noted; the others are left alone, for
 * there may be thousands. */

static bool flows_look(struct datagram_flow *flow, bool from_client, size_t length)
{
    struct datagram_flows *flows = flow->flows;
    return !flows->look || flows->look(flows, flow, from_client, length);
}

void datagram_flows_hold(struct datagram_flows *flows)
{
    flows->is_held = true;
}

void datagram_flows_resume(struct datagram_flows *flows)
{
    flows->is_held = false;
    for (size_t i = 0; i < flows->socket_count; i++) {
        if (flows->sockets[i].is_unread)
            loop_watch(flows->loop, &flows->sockets[i].watch, EPOLLIN);
        flows->sockets[i].is_unread = false;
    }
    LIST_EACH (struct datagram_flow, flow, &flows->unread, unread) {
        list_remove(&flows->unread, &flow->unread);
        flow->is_unread = false;
        loop_watch(flows->loop, &flow->remote, EPOLLIN);
    }
}

/* Back to the client */

static void flow_remote_ready(struct watch *watch, uint32_t events)
{
    struct datagram_flow *flow = LOOP_OWNER(watch, struct datagram_flow, remote);
    struct datagram_flows *flows = flow->flows;
    (void)events;
    if (flows->is_held) {
        loop_unwatch(flows->loop, watch);
        list_append(&flows->unread, &flow->unread);
        flow->is_unread = true;
        return;
    }
    flow_use(flow);
    /* Most often there is one answer: to ask for another costs a call. */
    int rounds = flow->full_rounds < FULL_ROUNDS ? 1 : ROUNDS;
    for (int round = 0; round < rounds && !flows->is_held; round++) {
        ssize_t length = sock_recv(watch->fd, flows->buffer, DATAGRAM_FLOWS_MAX + 1);
        if (length < 0 && errno == EAGAIN) {
            flow->full_rounds = 0;
            return;
        }
        /* Another error is the answer to one that was sent before; one that is cut is lost. */
        if (length < 0 || length > DATAGRAM_FLOWS_MAX)
            continue;
        if (!flows_look(flow, false, (size_t)length))
            return;
        const struct send_answer answer = {flow->fd, &flow->client, flows->buffer, (size_t)length};
        if (send_queue_answer(&flows->send_queue, &answer, 0))
            flow->bytes_out += (size_t)length;
    }
    flow->full_rounds += flow->full_rounds < FULL_ROUNDS;
}

/* To the remote side */

/* Sends a datagram of the client, or keeps it until the flow is connected. */
static void flow_send(struct datagram_flow *flow, const char *bytes, size_t length)
{
    struct datagram_flows *flows = flow->flows;
    const size_t cost = length + WAITING_COST;
    if (flow->remote.fd >= 0) {
        const struct send_answer answer = {flow->remote.fd, &flow->group, bytes, length};
        send_queue_answer(&flows->send_queue, &answer, 0);
        return;
    }
    if (flow->waiting.count == WAITING_ITEMS_MAX ||
        cost > WAITING_BYTES_MAX - flow->waiting_bytes ||
        cost > WAITING_ALL_BYTES_MAX - flows->waiting_bytes)
        return;
    struct datagram_waiting *waiting = memory_new(1, sizeof *waiting + length);
    memcpy(waiting->bytes, bytes, length);
    waiting->length = length;
    list_append(&flow->waiting, &waiting->node);
    flow->waiting_bytes += cost;
    flows->waiting_bytes += cost;
}

void datagram_flow_connected(struct datagram_flow *flow, int fd, const struct sockname *group)
{
    if (group)
        flow->group.peer = *group;
    flow->remote = (struct watch){.fd = fd, .ready = flow_remote_ready};
    loop_watch(flow->flows->loop, &flow->remote, EPOLLIN);
    LIST_EACH (struct datagram_waiting, waiting, &flow->waiting, node) {
        flow_send(flow, waiting->bytes, waiting->length);
        flow_drop_waiting(flow, waiting);
    }
}

/* What a client has sent is in the buffer; a client that has no flow gets one. */
static void flows_take(struct datagram_flows *flows, int fd, const struct sock_message *message,
                       size_t length)
{
    struct datagram_flow *flow = *flows_bucket(flows, &message->peer);
    while (flow && (flow->fd != fd || !sockname_is_same(&flow->client.peer, &message->peer)))
        flow = flow->next;
    bool is_new = !flow;
    if (is_new) {
        struct datagram_flow *oldest = flows_oldest(flows);
        if (oldest && flows->by_use.count == flows->max)
            flow_leave(oldest, DATAGRAM_FLOW_PUSHED);
        if (flows->by_use.count == flows->bucket_count)
            flows_grow_table(flows);
        flow = memory_new(1, sizeof *flow);
        flow->flows = flows;
        flow->fd = fd;
        flow->remote.fd = -1;
        flow->client = *message;
        flow_enter_bucket(flow);
        list_append(&flows->by_use, &flow->node);
        if (!loop_timer_is_set(&flows->idle))
            loop_timer_set(flows->loop, &flows->idle, flows->idle_ms);
    }
    flow->client = *message;
    flow_use(flow);
    flow->bytes_in += length;
    if (is_new)
        flows->opened(flows, flow);
    if (flows_look(flow, true, length))
        flow_send(flow, flows->buffer, length);
}

static void flows_ready(struct watch *watch, uint32_t events)
{
    struct datagram_flows_socket *socket = LOOP_OWNER(watch, struct datagram_flows_socket, watch);
    struct datagram_flows *flows = socket->flows;
    (void)events;
    if (flows->is_held) {
        loop_unwatch(flows->loop, watch);
        socket->is_unread = true;
        return;
    }
    for (int round = 0; round < ROUNDS && watch->watched && !flows->is_held; round++) {
        struct sock_message message;
        ssize_t length = sock_recv_message(watch->fd, flows->buffer, DATAGRAM_FLOWS_MAX, &message,
                                           &flows->senders);
        if (length >= 0 && length <= DATAGRAM_FLOWS_MAX)
            flows_take(flows, watch->fd, &message, (size_t)length);
        else if (length < 0 && errno == EAGAIN)
            return;
        /* Any other error is the answer to one that was sent before. */
    }
}

/* All of them */

void datagram_flows_review(struct datagram_flows *flows)
{
    LIST_EACH (struct datagram_flow, flow, &flows->by_use, node)
        if (!flows->senders.admit(flows->senders.context, &flow->client))
            flow_leave(flow, DATAGRAM_FLOW_REFUSED);
}

void datagram_flows_start(struct datagram_flows *flows, const int *sockets, size_t count)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    flows->seed = ((uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec) * 6364136223846793005U;
    flows->idle.fired = flows_idle_due;
    flows->buffer = memory_new(DATAGRAM_FLOWS_MAX + 1, 1);
    flows_grow_table(flows);
    send_queue_init(&flows->send_queue, flows->loop);
    flows->socket_count = count;
    for (size_t i = 0; i < count; i++) {
        struct datagram_flows_socket *socket = &flows->sockets[i];
        socket->flows = flows;
        socket->watch = (struct watch){.fd = sockets[i], .ready = flows_ready};
        loop_watch(flows->loop, &socket->watch, EPOLLIN);
    }
}

void datagram_flows_release(struct datagram_flows *flows)
{
    struct datagram_flow *oldest;
    for (size_t i = 0; i < flows->socket_count; i++) {
        loop_unwatch(flows->loop, &flows->sockets[i].watch);
        flows->sockets[i].is_unread = false; /* a flow that goes may resume the rest */
    }
    while ((oldest = flows_oldest(flows)))
        flow_leave(oldest, DATAGRAM_FLOW_STOPPED);
    loop_timer_cancel(flows->loop, &flows->idle);
    send_queue_release(&flows->send_queue);
    free(flows->buckets);
    free(flows->buffer);
    flows->buffer = NULL;
}
