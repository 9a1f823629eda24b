/*
 * What makes one destination address better than another: RFC 6724, with its own table of policies.
 */
#ifndef NET_ADDRESS_ORDER_H
#define NET_ADDRESS_ORDER_H

#include <stdbool.h>

#include "sys/sockname.h"

/* What the rules compare, of one destination address. */
struct address_order {
    bool reachable;         /* there is a route, and so a source address */
    struct sockname source; /* that would be used */
    unsigned scope;         /* 2 link-local, 5 site-local, 14 global (RFC 4291, 2.7) */
    unsigned source_scope;
    unsigned precedence;
    unsigned label;
    unsigned source_label;
    unsigned common; /* leading bits that address and source share; IPv6 alone, at most 64 */
};

/* Fills *order for an IPv4 or IPv6 address. Nothing is sent: the routing table is asked by connecting a UDP socket. */
void address_order_find(struct address_order *order, const struct sockname *address);

/* Returns the rule of section 6 that puts `one` before `other`, in words; NULL where the rules put `other` first. */
const char *address_order_rule(const struct address_order *one, const struct address_order *other);

#endif
