/*
 * See echo.h. Each mode is a service with four functions (echo_services.c): start, move, end_input, release. An event on a
 * client moves it, and what came of that is awaited; while the owner holds, clients wait for their turn in a row. A stop
 * lets what has arrived be answered by the rules of sys/drain.
 */
#include "cmd/echo/echo.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sys/sock.h"

/* An end */

static void unlink_client(struct echo_client *client)
{
    struct echo *echo = client->echo;
    if (client->previous)
        client->previous->next = client->next;
    else
        echo->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
}

/* The row of those that wait: with thousands of clients, each has its turn, and none is looked for. */

static void wait_for_turn(struct echo_client *client)
{
    struct echo *echo = client->echo;
    loop_unwatch(echo->loop, &client->watch);
    if (client->waits_at)
        return;
    client->waits_next = NULL;
    client->waits_at = echo->waiting_end;
    *echo->waiting_end = client;
    echo->waiting_end = &client->waits_next;
}

static void wait_no_more(struct echo_client *client)
{
    if (!client->waits_at)
        return;
    *client->waits_at = client->waits_next;
    if (client->waits_next)
        client->waits_next->waits_at = client->waits_at;
    else
        client->echo->waiting_end = client->waits_at;
    client->waits_at = NULL;
}

/* Whether it got back less than it sent; faults may want just that. */
static bool lacks_something(const struct echo_client *client)
{
    const struct echo *echo = client->echo;
    return echo->mode == ECHO_ECHO && !echo->faults && client->bytes_out < client->bytes_in;
}

static void end(struct echo_client *client, enum echo_end how)
{
    struct echo *echo = client->echo;
    client->service->release(client);
    bool lacks = lacks_something(client);
    unlink_client(client);
    wait_no_more(client);
    loop_forget(echo->loop, &client->watch); /* which is to be closed */
    loop_timer_cancel(echo->loop, &client->idle);
    keepalive_stop(client->keepalive);
    loop_timer_cancel(echo->loop, &client->pause);
    if (!lacks && (how == ECHO_STOPPED || client->unread))
        fd_discard(client->watch.fd);
    echo->left(echo, client, how);
    if (lacks)
        sock_abort(client->watch.fd);
    else
        sock_close(client->watch.fd);
    free(client);
}

/* Moving */

/* Waits for time to pass, and where next_events says so, for the client as well. */
static void take_pause(struct echo_client *client)
{
    struct loop *loop = client->echo->loop;
    if (client->wait_ms >= 0)
        loop_timer_set(loop, &client->pause, client->wait_ms);
    if (client->wait_ms >= 0 && !client->next_events)
        loop_unwatch(loop, &client->watch); /* an error would be told again and again */
    else
        loop_watch(loop, &client->watch, client->next_events);
}

static void serve(struct echo_client *client)
{
    struct loop *loop = client->echo->loop;
    if (client->echo->held) {
        wait_for_turn(client);
        return;
    }
    switch (client->service->move(client)) {
    case PUMP_HELD: /* only by a filter, and there is none */
    case PUMP_WANTS_IN:
        loop_watch(loop, &client->watch, EPOLLIN);
        break;
    case PUMP_WANTS_OUT:
        loop_watch(loop, &client->watch, EPOLLOUT);
        break;
    case PUMP_WAITS:
        take_pause(client);
        break;
    case PUMP_ENDED:
        end(client, client->echo->stopping ? ECHO_STOPPED : ECHO_EOF);
        break;
    case PUMP_FAILED_IN:
    case PUMP_FAILED_OUT:
        end(client, ECHO_FAILED);
        break;
    }
}

static void tell_if_stopped(struct echo *echo)
{
    if (!echo->stopping || echo->clients)
        return;
    drain_stop(&echo->drain);
    echo->stopped(echo);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct echo_client *client = LOOP_OWNER(watch, struct echo_client, watch);
    struct echo *echo = client->echo;
    (void)events;
    if (echo->idle_ms >= 0)
        client->moved_ms = loop_now_ms();
    serve(client);
    tell_if_stopped(echo);
}

static void pause_over(struct timer *timer)
{
    struct echo_client *client = LOOP_OWNER(timer, struct echo_client, pause);
    struct echo *echo = client->echo;
    if (echo->idle_ms >= 0)
        client->moved_ms = loop_now_ms();
    serve(client);
    tell_if_stopped(echo);
}

/* One timer a client, set anew for what is left rather than with every byte. */
static void check_idle(struct timer *timer)
{
    struct echo_client *client = LOOP_OWNER(timer, struct echo_client, idle);
    struct echo *echo = client->echo;
    int64_t left_ms = client->moved_ms + echo->idle_ms - loop_now_ms();
    if (left_ms > 0) {
        loop_timer_set(echo->loop, &client->idle, left_ms);
        return;
    }
    end(client, ECHO_IDLE);
    tell_if_stopped(echo);
}

/* From the start to the stop */

static void echo_end_all(struct echo *echo)
{
    drain_stop(&echo->drain);
    while (echo->clients)
        end(echo->clients, ECHO_STOPPED);
}

/* The clients, and what has not arrived at them. */
static uint64_t echo_count_left(struct drain *drain)
{
    struct echo *echo = LOOP_OWNER(drain, struct echo, drain);
    uint64_t left = 0;
    for (const struct echo_client *client = echo->clients; client; client = client->next) {
        int unacknowledged = sock_unacknowledged(client->watch.fd);
        left += 1 + (unacknowledged > 0 ? (uint64_t)unacknowledged : 0);
        if (echo->mode == ECHO_ECHO && echo->faults)
            left += client->flow.faulty->held;
        else if (echo->mode == ECHO_ECHO)
            left += client->flow.channel.pump.taken - client->flow.channel.pump.moved;
    }
    return left;
}

static void echo_drain_over(struct drain *drain)
{
    struct echo *echo = LOOP_OWNER(drain, struct echo, drain);
    echo_end_all(echo);
    echo->stopped(echo);
}

void echo_init(struct echo *echo)
{
    echo->waiting_end = &echo->waiting;
}

void echo_add(struct echo *echo, int fd, int socktype, void *user_data)
{
    struct echo_client *client = memory_new(1, sizeof *client);
    client->echo = echo;
    client->user_data = user_data;
    client->watch.fd = fd;
    client->watch.ready = ready;
    client->keepalive = keepalive_start(echo->loop, fd, echo->keepalive_ms);
    client->idle.fired = check_idle;
    client->pause.fired = pause_over;
    client->by_message = socktype == SOCK_SEQPACKET;
    client->number = ++echo->count;
    client->service = echo_service_of(client);
    client->service->start(client);
    client->next = echo->clients;
    if (client->next)
        client->next->previous = client;
    echo->clients = client;
    if (echo->held)
        wait_for_turn(client);
    else
        loop_watch(echo->loop, &client->watch, client->service->events);
    if (echo->idle_ms < 0)
        return;
    client->moved_ms = loop_now_ms();
    loop_timer_set(echo->loop, &client->idle, echo->idle_ms);
}

void echo_hold(struct echo *echo)
{
    echo->held = true;
}

void echo_go_on(struct echo *echo)
{
    echo->held = false;
    while (echo->waiting && !echo->held) {
        struct echo_client *client = echo->waiting;
        wait_no_more(client);
        serve(client);
    }
    tell_if_stopped(echo);
}

void echo_stop(struct echo *echo)
{
    if (echo->stopping) {
        echo_drain_over(&echo->drain);
        return;
    }
    echo->stopping = true;
    struct echo_client *next;
    for (struct echo_client *client = echo->clients; client; client = next) {
        next = client->next;
        if (!echo->held)
            client->service->move(client);
        client->service->end_input(client);
        serve(client);
    }
    drain_start(&echo->drain, echo->loop, echo_count_left, echo_drain_over);
    tell_if_stopped(echo);
}

void echo_release(struct echo *echo)
{
    echo->stopping = true;
    echo_end_all(echo);
    channel_pool_release(&echo->pool);
    free(echo->pattern);
    echo->pattern = NULL;
}
