/*
 * Addresses that need no look-up: literals, UNIX paths, vsock, and no host at all.
 */
#ifndef NET_LITERAL_H
#define NET_LITERAL_H

#include "base/error.h"
#include "net/address.h"
#include "net/resolver.h"

/* 1: `host` is an IPv4 address in dotted quad or an IPv6 address, perhaps with a zone, and is in
 * *name, with port 0; 0: it is neither; -1: there is no such zone, status 3. */
int literal_read(const char *host, struct sockname *name, struct error *err);

/* The port of an address with one: a number, or unless `numeric` a service, which is looked up in the
 * list of services. Status 2. */
int literal_port(const struct address *address, bool numeric, unsigned *port, struct error *err);

/* 1: the names are in *resolved; 0: only a look-up can tell, and *port is the port; -1: *err says
 * what is wrong (status 2 for the service or the family, 3 for the host). Service names are looked
 * up here: what tells them is a file at hand. */
int literal_take(const struct address *address, const struct resolver_options *options,
                 unsigned *port, struct resolved *resolved, struct error *err);

/* One more name, unless it is there already. */
void resolved_add(struct resolved *resolved, const struct sockname *name);

#endif
