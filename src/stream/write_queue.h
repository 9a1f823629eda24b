/*
 * Bytes on their way to one descriptor that several writers share (stdout of a server, a client of a hub): written at once
 * when possible, kept in order when not.
 */
#ifndef STREAM_WRITE_QUEUE_H
#define STREAM_WRITE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sys/fd.h"
#include "sys/loop.h"

enum { WRITE_CORK_BYTES = 65536 };

/* Room in which small pieces are gathered, so that one write(2) takes them all. It is the owner's, who sets `length` to 0
 * and uses it for one queue at a time. */
struct write_cork {
    size_t length; /* bytes in it */
    char bytes[WRITE_CORK_BYTES];
};

struct write_queue {
    struct loop *loop; /* NULL: the owner watches, and calls write_queue_flush on EPOLLOUT */
    struct fd fd;
    struct watch watch;
    char *bytes;   /* the queue's own; NULL while nothing waits */
    size_t length; /* bytes that wait */
    size_t offset; /* of the first of them */
    size_t room;
    bool watches_hangup;
    struct write_cork *cork; /* the owner's; NULL: each put is written at once, or waits */
    int passed; /* a descriptor that goes with the first byte that is written next, over a UNIX
                   socket; the owner's; -1: none */
    uint64_t written;
    int failure; /* errno of the write that failed; 0: none. Nothing is written after it */
    /* All that waited has been written, or a write has failed (then `failure` says why). */
    void (*drained)(struct write_queue *queue);
};

/* Prepares an empty queue for a descriptor, which stays the owner's. */
void write_queue_init(struct write_queue *queue, struct loop *loop, struct fd fd,
                      void (*drained)(struct write_queue *queue));

/* Makes the queue notice, from now on, when the descriptor is a pipe whose reader goes away while nothing is written: that
 * counts as a write that failed with EPIPE. */
void write_queue_watch_hangup(struct write_queue *queue);

/* Fills *err for the failure, with status 8: silent where a reader has had enough. Returns -1. */
int write_queue_error(const struct write_queue *queue, const char *name, struct error *err);

/* Forgets what waits, and the cork. Does not close the descriptor. */
void write_queue_release(struct write_queue *queue);

/* Takes all of `bytes`. The writer is to stop when write_queue_has_pending says so and to go on when
 * `drained` is called: that is the back-pressure, and the bound. -1 if a write has failed. */
int write_queue_put(struct write_queue *queue, const void *bytes, size_t length);

/* Makes what is put be gathered in *cork from now on, until that is full or write_queue_uncork is called. A piece that is larger
 * than a cork is never gathered. What is gathered does not count as waiting. Again with the same cork: nothing. */
void write_queue_cork(struct write_queue *queue, struct write_cork *cork);

/* Puts what was gathered, and gathers no more; without a cork: nothing. -1 if a write has failed. */
int write_queue_uncork(struct write_queue *queue);

/* Writes what waits, as far as it goes now, and calls `drained` if that was all or it failed. */
void write_queue_flush(struct write_queue *queue);

/* Tells whether something waits, because the descriptor cannot take more now. */
bool write_queue_has_pending(const struct write_queue *queue);

#endif
