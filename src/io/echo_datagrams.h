/*
 * Datagrams, each sent back whole to whoever sent it, from the address that it was sent to.
 */
#ifndef IO_ECHO_DATAGRAMS_H
#define IO_ECHO_DATAGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/postbox.h"
#include "net/sock.h"

enum { ECHO_DATAGRAM_SOCKETS_MAX = 8, ECHO_DATAGRAM_MOST = 1 << 18 };

struct echo_datagram_socket {
    struct echo_datagrams *echo;
    struct watch watch;
    struct sockname name; /* ours */
};

struct echo_datagrams {
    struct loop *loop;
    struct echo_datagram_socket sockets[ECHO_DATAGRAM_SOCKETS_MAX];
    size_t count;
    char *buffer; /* the echo's, ECHO_DATAGRAM_MOST bytes */
    struct postbox postbox;
    /* Whether a datagram from `source` to our socket `own` gets its answer. Set by the owner. */
    bool (*answers)(struct echo_datagrams *echo, const struct sockname *source,
                    const struct sockname *own);
};

void echo_datagrams_init(struct echo_datagrams *echo, struct loop *loop);
/* The descriptor stays the owner's. */
void echo_datagrams_add(struct echo_datagrams *echo, int fd, const struct sockname *name);
void echo_datagrams_release(struct echo_datagrams *echo);

#endif
