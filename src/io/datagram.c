#include "io/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/message.h"

enum {
    BURST = 64, /* datagrams in a row before others get their turn */
    LOOK_AGAIN_MS = 20
};

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
    outbox_release(&relay->outbox);
    free(relay->received);
    free(relay->sending);
    free(relay->filtered);
    relay->received = relay->sending = relay->filtered = NULL;
    relay->loop = NULL;
}

static void finish(struct datagram_relay *relay, int result)
{
    relay->result = result;
    datagram_release(relay);
    relay->done(relay);
}

static void fail(struct datagram_relay *relay, const char *what)
{
    error_system(&relay->error, STATUS_TRANSFER, errno, "%s %s", what, relay->peer_name);
    finish(relay, -1);
}

static void fail_output(struct datagram_relay *relay)
{
    finish(relay, outbox_error(&relay->outbox, relay->out_name, &relay->error));
}

static void fail_input(struct datagram_relay *relay)
{
    error_system(&relay->error, STATUS_LOCAL_IO, errno, "read from %s", relay->in_name);
    finish(relay, -1);
}

/* What is awaited now. */
static bool can_send(const struct datagram_relay *relay)
{
    bool has_peer = relay->policy.peer == DATAGRAM_CONNECTED || relay->has_peer;
    return has_peer && !loop_timer_is_set(&relay->wait);
}

static void await_all(struct datagram_relay *relay)
{
    bool sends = can_send(relay);
    if (sends && !relay->sending_waits && !relay->in_ended)
        loop_watch(relay->loop, &relay->in_watch, EPOLLIN);
    else
        loop_unwatch(relay->loop, &relay->in_watch);
    uint32_t in = outbox_is_full(&relay->outbox) || relay->peer_ended ? 0 : EPOLLIN;
    for (size_t i = 0; i < relay->socket_count; i++) {
        uint32_t out = sends && relay->sending_waits && i == relay->speaking ? EPOLLOUT : 0;
        if (in | out)
            loop_watch(relay->loop, &relay->sockets[i].watch, in | out);
        else
            loop_unwatch(relay->loop, &relay->sockets[i].watch);
    }
}

static void note_move(struct datagram_relay *relay)
{
    if (relay->policy.idle_ms >= 0)
        relay->moved_ms = loop_now_ms();
}

/* From the network */

/* Whether a datagram from there is to be taken; notes who speaks. */
static bool is_peer(struct datagram_relay *relay, struct datagram_socket *socket,
                    const struct sockname *from)
{
    if (relay->policy.peer == DATAGRAM_CONNECTED)
        return true;
    bool known = relay->has_peer && sockname_is_same(&relay->peer, from);
    if (relay->has_peer && !known && relay->policy.peer == DATAGRAM_FIRST)
        return false;
    relay->speaking = (size_t)(socket - relay->sockets);
    loop_timer_cancel(relay->loop, &relay->first);
    if (known)
        return true;
    relay->peer = *from;
    /* A UNIX socket that was never bound has no name: nothing can be sent there. */
    relay->has_peer = from->length > sizeof(sa_family_t);
    if (relay->heard)
        relay->heard(relay, from);
    return true;
}

/* The end of a seqpacket connection. What the input says within the next while is still sent. */
static void end_peer(struct datagram_relay *relay)
{
    int64_t silence_ms = relay->in.kind == END_TERMINAL ? 0 : relay->policy.silence_ms;
    relay->peer_ended = true;
    if (relay->in_ended)
        finish(relay, 0);
    else if (relay->in.kind != END_FILE && silence_ms >= 0)
        loop_timer_set(relay->loop, &relay->quit, silence_ms);
}

static bool has_enough(const struct datagram_relay *relay)
{
    return relay->policy.most_received && relay->received_count >= relay->policy.most_received;
}

/* Hands on what is in relay->received. False when that is all for now. */
static bool deliver(struct datagram_relay *relay, char *bytes, size_t received)
{
    ssize_t length = (ssize_t)received;
    relay->received_count++;
    relay->bytes_in += received;
    if (relay->down_filter)
        length = relay->down_filter->pass(relay->down_filter, &bytes, received);
    if (length < 0 || outbox_put(&relay->outbox, bytes, (size_t)length) < 0)
        fail_output(relay);
    else if (outbox_is_full(&relay->outbox))
        return false;
    else if (!has_enough(relay))
        return true;
    else
        finish(relay, 0);
    return false;
}

/* Takes one datagram. False when there is none, or all is over. */
static bool receive(struct datagram_relay *relay, struct datagram_socket *socket)
{
    struct sockname from;
    char *bytes = relay->received + DATAGRAM_MOST + 1;
    ssize_t got = sock_recv_from(socket->watch.fd, bytes, DATAGRAM_MOST + 1, &from);
    if (got < 0) {
        if (errno != EAGAIN)
            fail(relay, "read from");
        return false;
    }
    if (got == 0 && relay->policy.has_end) {
        end_peer(relay);
        return false;
    }
    if (!is_peer(relay, socket, &from))
        return true;
    note_move(relay);
    if (got > DATAGRAM_MOST) {
        message_print("warning: a datagram from %s was cut to %d bytes", relay->peer_name,
                      DATAGRAM_MOST);
        got = DATAGRAM_MOST;
    }
    if (loop_timer_is_set(&relay->quit))
        loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
    return deliver(relay, bytes, (size_t)got);
}

static void output_drained(struct outbox *outbox)
{
    struct datagram_relay *relay = LOOP_OWNER(outbox, struct datagram_relay, outbox);
    if (outbox->failure)
        fail_output(relay);
    else if (has_enough(relay))
        finish(relay, 0);
    else
        await_all(relay);
}

/* To the network */

/* The next datagram as it is to be sent. False when all is over: the filter has failed. */
static bool filter_datagram(struct datagram_relay *relay)
{
    relay->outgoing = relay->sending + relay->start;
    relay->outgoing_length = relay->sending_length;
    if (!relay->up_filter || relay->sending_length > relay->policy.most)
        return true;
    char *bytes = relay->filtered + relay->policy.most + 1;
    memcpy(bytes, relay->outgoing, relay->sending_length);
    ssize_t length = relay->up_filter->pass(relay->up_filter, &bytes, relay->sending_length);
    if (length < 0) {
        fail_input(relay);
        return false;
    }
    relay->outgoing = bytes;
    relay->outgoing_length = (size_t)length;
    return true;
}

/* Finds the next datagram in what has been read. False when all is over. */
static bool find_datagram(struct datagram_relay *relay)
{
    const char *start = relay->sending + relay->start;
    const char *feed = relay->policy.lines ? memchr(start, '\n', relay->held) : NULL;
    relay->sending_length = relay->held;
    if (feed)
        relay->sending_length = (size_t)(feed - start) + 1;
    else if (relay->policy.lines && !relay->in_exhausted && relay->held <= relay->policy.most)
        relay->sending_length = 0; /* the rest of the line is still to come */
    relay->sending_waits = relay->sending_length > 0;
    return !relay->sending_waits || filter_datagram(relay);
}

/* Until the pace allows the next one, nothing is sent. Each datagram is a line. */
static void slow_down(struct datagram_relay *relay, size_t sent)
{
    struct pace *pace = relay->up_pace;
    int64_t now_ms = loop_now_ms();
    pace_spend(pace, now_ms, NULL, sent);
    pace->next_line_ms = now_ms + pace->line_ms;
    if (!pace_allow(pace, now_ms, "", 1))
        loop_timer_set(relay->loop, &relay->wait, pace->wait_ms);
}

/* False when it cannot be sent now, or never. */
static bool send_one(struct datagram_relay *relay)
{
    const struct sockname *to = relay->policy.peer == DATAGRAM_CONNECTED ? NULL : &relay->peer;
    int fd = relay->sockets[relay->speaking].watch.fd;
    ssize_t sent = sock_send_to(fd, relay->outgoing, relay->outgoing_length, to);
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS))
        return false;
    if (sent < 0 && relay->policy.peer != DATAGRAM_ANY) {
        fail(relay, "send to");
        return false;
    }
    if (sent < 0) {
        message_print("warning: send to the peer heard last: %s", strerror(errno));
        relay->has_peer = false;
    }
    if (sent >= 0)
        relay->bytes_out += (uint64_t)sent;
    if (sent > 0 && relay->up_pace)
        slow_down(relay, (size_t)sent);
    relay->start += relay->sending_length;
    relay->held -= relay->sending_length;
    return find_datagram(relay) && relay->sending_waits && can_send(relay);
}

static void end_input(struct datagram_relay *relay)
{
    relay->in_ended = true;
    if (relay->peer_ended) {
        finish(relay, 0);
        return;
    }
    if (relay->policy.has_end)
        sock_shutdown(relay->sockets[0].watch.fd, SHUT_WR);
    if (relay->policy.quit_after_ms >= 0)
        loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
    await_all(relay);
}

static void send_waiting(struct datagram_relay *relay)
{
    if (relay->sending_length > relay->policy.most) {
        error_set(&relay->error, STATUS_MALFORMED,
                  "%s: a line is longer than a datagram can be (%zu bytes)", relay->in_name,
                  relay->policy.most);
        finish(relay, -1);
        return;
    }
    for (int i = 0; i < BURST && relay->sending_waits; i++)
        if (!send_one(relay))
            break;
    if (!relay->loop)
        return;
    note_move(relay);
    if (relay->in_exhausted && !relay->sending_waits)
        end_input(relay);
    else
        await_all(relay);
}

static void input_ready(struct watch *watch, uint32_t events)
{
    struct datagram_relay *relay = LOOP_OWNER(watch, struct datagram_relay, in_watch);
    (void)events;
    size_t room = relay->policy.most + relay->policy.lines - relay->held;
    if (relay->start)
        memmove(relay->sending, relay->sending + relay->start, relay->held);
    relay->start = 0;
    ssize_t got = end_read(relay->in, relay->sending + relay->held, room);
    if (got < 0) {
        if (errno != EAGAIN)
            fail_input(relay);
        return;
    }
    relay->held += (size_t)got;
    relay->in_exhausted = got == 0;
    if (!find_datagram(relay))
        return;
    if (relay->peer_ended && loop_timer_is_set(&relay->quit))
        loop_timer_set(relay->loop, &relay->quit, relay->policy.silence_ms);
    send_waiting(relay);
}

static void socket_ready(struct watch *watch, uint32_t events)
{
    struct datagram_socket *socket = LOOP_OWNER(watch, struct datagram_socket, watch);
    struct datagram_relay *relay = socket->relay;
    if (events & EPOLLOUT && relay->sending_waits) {
        send_waiting(relay);
        return;
    }
    for (int i = 0; i < BURST; i++)
        if (!receive(relay, socket))
            break;
    if (relay->loop)
        await_all(relay);
}

/* Limits */

static void waited(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, wait);
    if (relay->sending_waits)
        send_waiting(relay);
    else
        await_all(relay);
}

static void quit_fired(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, quit);
    if (relay->sending_waits || outbox_is_full(&relay->outbox))
        loop_timer_set(relay->loop, timer, LOOK_AGAIN_MS);
    else
        finish(relay, 0);
}

static void first_fired(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, first);
    error_set(&relay->error, STATUS_TIMEOUT, "listen on %s: no datagram came in %.3g seconds",
              relay->peer_name, (double)relay->policy.first_ms / 1000);
    finish(relay, -1);
}

static void idle_fired(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, idle);
    int64_t left_ms = relay->moved_ms + relay->policy.idle_ms - loop_now_ms();
    if (left_ms > 0) {
        loop_timer_set(relay->loop, timer, left_ms);
        return;
    }
    error_set(&relay->error, STATUS_TIMEOUT, "%s: nothing moved for %.3g seconds", relay->peer_name,
              (double)relay->policy.idle_ms / 1000);
    finish(relay, -1);
}

void datagram_add_socket(struct datagram_relay *relay, int fd)
{
    struct datagram_socket *socket = &relay->sockets[relay->socket_count++];
    *socket = (struct datagram_socket){relay, {.fd = fd, .ready = socket_ready}};
}

void datagram_start(struct datagram_relay *relay, struct loop *loop)
{
    relay->loop = loop;
    relay->received = memory_grow(NULL, DATAGRAM_MOST + 1, 2);
    relay->sending = memory_grow(NULL, relay->policy.most + 1, 1);
    if (relay->up_filter)
        relay->filtered = memory_grow(NULL, relay->policy.most + 1, 2);
    relay->in_watch = (struct watch){.fd = relay->in.fd, .ready = input_ready};
    relay->in_ended = relay->in.fd < 0;
    relay->idle.fired = idle_fired;
    relay->first.fired = first_fired;
    relay->quit.fired = quit_fired;
    relay->wait.fired = waited;
    outbox_init(&relay->outbox, loop, relay->out, output_drained);
    outbox_heed_reader(&relay->outbox);
    relay->moved_ms = loop_now_ms();
    if (relay->policy.idle_ms >= 0)
        loop_timer_set(loop, &relay->idle, relay->policy.idle_ms);
    if (relay->policy.first_ms >= 0)
        loop_timer_set(loop, &relay->first, relay->policy.first_ms);
    await_all(relay);
}
