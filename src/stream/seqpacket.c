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

static bool stop(struct seqpacket *seqpacket, enum pump_state state)
{
    seqpacket->state = state;
    seqpacket->failure = errno;
    return false;
}

/* Keeps what could not be sent yet; `bytes` may be a part of what is kept already. */
static bool wait_for_room(struct seqpacket *seqpacket, const char *bytes, size_t length)
{
    char *rest = memory_copy(bytes, length);
    seqpacket_release(seqpacket);
    seqpacket->waiting = rest;
    seqpacket->length = length;
    return stop(seqpacket, PUMP_WANTS_OUT);
}

/* Each step is true if there may be more to do. */
static bool send_message(struct seqpacket *seqpacket, const char *bytes, size_t length)
{
    ssize_t sent = sock_send(seqpacket->out, bytes, length);
    if (sent < 0 && errno != EAGAIN)
        return stop(seqpacket, PUMP_FAILED_OUT);
    if (sent < 0 && bytes == seqpacket->waiting)
        return stop(seqpacket, PUMP_WANTS_OUT);
    size_t part = sent < 0 ? 0 : (size_t)sent;
    seqpacket->moved += part;
    if (sent < 0 || part < length) /* the second, of a stream */
        return wait_for_room(seqpacket, bytes + part, length - part);
    seqpacket_release(seqpacket);
    return true;
}

static bool receive_message(struct seqpacket *seqpacket, char *buffer)
{
    struct sock_message message;
    ssize_t length = sock_recv_message(seqpacket->in, buffer, SEQPACKET_MAX, &message,
                                       &sock_any_sender);
    if (length < 0)
        return stop(seqpacket, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
    if (length > SEQPACKET_MAX) {
        errno = EMSGSIZE;
        return stop(seqpacket, PUMP_FAILED_IN);
    }
    seqpacket->in_ended = length == 0 && !message.has_user;
    seqpacket->taken += (size_t)length;
    if (seqpacket->filter)
        seqpacket->filter->pass(seqpacket->filter, &(char *){buffer}, (size_t)length);
    return seqpacket->in_ended || send_message(seqpacket, buffer, (size_t)length);
}

static bool step(struct seqpacket *seqpacket, char *buffer)
{
    if (seqpacket->waiting)
        return send_message(seqpacket, seqpacket->waiting, seqpacket->length);
    if (seqpacket->in_ended)
        return stop(seqpacket, PUMP_ENDED);
    return receive_message(seqpacket, buffer);
}

enum pump_state seqpacket_move(struct seqpacket *seqpacket, char *buffer)
{
    seqpacket->state = PUMP_WANTS_IN;
    for (int round = 0; round < ROUNDS; round++)
        if (!step(seqpacket, buffer))
            break;
    return seqpacket->state;
}
