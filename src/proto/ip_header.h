/*
 * The header that an IPv4 packet begins with, as a raw socket gives it. Source: RFC 791, 3.1; raw(7).
 */
#ifndef PROTO_IP_HEADER_H
#define PROTO_IP_HEADER_H

#include <stddef.h>

/* Returns the length of the header, its options included, of a packet of `length` bytes: from 20 to 60, and never more
 * than `length`; 0: it is no IPv4 header, or not all of one. */
size_t ip_header_length(const void *packet, size_t length);

#endif
