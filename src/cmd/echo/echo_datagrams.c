/*
 * See echo_datagrams.h. The answer takes the place of the datagram in the buffer, and goes to the send queue, where it
 * waits until it is due, as faults ask for, and until the kernel has room for it.
 */
#include "cmd/echo/echo_datagrams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"

enum {
    ROUNDS = 64, /* datagrams of one socket in one go, so that others get their turn */
    RFC_864_MAX = 512
};

/* Who gets no answer */

/* Ports of services that answer any datagram, or answer with more than they were sent: the IANA
 * names are beside them. 0 is nobody's, and an answer to it goes nowhere. */
static const unsigned amplifier_ports[] = {0,
                                           7 /* echo */,
                                           13 /* daytime */,
                                           17 /* qotd */,
                                           19 /* chargen */,
                                           37 /* time */,
                                           53 /* domain */,
                                           69 /* tftp */,
                                           111 /* sunrpc */,
                                           123 /* ntp */,
                                           137 /* netbios-ns */,
                                           161 /* snmp */,
                                           389 /* ldap */,
                                           500 /* isakmp */,
                                           520 /* router */,
                                           1900 /* ssdp */,
                                           3283 /* net-assistant */,
                                           3702 /* ws-discovery */,
                                           4500 /* ipsec-nat-t */,
                                           5060 /* sip */,
                                           5353 /* mdns */,
                                           5683 /* coap */,
                                           10001 /* Ubiquiti's discovery */,
                                           11211 /* memcached */,
                                           27015 /* Source engine */,
                                           27960 /* Quake III */};

/* Says whether an answer to this datagram would feed a loop, or flood somebody else: its source port is that of a
 * service that answers whoever speaks to it (CVE-1999-0103, CVE-2024-2169), or its source is our own socket, bound to
 * `own`. No list of who may talk to us has a say in it. */
static bool may_amplify(const struct sockname *source, const struct sockname *own)
{
    struct sockname name = *source;
    unsigned port = sockname_port(source);
    for (size_t i = 0; i < sizeof amplifier_ports / sizeof *amplifier_ports; i++)
        if (amplifier_ports[i] == port)
            return true;
    if (port != sockname_port(own))
        return false;
    /* Only an address of this machine can be bound to. */
    sockname_set_port(&name, 0);
    int probe = sock_open(name.storage.ss_family, SOCK_DGRAM, 0);
    if (probe < 0)
        return true; /* rather no answer than a loop */
    bool is_local = sock_bind(probe, &name) == 0;
    sock_close(probe);
    return is_local;
}

static bool echo_is_in_loop(struct echo_datagrams *echo, const struct sockname *peer, size_t length)
{
    if (!sockname_is_inet(peer))
        return false;
    uint64_t hash = loop_guard_hash(echo->guard.key, &peer->storage, peer->length);
    /* The time of day differs from one answer to the next, and yet may be in a loop. */
    hash = loop_guard_hash(hash, echo->buffer, echo->mode == ECHO_DAYTIME ? 0 : length);
    return !loop_guard_allow(&echo->guard, hash, loop_now_ms());
}

/* Answers */

/* Answers as the next faults say; that changes the bytes of the answer. */
static void echo_answer_with_faults(struct echo_datagrams *echo, const struct send_answer *answer)
{
    const struct faults *faults = echo->faults;
    struct fault fault = faults_decide(faults, 0, ++echo->pieces);
    if (fault.drop)
        return;
    fault_corrupt(&fault, echo->buffer, answer->length);
    for (int copies = 1 + fault.duplicate; copies; copies--) {
        int64_t due_ms = loop_now_ms();
        if (!send_queue_can_delay(&echo->send_queue, answer->length))
            return;
        if (faults->rate) {
            if (echo->free_us < due_ms * 1000)
                echo->free_us = due_ms * 1000;
            echo->free_us += (int64_t)((uint64_t)answer->length * 1000000 / faults->rate);
            due_ms = echo->free_us / 1000;
        }
        send_queue_answer(&echo->send_queue, answer, due_ms + fault.late_ms);
    }
}

/* Answers a datagram, if it is to be answered. One that is longer than the buffer would come back cut, and one without a
 * sender's name (a UNIX socket that was not bound) cannot be answered. The answer is never longer than what was asked with, where the source can be forged:
 * nobody gains anything by it. */
static void socket_answer(struct echo_datagram_socket *socket, const struct sock_message *message,
                          size_t length)
{
    struct echo_datagrams *echo = socket->echo;
    const struct sockname *peer = &message->peer;
    if (length > ECHO_DATAGRAM_MAX ||
        (peer->storage.ss_family != AF_UNIX && may_amplify(peer, &socket->name)) ||
        (echo->mode != ECHO_DISCARD && echo_is_in_loop(echo, peer, length)))
        return;
    if (echo->tap)
        echo->tap->look(echo->tap, echo->buffer, length);
    if (echo->mode == ECHO_DISCARD || peer->length <= sizeof(sa_family_t))
        return;
    if (echo->mode == ECHO_DAYTIME) {
        char line[DAYTIME_MAX];
        size_t whole = daytime_write(line, time(NULL));
        length = length < whole && sockname_is_inet(peer) ? length : whole;
        memcpy(echo->buffer, line, length);
    } else if (echo->mode == ECHO_CHARGEN) {
        length = length < RFC_864_MAX ? length : RFC_864_MAX;
        chargen_fill(echo->buffer, length);
    }
    const struct send_answer answer = {socket->watch.fd, message, echo->buffer, length};
    if (echo->faults)
        echo_answer_with_faults(echo, &answer);
    else
        send_queue_answer(&echo->send_queue, &answer, 0);
}

static void socket_ready(struct watch *watch, uint32_t events)
{
    struct echo_datagram_socket *socket = LOOP_OWNER(watch, struct echo_datagram_socket, watch);
    struct echo_datagrams *echo = socket->echo;
    (void)events;
    for (int round = 0; round < ROUNDS && !echo->held; round++) {
        struct sock_message message;
        ssize_t length = sock_recv_message(watch->fd, echo->buffer, ECHO_DATAGRAM_MAX, &message,
                                           &echo->senders);
        if (length >= 0)
            socket_answer(socket, &message, (size_t)length);
        else if (errno == EAGAIN)
            return;
        /* Any other error is the answer to one that was sent before. */
    }
}

void echo_datagrams_start(struct echo_datagrams *echo, const struct listener_socket *sockets,
                          size_t count)
{
    echo->buffer = memory_new(ECHO_DATAGRAM_MAX, 1);
    echo->guard = (struct loop_guard){.key = random_seed(),
                                      .slots = memory_new(LOOP_GUARD_SLOTS,
                                                          sizeof(struct loop_guard_entry))};
    send_queue_init(&echo->send_queue, echo->loop);
    echo->count = count;
    for (size_t i = 0; i < count; i++) {
        struct echo_datagram_socket *socket = &echo->sockets[i];
        *socket = (struct echo_datagram_socket){.echo = echo, .name = sockets[i].name};
        socket->watch = (struct watch){.fd = sockets[i].watch.fd, .ready = socket_ready};
        loop_watch(echo->loop, &socket->watch, EPOLLIN);
    }
}

void echo_datagrams_hold(struct echo_datagrams *echo, bool held)
{
    echo->held = held;
    for (size_t i = 0; i < echo->count; i++)
        if (held)
            loop_unwatch(echo->loop, &echo->sockets[i].watch);
        else
            loop_watch(echo->loop, &echo->sockets[i].watch, EPOLLIN);
}

void echo_datagrams_release(struct echo_datagrams *echo)
{
    for (size_t i = 0; i < echo->count; i++)
        loop_unwatch(echo->loop, &echo->sockets[i].watch);
    send_queue_release(&echo->send_queue);
    free(echo->guard.slots);
    free(echo->buffer);
    *echo = (struct echo_datagrams){0};
}
