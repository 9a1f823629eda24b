/*
 * The header with which a proxy says whose connection it passes on, before the connection's own bytes. Pure.
 * Source: "The PROXY protocol, versions 1 & 2" (haproxy, doc/proxy-protocol.txt).
 */
#ifndef PROTO_PROXY_HEADER_H
#define PROTO_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    PROXY_HEADER_MAX = 16 + 216, /* bytes, up to and with the addresses */
    PROXY_PATH_MAX = 108
};

enum proxy_family {
    PROXY_UNKNOWN, /* nothing is said: the connection's own ends count */
    PROXY_IPV4,
    PROXY_IPV6,
    PROXY_UNIX
};

struct proxy_end {
    unsigned char address[PROXY_PATH_MAX]; /* 4 bytes, 16, or a path, NUL after a short one */
    unsigned port;
};

struct proxy_header {
    enum proxy_family family;
    bool datagram;
    struct proxy_end source;
    struct proxy_end destination;
};

/* Reads a header, of either version, from the first bytes of a connection, of which PROXY_HEADER_MAX are always enough.
 * Returns NULL, or what is wrong with them. *size is 0 where more bytes are needed, else the length of the header, which is
 * in *header. That may be more than `length`: what is missing then says nothing that counts here. */
const char *proxy_header_read(const char *bytes, size_t length, struct proxy_header *header,
                              size_t *size);

/* Writes a header of version 1 or 2, and returns its length, at most PROXY_HEADER_MAX. Without a family its command is
 * LOCAL; in version 1, which knows TCP over IP alone, it is UNKNOWN, as it is for all else. */
size_t proxy_header_write(const struct proxy_header *header, int version, char *out);

#endif
