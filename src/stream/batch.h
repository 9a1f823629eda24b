/*
 * Many small pieces on their way to an queue, gathered so that one write(2) takes them all.
 */
#ifndef STREAM_BATCH_H
#define STREAM_BATCH_H

#include <stddef.h>

#include "stream/write_queue.h"

enum { BATCH_BYTES = 65536 };

struct batch {
    struct write_queue *queue;
    size_t length;
    char bytes[BATCH_BYTES];
};

/* Takes all of `bytes`; when there is no room, what was gathered before goes to the queue. -1 if
 * the queue has failed. */
int batch_put(struct batch *batch, const void *bytes, size_t length);
/* Gives what was gathered to the queue. */
int batch_flush(struct batch *batch);

#endif
