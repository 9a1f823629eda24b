#include "io/packets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/sock.h"

enum { ROUNDS = 16 }; /* messages in one move, so that others get their turn */

void packets_init(struct packets *packets, int in, int out)
{
    *packets = (struct packets){.in = in, .out = out};
    /* With it, an empty message comes with its sender's credentials; the end does not. */
    sock_set(in, SOL_SOCKET, SO_PASSCRED, 1);
}

void packets_preload(struct packets *packets, const char *bytes, size_t length)
{
    packets->waiting = memory_copy(bytes, length);
    packets->length = length;
    packets->taken = length;
    packets->state = PUMP_WANTS_OUT;
}

void packets_release(struct packets *packets)
{
    free(packets->waiting);
    packets->waiting = NULL;
}

static bool stop(struct packets *packets, enum pump_state state)
{
    packets->state = state;
    packets->failure = errno;
    return false;
}

/* Keeps what could not be sent yet; `bytes` may be a part of what is kept already. */
static bool wait_for_room(struct packets *packets, const char *bytes, size_t length)
{
    char *rest = memory_copy(bytes, length);
    packets_release(packets);
    packets->waiting = rest;
    packets->length = length;
    return stop(packets, PUMP_WANTS_OUT);
}

/* Each step is true if there may be more to do. */
static bool send_message(struct packets *packets, const char *bytes, size_t length)
{
    ssize_t sent = sock_send(packets->out, bytes, length);
    if (sent < 0 && errno != EAGAIN)
        return stop(packets, PUMP_FAILED_OUT);
    if (sent < 0 && bytes == packets->waiting)
        return stop(packets, PUMP_WANTS_OUT);
    size_t part = sent < 0 ? 0 : (size_t)sent;
    packets->moved += part;
    if (sent < 0 || part < length) /* the second, of a stream */
        return wait_for_room(packets, bytes + part, length - part);
    packets_release(packets);
    return true;
}

static bool receive_message(struct packets *packets, char *buffer)
{
    struct sock_message message;
    ssize_t length = sock_recv_message(packets->in, buffer, PACKETS_MOST, &message,
                                       &sock_any_sender);
    if (length < 0)
        return stop(packets, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
    if (length > PACKETS_MOST) {
        errno = EMSGSIZE;
        return stop(packets, PUMP_FAILED_IN);
    }
    packets->in_ended = length == 0 && !message.has_user;
    packets->taken += (size_t)length;
    if (packets->filter)
        packets->filter->pass(packets->filter, &(char *){buffer}, (size_t)length);
    return packets->in_ended || send_message(packets, buffer, (size_t)length);
}

static bool step(struct packets *packets, char *buffer)
{
    if (packets->waiting)
        return send_message(packets, packets->waiting, packets->length);
    if (packets->in_ended)
        return stop(packets, PUMP_ENDED);
    return receive_message(packets, buffer);
}

enum pump_state packets_move(struct packets *packets, char *buffer)
{
    packets->state = PUMP_WANTS_IN;
    for (int round = 0; round < ROUNDS; round++)
        if (!step(packets, buffer))
            break;
    return packets->state;
}
