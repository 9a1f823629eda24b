/*
 * A packet as a raw socket gives it: its header ends within it.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "proto/ip_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t length = ip_header_length(data, size);
    if (length && (length < 20 || length > 60 || length % 4 || length > size || *data >> 4 != 4))
        abort();
    return 0;
}
