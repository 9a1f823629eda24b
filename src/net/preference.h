/*
 * What makes one destination address better than another: RFC 6724, with its own table of policies.
 */
#ifndef NET_PREFERENCE_H
#define NET_PREFERENCE_H

#include <stdbool.h>

#include "net/sockname.h"

struct preference {
    bool reachable;         /* there is a route, and so a source address */
    struct sockname source; /* that would be used */
    unsigned scope;         /* 2 link-local, 5 site-local, 14 global (RFC 4291, 2.7) */
    unsigned source_scope;
    unsigned precedence;
    unsigned label;
    unsigned source_label;
    unsigned common; /* leading bits that address and source share; IPv6 alone, at most 64 */
};

/* Sends nothing. */
void preference_find(struct preference *preference, const struct sockname *address);
/* The rule of section 6 that puts `one` before `other`, in words; NULL if they say nothing, or the
 * reverse. */
const char *preference_rule(const struct preference *one, const struct preference *other);

#endif
