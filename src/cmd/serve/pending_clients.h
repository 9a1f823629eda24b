/*
 * --accept-proxy: clients that have been accepted, and have yet to say by a PROXY header whose
 * connection they pass on.
 */
#ifndef CMD_SERVE_PENDING_CLIENTS_H
#define CMD_SERVE_PENDING_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

#include "net/proxy_header.h"
#include "sys/loop.h"

/* `first` and `count` are zero at the start; the owner sets the rest. */
struct pending_clients {
    struct loop *loop;
    int64_t limit_ms; /* for a header */
    /* A client has said who it is; its descriptor is the callee's. Where the header says nothing, both
     * names in `proxied` have the length 0. */
    void (*came)(struct pending_clients *pending_clients, int fd, const struct sockname *peer,
                 const struct proxied_ends *proxied);
    /* One has not, and was told of and closed. */
    void (*refused)(struct pending_clients *pending_clients);
    struct pending_client *first;
    size_t count;
};

/* Takes over a connected stream socket. */
void pending_clients_add(struct pending_clients *pending_clients, int fd,
                         const struct sockname *peer);
/* Closes them all. May be called twice. */
void pending_clients_close(struct pending_clients *pending_clients);

#endif
