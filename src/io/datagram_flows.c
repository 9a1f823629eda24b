#include "io/datagram_flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

enum {
    ROUNDS = 64,           /* datagrams of one socket in one go, so that others get their turn */
    WAITING_MOST = 2 << 20 /* bytes, of flows that are not connected yet */
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
    return &flows->buckets[(hash ^ hash >> 32) % DATAGRAM_FLOWS_BUCKETS];
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
    flow->flows->waiting_bytes -= waiting->length;
    free(waiting);
}

void datagram_flow_end(struct datagram_flow *flow)
{
    struct datagram_flows *flows = flow->flows;
    while (flow->first)
        drop_waiting(flow, flow->first);
    if (flow->far.fd >= 0) {
        loop_forget(flows->loop, &flow->far);
        postbox_forget(&flows->postbox, flow->far.fd);
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
    for (int round = 0; round < ROUNDS; round++) {
        ssize_t length = sock_recv(watch->fd, flows->buffer, DATAGRAM_FLOWS_MOST + 1);
        if (length < 0 && errno == EAGAIN)
            return;
        /* Another error is the answer to one that was sent before; one that is cut is lost. */
        if (length < 0 || length > DATAGRAM_FLOWS_MOST)
            continue;
        if (postbox_answer(&flows->postbox, flow->fd, &flow->client, flows->buffer, (size_t)length))
            flow->bytes_out += (size_t)length;
    }
}

/* To the far side */

static void wait_for_far(struct datagram_flow *flow, const char *bytes, size_t length)
{
    struct datagram_flows *flows = flow->flows;
    struct datagram_waiting **last = &flow->first;
    if (length > WAITING_MOST - flows->waiting_bytes)
        return;
    struct datagram_waiting *waiting = memory_new(1, sizeof *waiting + length);
    memcpy(waiting->bytes, bytes, length);
    waiting->length = length;
    while (*last)
        last = &(*last)->next;
    *last = waiting;
    flows->waiting_bytes += length;
}

/* A connected socket needs no address. */
static void send_on(struct datagram_flow *flow, const char *bytes, size_t length)
{
    const struct sock_message connected = {.control_length = 0};
    if (flow->far.fd < 0)
        wait_for_far(flow, bytes, length);
    else
        postbox_answer(&flow->flows->postbox, flow->far.fd, &connected, bytes, length);
}

void datagram_flow_connected(struct datagram_flow *flow, int fd)
{
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
    struct datagram_flow *flow = memory_new(1, sizeof *flow);
    struct datagram_flow **bucket = bucket_of(flows, &message->peer);
    flow->flows = flows;
    flow->fd = fd;
    flow->client = *message;
    flow->far.fd = -1;
    flow->next = *bucket;
    *bucket = flow;
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
        ssize_t length = sock_recv_message(watch->fd, flows->buffer, DATAGRAM_FLOWS_MOST, &message,
                                           &flows->senders);
        if (length >= 0 && length <= DATAGRAM_FLOWS_MOST)
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
    flows->buffer = memory_new(DATAGRAM_FLOWS_MOST + 1, 1);
    postbox_init(&flows->postbox, flows->loop);
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
    postbox_release(&flows->postbox);
    free(flows->buffer);
    flows->buffer = NULL;
}
