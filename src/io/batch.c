#include "io/batch.h"

#include <string.h>

int batch_flush(struct batch *batch)
{
    size_t length = batch->length;
    batch->length = 0;
    return length ? outbox_put(batch->outbox, batch->bytes, length) : 0;
}

int batch_put(struct batch *batch, const void *bytes, size_t length)
{
    if (length > BATCH_BYTES - batch->length && batch_flush(batch))
        return -1;
    if (length > BATCH_BYTES)
        return outbox_put(batch->outbox, bytes, length);
    memcpy(batch->bytes + batch->length, bytes, length);
    batch->length += length;
    return 0;
}
