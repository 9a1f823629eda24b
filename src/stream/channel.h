/*
 * One direction between two sockets: bytes through a pump, or, from a seqpacket connection, message
 * by message. What both can do has one name here.
 */
#ifndef STREAM_CHANNEL_H
#define STREAM_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/pump.h"
#include "stream/seqpacket.h"

struct channel {
    bool by_message; /* seqpacket, else pump */
    union {
        struct pump pump;
        struct seqpacket seqpacket;
    } way;
};

/* What many lanes of one thread share. Start with {0}. */
struct channel_pool {
    struct pump_pool pumps;
    char *buffer; /* for messages, SEQPACKET_MAX bytes; NULL without seqpackets */
};
void channel_pool_release(struct channel_pool *pool);
/* The buffer, which is there from now on. */
char *channel_pool_buffer(struct channel_pool *pool);

/* From `in`, a socket of that type, to `out`. The descriptors stay the owner's. */
void channel_init(struct channel *channel, struct fd in, int socktype, struct fd out,
                  struct channel_pool *pool);
/* Lets a filter see what is read. Before the first move. */
void channel_filter(struct channel *channel, struct filter *filter);
/* Puts bytes in front of what `in` delivers: at most PUMP_BUFFER; from a seqpacket connection, as a
 * message of their own. */
void channel_preload(struct channel *channel, const char *bytes, size_t length);
/* Gives back what it holds. What it has counted stays. */
void channel_release(struct channel *channel);
/* Moves what can be moved now. PUMP_WAITS never comes of it. */
enum pump_state channel_move(struct channel *channel, const struct channel_pool *pool);
/* Nothing more is read; what is held is still to be written. */
void channel_end_input(struct channel *channel);
/* Whether the end of what comes in has been read. */
bool channel_has_read_end(const struct channel *channel);

enum pump_state channel_state(const struct channel *channel);
int channel_failure(const struct channel *channel);
uint64_t channel_taken(const struct channel *channel);
uint64_t channel_moved(const struct channel *channel);

#endif
