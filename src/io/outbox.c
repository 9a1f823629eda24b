#include "io/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/sock.h"

enum { FIRST_ROOM = 512 };

/* Nothing waits: all there can be to notice is that the reader goes. */
static void rest(struct outbox *outbox)
{
    if (!outbox->loop)
        return;
    if (outbox->heeds_reader && !outbox->failure)
        loop_watch(outbox->loop, &outbox->watch, 0);
    else
        loop_unwatch(outbox->loop, &outbox->watch);
}

static void become_empty(struct outbox *outbox)
{
    free(outbox->bytes);
    outbox->bytes = NULL;
    outbox->length = outbox->offset = outbox->room = 0;
    rest(outbox);
}

static ssize_t write_now(struct outbox *outbox, const char *bytes, size_t length)
{
    if (outbox->passed < 0)
        return end_write(outbox->end, bytes, length);
    ssize_t wrote = sock_send_with(outbox->end.fd, bytes, length, outbox->passed);
    if (wrote > 0)
        outbox->passed = -1;
    return wrote;
}

void outbox_flush(struct outbox *outbox)
{
    ssize_t wrote = write_now(outbox, outbox->bytes + outbox->offset, outbox->length);
    if (wrote < 0 && errno == EAGAIN)
        return;
    if (wrote < 0) {
        outbox->failure = errno;
    } else {
        outbox->offset += (size_t)wrote;
        outbox->length -= (size_t)wrote;
        outbox->written += (size_t)wrote;
        if (outbox->length)
            return;
    }
    become_empty(outbox);
    outbox->drained(outbox);
}

static void write_waiting(struct watch *watch, uint32_t events)
{
    struct outbox *outbox = LOOP_OWNER(watch, struct outbox, watch);
    (void)events;
    if (outbox->length) {
        outbox_flush(outbox);
        return;
    }
    outbox->failure = EPIPE;
    rest(outbox);
    outbox->drained(outbox);
}

void outbox_init(struct outbox *outbox, struct loop *loop, struct end end,
                 void (*drained)(struct outbox *outbox))
{
    *outbox = (struct outbox){.loop = loop,
                              .end = end,
                              .passed = -1,
                              .watch = {.fd = end.fd, .ready = write_waiting},
                              .drained = drained};
}

void outbox_heed_reader(struct outbox *outbox)
{
    outbox->heeds_reader = outbox->end.kind == END_PIPE;
    if (!outbox->length)
        rest(outbox);
}

int outbox_error(const struct outbox *outbox, const char *name, struct error *err)
{
    if (outbox->failure == EPIPE)
        return error_silent(err, STATUS_LOCAL_IO);
    return error_system(err, STATUS_LOCAL_IO, outbox->failure, "write to %s", name);
}

void outbox_release(struct outbox *outbox)
{
    outbox->heeds_reader = false;
    become_empty(outbox);
}

/* Room behind what waits: what was written before it is given up once that is at least as much as is
 * to be moved, and the room is doubled, so that many puts cost no more than their bytes. */
static void make_room(struct outbox *outbox, size_t length)
{
    const size_t needed = outbox->length + length;
    if (outbox->offset + needed <= outbox->room)
        return;
    if (outbox->offset && (outbox->offset >= outbox->length || needed > outbox->room)) {
        memmove(outbox->bytes, outbox->bytes + outbox->offset, outbox->length);
        outbox->offset = 0;
    }
    if (outbox->offset + needed <= outbox->room)
        return;
    size_t room = outbox->room ? outbox->room : FIRST_ROOM;
    while (room < outbox->offset + needed)
        room = 2 * room;
    outbox->room = room;
    outbox->bytes = memory_grow(outbox->bytes, room, 1);
}

/* Keeps bytes that could not be written at once. */
static void keep(struct outbox *outbox, const char *bytes, size_t length)
{
    make_room(outbox, length);
    memcpy(outbox->bytes + outbox->offset + outbox->length, bytes, length);
    outbox->length += length;
    if (outbox->loop)
        loop_watch(outbox->loop, &outbox->watch, EPOLLOUT);
}

int outbox_put(struct outbox *outbox, const void *bytes, size_t length)
{
    size_t done = 0;
    if (outbox->failure)
        return -1;
    while (!outbox->length && done < length) {
        ssize_t wrote = write_now(outbox, (const char *)bytes + done, length - done);
        if (wrote < 0 && errno == EAGAIN)
            break;
        if (wrote < 0) {
            outbox->failure = errno;
            return -1;
        }
        done += (size_t)wrote;
        outbox->written += (size_t)wrote;
        /* A shared pipe that took part of it may block on the next write: ask first. */
        if (outbox->end.shared && outbox->end.kind == END_PIPE)
            break;
    }
    if (done < length)
        keep(outbox, (const char *)bytes + done, length - done);
    return 0;
}

bool outbox_is_full(const struct outbox *outbox)
{
    return outbox->length > 0;
}
