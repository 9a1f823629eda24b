/*
 * Many small pieces on their way to an outbox, gathered so that one write(2) takes them all.
 */
#ifndef IO_BATCH_H
#define IO_BATCH_H

#include <stddef.h>

#include "io/outbox.h"

enum { BATCH_BYTES = 65536 };

struct batch {
    struct outbox *outbox;
    size_t length;
    char bytes[BATCH_BYTES];
};

/* Takes all of `bytes`; when there is no room, what was gathered before goes to the outbox. -1 if
 * the outbox has failed. */
int batch_put(struct batch *batch, const void *bytes, size_t length);
/* Gives what was gathered to the outbox. */
int batch_flush(struct batch *batch);

#endif
