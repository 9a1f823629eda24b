/*
 * See flows.h. A flow is found by the client's address in a hash table, and has a connected socket of its own to the far
 * side. All flows stand in a row by when they last moved: one timer looks at the oldest, and where there are too many that
 * one goes. What arrives before the far side is known waits, bounded in number and bytes.
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
    struct datagram_waiting *next;
    size_t length;
    char bytes[];
};

/* The table: FNV-1a over the client's address. */

static struct datagram_flow **bucket_of(struct datagram_flows *flows, const struct sockname *peer)
{
    const unsigned char *bytes = (const unsigned char *)&peer->storage;
    uint64_t hash = flows->seed;
    for (socklen_t i = 0; i < peer->length; i++)
        hash = (hash ^ bytes[i]) * 1099511628211U;
    return &flows->buckets[(hash ^ hash >> 32) & (flows->bucket_count - 1)];
}

static void enter_bucket(struct datagram_flow *flow)
{
    struct datagram_flow **bucket = bucket_of(flow->flows, &flow->client.peer);
    flow->next = *bucket;
    *bucket = flow;
}

/* Room for as many flows again. */
static void grow_table(struct datagram_flows *flows)
{
    free(flows->buckets);
    flows->bucket_count = flows->bucket_count ? 2 * flows->bucket_count : BUCKETS_MIN;
    flows->buckets = memory_new(flows->bucket_count, sizeof(struct datagram_flow *));
    for (struct datagram_flow *flow = flows->newest; flow; flow = flow->older)
        enter_bucket(flow);
}

static struct datagram_flow *find(struct datagram_flows *flows, int fd,
                                  const struct sock_message *message)
{
    struct datagram_flow *flow = *bucket_of(flows, &message->peer);
    while (flow && (flow->fd != fd || !sockname_is_same(&flow->client.peer, &message->peer)))
        flow = flow->next;
    return flow;
}

static void leave_bucket(struct datagram_flow *flow)
{
    struct datagram_flow **at = bucket_of(flow->flows, &flow->client.peer);
    while (*at != flow)
        at = &(*at)->next;
    *at = flow->next;
}

/* The row, by last use. */

static void leave_row(struct datagram_flow *flow)
{
    struct datagram_flows *flows = flow->flows;
    *(flow->newer ? &flow->newer->older : &flows->newest) = flow->older;
    *(flow->older ? &flow->older->newer : &flows->oldest) = flow->newer;
}

static void enter_row(struct datagram_flow *flow)
{
    struct datagram_flows *flows = flow->flows;
    flow->newer = NULL;
    flow->older = flows->newest;
    *(flow->older ? &flow->older->newer : &flows->oldest) = flow;
    flows->newest = flow;
    flow->used_ms = loop_now_ms();
}

static void use(struct datagram_flow *flow)
{
    leave_row(flow);
    enter_row(flow);
}

/* The end of one */

static void drop_waiting(struct datagram_flow *flow, struct datagram_waiting *waiting)
{
    flow->first = waiting->next;
    flow->waiting--;
    flow->waiting_bytes -= waiting->length + WAITING_COST;
    flow->flows->waiting_bytes -= waiting->length + WAITING_COST;
    free(waiting);
}

void datagram_flow_end(struct datagram_flow *flow)
{
    struct datagram_flows *flows = flow->flows;
    while (flow->first)
        drop_waiting(flow, flow->first);
    if (flow->far.fd >= 0) {
        loop_forget(flows->loop, &flow->far);
        send_queue_forget(&flows->send_queue, flow->far.fd);
        sock_close(flow->far.fd);
    }
    leave_bucket(flow);
    leave_row(flow);
    flows->count--;
    free(flow);
}

static void end(struct datagram_flow *flow, enum datagram_flow_end how)
{
    flow->flows->left(flow->flows, flow, how);
    datagram_flow_end(flow);
}

static void check_idle(struct timer *timer)
{
    struct datagram_flows *flows = LOOP_OWNER(timer, struct datagram_flows, idle);
    int64_t now_ms = loop_now_ms();
    while (flows->oldest && flows->oldest->used_ms + flows->idle_ms <= now_ms)
        end(flows->oldest, DATAGRAM_FLOW_IDLE);
    if (flows->oldest)
        loop_timer_set(flows->loop, timer, flows->oldest->used_ms + flows->idle_ms - now_ms);
}

/* Back to the client */

static void far_ready(struct watch *watch, uint32_t events)
{
    struct datagram_flow *flow = LOOP_OWNER(watch, struct datagram_flow, far);
    struct datagram_flows *flows = flow->flows;
    (void)events;
    use(flow);
    /* Most often there is one answer: to ask for another costs a call. */
    int rounds = flow->full_rounds < FULL_ROUNDS ? 1 : ROUNDS;
    for (int round = 0; round < rounds; round++) {
        ssize_t length = sock_recv(watch->fd, flows->buffer, DATAGRAM_FLOWS_MAX + 1);
        if (length < 0 && errno == EAGAIN) {
            flow->full_rounds = 0;
            return;
        }
        /* Another error is the answer to one that was sent before; one that is cut is lost. */
        if (length < 0 || length > DATAGRAM_FLOWS_MAX)
            continue;
        const struct send_answer answer = {flow->fd, &flow->client, flows->buffer, (size_t)length};
        if (send_queue_answer(&flows->send_queue, &answer, 0))
            flow->bytes_out += (size_t)length;
    }
    flow->full_rounds += flow->full_rounds < FULL_ROUNDS;
}

/* To the far side */

static void wait_for_far(struct datagram_flow *flow, const char *bytes, size_t length)
{
    struct datagram_flows *flows = flow->flows;
    size_t cost = length + WAITING_COST;
    if (flow->waiting == WAITING_ITEMS_MAX || cost > WAITING_BYTES_MAX - flow->waiting_bytes ||
        cost > WAITING_ALL_BYTES_MAX - flows->waiting_bytes)
        return;
    struct datagram_waiting *waiting = memory_new(1, sizeof *waiting + length);
    memcpy(waiting->bytes, bytes, length);
    waiting->length = length;
    *(flow->first ? &flow->last->next : &flow->first) = waiting;
    flow->last = waiting;
    flow->waiting++;
    flow->waiting_bytes += cost;
    flows->waiting_bytes += cost;
}

static void send_on(struct datagram_flow *flow, const char *bytes, size_t length)
{
    const struct send_answer answer = {flow->far.fd, &flow->group, bytes, length};
    if (flow->far.fd < 0)
        wait_for_far(flow, bytes, length);
    else
        send_queue_answer(&flow->flows->send_queue, &answer, 0);
}

void datagram_flow_connected(struct datagram_flow *flow, int fd, const struct sockname *group)
{
    if (group)
        flow->group.peer = *group;
    flow->far = (struct watch){.fd = fd, .ready = far_ready};
    loop_watch(flow->flows->loop, &flow->far, EPOLLIN);
    while (flow->first) {
        send_on(flow, flow->first->bytes, flow->first->length);
        drop_waiting(flow, flow->first);
    }
}

static struct datagram_flow *open_flow(struct datagram_flows *flows, int fd,
                                       const struct sock_message *message)
{
    if (flows->count == flows->most)
        end(flows->oldest, DATAGRAM_FLOW_PUSHED);
    if (flows->count == flows->bucket_count)
        grow_table(flows);
    struct datagram_flow *flow = memory_new(1, sizeof *flow);
    flow->flows = flows;
    flow->fd = fd;
    flow->client = *message;
    flow->far.fd = -1;
    enter_bucket(flow);
    enter_row(flow);
    flows->count++;
    if (!loop_timer_is_set(&flows->idle))
        loop_timer_set(flows->loop, &flows->idle, flows->idle_ms);
    return flow;
}

static void take(struct datagram_flows *flows, int fd, const struct sock_message *message,
                 size_t length)
{
    struct datagram_flow *flow = find(flows, fd, message);
    bool is_new = !flow;
    if (is_new)
        flow = open_flow(flows, fd, message);
    else
        use(flow);
    flow->client = *message;
    flow->bytes_in += length;
    send_on(flow, flows->buffer, length);
    if (is_new)
        flows->opened(flows, flow);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct datagram_flows *flows = LOOP_OWNER(watch, struct datagram_flows_socket, watch)->flows;
    struct sock_message message;
    (void)events;
    for (int round = 0; round < ROUNDS && watch->watched; round++) {
        ssize_t length = sock_recv_message(watch->fd, flows->buffer, DATAGRAM_FLOWS_MAX, &message,
                                           &flows->senders);
        if (length >= 0 && length <= DATAGRAM_FLOWS_MAX)
            take(flows, watch->fd, &message, (size_t)length);
        else if (length < 0 && errno == EAGAIN)
            return;
        /* Any other error is the answer to one that was sent before. */
    }
}

/* All of them */

void datagram_flows_review(struct datagram_flows *flows)
{
    struct datagram_flow *older;
    for (struct datagram_flow *flow = flows->newest; flow; flow = older) {
        older = flow->older;
        if (!flows->senders.admit(flows->senders.context, &flow->client))
            end(flow, DATAGRAM_FLOW_REFUSED);
    }
}

void datagram_flows_init(struct datagram_flows *flows)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    flows->seed = ((uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec) * 6364136223846793005U;
    flows->idle.fired = check_idle;
    flows->buffer = memory_new(DATAGRAM_FLOWS_MAX + 1, 1);
    grow_table(flows);
    send_queue_init(&flows->send_queue, flows->loop);
}

void datagram_flows_add(struct datagram_flows *flows, int fd)
{
    struct datagram_flows_socket *socket = &flows->sockets[flows->socket_count++];
    socket->flows = flows;
    socket->watch = (struct watch){.fd = fd, .ready = ready};
    loop_watch(flows->loop, &socket->watch, EPOLLIN);
}

void datagram_flows_release(struct datagram_flows *flows)
{
    for (size_t i = 0; i < flows->socket_count; i++)
        loop_unwatch(flows->loop, &flows->sockets[i].watch);
    while (flows->oldest)
        end(flows->oldest, DATAGRAM_FLOW_STOPPED);
    loop_timer_cancel(flows->loop, &flows->idle);
    send_queue_release(&flows->send_queue);
    free(flows->buckets);
    free(flows->buffer);
    flows->buffer = NULL;
}
