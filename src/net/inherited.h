/*
 * Sockets that the process that started us has opened: fd:N, and those of systemd (LISTEN_PID, LISTEN_FDS,
 * LISTEN_FDNAMES). Source: sd_listen_fds(3).
 */
#ifndef NET_INHERITED_H
#define NET_INHERITED_H

#include <stddef.h>

#include "base/error.h"
#include "net/address.h"

enum { INHERITED_MAX = 8 };

struct inherited {
    int fds[INHERITED_MAX];
    size_t count;
    int socktype; /* of all of them: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET */
};

/* Finds the sockets that `address` (fd: or systemd:) stands for: for fd: the one, for systemd: all of that
 * name, or all where it gives none. They are the caller's, and close-on-exec from now on; whether they block is left
 * as it was, since others may share them. Returns 0, or -1 with status 4 where there is no such socket. */
int inherited_find(struct inherited *inherited, const struct address *address, struct error *err);

#endif
