/*
 * See write_queue.h. While nothing waits, bytes are written at once; what the descriptor does not take is kept in one
 * buffer that grows, and everything after it goes there, until EPOLLOUT has let all of it go (write_queue_flush) and
 * `drained` is called. After a failure nothing is written.
 */
#include "stream/write_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sys/sock.h"

enum { FIRST_ROOM = 512 };

/* Nothing waits: all there can be to notice is that the reader goes. */
static void rest(struct write_queue *queue)
{
    if (!queue->loop)
        return;
    if (queue->watches_hangup && !queue->failure)
        loop_watch(queue->loop, &queue->watch, 0);
    else
        loop_unwatch(queue->loop, &queue->watch);
}

static void become_empty(struct write_queue *queue)
{
    free(queue->bytes);
    queue->bytes = NULL;
    queue->length = queue->offset = queue->room = 0;
    rest(queue);
}

static ssize_t write_now(struct write_queue *queue, const char *bytes, size_t length)
{
    if (queue->passed < 0)
        return fd_write(queue->fd, bytes, length);
    ssize_t wrote = sock_send_with(queue->fd.fd, bytes, length, queue->passed);
    if (wrote > 0)
        queue->passed = -1;
    return wrote;
}

void write_queue_flush(struct write_queue *queue)
{
    ssize_t wrote = write_now(queue, queue->bytes + queue->offset, queue->length);
    if (wrote < 0 && errno == EAGAIN)
        return;
    if (wrote < 0) {
        queue->failure = errno;
    } else {
        queue->offset += (size_t)wrote;
        queue->length -= (size_t)wrote;
        queue->written += (size_t)wrote;
        if (queue->length)
            return;
    }
    become_empty(queue);
    queue->drained(queue);
}

static void write_waiting(struct watch *watch, uint32_t events)
{
    struct write_queue *queue = LOOP_OWNER(watch, struct write_queue, watch);
    (void)events;
    if (queue->length) {
        write_queue_flush(queue);
        return;
    }
    queue->failure = EPIPE;
    rest(queue);
    queue->drained(queue);
}

void write_queue_init(struct write_queue *queue, struct loop *loop, struct fd fd,
                      void (*drained)(struct write_queue *queue))
{
    *queue = (struct write_queue){.loop = loop,
                                  .fd = fd,
                                  .passed = -1,
                                  .watch = {.fd = fd.fd, .ready = write_waiting},
                                  .drained = drained};
}

void write_queue_watch_hangup(struct write_queue *queue)
{
    queue->watches_hangup = queue->fd.kind == FD_PIPE;
    if (!queue->length)
        rest(queue);
}

int write_queue_error(const struct write_queue *queue, const char *name, struct error *err)
{
    if (queue->failure == EPIPE)
        return error_silent(err, STATUS_LOCAL_IO);
    return error_system(err, STATUS_LOCAL_IO, queue->failure, "write to %s", name);
}

void write_queue_release(struct write_queue *queue)
{
    queue->watches_hangup = false;
    become_empty(queue);
}

/* Room behind what waits: what was written before it is given up once that is at least as much as is
 * to be moved, and the room is doubled, so that many puts cost no more than their bytes. */
static void make_room(struct write_queue *queue, size_t length)
{
    const size_t needed = queue->length + length;
    if (queue->offset + needed <= queue->room)
        return;
    if (queue->offset && (queue->offset >= queue->length || needed > queue->room)) {
        memmove(queue->bytes, queue->bytes + queue->offset, queue->length);
        queue->offset = 0;
    }
    if (queue->offset + needed <= queue->room)
        return;
    size_t room = queue->room ? queue->room : FIRST_ROOM;
    while (room < queue->offset + needed)
        room = 2 * room;
    queue->room = room;
    queue->bytes = memory_grow(queue->bytes, room, 1);
}

/* Keeps bytes that could not be written at once. */
static void keep(struct write_queue *queue, const char *bytes, size_t length)
{
    make_room(queue, length);
    memcpy(queue->bytes + queue->offset + queue->length, bytes, length);
    queue->length += length;
    if (queue->loop)
        loop_watch(queue->loop, &queue->watch, EPOLLOUT);
}

int write_queue_put(struct write_queue *queue, const void *bytes, size_t length)
{
    size_t done = 0;
    if (queue->failure)
        return -1;
    while (!queue->length && done < length) {
        ssize_t wrote = write_now(queue, (const char *)bytes + done, length - done);
        if (wrote < 0 && errno == EAGAIN)
            break;
        if (wrote < 0) {
            queue->failure = errno;
            return -1;
        }
        done += (size_t)wrote;
        queue->written += (size_t)wrote;
        /* A shared pipe that took part of it may block on the next write: ask first. */
        if (queue->fd.shared && queue->fd.kind == FD_PIPE)
            break;
    }
    if (done < length)
        keep(queue, (const char *)bytes + done, length - done);
    return 0;
}

bool write_queue_has_pending(const struct write_queue *queue)
{
    return queue->length > 0;
}
