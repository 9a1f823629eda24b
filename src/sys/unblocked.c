/*
 * Each call here runs the loop until it has its result, so that a FIFO without a reader or a full pipe
 * makes nothing deaf: signals and limits, which stop the loop, end the wait with ECANCELED.
 */
#include "sys/unblocked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"

enum { PAUSE_MS = 1, PAUSE_MAX_MS = 20, BLOCK = 4096 };

/* Opening */

struct opening {
    struct loop *loop;
    const char *path;
    int flags;
    mode_t mode;
    int fd;
    int failure;
    bool done;
    int64_t pause_ms;
    struct timer timer;
};

/* Tries to open the file. False: it is a FIFO that has no reader yet. */
static bool opening_try(struct opening *opening)
{
    struct stat status;
    opening->fd = open(opening->path, opening->flags | O_NONBLOCK | O_CLOEXEC, opening->mode);
    opening->failure = opening->fd < 0 ? errno : 0;
    opening->done = opening->failure != ENXIO || stat(opening->path, &status) < 0 ||
                    !S_ISFIFO(status.st_mode);
    return opening->done;
}

static void opening_retry(struct timer *timer)
{
    struct opening *opening = LOOP_OWNER(timer, struct opening, timer);
    if (opening_try(opening)) {
        loop_stop(opening->loop, 0);
        return;
    }
    opening->pause_ms = 2 * opening->pause_ms < PAUSE_MAX_MS ? 2 * opening->pause_ms : PAUSE_MAX_MS;
    loop_timer_set(opening->loop, timer, opening->pause_ms);
}

int unblocked_open(struct loop *loop, const char *path, int flags, mode_t mode)
{
    struct opening opening = {.loop = loop,
                              .path = path,
                              .flags = flags,
                              .mode = mode,
                              .pause_ms = PAUSE_MS,
                              .timer.fired = opening_retry};
    if (!opening_try(&opening)) {
        loop_timer_set(loop, &opening.timer, opening.pause_ms);
        loop_run(loop);
        loop_timer_cancel(loop, &opening.timer);
    }
    errno = opening.done ? opening.failure : ECANCELED;
    return opening.fd;
}

/* Reading and writing */

struct transfer {
    struct loop *loop;
    struct watch watch;
    struct fd end;
    const char *rest; /* to be written */
    size_t left;
    char *bytes; /* that have been read */
    size_t length;
    size_t max_length;
    int failure;
    bool done;
};

static void transfer_finish(struct transfer *transfer, int failure)
{
    transfer->failure = failure;
    transfer->done = true;
    loop_stop(transfer->loop, 0);
}

static void transfer_write(struct watch *watch, uint32_t events)
{
    struct transfer *transfer = LOOP_OWNER(watch, struct transfer, watch);
    (void)events;
    ssize_t wrote = fd_write(transfer->end, transfer->rest, transfer->left);
    if (wrote < 0) {
        if (errno != EAGAIN)
            transfer_finish(transfer, errno);
        return;
    }
    transfer->rest += wrote;
    transfer->left -= (size_t)wrote;
    if (!transfer->left)
        transfer_finish(transfer, 0);
}

static void transfer_read(struct watch *watch, uint32_t events)
{
    struct transfer *transfer = LOOP_OWNER(watch, struct transfer, watch);
    (void)events;
    if (transfer->length >= transfer->max_length) {
        transfer_finish(transfer, EFBIG);
        return;
    }
    transfer->bytes = memory_grow(transfer->bytes, transfer->length + BLOCK, 1);
    ssize_t got = fd_read(transfer->end, transfer->bytes + transfer->length, BLOCK);
    if (got > 0)
        transfer->length += (size_t)got;
    else if (got == 0 || errno != EAGAIN)
        transfer_finish(transfer, got == 0 ? 0 : errno);
}

static int transfer_run(struct transfer *transfer, uint32_t events)
{
    transfer->watch.fd = transfer->end.fd;
    loop_watch(transfer->loop, &transfer->watch, events);
    loop_run(transfer->loop);
    loop_unwatch(transfer->loop, &transfer->watch);
    errno = transfer->done ? transfer->failure : ECANCELED;
    return errno ? -1 : 0;
}

static void transfer_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    transfer_finish(LOOP_OWNER(watch, struct transfer, watch), 0);
}

int unblocked_await(struct loop *loop, int fd, uint32_t events)
{
    struct transfer transfer = {.loop = loop, .end.fd = fd, .watch.ready = transfer_ready};
    return transfer_run(&transfer, events);
}

int unblocked_write(struct loop *loop, struct fd end, const void *bytes, size_t length)
{
    struct transfer transfer = {
        .loop = loop, .end = end, .rest = bytes, .left = length, .watch.ready = transfer_write};
    return length ? transfer_run(&transfer, EPOLLOUT) : 0;
}

int unblocked_read(struct loop *loop, int fd, size_t max_length, char **bytes, size_t *length)
{
    struct transfer transfer = {.loop = loop,
                                .end = fd_of(fd),
                                .max_length = max_length,
                                .watch.ready = transfer_read};
    int result = transfer_run(&transfer, EPOLLIN);
    *bytes = transfer.bytes;
    *length = transfer.length;
    return result;
}
