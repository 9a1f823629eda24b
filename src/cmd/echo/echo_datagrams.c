/*
 * See echo_datagrams.h. Each datagram is answered at once; where the kernel has no room the answer waits in the send
 * queue (dgram/send_queue), and where faults ask for a delay in one with due times (delay).
 */
#include "cmd/echo/echo_datagrams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmd/echo/classic.h"

enum { ROUNDS = 64 }; /* datagrams of one socket in one go, so that others get their turn */

static bool is_in_loop(struct echo_datagrams *echo, const struct sockname *peer, size_t length)
{
    if (!sockname_is_inet(peer))
        return false;
    uint64_t hash = loop_guard_hash(echo->repeats.key, &peer->storage, peer->length);
    /* The time of day differs from one answer to the next, and yet may be in a loop. */
    hash = loop_guard_hash(hash, echo->buffer, echo->mode == ECHO_DAYTIME ? 0 : length);
    return !loop_guard_allow(&echo->repeats, hash, loop_now_ms());
}

/* Puts the answer in place of the datagram. Returns its length, which is never more than what was
 * asked with, where the source can be forged: nobody gains anything by it. */
static size_t compose(struct echo_datagrams *echo, const struct sockname *peer, size_t length)
{
    enum { RFC_864_MAX = 512 };
    if (echo->mode == ECHO_DAYTIME) {
        char line[CLASSIC_DAYTIME_MAX];
        size_t whole = classic_daytime(line, time(NULL));
        length = length < whole && sockname_is_inet(peer) ? length : whole;
        memcpy(echo->buffer, line, length);
    } else if (echo->mode == ECHO_CHARGEN) {
        length = length < RFC_864_MAX ? length : RFC_864_MAX;
        classic_pattern(echo->buffer, length);
    }
    return length;
}

/* One that is longer than the buffer would come back cut, and one without a sender's name (a UNIX
 * socket that was not bound) cannot be answered. */
static void answer(struct echo_datagram_socket *socket, const struct sock_message *message,
                   size_t length)
{
    struct echo_datagrams *echo = socket->echo;
    if (length > ECHO_DATAGRAM_MAX || !echo->answers(echo, &message->peer, &socket->name) ||
        (echo->mode != ECHO_DISCARD && is_in_loop(echo, &message->peer, length)))
        return;
    if (echo->tap)
        echo->tap->look(echo->tap, echo->buffer, length);
    if (echo->mode == ECHO_DISCARD || message->peer.length <= sizeof(sa_family_t))
        return;
    length = compose(echo, &message->peer, length);
    if (echo->faults)
        delay_answer(&echo->late, socket->watch.fd, message, echo->buffer, length);
    else
        send_queue_answer(&echo->send_queue, socket->watch.fd, message, echo->buffer, length);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct echo_datagram_socket *socket = LOOP_OWNER(watch, struct echo_datagram_socket, watch);
    struct sock_message message;
    (void)events;
    for (int round = 0; round < ROUNDS && !socket->echo->held; round++) {
        ssize_t length = sock_recv_message(watch->fd, socket->echo->buffer, ECHO_DATAGRAM_MAX,
                                           &message, &socket->echo->senders);
        if (length >= 0)
            answer(socket, &message, (size_t)length);
        else if (errno == EAGAIN)
            return;
        /* Any other error is the answer to one that was sent before. */
    }
}

void echo_datagrams_init(struct echo_datagrams *echo)
{
    echo->buffer = memory_new(ECHO_DATAGRAM_MAX, 1);
    echo->repeats = (struct loop_guard){.key = random_seed(),
                                        .slots = memory_new(LOOP_GUARD_SLOTS,
                                                            sizeof(struct loop_guard_entry))};
    send_queue_init(&echo->send_queue, echo->loop);
    delay_init(&echo->late, echo->loop, echo->faults, &echo->send_queue);
}

void echo_datagrams_add(struct echo_datagrams *echo, int fd, const struct sockname *name)
{
    struct echo_datagram_socket *socket = &echo->sockets[echo->count++];
    *socket = (struct echo_datagram_socket){.echo = echo, .name = *name};
    socket->watch.fd = fd;
    socket->watch.ready = ready;
    if (!echo->held)
        loop_watch(echo->loop, &socket->watch, EPOLLIN);
}

void echo_datagrams_hold(struct echo_datagrams *echo)
{
    echo->held = true;
    for (size_t i = 0; i < echo->count; i++)
        loop_unwatch(echo->loop, &echo->sockets[i].watch);
}

void echo_datagrams_go_on(struct echo_datagrams *echo)
{
    echo->held = false;
    for (size_t i = 0; i < echo->count; i++)
        loop_watch(echo->loop, &echo->sockets[i].watch, EPOLLIN);
}

void echo_datagrams_release(struct echo_datagrams *echo)
{
    for (size_t i = 0; i < echo->count; i++)
        loop_unwatch(echo->loop, &echo->sockets[i].watch);
    delay_release(&echo->late);
    send_queue_release(&echo->send_queue);
    free(echo->repeats.slots);
    free(echo->buffer);
    *echo = (struct echo_datagrams){0};
}
