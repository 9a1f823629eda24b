/*
 * What waits in a queue leaves in order; and for many small pieces, of which a little is taken now and then, it neither
 * asks for memory nor moves what waits each time. What a cork gathers leaves when the cork is full or taken off, in order,
 * and does not count as waiting before.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/write_queue.h"

enum {
    PIECE = 16,
    PIECES = 1 << 17,
    BETWEEN = 64, /* pieces, before TAKEN bytes are taken */
    TAKEN = 600,
    GROWN_MAX = 32,
    MOVED_MAX = 2 * PIECE * PIECES
};

static void drained(struct write_queue *queue)
{
    (void)queue;
}

/* Reads up to `most` bytes, which have to be those that follow `count`. */
static bool take(int fd, size_t *count, size_t most)
{
    unsigned char bytes[4096];
    ssize_t got = recv(fd, bytes, most < sizeof bytes ? most : sizeof bytes, MSG_DONTWAIT);
    bool well = got > 0;
    for (ssize_t i = 0; i < got; i++)
        well &= bytes[i] == (unsigned char)((*count)++ / PIECE);
    return well;
}

struct costs {
    size_t grown; /* how often memory was asked for */
    size_t moved; /* bytes */
};

static bool put(struct write_queue *queue, size_t number, struct costs *costs)
{
    unsigned char piece[PIECE];
    size_t room = queue->room, offset = queue->offset, length = queue->length;
    for (size_t i = 0; i < PIECE; i++)
        piece[i] = (unsigned char)number;
    bool well = write_queue_put(queue, piece, PIECE) == 0;
    costs->grown += queue->room != room;
    costs->moved += offset && !queue->offset ? length : 0;
    return well;
}

/* How many bytes have come, all of them `byte`; -1: others came. */
static ssize_t come(int fd, char byte)
{
    static char bytes[2 * WRITE_CORK_BYTES];
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    for (ssize_t i = 0; i < got; i++)
        if (bytes[i] != byte)
            return -1;
    return got < 0 ? 0 : got;
}

static bool corks(void)
{
    static char piece[WRITE_CORK_BYTES + 1];
    static struct write_cork cork;
    int ends[2], large = 1 << 20;
    struct write_queue queue;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return false;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    write_queue_init(&queue, NULL, fd_of_socket(ends[0]), drained);
    write_queue_cork(&queue, &cork);
    memset(piece, 'a', sizeof piece);
    bool well = !write_queue_put(&queue, piece, 10) && !write_queue_put(&queue, piece, 20);
    well = well && come(ends[1], 'a') == 0 && !write_queue_has_pending(&queue);
    memset(piece, 'b', sizeof piece);
    well = well && !write_queue_put(&queue, piece, WRITE_CORK_BYTES) && come(ends[1], 'a') == 30;
    well = well && !write_queue_uncork(&queue) && come(ends[1], 'b') == WRITE_CORK_BYTES;
    write_queue_cork(&queue, &cork);
    well = well && !write_queue_put(&queue, piece, sizeof piece) &&
           come(ends[1], 'b') == sizeof piece;
    well = well && !write_queue_put(&queue, piece, 1) && come(ends[1], 'b') == 0;
    close(ends[1]);
    well = well && write_queue_uncork(&queue) < 0 && queue.failure && !write_queue_uncork(&queue);
    write_queue_release(&queue);
    close(ends[0]);
    if (!well)
        printf("a cork does not gather, or not in order\n");
    return well;
}

int main(void)
{
    int ends[2], little = 4096;
    struct write_queue queue;
    struct costs costs = {0, 0};
    size_t came = 0;
    bool well = socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    write_queue_init(&queue, NULL, fd_of_socket(ends[0]), drained);
    for (size_t i = 0; i < PIECES && well; i++) {
        well = put(&queue, i, &costs);
        if (i % BETWEEN || !write_queue_has_pending(&queue))
            continue;
        well &= take(ends[1], &came, TAKEN);
        write_queue_flush(&queue);
    }
    while (well && came < (size_t)PIECE * PIECES) {
        well = take(ends[1], &came, SIZE_MAX);
        if (write_queue_has_pending(&queue))
            write_queue_flush(&queue);
    }
    if (!well || queue.room)
        printf("after %zu bytes others came, or room was kept\n", came);
    if (costs.grown > GROWN_MAX || costs.moved > MOVED_MAX)
        printf("12.3.12: %d pieces: memory was asked for %zu times, %zu bytes were moved\n", PIECES,
               costs.grown, costs.moved);
    well = well && !queue.room && costs.grown <= GROWN_MAX && costs.moved <= MOVED_MAX;
    write_queue_release(&queue);
    close(ends[0]);
    close(ends[1]);
    return corks() && well ? 0 : 1;
}
