/*
 * Hosts as a person types them: what can be a name, what is a literal address, and in words why a name did not
 * resolve. Any thread may call these.
 */
#ifndef NET_HOSTNAME_H
#define NET_HOSTNAME_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sys/sockname.h"

/* Tells whether the text has only bytes that host names are made of: letters, digits, '-', '.', '_', and all that is
 * not ASCII. */
bool hostname_is_plain(const char *text, size_t length);

/* Returns NULL, or why nothing can be called so (RFC 1035, 2.3.4), so that nobody has to be asked. An IPv4
 * address as inet_aton(3) reads it can. */
const char *hostname_check(const char *name);

/* Returns the name to look up in the place of `host`: "localhost" for a name below it, such as app.localhost, which is this
 * machine's and nobody has to be asked for (RFC 6761, 6.3), unless the hosts file has it; else `host`. It reads that file for
 * such names alone. */
const char *hostname_to_ask(const char *host);

/* Calls getaddrinfo(3) for hostname_to_ask(host). To it a name that is not ASCII is given as UTF-8, and in DNS has the form that
 * IDNA gives it. */
int hostname_look_up(const char *host, const char *service, const struct addrinfo *hints,
                     struct addrinfo **found);

/* Returns why getaddrinfo(3) for `family` failed with `code`, and `errnum` in errno. */
const char *hostname_failure(int code, int errnum, int family);

/* Returns 1 where `host` is an IPv4 address in dotted quad or an IPv6 address, perhaps with a zone, which is then
 * in *name, with port 0; 0 where it is neither; -1, status 3, where there is no such zone. */
int hostname_read_literal(const char *host, struct sockname *name, struct error *err);

/* Goes through the hosts file, hosts(5): `visit` is called for each name in it, with the address and the number of the line,
 * until it returns true. Returns whether it did. */
struct hosts_visitor {
    bool (*visit)(void *context, const char *name, const struct sockname *address, unsigned line);
    void *context;
};
bool hostname_read_hosts(const struct hosts_visitor *visitor);

/* Adds to *err, which says why `name` is no host or service, that a UNIX socket is written with a slash, where the name
 * looks like one: it ends in .sock or .socket, or is that of a socket in the current directory. Returns whether it did. */
bool hostname_add_socket_hint(const char *name, struct error *err);

/* Fills *err with "resolve NAME: WHY", status 3; a long name is cut. Returns -1. */
int hostname_fail(const char *name, const char *why, struct error *err);

#endif
