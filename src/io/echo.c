#include "io/echo.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "net/sock.h"

enum {
    PATIENCE_MS = 500, /* with clients that do not read, while stopping */
    DISCARD_ROUNDS = 16
};

/* An end */

/* close(2) resets a connection in which something is unread, and what was sent last is lost. */
static void discard_unread(int fd)
{
    char ignored[4096];
    sock_shutdown(fd, SHUT_WR);
    for (int round = 0; round < DISCARD_ROUNDS; round++)
        if (sock_recv(fd, ignored, sizeof ignored) <= 0)
            return;
}

static void release_flow(struct echo_client *client)
{
    if (client->by_message) {
        client->bytes_in = client->flow.packets.taken;
        client->bytes_out = client->flow.packets.moved;
        packets_release(&client->flow.packets);
    } else {
        client->bytes_in = client->flow.pump.taken;
        client->bytes_out = client->flow.pump.moved;
        pump_release(&client->flow.pump);
    }
}

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

static void end(struct echo_client *client, enum echo_end how)
{
    struct echo *echo = client->echo;
    release_flow(client);
    unlink_client(client);
    loop_unwatch(echo->loop, &client->watch);
    loop_timer_cancel(echo->loop, &client->idle);
    if (how == ECHO_STOPPED)
        discard_unread(client->watch.fd);
    echo->left(echo, client, how);
    sock_close(client->watch.fd);
    free(client);
}

/* Moving */

static enum pump_state move(struct echo_client *client)
{
    enum pump_state state;
    if (client->by_message) {
        state = packets_move(&client->flow.packets, client->echo->buffer);
        client->failure = client->flow.packets.failure;
    } else {
        state = pump_move(&client->flow.pump);
        client->failure = client->flow.pump.failure;
    }
    return state;
}

static void serve(struct echo_client *client)
{
    struct loop *loop = client->echo->loop;
    switch (move(client)) {
    case PUMP_WANTS_IN:
        loop_watch(loop, &client->watch, EPOLLIN);
        break;
    case PUMP_WANTS_OUT:
        loop_watch(loop, &client->watch, EPOLLOUT);
        break;
    case PUMP_WAITS: /* nobody has given it a pace */
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
    loop_timer_cancel(echo->loop, &echo->patience);
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

static void lose_patience(struct timer *timer)
{
    struct echo *echo = LOOP_OWNER(timer, struct echo, patience);
    loop_timer_cancel(echo->loop, &echo->patience);
    while (echo->clients)
        end(echo->clients, ECHO_STOPPED);
    echo->stopped(echo);
}

void echo_init(struct echo *echo)
{
    echo->patience.fired = lose_patience;
}

static void init_flow(struct echo_client *client, int fd, int socktype)
{
    struct echo *echo = client->echo;
    client->by_message = socktype == SOCK_SEQPACKET;
    if (client->by_message) {
        packets_init(&client->flow.packets, fd);
        if (!echo->buffer)
            echo->buffer = memory_new(PACKETS_MOST, 1);
    } else {
        pump_init(&client->flow.pump, end_of_socket(fd), end_of_socket(fd), &echo->pool);
    }
}

void echo_add(struct echo *echo, int fd, int socktype, void *label)
{
    struct echo_client *client = memory_new(1, sizeof *client);
    client->echo = echo;
    client->label = label;
    client->watch.fd = fd;
    client->watch.ready = ready;
    client->idle.fired = check_idle;
    init_flow(client, fd, socktype);
    client->next = echo->clients;
    if (client->next)
        client->next->previous = client;
    echo->clients = client;
    loop_watch(echo->loop, &client->watch, EPOLLIN);
    if (echo->idle_ms < 0)
        return;
    client->moved_ms = loop_now_ms();
    loop_timer_set(echo->loop, &client->idle, echo->idle_ms);
}

/* Nothing more is read; what is held is still to be written. */
static void end_input(struct echo_client *client)
{
    if (client->by_message)
        client->flow.packets.in_ended = true;
    else
        client->flow.pump.limit = 0;
}

void echo_stop(struct echo *echo)
{
    if (echo->stopping) {
        lose_patience(&echo->patience);
        return;
    }
    echo->stopping = true;
    struct echo_client *next;
    for (struct echo_client *client = echo->clients; client; client = next) {
        next = client->next;
        move(client);
        end_input(client);
        serve(client);
    }
    loop_timer_set(echo->loop, &echo->patience, PATIENCE_MS);
    tell_if_stopped(echo);
}

void echo_release(struct echo *echo)
{
    echo->stopping = true;
    loop_timer_cancel(echo->loop, &echo->patience);
    while (echo->clients)
        end(echo->clients, ECHO_STOPPED);
    pump_pool_release(&echo->pool);
    free(echo->buffer);
    echo->buffer = NULL;
}
