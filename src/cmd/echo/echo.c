/*
 * See echo.h. A client is served (client_serve) by moving what can be moved now (client_move), and what came of that is
 * awaited. How it is moved depends on its kind: through a channel, through a channel with faults, or by one of the
 * small services. While the owner holds, clients wait for their turn in a list. A stop lets what has arrived be
 * answered by the rules of sys/drain.
 */
#include "cmd/echo/echo.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sys/sock.h"

enum { ROUNDS = 16 }; /* reads or writes in one move, so that others get their turn */

/* The small services, which throw away what the client sends */

void chargen_fill(char *out, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        size_t line = i / CHARGEN_LINE;
        size_t column = i % CHARGEN_LINE;
        if (column < CHARGEN_LINE - 2)
            out[i] = (char)(' ' + (line + column) % CHARGEN_LINES);
        else
            out[i] = "\r\n"[column - (CHARGEN_LINE - 2)];
    }
}

size_t daytime_write(char *out, time_t now)
{
    struct tm utc;
    if (!gmtime_r(&now, &utc))
        return 0;
    return strftime(out, DAYTIME_MAX, "%A, %B %d, %Y %H:%M:%S-UTC\r\n", &utc);
}

static enum pump_state talk_discard(struct echo_client *client)
{
    struct tap *tap = client->echo->tap;
    struct echo_talk *talk = &client->flow.talk;
    char *buffer = channel_pool_buffer(&client->echo->pool);
    for (int round = 0; round < ROUNDS && !talk->in_ended; round++) {
        struct sock_message message;
        ssize_t got = sock_recv_message(client->peer.watch.fd, buffer, SEQPACKET_MAX, &message,
                                        &sock_any_sender);
        client->failure = errno;
        if (got < 0)
            return errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN;
        talk->in_ended = got == 0 && !message.has_user;
        got = got > SEQPACKET_MAX ? SEQPACKET_MAX : got;
        talk->taken += (uint64_t)got;
        if (tap)
            tap->look(tap, buffer, (size_t)got);
    }
    return talk->in_ended ? PUMP_ENDED : PUMP_WANTS_IN;
}

/* Returns what a failed write comes to. A client that has heard enough closes: for a service that never ends, that is
 * the end. */
static enum pump_state talk_end(const struct echo_client *client)
{
    return client->failure == EPIPE || client->failure == ECONNRESET ? PUMP_ENDED : PUMP_FAILED_OUT;
}

static enum pump_state talk_chargen(struct echo_client *client)
{
    struct echo *echo = client->echo;
    struct echo_talk *talk = &client->flow.talk;
    if (!echo->pattern) {
        echo->pattern = memory_new(CHARGEN_PATTERN, 1);
        chargen_fill(echo->pattern, CHARGEN_PATTERN);
    }
    if (talk_discard(client) == PUMP_FAILED_IN)
        return talk_end(client);
    for (int round = 0; round < ROUNDS && !echo->clients.stopping; round++) {
        size_t at = (size_t)(talk->moved % CHARGEN_PATTERN);
        size_t length = client->by_message ? CHARGEN_LINE : CHARGEN_PATTERN - at;
        ssize_t sent = sock_send(client->peer.watch.fd, echo->pattern + at, length);
        client->failure = errno;
        if (sent < 0 && errno != EAGAIN)
            return talk_end(client);
        if (sent < 0)
            break;
        talk->moved += (uint64_t)sent;
    }
    client->wait_ms = -1;
    client->next_events = EPOLLOUT | (talk->in_ended ? 0 : EPOLLIN);
    return echo->clients.stopping ? PUMP_ENDED : PUMP_WAITS;
}

static enum pump_state talk_daytime(struct echo_client *client)
{
    struct echo_talk *talk = &client->flow.talk;
    char line[DAYTIME_MAX];
    if (talk->moved)
        return PUMP_ENDED;
    ssize_t sent = sock_send(client->peer.watch.fd, line, daytime_write(line, time(NULL)));
    client->failure = errno;
    client->unread = true;
    if (sent < 0)
        return talk_end(client);
    talk->moved = (uint64_t)sent;
    return PUMP_ENDED;
}

/* What depends on the kind of a client */

/* Prepares the client for its kind of service. Returns the events that are awaited first. */
static uint32_t client_start(struct echo_client *client)
{
    struct echo *echo = client->echo;
    struct fd socket = fd_of_socket(client->peer.watch.fd);
    if (echo->mode != ECHO_ECHO) {
        client->kind = ECHO_TALK;
        if (client->by_message)
            sock_set(socket.fd, SOL_SOCKET, SO_PASSCRED, 1); /* see channel_init */
        return echo->mode == ECHO_DISCARD ? EPOLLIN : EPOLLOUT;
    }
    if (echo->faults) {
        client->kind = ECHO_FAULTY;
        client->flow.faulty = memory_new(1, sizeof *client->flow.faulty);
        faulty_init(client->flow.faulty, socket.fd, client->by_message, echo->faults);
        client->flow.faulty->number = client->number;
        client->flow.faulty->tap = echo->tap;
        return EPOLLIN | EPOLLOUT;
    }
    client->kind = ECHO_CHANNEL;
    channel_init(&client->flow.channel, socket, client->by_message ? SOCK_SEQPACKET : SOCK_STREAM,
                 socket, &echo->pool);
    pump_attach(&client->flow.channel.pump, echo->tap, NULL, NULL);
    return EPOLLIN;
}

/* Moves what can be moved now; after PUMP_WAITS, as next_events and wait_ms say. What fails leaves errno in `failure`. */
static enum pump_state client_move(struct echo_client *client)
{
    struct faulty *faulty = client->flow.faulty;
    enum pump_state state;
    switch (client->kind) {
    case ECHO_CHANNEL:
        state = channel_move(&client->flow.channel, &client->echo->pool);
        client->failure = client->flow.channel.pump.failure;
        return state;
    case ECHO_FAULTY:
        state = faulty_move(faulty, channel_pool_buffer(&client->echo->pool));
        client->failure = faulty->failure;
        client->wait_ms = faulty->wait_ms;
        client->next_events = faulty->may_read ? EPOLLIN : 0;
        client->unread = state == PUMP_ENDED && !faulty->in_ended;
        return state;
    case ECHO_TALK:
        break;
    }
    return client->echo->mode == ECHO_DISCARD   ? talk_discard(client)
           : client->echo->mode == ECHO_CHARGEN ? talk_chargen(client)
                                                : talk_daytime(client);
}

/* Reads no more; what is held is still written. */
static void client_end_input(struct echo_client *client)
{
    if (client->kind == ECHO_CHANNEL)
        client->flow.channel.pump.limit = 0;
    else if (client->kind == ECHO_FAULTY)
        client->flow.faulty->in_ended = true;
    else
        client->flow.talk.in_ended = true;
}

/* Gives back what the client holds, and sets bytes_in and bytes_out. */
static void client_release(struct echo_client *client)
{
    struct channel *channel = &client->flow.channel;
    struct faulty *faulty = client->flow.faulty;
    switch (client->kind) {
    case ECHO_CHANNEL:
        client->bytes_in = channel->pump.taken;
        client->bytes_out = channel->pump.moved;
        channel_release(channel);
        break;
    case ECHO_FAULTY:
        client->bytes_in = faulty->taken;
        client->bytes_out = faulty->moved;
        faulty_release(faulty);
        free(faulty);
        break;
    case ECHO_TALK:
        client->bytes_in = client->flow.talk.taken;
        client->bytes_out = client->flow.talk.moved;
        break;
    }
}

/* Ends a client. One that got back less than it sent is to notice, by a reset; faults may want just that. */
static void client_end(struct echo_client *client, enum echo_end how)
{
    struct echo *echo = client->echo;
    client_release(client);
    bool lacks = client->kind == ECHO_CHANNEL && client->bytes_out < client->bytes_in;
    peer_leave(&client->peer);
    /* The close of its socket ends the watch, without a call of its own. */
    loop_forget(echo->clients.loop, &client->peer.watch);
    loop_timer_cancel(echo->clients.loop, &client->pause);
    if (!lacks && (how == ECHO_STOPPED || client->unread))
        fd_discard(client->peer.watch.fd);
    echo->left(echo, client, how);
    peer_close(&client->peer, lacks);
    free(client);
}

/* Serving */

static void client_serve(struct echo_client *client)
{
    struct loop *loop = client->echo->clients.loop;
    struct watch *watch = &client->peer.watch;
    if (client->echo->held) {
        loop_unwatch(loop, watch);
        peer_await_turn(&client->peer);
        return;
    }
    switch (client_move(client)) {
    case PUMP_HELD: /* only by a filter, and there is none */
    case PUMP_WANTS_IN:
        loop_watch(loop, watch, EPOLLIN);
        break;
    case PUMP_WANTS_OUT:
        loop_watch(loop, watch, EPOLLOUT);
        break;
    case PUMP_WAITS: /* for time to pass, and where next_events says so, for the client as well */
        if (client->wait_ms >= 0)
            loop_timer_set(loop, &client->pause, client->wait_ms);
        if (client->wait_ms >= 0 && !client->next_events)
            loop_unwatch(loop, watch); /* an error would be told again and again */
        else
            loop_watch(loop, watch, client->next_events);
        break;
    case PUMP_ENDED:
        client_end(client, client->echo->clients.stopping ? ECHO_STOPPED : ECHO_EOF);
        break;
    case PUMP_FAILED_IN:
    case PUMP_FAILED_OUT:
        client_end(client, ECHO_FAILED);
        break;
    }
}

static void echo_check_stopped(struct echo *echo)
{
    if (peers_are_gone(&echo->clients))
        echo->stopped(echo);
}

/* Serves a client for whom something can be moved, or the time has come to. */
static void client_continue(struct echo_client *client)
{
    struct echo *echo = client->echo;
    idle_limit_moved(&client->peer.idle);
    client_serve(client);
    echo_check_stopped(echo);
}

static void client_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    client_continue(LOOP_OWNER(watch, struct echo_client, peer.watch));
}

static void client_pause_over(struct timer *timer)
{
    client_continue(LOOP_OWNER(timer, struct echo_client, pause));
}

static void client_idle_over(struct idle_limit *idle)
{
    struct echo_client *client = LOOP_OWNER(idle, struct echo_client, peer.idle);
    struct echo *echo = client->echo;
    client_end(client, ECHO_IDLE);
    echo_check_stopped(echo);
}

/* From the start to the stop */

void echo_add(struct echo *echo, int fd, int socktype, void *user_data)
{
    struct echo_client *client = memory_new(1, sizeof *client);
    client->echo = echo;
    client->user_data = user_data;
    client->pause.fired = client_pause_over;
    client->by_message = socktype == SOCK_SEQPACKET;
    client->number = ++echo->count;
    peer_start(&client->peer, &echo->clients, fd, client_ready, client_idle_over);
    uint32_t events = client_start(client);
    if (echo->held)
        peer_await_turn(&client->peer);
    else
        loop_watch(echo->clients.loop, &client->peer.watch, events);
}

void echo_go_on(struct echo *echo)
{
    struct peer *next;
    echo->held = false;
    while (!echo->held && (next = peers_next_turn(&echo->clients)))
        client_serve(LOOP_OWNER(next, struct echo_client, peer));
    echo_check_stopped(echo);
}

static void echo_end_all(struct echo *echo)
{
    drain_stop(&echo->clients.drain);
    LIST_EACH (struct echo_client, client, &echo->clients.list, peer.node)
        client_end(client, ECHO_STOPPED);
}

/* Counts the clients, and what has not arrived at them. */
static uint64_t echo_count_left(struct drain *drain)
{
    const struct echo *echo = LOOP_OWNER(drain, struct echo, clients.drain);
    uint64_t left = 0;
    LIST_EACH (const struct echo_client, client, &echo->clients.list, peer.node) {
        left += 1 + peer_count_unacknowledged(client->peer.watch.fd);
        if (client->kind == ECHO_FAULTY)
            left += client->flow.faulty->held;
        else if (client->kind == ECHO_CHANNEL)
            left += client->flow.channel.pump.taken - client->flow.channel.pump.moved;
    }
    return left;
}

static void echo_drain_over(struct drain *drain)
{
    struct echo *echo = LOOP_OWNER(drain, struct echo, clients.drain);
    echo_end_all(echo);
    echo->stopped(echo);
}

void echo_stop(struct echo *echo)
{
    struct peers *clients = &echo->clients;
    if (clients->stopping) {
        echo_drain_over(&clients->drain);
        return;
    }
    clients->stopping = true;
    LIST_EACH (struct echo_client, client, &clients->list, peer.node) {
        if (!echo->held)
            client_move(client);
        client_end_input(client);
        client_serve(client);
    }
    drain_start(&clients->drain, clients->loop, echo_count_left, echo_drain_over);
    echo_check_stopped(echo);
}

void echo_release(struct echo *echo)
{
    echo->clients.stopping = true;
    echo_end_all(echo);
    channel_pool_release(&echo->pool);
    free(echo->pattern);
    echo->pattern = NULL;
}
