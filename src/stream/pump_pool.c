/*
 * Spare buffers and pipes: one that was just used is warm, so the last one in is the first out.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "stream/pump_steps.h"

#define SPARES(array) (sizeof(array) / sizeof *(array))

char *pump_pool_take(struct pump_pool *pool)
{
    if (pool->buffer_count)
        return pool->buffers[--pool->buffer_count];
    return memory_grow(NULL, PUMP_BUFFER, 1);
}

void pump_pool_give(struct pump_pool *pool, char *buffer)
{
    if (pool->buffer_count < SPARES(pool->buffers))
        pool->buffers[pool->buffer_count++] = buffer;
    else
        free(buffer);
}

int pump_pool_take_pipe(struct pump_pool *pool, int ends[2])
{
    if (pool->pipe_count) {
        memcpy(ends, pool->pipes[--pool->pipe_count], sizeof pool->pipes[0]);
        return 0;
    }
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    /* Where the user's share of pipe memory is used up, the stock 64 KiB do; but it may be so far used
     * up that there are only two pages, pipe(7), and a copy by the buffer is faster. */
    if (fcntl(ends[1], F_SETPIPE_SZ, PUMP_PIPE) >= 0 || fcntl(ends[1], F_GETPIPE_SZ) >= PUMP_BUFFER)
        return 0;
    close(ends[0]);
    close(ends[1]);
    return -1;
}

void pump_pool_give_pipe(struct pump_pool *pool, int ends[2], bool empty)
{
    if (empty && pool->pipe_count < SPARES(pool->pipes)) {
        memcpy(pool->pipes[pool->pipe_count++], ends, sizeof pool->pipes[0]);
        return;
    }
    close(ends[0]);
    close(ends[1]);
}

void pump_pool_release(struct pump_pool *pool)
{
    while (pool->buffer_count)
        free(pool->buffers[--pool->buffer_count]);
    while (pool->pipe_count) {
        pool->pipe_count--;
        close(pool->pipes[pool->pipe_count][0]);
        close(pool->pipes[pool->pipe_count][1]);
    }
}
