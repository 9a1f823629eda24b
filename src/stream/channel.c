/*
 * See channel.h. A stream is the pump's affair. Messages are moved here, one step after the other until one has to wait: a
 * message that could not be sent goes first, else the next one is received and sent on. What a step comes to is kept in
 * the pump's struct, so that whoever uses a channel need not ask which of the two it is. The buffer for messages is one for
 * all channels of a pool, because no message stays in it between two moves.
 */
#include "stream/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "sys/sock.h"

enum { ROUNDS = 16 }; /* messages in one move, so that others get their turn */

void channel_pool_release(struct channel_pool *pool)
{
    pump_pool_release(&pool->pumps);
    free(pool->buffer);
    pool->buffer = NULL;
}

char *channel_pool_buffer(struct channel_pool *pool)
{
    if (!pool->buffer)
        pool->buffer = memory_new(2, SEQPACKET_MAX);
    return pool->buffer;
}

void channel_init(struct channel *channel, struct fd in, int socktype, struct fd out,
                  struct channel_pool *pool)
{
    *channel = (struct channel){.by_message = socktype == SOCK_SEQPACKET};
    pump_init(&channel->pump, in, out, &pool->pumps);
    if (!channel->by_message)
        return;
    /* With it, an empty message comes with its sender's credentials; the end does not. */
    sock_set(in.fd, SOL_SOCKET, SO_PASSCRED, 1);
    channel_pool_buffer(pool);
}

void channel_preload(struct channel *channel, const char *bytes, size_t length)
{
    if (!channel->by_message) {
        pump_preload(&channel->pump, bytes, length);
    } else if (length) {
        channel->waiting = memory_copy(bytes, length);
        channel->waiting_length = length;
        channel->pump.taken = length;
        channel->pump.state = PUMP_WANTS_OUT;
    }
}

void channel_release(struct channel *channel)
{
    free(channel->waiting);
    channel->waiting = NULL;
    pump_release(&channel->pump);
}

/* Sets the state, and keeps errno. Returns false: a step that ends here is the last one of its move. */
static bool channel_stop(struct channel *channel, enum pump_state state)
{
    channel->pump.state = state;
    channel->pump.failure = errno;
    return false;
}

/* Sends a message: a step, as the next function; true if there may be more to do. `bytes` may be a part of what is kept
 * already. */
static bool channel_send_message(struct channel *channel, const char *bytes, size_t length)
{
    ssize_t sent = sock_send(channel->pump.out.fd, bytes, length);
    if (sent < 0 && errno != EAGAIN)
        return channel_stop(channel, PUMP_FAILED_OUT);
    if (sent < 0 && bytes == channel->waiting)
        return channel_stop(channel, PUMP_WANTS_OUT);
    size_t part = sent < 0 ? 0 : (size_t)sent;
    channel->pump.moved += part;
    bool waits = sent < 0 || part < length; /* the second, of a stream */
    char *rest = waits ? memory_copy(bytes + part, length - part) : NULL;
    free(channel->waiting);
    channel->waiting = rest;
    channel->waiting_length = length - part;
    return !waits || channel_stop(channel, PUMP_WANTS_OUT);
}

static bool channel_receive_message(struct channel *channel, char *buffer)
{
    struct pump *pump = &channel->pump;
    struct sock_message message;
    ssize_t length = sock_recv_message(pump->in.fd, buffer, SEQPACKET_MAX, &message,
                                       &sock_any_sender);
    if (length < 0)
        return channel_stop(channel, errno == EAGAIN ? PUMP_WANTS_IN : PUMP_FAILED_IN);
    if (length > SEQPACKET_MAX) {
        errno = EMSGSIZE;
        return channel_stop(channel, PUMP_FAILED_IN);
    }
    pump->in_ended = length == 0 && !message.has_user;
    pump->taken += (size_t)length;
    if (pump->tap && pump->tap->look(pump->tap, buffer, (size_t)length) < 0)
        return channel_stop(channel, PUMP_FAILED_IN);
    if (pump->filter && !pump->in_ended) {
        length = pump->filter->pass(pump->filter, &buffer, (size_t)length);
        if (length < 0)
            return channel_stop(channel, PUMP_FAILED_IN);
    }
    return pump->in_ended || channel_send_message(channel, buffer, (size_t)length);
}

enum pump_state channel_move(struct channel *channel, const struct channel_pool *pool)
{
    bool more = true;
    if (!channel->by_message)
        return pump_move(&channel->pump);
    channel->pump.state = PUMP_WANTS_IN;
    for (int round = 0; more && round < ROUNDS; round++) {
        if (channel->waiting)
            more = channel_send_message(channel, channel->waiting, channel->waiting_length);
        else if (channel->pump.in_ended || !channel->pump.limit)
            more = channel_stop(channel, PUMP_ENDED);
        else if (filter_is_held(channel->pump.filter))
            more = channel_stop(channel, PUMP_HELD);
        else /* a filter has room in front */
            more = channel_receive_message(channel, pool->buffer + SEQPACKET_MAX);
    }
    return channel->pump.state;
}
