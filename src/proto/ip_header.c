/*
 * Only the first byte counts: the version, and the length in words of 32 bits (IHL).
 */
#include "proto/ip_header.h"

size_t ip_header_length(const void *packet, size_t length)
{
    enum { VERSION = 4, MIN = 20, WORD = 4 };
    const unsigned char *bytes = packet;
    if (length < MIN || bytes[0] >> 4 != VERSION)
        return 0;
    const size_t header = (size_t)(bytes[0] & 0x0f) * WORD;
    return header < MIN || header > length ? 0 : header;
}
