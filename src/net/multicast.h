/*
 * Multicast groups that a socket is to hear beside what it is bound to (--join), as a person types them:
 * [SOURCE@]GROUP[%INTERFACE], with literal addresses. Source: RFC 3678, ip(7), ipv6(7).
 */
#ifndef NET_MULTICAST_H
#define NET_MULTICAST_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/sockname.h"

enum { MEMBERSHIPS_MAX = 64 }; /* the kernel's default is 20 groups for one IPv4 socket */

struct memberships {
    const char *items[MEMBERSHIPS_MAX]; /* words of argv, which memberships_add has checked */
    size_t count;
};

/* Adds one more, as typed. Returns NULL, or what is wrong with it, as words that follow it: "is not a multicast group". */
const char *memberships_add(struct memberships *memberships, const char *text);

/* Tells whether `group` is among them, whatever its source and interface. */
bool memberships_have(const struct memberships *memberships, const struct sockname *group);

/* Makes the datagram socket `fd` hear all of them, each on its own interface, else on `interface` (a name; NULL: on the
 * one that the routes say). From then on it hears no group that only other sockets have joined. Returns NULL, or why it
 * cannot, with *refused the item that it is. */
const char *memberships_join(const struct memberships *memberships, int fd, const char *interface,
                             const char **refused);

/* Makes the datagram socket `fd`, which is bound to `group`, hear it from any source, on `interface` as above, or that
 * of its zone. Returns NULL, or why it cannot. */
const char *multicast_join(int fd, const struct sockname *group, const char *interface);

#endif
