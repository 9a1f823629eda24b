/*
 * See batch.h. The pieces are copied into a buffer of fixed size, which goes to the queue when it is full or flushed.
 */
#include "stream/batch.h"

#include <string.h>

int batch_flush(struct batch *batch)
{
    size_t length = batch->length;
    batch->length = 0;
    return length ? write_queue_put(batch->queue, batch->bytes, length) : 0;
}

int batch_put(struct batch *batch, const void *bytes, size_t length)
{
    if (length > BATCH_BYTES - batch->length && batch_flush(batch))
        return -1;
    if (length > BATCH_BYTES)
        return write_queue_put(batch->queue, bytes, length);
    memcpy(batch->bytes + batch->length, bytes, length);
    batch->length += length;
    return 0;
}
