#include "io/lane.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/memory.h"

void lane_pool_release(struct lane_pool *pool)
{
    pump_pool_release(&pool->pumps);
    free(pool->buffer);
    pool->buffer = NULL;
}

char *lane_pool_buffer(struct lane_pool *pool)
{
    if (!pool->buffer)
        pool->buffer = memory_new(PACKETS_MOST, 1);
    return pool->buffer;
}

void lane_init(struct lane *lane, struct end in, int socktype, struct end out,
               struct lane_pool *pool)
{
    lane->by_message = socktype == SOCK_SEQPACKET;
    if (!lane->by_message) {
        pump_init(&lane->way.pump, in, out, &pool->pumps);
        return;
    }
    packets_init(&lane->way.packets, in.fd, out.fd);
    lane_pool_buffer(pool);
}

void lane_filter(struct lane *lane, struct filter *filter)
{
    if (lane->by_message)
        lane->way.packets.filter = filter;
    else
        pump_filter(&lane->way.pump, filter);
}

void lane_preload(struct lane *lane, const char *bytes, size_t length)
{
    if (!lane->by_message)
        pump_preload(&lane->way.pump, bytes, length);
    else if (length)
        packets_preload(&lane->way.packets, bytes, length);
}

void lane_release(struct lane *lane)
{
    if (lane->by_message)
        packets_release(&lane->way.packets);
    else
        pump_release(&lane->way.pump);
}

enum pump_state lane_move(struct lane *lane, const struct lane_pool *pool)
{
    return lane->by_message ? packets_move(&lane->way.packets, pool->buffer)
                            : pump_move(&lane->way.pump);
}

void lane_end_input(struct lane *lane)
{
    if (lane->by_message)
        lane->way.packets.in_ended = true;
    else
        lane->way.pump.limit = 0;
}

bool lane_has_read_end(const struct lane *lane)
{
    return lane->by_message ? lane->way.packets.in_ended : lane->way.pump.in_ended;
}

enum pump_state lane_state(const struct lane *lane)
{
    return lane->by_message ? lane->way.packets.state : lane->way.pump.state;
}

int lane_failure(const struct lane *lane)
{
    return lane->by_message ? lane->way.packets.failure : lane->way.pump.failure;
}

uint64_t lane_taken(const struct lane *lane)
{
    return lane->by_message ? lane->way.packets.taken : lane->way.pump.taken;
}

uint64_t lane_moved(const struct lane *lane)
{
    return lane->by_message ? lane->way.packets.moved : lane->way.pump.moved;
}
