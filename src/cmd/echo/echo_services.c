/*
 * How a client of io/echo is served, by mode and socket.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "cmd/echo/classic.h"
#include "cmd/echo/echo.h"
#include "sys/sock.h"

enum { ROUNDS = 16 }; /* reads or writes in one move, so that others get their turn */

/* Echo */

static void start_echo(struct echo_client *client)
{
    struct echo *echo = client->echo;
    struct fd end = fd_of_socket(client->watch.fd);
    int socktype = client->by_message ? SOCK_SEQPACKET : SOCK_STREAM;
    channel_init(&client->flow.channel, end, socktype, end, &echo->pool, echo->tap);
}

static enum pump_state move_echo(struct echo_client *client)
{
    enum pump_state state = channel_move(&client->flow.channel, &client->echo->pool);
    client->failure = client->flow.channel.pump.failure;
    return state;
}

static void end_echo(struct echo_client *client)
{
    client->flow.channel.pump.limit = 0;
}

static void release_echo(struct echo_client *client)
{
    client->bytes_in = client->flow.channel.pump.taken;
    client->bytes_out = client->flow.channel.pump.moved;
    channel_release(&client->flow.channel);
}

/* Echo with faults */

static void start_faulty(struct echo_client *client)
{
    const struct echo *echo = client->echo;
    client->flow.faulty = memory_new(1, sizeof *client->flow.faulty);
    faulty_init(client->flow.faulty, client->watch.fd, client->by_message, echo->faults);
    client->flow.faulty->number = client->number;
    client->flow.faulty->tap = echo->tap;
}

static enum pump_state move_faulty(struct echo_client *client)
{
    struct faulty *faulty = client->flow.faulty;
    enum pump_state state = faulty_move(faulty, channel_pool_buffer(&client->echo->pool));
    client->failure = faulty->failure;
    client->wait_ms = faulty->wait_ms;
    client->next_events = faulty->may_read ? EPOLLIN : 0;
    client->unread = state == PUMP_ENDED && !faulty->in_ended;
    return state;
}

static void end_faulty(struct echo_client *client)
{
    client->flow.faulty->in_ended = true;
}

static void release_faulty(struct echo_client *client)
{
    client->bytes_in = client->flow.faulty->taken;
    client->bytes_out = client->flow.faulty->moved;
    faulty_release(client->flow.faulty);
    free(client->flow.faulty);
}

/* The others: what the client sends is thrown away. */

static void start_talk(struct echo_client *client)
{
    if (client->by_message)
        sock_set(client->watch.fd, SOL_SOCKET, SO_PASSCRED, 1); /* see seqpacket.c */
}

static void see(const struct echo *echo, const char *bytes, size_t length)
{
    if (echo->tap)
        echo->tap->look(echo->tap, bytes, length);
}

static enum pump_state discard(struct echo_client *client)
{
    struct echo_talk *talk = &client->flow.talk;
    char *buffer = channel_pool_buffer(&client->echo->pool);
    for (int round = 0; round < ROUNDS && !talk->in_ended; round++) {
        struct sock_message message;
        ssize_t got = sock_recv_message(client->watch.fd, buffer, SEQPACKET_MAX, &message,
                                        &sock_any_sender);
        client->failure = errno;
        if (got < 0)
            return errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN;
        talk->in_ended = got == 0 && !message.has_user;
        got = got > SEQPACKET_MAX ? SEQPACKET_MAX : got;
        talk->taken += (uint64_t)got;
        see(client->echo, buffer, (size_t)got);
    }
    return talk->in_ended ? PUMP_ENDED : PUMP_WANTS_IN;
}

/* A client that has heard enough closes: for a service that never ends, that is the end. */
static enum pump_state end_of_talk(const struct echo_client *client)
{
    return client->failure == EPIPE || client->failure == ECONNRESET ? PUMP_ENDED : PUMP_FAILED_OUT;
}

static enum pump_state generate(struct echo_client *client)
{
    struct echo *echo = client->echo;
    struct echo_talk *talk = &client->flow.talk;
    if (!echo->pattern) {
        echo->pattern = memory_new(CLASSIC_PATTERN, 1);
        classic_pattern(echo->pattern, CLASSIC_PATTERN);
    }
    if (discard(client) == PUMP_FAILED_IN)
        return end_of_talk(client);
    for (int round = 0; round < ROUNDS && !echo->stopping; round++) {
        size_t at = (size_t)(talk->moved % CLASSIC_PATTERN);
        size_t length = client->by_message ? CLASSIC_LINE : CLASSIC_PATTERN - at;
        ssize_t sent = sock_send(client->watch.fd, echo->pattern + at, length);
        client->failure = errno;
        if (sent < 0 && errno != EAGAIN)
            return end_of_talk(client);
        if (sent < 0)
            break;
        talk->moved += (uint64_t)sent;
    }
    client->wait_ms = -1;
    client->next_events = EPOLLOUT | (talk->in_ended ? 0 : EPOLLIN);
    return echo->stopping ? PUMP_ENDED : PUMP_WAITS;
}

static enum pump_state tell_time(struct echo_client *client)
{
    struct echo_talk *talk = &client->flow.talk;
    char line[CLASSIC_DAYTIME_MAX];
    if (talk->moved)
        return PUMP_ENDED;
    ssize_t sent = sock_send(client->watch.fd, line, classic_daytime(line, time(NULL)));
    client->failure = errno;
    client->unread = true;
    if (sent < 0)
        return end_of_talk(client);
    talk->moved = (uint64_t)sent;
    return PUMP_ENDED;
}

static void end_talk(struct echo_client *client)
{
    client->flow.talk.in_ended = true;
}

static void release_talk(struct echo_client *client)
{
    client->bytes_in = client->flow.talk.taken;
    client->bytes_out = client->flow.talk.moved;
}

const struct echo_service *echo_service_of(const struct echo_client *client)
{
    static const struct echo_service echo = {EPOLLIN, start_echo, move_echo, end_echo,
                                             release_echo};
    static const struct echo_service faulty = {EPOLLIN | EPOLLOUT, start_faulty, move_faulty,
                                               end_faulty, release_faulty};
    static const struct echo_service others[] = {
        [ECHO_DISCARD] = {EPOLLIN, start_talk, discard, end_talk, release_talk},
        [ECHO_CHARGEN] = {EPOLLOUT, start_talk, generate, end_talk, release_talk},
        [ECHO_DAYTIME] = {EPOLLOUT, start_talk, tell_time, end_talk, release_talk}};
    if (client->echo->mode != ECHO_ECHO)
        return &others[client->echo->mode];
    return client->echo->faults ? &faulty : &echo;
}
