/*
 * One direction between two sockets: bytes through a pump, or, from a seqpacket connection, message by message, each
 * sent on whole.
 */
#ifndef STREAM_CHANNEL_H
#define STREAM_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "stream/pump.h"

enum { SEQPACKET_MAX = 1 << 18 }; /* bytes in a message; what is longer fails with EMSGSIZE */

struct channel {
    struct pump
        pump; /* its state, failure, taken, moved, in_ended and limit hold for messages, too */
    bool by_message;
    char *waiting; /* a message that could not be sent yet; the channel's; NULL: none */
    size_t waiting_length;
};

/* What the channels of one thread share. Starts as {0}. */
struct channel_pool {
    struct pump_pool pumps;
    char *buffer; /* for messages, twice SEQPACKET_MAX bytes; NULL without seqpackets */
};

void channel_pool_release(struct channel_pool *pool);

/* Returns the buffer for messages, which the pool owns, and makes it where there was none. */
char *channel_pool_buffer(struct channel_pool *pool);

/* Prepares a channel from `in`, a socket of type `socktype`, to `out`: a stream gets the bytes of messages without their
 * bounds. The descriptors stay the owner's. A tap and a filter may be attached to its pump (pump_attach), and no pace. */
void channel_init(struct channel *channel, struct fd in, int socktype, struct fd out,
                  struct channel_pool *pool);

/* Puts bytes in front of what `in` delivers, before the first move: at most PUMP_BUFFER; from a seqpacket connection they
 * are a message of their own. */
void channel_preload(struct channel *channel, const char *bytes, size_t length);

/* Moves what can be moved now without blocking, a bounded amount, and returns channel->pump.state, which is never
 * PUMP_WAITS. With pump.limit set to 0 nothing more is read, but what is held is still to be written. */
enum pump_state channel_move(struct channel *channel, const struct channel_pool *pool);

/* Gives back what the channel holds. What it has counted stays. */
void channel_release(struct channel *channel);

#endif
