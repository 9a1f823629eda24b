/*
 * Host names: what can be one, and in words why one did not resolve.
 */
#ifndef NET_HOSTNAME_H
#define NET_HOSTNAME_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Nothing but bytes that host names are made of: entries, digits, '-', '.', '_', and all that is
 * not ASCII. */
bool hostname_is_plain(const char *text, size_t length);

/* NULL, or why nothing can be called so (RFC 1035, 2.3.4), so that nobody has to be asked. An IPv4
 * address as inet_aton(3) reads it can. */
const char *hostname_check(const char *name);

/* getaddrinfo(3), to which a name that is not ASCII is given as UTF-8, and in DNS has the form that
 * IDNA gives it. */
int hostname_look_up(const char *host, const char *service, const struct addrinfo *hints,
                     struct addrinfo **found);

/* Why getaddrinfo(3) for `family` failed with `code`, and `errnum` in errno. */
const char *hostname_failure(int code, int errnum, int family);

/* Of two codes of getaddrinfo(3) for the families of one name, whether the first says more: that nobody
 * could tell for now says more than that nobody could tell, and that more than that there is nothing. */
bool hostname_is_graver(int code, int other);

/* "resolve NAME: WHY", status 3; a long name is cut. Returns -1. */
int hostname_fail(const char *name, const char *why, struct error *err);

#endif
