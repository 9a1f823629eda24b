/*
 * Whose connection a proxy says it passes on: the PROXY header at the start of an accepted
 * connection, read before anybody else reads from it, and the one that goes to a server behind us.
 * Source: haproxy's doc/proxy-protocol.txt.
 */
#ifndef NET_PROXY_HEADER_H
#define NET_PROXY_HEADER_H

#include <stdint.h>

#include "proto/proxy_header.h"
#include "sys/loop.h"
#include "sys/sockname.h"

/* The ends of the connection as the client saw it. */
struct proxied_ends {
    struct sockname source; /* length 0: nothing is said, the connection's own count */
    struct sockname destination;
};

struct proxy_header_reader;

/* Reads the header from `fd`, a connected socket of the caller's that nobody else reads from meanwhile; what follows
 * the header stays in the socket. `done` is called once, from the loop, with what was proxied, or with NULL and what is
 * wrong; where that is NULL, too, the connection has ended before a byte came. The reader is gone then. */
struct proxy_header_reader *proxy_header_await(struct loop *loop, int fd, int64_t limit_ms,
                                               void (*done)(void *context,
                                                            const struct proxied_ends *proxied,
                                                            const char *complaint),
                                               void *context);

/* Frees a reader that has not called `done`. */
void proxy_header_cancel(struct proxy_header_reader *reader);

/* Writes a header, of version 1 or 2, that announces these ends of a connection of that type: at most
 * PROXY_HEADER_MAX bytes; LOCAL or UNKNOWN where they are neither IP nor UNIX, or where there is
 * nothing to announce: a UNIX client without a name. Returns its length. */
size_t proxied_ends_write(const struct proxied_ends *proxied, int version, int socktype, char *out);

#endif
