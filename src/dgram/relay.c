#include "dgram/relay.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/units.h"
#include "dgram/relay_steps.h"

enum { LOOK_AGAIN_MS = 20 };

static void listen_to_filter(struct datagram_relay *relay, struct filter *filter);

void datagram_release(struct datagram_relay *relay)
{
    struct loop *loop = relay->loop;
    if (!loop)
        return;
    for (size_t i = 0; i < relay->socket_count; i++)
        loop_unwatch(loop, &relay->sockets[i].watch);
    loop_unwatch(loop, &relay->in_watch);
    loop_timer_cancel(loop, &relay->idle);
    loop_timer_cancel(loop, &relay->first);
    loop_timer_cancel(loop, &relay->quit);
    loop_timer_cancel(loop, &relay->wait);
    write_queue_release(&relay->queue);
    free(relay->received);
    free(relay->sending);
    free(relay->filtered);
    relay->received = relay->sending = relay->filtered = NULL;
    relay->loop = NULL;
    listen_to_filter(relay, relay->up_filter);
    listen_to_filter(relay, relay->down_filter);
}

void datagram_finish(struct datagram_relay *relay, int result)
{
    relay->result = result;
    datagram_release(relay);
    relay->done(relay);
}

void datagram_fail(struct datagram_relay *relay, const char *what)
{
    error_system(&relay->error, STATUS_TRANSFER, errno, "%s %s", what, relay->peer_name);
    datagram_finish(relay, -1);
}

/* What is awaited now. */
bool datagram_has_peer(const struct datagram_relay *relay)
{
    const struct sock_senders *senders = &relay->policy.senders;
    return relay->policy.peer == DATAGRAM_CONNECTED ||
           (relay->has_peer && senders->admit(senders->context, &relay->heard_last));
}

bool datagram_can_send(const struct datagram_relay *relay)
{
    return datagram_has_peer(relay) && !loop_timer_is_set(&relay->wait) &&
           !datagram_is_held(relay->up_filter);
}

bool datagram_is_held(const struct filter *filter)
{
    return filter && filter->held;
}

void datagram_await(struct datagram_relay *relay)
{
    bool sends = datagram_can_send(relay);
    bool waits = datagram_waits(relay);
    if (sends && !waits && !relay->in_ended)
        loop_watch(relay->loop, &relay->in_watch, EPOLLIN);
    else
        loop_unwatch(relay->loop, &relay->in_watch);
    bool hears = !write_queue_has_pending(&relay->queue) && !relay->peer_ended &&
                 !datagram_is_held(relay->down_filter);
    uint32_t in = hears ? EPOLLIN : 0;
    for (size_t i = 0; i < relay->socket_count; i++) {
        uint32_t out = sends && waits && i == relay->speaking ? EPOLLOUT : 0;
        if (in | out)
            loop_watch(relay->loop, &relay->sockets[i].watch, in | out);
        else
            loop_unwatch(relay->loop, &relay->sockets[i].watch);
    }
}

void datagram_note_move(struct datagram_relay *relay)
{
    if (relay->policy.idle_ms >= 0)
        relay->moved_ms = loop_now_ms();
}

static void input_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    datagram_read(LOOP_OWNER(watch, struct datagram_relay, in_watch));
}

static void socket_ready(struct watch *watch, uint32_t events)
{
    struct datagram_socket *socket = LOOP_OWNER(watch, struct datagram_socket, watch);
    if (events & EPOLLOUT && datagram_waits(socket->relay))
        datagram_send(socket->relay);
    else
        datagram_receive(socket);
}

/* Limits */

static void go_on(struct datagram_relay *relay)
{
    if (datagram_waits(relay))
        datagram_send(relay);
    else
        datagram_await(relay);
}

static void waited(struct timer *timer)
{
    go_on(LOOP_OWNER(timer, struct datagram_relay, wait));
}

static void released(struct filter *filter)
{
    go_on(filter->mover);
}

static void listen_to_filter(struct datagram_relay *relay, struct filter *filter)
{
    if (!filter)
        return;
    filter->mover = relay;
    filter->resume = relay->loop ? released : NULL;
}

static void quit_fired(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, quit);
    if (datagram_waits(relay) || write_queue_has_pending(&relay->queue))
        loop_timer_set(relay->loop, timer, LOOK_AGAIN_MS);
    else
        datagram_finish(relay, 0);
}

static void first_fired(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, first);
    char limit[UNITS_DURATION_MAX];
    error_set(&relay->error, STATUS_TIMEOUT, "listen on %s: no datagram came in %s",
              relay->peer_name, units_show_duration(limit, relay->policy.first_ms));
    datagram_finish(relay, -1);
}

static void idle_fired(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, idle);
    int64_t left_ms = relay->moved_ms + relay->policy.idle_ms - loop_now_ms();
    if (left_ms > 0) {
        loop_timer_set(relay->loop, timer, left_ms);
        return;
    }
    char limit[UNITS_DURATION_MAX];
    error_set(&relay->error, STATUS_TIMEOUT, "%s: nothing moved for %s", relay->peer_name,
              units_show_duration(limit, relay->policy.idle_ms));
    datagram_finish(relay, -1);
}

void datagram_add_socket(struct datagram_relay *relay, int fd)
{
    struct datagram_socket *socket = &relay->sockets[relay->socket_count++];
    *socket = (struct datagram_socket){relay, {.fd = fd, .ready = socket_ready}};
}

void datagram_start(struct datagram_relay *relay, struct loop *loop)
{
    relay->loop = loop;
    relay->received = memory_grow(NULL, DATAGRAM_MAX + 1, 2);
    relay->sending = memory_grow(NULL, relay->policy.most + 1, 2);
    if (relay->up_filter)
        relay->filtered = memory_grow(NULL, relay->policy.most + 1, 2);
    relay->in_watch = (struct watch){.fd = relay->in.fd, .ready = input_ready};
    relay->in_ended = relay->in.fd < 0;
    relay->idle.fired = idle_fired;
    relay->first.fired = first_fired;
    relay->quit.fired = quit_fired;
    relay->wait.fired = waited;
    if (relay->policy.peer == DATAGRAM_GROUP)
        relay->heard_last.peer = *relay->policy.group;
    relay->has_peer = relay->policy.peer == DATAGRAM_GROUP;
    listen_to_filter(relay, relay->up_filter);
    listen_to_filter(relay, relay->down_filter);
    datagram_open_output(relay);
    datagram_allow_segments(relay);
    relay->moved_ms = loop_now_ms();
    if (relay->policy.idle_ms >= 0)
        loop_timer_set(loop, &relay->idle, relay->policy.idle_ms);
    if (relay->policy.first_ms >= 0)
        loop_timer_set(loop, &relay->first, relay->policy.first_ms);
    datagram_await(relay);
}
