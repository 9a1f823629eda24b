/*
 * A PROXY header: bytes that follow do not change what is read of it, and a part of it is never
 * another header. What was read is written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/proxy_header.h"

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void write_and_read(const struct proxy_header *header)
{
    char bytes[PROXY_HEADER_MAX];
    struct proxy_header again;
    size_t size;
    size_t length = proxy_header_write(header, 1, bytes);
    require(length <= sizeof bytes);
    require(!proxy_header_read(bytes, length, &again, &size) && size == length);
    require(again.family == header->family || again.family == PROXY_UNKNOWN);
    length = proxy_header_write(header, 2, bytes);
    require(length <= sizeof bytes);
    require(!proxy_header_read(bytes, length, &again, &size) && size == length);
    require(again.family == header->family && again.source.port == header->source.port);
    require(!memcmp(&again.source, &header->source, sizeof again.source));
    require(!memcmp(&again.destination, &header->destination, sizeof again.destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header header, part;
    size_t used, part_used;
    const char *complaint = proxy_header_read((const char *)data, size, &header, &used);
    require(used <= 16 + 65535 && (!complaint || used <= size));
    if (complaint || !used)
        return 0;
    for (size_t length = 0; length < size && length <= used; length++) {
        require(!proxy_header_read((const char *)data, length, &part, &part_used));
        require(part_used == 0 || part_used == used);
    }
    write_and_read(&header);
    return 0;
}
