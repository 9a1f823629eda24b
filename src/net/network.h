/*
 * Networks of IPv4 and IPv6 addresses as a person writes them ("10.0.0.0/8", "::1",
 * "fe80::%eth0/10"), and sets of them to look an address up in. Numbers only: no name is looked up.
 *
 * An IPv4-mapped IPv6 address is the IPv4 address: 0.0.0.0/0 has each of them, ::/0 has none.
 */
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/sockname.h"

/* The family, the zone and the address are one string of bits, so that all there is to a network is
 * how many of them count. */
enum { NETWORK_BYTES = 1 + 4 + 16 };

struct network {
    unsigned char bytes[NETWORK_BYTES]; /* 0 from `bits` on */
    unsigned char bits;
};

/* Reads an address, or an address, a slash and how many of its bits count; the other bits are ignored. A zone is an
 * interface of this machine. Returns NULL, or what is wrong, as words that follow the text: "is not …". */
const char *network_parse(struct network *network, const char *text);

/* Fills *network with the address of a socket. Returns false where that is neither IPv4 nor IPv6. */
bool network_of(struct network *network, const struct sockname *name);

/* A set of networks: it is zeroed, then filled, then settled, then asked. An address is found in a time that grows with
 * the logarithm of the count: 0.2 us among 10,000. */
struct networks {
    struct network *items; /* the set's own */
    size_t count;
    size_t room;
};

/* Adds a copy of a network. */
void networks_add(struct networks *networks, const struct network *network);

/* Sorts the set, after the last has been added. */
void networks_settle(struct networks *networks);

/* Tells whether an address, which network_of has filled, is in one of the networks. A network that names no zone has
 * the addresses of every zone. */
bool networks_have(const struct networks *networks, const struct network *address);

/* Frees and empties the set. It may be called twice. */
void networks_release(struct networks *networks);

#endif
