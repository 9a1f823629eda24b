/*
 * The options that a user chooses for a socket before it is bound, connected or listened on.
 * Source: socket(7), ip(7), ipv6(7), tcp(7).
 */
#ifndef NET_SOCKOPT_H
#define NET_SOCKOPT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"
#include "net/multicast.h"

struct sockopt {
    const char *interface; /* NULL: any */
    int64_t ttl;           /* -1: the system's choice, as below */
    int64_t tos;
    int64_t keepalive_ms; /* twice as long without an answer, and the peer is dead; 0: the system's
                             times */
    int64_t mark;
    uint64_t rcvbuf; /* 0: the system's choice */
    uint64_t sndbuf;
    bool no_delay;
    bool mptcp;
    bool fastopen;
    bool broadcast;
    bool ip_header;          /* of a raw socket: what is sent has its IPv4 header */
    bool no_loopback;        /* groups: this machine does not hear what it sends */
    struct memberships join; /* for whoever binds or connects the socket to join */
};
#define SOCKOPT_DEFAULTS                                                                           \
    {                                                                                              \
        .ttl = -1, .tos = -1, .keepalive_ms = -1, .mark = -1                                       \
    }

/* What the socket is for: two options differ. */
enum sockopt_use { SOCKOPT_CONNECT, SOCKOPT_LISTEN, SOCKOPT_ACCEPTED };

/* Opens a socket for `name`, the caller's, with the options set; `options` may be NULL. Returns it, or -1 and errno; *refused is
 * then the option that the system refuses ("--mark"), or NULL where it refuses the socket itself. An option that this
 * kind of socket does not have is refused too. Urgent data that a TCP peer sends is read in line; UDP gets a large
 * receive buffer, as far as the system lets it, unless `rcvbuf` says otherwise. */
int sockopt_open(const struct sockopt *options, const struct sockname *name, int socktype,
                 enum sockopt_use use, const char **refused);

/* Returns in words why the system has refused a socket for `name` with `errnum`. */
const char *sockopt_refusal(const struct sockname *name, int errnum);

/* Sets the options on a socket that there is already. Returns NULL, or the option that is refused, and errno. */
const char *sockopt_apply(const struct sockopt *options, int fd, int family, enum sockopt_use use);

#endif
