/*
 * One direction between two sockets: bytes through a pump, or, from a seqpacket connection, message
 * by message. What both can do has one name here.
 */
#ifndef IO_LANE_H
#define IO_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/packets.h"
#include "io/pump.h"

struct lane {
    bool by_message; /* packets, else pump */
    union {
        struct pump pump;
        struct packets packets;
    } way;
};

/* What many lanes of one thread share. Start with {0}. */
struct lane_pool {
    struct pump_pool pumps;
    char *buffer; /* for messages, PACKETS_MOST bytes; NULL without seqpackets */
};
void lane_pool_release(struct lane_pool *pool);
/* The buffer, which is there from now on. */
char *lane_pool_buffer(struct lane_pool *pool);

/* From `in`, a socket of that type, to `out`. The descriptors stay the owner's. */
void lane_init(struct lane *lane, struct end in, int socktype, struct end out,
               struct lane_pool *pool);
/* Lets a filter see what is read. Before the first move. */
void lane_filter(struct lane *lane, struct filter *filter);
/* Puts bytes in front of what `in` delivers: at most PUMP_BUFFER; from a seqpacket connection, as a
 * message of their own. */
void lane_preload(struct lane *lane, const char *bytes, size_t length);
/* Gives back what it holds. What it has counted stays. */
void lane_release(struct lane *lane);
/* Moves what can be moved now. PUMP_WAITS never comes of it. */
enum pump_state lane_move(struct lane *lane, const struct lane_pool *pool);
/* Nothing more is read; what is held is still to be written. */
void lane_end_input(struct lane *lane);
/* Whether the end of what comes in has been read. */
bool lane_has_read_end(const struct lane *lane);

enum pump_state lane_state(const struct lane *lane);
int lane_failure(const struct lane *lane);
uint64_t lane_taken(const struct lane *lane);
uint64_t lane_moved(const struct lane *lane);

#endif
