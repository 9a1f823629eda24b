/*
 * Whose connection a proxy says it passes on: the PROXY header at the start of an accepted
 * connection, read before anybody else reads from it, and the one that goes to the far side.
 */
#ifndef NET_ANNOUNCED_H
#define NET_ANNOUNCED_H

#include <stdint.h>

#include "io/loop.h"
#include "net/sockname.h"
#include "proto/proxy_header.h"

/* The ends of the connection as the client saw it. */
struct announced {
    struct sockname source; /* length 0: nothing is said, the connection's own count */
    struct sockname destination;
};

/* Reads the header from `fd`, a connected socket that nobody else reads from meanwhile; what follows
 * the header stays in the socket. `done` is called once, from the loop, with what was announced, or
 * with NULL and what is wrong; NULL here, too: the connection has ended before a byte came.
 * announcement_cancel before `done` forgets it. */
struct announcement;
struct announcement *announcement_await(struct loop *loop, int fd, int64_t limit_ms,
                                        void (*done)(void *context,
                                                     const struct announced *announced,
                                                     const char *complaint),
                                        void *context);
void announcement_cancel(struct announcement *announcement);

/* Writes a header that announces these ends of a connection of that type: version 2, at most
 * PROXY_HEADER_MOST bytes; LOCAL where they are neither IP nor UNIX, or where there is nothing to
 * announce: a UNIX client without a name. Returns its length. */
size_t announced_write(const struct announced *announced, int socktype, char *out);

#endif
