#include "io/echo_datagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/memory.h"

enum { ROUNDS = 64 }; /* datagrams of one socket in one go, so that others get their turn */

/* One that is longer than the buffer would come back cut, and one without a sender's name (a UNIX
 * socket that was not bound) cannot be answered. */
static void answer(struct echo_datagram_socket *socket, const struct sock_message *message,
                   size_t length)
{
    struct echo_datagrams *echo = socket->echo;
    if (length > ECHO_DATAGRAM_MOST || message->peer.length <= sizeof(sa_family_t))
        return;
    if (echo->answers(echo, &message->peer, &socket->name))
        postbox_answer(&echo->postbox, socket->watch.fd, message, echo->buffer, length);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct echo_datagram_socket *socket = LOOP_OWNER(watch, struct echo_datagram_socket, watch);
    struct sock_message message;
    (void)events;
    for (int round = 0; round < ROUNDS; round++) {
        ssize_t length = sock_recv_message(watch->fd, socket->echo->buffer, ECHO_DATAGRAM_MOST,
                                           &message);
        if (length >= 0)
            answer(socket, &message, (size_t)length);
        else if (errno == EAGAIN)
            return;
        /* Any other error is the answer to one that was sent before. */
    }
}

void echo_datagrams_init(struct echo_datagrams *echo, struct loop *loop)
{
    echo->loop = loop;
    echo->buffer = memory_new(ECHO_DATAGRAM_MOST, 1);
    postbox_init(&echo->postbox, loop);
}

void echo_datagrams_add(struct echo_datagrams *echo, int fd, const struct sockname *name)
{
    struct echo_datagram_socket *socket = &echo->sockets[echo->count++];
    *socket = (struct echo_datagram_socket){.echo = echo, .name = *name};
    socket->watch.fd = fd;
    socket->watch.ready = ready;
    /* On a socket of all addresses: which of them a datagram was sent to. */
    if (name->storage.ss_family == AF_INET)
        sock_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    else if (name->storage.ss_family == AF_INET6)
        sock_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    loop_watch(echo->loop, &socket->watch, EPOLLIN);
}

void echo_datagrams_release(struct echo_datagrams *echo)
{
    for (size_t i = 0; i < echo->count; i++)
        loop_unwatch(echo->loop, &echo->sockets[i].watch);
    postbox_release(&echo->postbox);
    free(echo->buffer);
    *echo = (struct echo_datagrams){0};
}
