/*
 * See seqpacket.h. seqpacket_move runs steps until one has to wait: a message that could not be sent goes first, else
 * the next one is received and sent on. The states are those of a pump, so that a channel can be either.
 */
#include "stream/seqpacket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sys/sock.h"

enum { ROUNDS = 16 }; /* messages in one move, so that others get their turn */

void seqpacket_init(struct seqpacket *seqpacket, int in, int out)
{
    *seqpacket = (struct seqpacket){.in = in, .out = out};
    /* With it, an empty message comes with its sender's credentials; the end does not. */
    sock_set(in, SOL_SOCKET, SO_PASSCRED, 1);
}

void seqpacket_preload(struct seqpacket *seqpacket, const char *bytes, size_t length)
{
    seqpacket->waiting = memory_copy(bytes, length);
    seqpacket->length = length;
    seqpacket->taken = length;
    seqpacket->state = PUMP_WANTS_OUT;
}

void seqpacket_release(struct seqpacket *seqpacket)
{
    free(seqpacket->waiting);
    seqpacket->waiting = NULL;
}

static bool seqpacket_stop(struct seqpacket *seqpacket, enum pump_state state)
{
    seqpacket->state = state;
    seqpacket->failure = errno;
    return false;
}

/* Each step is true if there may be more to do. */
static bool seqpacket_send(struct seqpacket *seqpacket, const char *bytes, size_t length)
{
    ssize_t sent = sock_send(seqpacket->out, bytes, length);
    if (sent < 0 && errno != EAGAIN)
        return seqpacket_stop(seqpacket, PUMP_FAILED_OUT);
    if (sent < 0 && bytes == seqpacket->waiting)
        return seqpacket_stop(seqpacket, PUMP_WANTS_OUT);
    size_t part = sent < 0 ? 0 : (size_t)sent;
    seqpacket->moved += part;
    bool waits = sent < 0 || part < length; /* the second, of a stream */
    /* `bytes` may be a part of what is kept already. */
    char *rest = waits ? memory_copy(bytes + part, length - part) : NULL;
    seqpacket_release(seqpacket);
    seqpacket->waiting = rest;
    seqpacket->length = length - part;
    return !waits || seqpacket_stop(seqpacket, PUMP_WANTS_OUT);
}

static bool seqpacket_receive(struct seqpacket *seqpacket, char *buffer)
{
    struct sock_message message;
    ssize_t length = sock_recv_message(seqpacket->in, buffer, SEQPACKET_MAX, &message,
                                       &sock_any_sender);
    if (length < 0)
        return seqpacket_stop(seqpacket, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
    if (length > SEQPACKET_MAX) {
        errno = EMSGSIZE;
        return seqpacket_stop(seqpacket, PUMP_FAILED_IN);
    }
    seqpacket->in_ended = length == 0 && !message.has_user;
    seqpacket->taken += (size_t)length;
    if (seqpacket->filter)
        seqpacket->filter->pass(seqpacket->filter, &(char *){buffer}, (size_t)length);
    return seqpacket->in_ended || seqpacket_send(seqpacket, buffer, (size_t)length);
}

enum pump_state seqpacket_move(struct seqpacket *seqpacket, char *buffer)
{
    bool more = true;
    seqpacket->state = PUMP_WANTS_IN;
    for (int round = 0; more && round < ROUNDS; round++) {
        if (seqpacket->waiting)
            more = seqpacket_send(seqpacket, seqpacket->waiting, seqpacket->length);
        else if (seqpacket->in_ended)
            more = seqpacket_stop(seqpacket, PUMP_ENDED);
        else
            more = seqpacket_receive(seqpacket, buffer);
    }
    return seqpacket->state;
}
