/*
 * Bytes on their way to one descriptor that several writers share (stdout of a server, a client
 * that is told things): written at once when possible, kept in order when not.
 */
#ifndef IO_OUTBOX_H
#define IO_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/end.h"
#include "io/loop.h"

struct outbox {
    struct loop *loop; /* NULL: the owner watches, and calls outbox_flush on EPOLLOUT */
    struct end end;
    struct watch watch;
    char *bytes;   /* the outbox's own; NULL while nothing waits */
    size_t length; /* bytes that wait */
    size_t offset; /* of the first of them */
    size_t room;
    bool heeds_reader;
    int passed; /* a descriptor that goes with the first byte that is written next, over a UNIX
                   socket; the owner's; -1: none */
    uint64_t written;
    int failure; /* errno of the write that failed; 0: none. Nothing is written after it */
    /* All that waited has been written, or a write has failed (then `failure` says why). */
    void (*drained)(struct outbox *outbox);
};

void outbox_init(struct outbox *outbox, struct loop *loop, struct end end,
                 void (*drained)(struct outbox *outbox));
/* From now on, if it is a pipe whose reader goes away while nothing is written, that counts as a
 * write that failed with EPIPE. */
void outbox_heed_reader(struct outbox *outbox);
/* Fills *err for the failure, with status 8: silent where a reader has had enough. Returns -1. */
int outbox_error(const struct outbox *outbox, const char *name, struct error *err);
/* Forgets what waits. Does not close the descriptor. */
void outbox_release(struct outbox *outbox);

/* Takes all of `bytes`. The writer is to stop when outbox_is_full says so and to go on when
 * `drained` is called: that is the back-pressure, and the bound. -1 if a write has failed. */
int outbox_put(struct outbox *outbox, const void *bytes, size_t length);
/* Writes what waits, as far as it goes now; then `drained`, if that was all or it failed. */
void outbox_flush(struct outbox *outbox);
/* Something waits: the descriptor cannot take more now. */
bool outbox_is_full(const struct outbox *outbox);

#endif
