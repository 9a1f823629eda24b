/*
 * See channel.h. Each function asks which of the two it is and calls the pump's or the seqpacket's; the buffer for
 * messages is one for all channels of a pool, because no message stays in it between two moves.
 */
#include "stream/channel.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/memory.h"

void channel_pool_release(struct channel_pool *pool)
{
    pump_pool_release(&pool->pumps);
    free(pool->buffer);
    pool->buffer = NULL;
}

char *channel_pool_buffer(struct channel_pool *pool)
{
    if (!pool->buffer)
        pool->buffer = memory_new(SEQPACKET_MAX, 1);
    return pool->buffer;
}

void channel_init(struct channel *channel, struct fd in, int socktype, struct fd out,
                  struct channel_pool *pool)
{
    channel->by_message = socktype == SOCK_SEQPACKET;
    if (!channel->by_message) {
        pump_init(&channel->way.pump, in, out, &pool->pumps);
        return;
    }
    seqpacket_init(&channel->way.seqpacket, in.fd, out.fd);
    channel_pool_buffer(pool);
}

void channel_filter(struct channel *channel, struct filter *filter)
{
    if (channel->by_message)
        channel->way.seqpacket.filter = filter;
    else
        pump_filter(&channel->way.pump, filter);
}

void channel_preload(struct channel *channel, const char *bytes, size_t length)
{
    if (!channel->by_message)
        pump_preload(&channel->way.pump, bytes, length);
    else if (length)
        seqpacket_preload(&channel->way.seqpacket, bytes, length);
}

void channel_release(struct channel *channel)
{
    if (channel->by_message)
        seqpacket_release(&channel->way.seqpacket);
    else
        pump_release(&channel->way.pump);
}

enum pump_state channel_move(struct channel *channel, const struct channel_pool *pool)
{
    return channel->by_message ? seqpacket_move(&channel->way.seqpacket, pool->buffer)
                               : pump_move(&channel->way.pump);
}

void channel_end_input(struct channel *channel)
{
    if (channel->by_message)
        channel->way.seqpacket.in_ended = true;
    else
        channel->way.pump.limit = 0;
}

bool channel_has_read_end(const struct channel *channel)
{
    return channel->by_message ? channel->way.seqpacket.in_ended : channel->way.pump.in_ended;
}

enum pump_state channel_state(const struct channel *channel)
{
    return channel->by_message ? channel->way.seqpacket.state : channel->way.pump.state;
}

int channel_failure(const struct channel *channel)
{
    return channel->by_message ? channel->way.seqpacket.failure : channel->way.pump.failure;
}

uint64_t channel_taken(const struct channel *channel)
{
    return channel->by_message ? channel->way.seqpacket.taken : channel->way.pump.taken;
}

uint64_t channel_moved(const struct channel *channel)
{
    return channel->by_message ? channel->way.seqpacket.moved : channel->way.pump.moved;
}
