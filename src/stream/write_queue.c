/*
 * See write_queue.h. While nothing waits, bytes are written at once; what the descriptor does not take is kept in one
 * buffer that grows, and everything after it goes there, until EPOLLOUT has let all of it go (write_queue_flush) and
 * `drained` is called. After a failure nothing is written. A cork gathers small pieces in front of all that.
 */
#include "stream/write_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sys/sock.h"

enum { FIRST_ROOM = 512 };

/* Watches for nothing but that the reader goes, which is all there can be to notice while nothing waits. */
static void write_queue_rest(struct write_queue *queue)
{
    if (!queue->loop)
        return;
    if (queue->watches_hangup && !queue->failure)
        loop_watch(queue->loop, &queue->watch, 0);
    else
        loop_unwatch(queue->loop, &queue->watch);
}

static void write_queue_become_empty(struct write_queue *queue)
{
    free(queue->bytes);
    queue->bytes = NULL;
    queue->length = queue->offset = queue->room = 0;
    write_queue_rest(queue);
}

static ssize_t write_queue_write(struct write_queue *queue, const char *bytes, size_t length)
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
    ssize_t wrote = write_queue_write(queue, queue->bytes + queue->offset, queue->length);
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
    write_queue_become_empty(queue);
    queue->drained(queue);
}

static void write_queue_ready(struct watch *watch, uint32_t events)
{
    struct write_queue *queue = LOOP_OWNER(watch, struct write_queue, watch);
    (void)events;
    if (queue->length) {
        write_queue_flush(queue);
        return;
    }
    queue->failure = EPIPE;
    write_queue_rest(queue);
    queue->drained(queue);
}

void write_queue_init(struct write_queue *queue, struct loop *loop, struct fd fd,
                      void (*drained)(struct write_queue *queue))
{
    *queue = (struct write_queue){.loop = loop,
                                  .fd = fd,
                                  .passed = -1,
                                  .watch = {.fd = fd.fd, .ready = write_queue_ready},
                                  .drained = drained};
}

void write_queue_watch_hangup(struct write_queue *queue)
{
    queue->watches_hangup = queue->fd.kind == FD_PIPE;
    if (!queue->length)
        write_queue_rest(queue);
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
    if (queue->cork)
        queue->cork->length = 0; /* another queue may be next to gather there */
    queue->cork = NULL;
    write_queue_become_empty(queue);
}

/* Makes room behind what waits: what was written before it is given up once that is at least as much as is to be moved,
 * and the room is doubled, so that many puts cost no more than their bytes. */
static void write_queue_make_room(struct write_queue *queue, size_t length)
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

/* Writes at once what the descriptor takes, and keeps the rest. */
static int write_queue_put_now(struct write_queue *queue, const char *bytes, size_t length)
{
    size_t done = 0;
    if (queue->failure)
        return -1;
    while (!queue->length && done < length) {
        ssize_t wrote = write_queue_write(queue, bytes + done, length - done);
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
    if (done == length)
        return 0;
    write_queue_make_room(queue, length - done);
    memcpy(queue->bytes + queue->offset + queue->length, bytes + done, length - done);
    queue->length += length - done;
    if (queue->loop)
        loop_watch(queue->loop, &queue->watch, EPOLLOUT);
    return 0;
}

static int write_queue_put_gathered(struct write_queue *queue, struct write_cork *cork)
{
    size_t length = cork->length;
    cork->length = 0;
    return length ? write_queue_put_now(queue, cork->bytes, length) : 0;
}

int write_queue_put(struct write_queue *queue, const void *bytes, size_t length)
{
    struct write_cork *cork = queue->cork;
    if (!cork)
        return write_queue_put_now(queue, bytes, length);
    if (length > WRITE_CORK_BYTES - cork->length && write_queue_put_gathered(queue, cork))
        return -1;
    if (length > WRITE_CORK_BYTES)
        return write_queue_put_now(queue, bytes, length);
    memcpy(cork->bytes + cork->length, bytes, length);
    cork->length += length;
    return 0;
}

void write_queue_cork(struct write_queue *queue, struct write_cork *cork)
{
    queue->cork = cork;
}

int write_queue_uncork(struct write_queue *queue)
{
    struct write_cork *cork = queue->cork;
    queue->cork = NULL;
    return cork ? write_queue_put_gathered(queue, cork) : 0;
}

bool write_queue_has_pending(const struct write_queue *queue)
{
    return queue->length > 0;
}
