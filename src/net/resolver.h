/*
 * From an address to the socket names it stands for. Literals, UNIX paths and vsock need no
 * look-up; names are looked up by getaddrinfo(3) on threads, so that the loop goes on. Of a name with
 * addresses of both families, one family's are enough to begin with (RFC 8305, 3).
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/address.h"
#include "sys/loop.h"

/* The socket names of an address, in the order to try them (RFC 6724, as getaddrinfo(3) sorts). */
struct resolved {
    struct sockname *names; /* freed by resolved_release */
    size_t count;
    bool partial; /* one family's names: the other's are not known yet */
};

struct resolver_options {
    bool listening; /* no host means every address; else localhost */
    bool numeric;   /* -n: no look-up of names or services */
    bool complete;  /* both families have to have answered */
    /* The limit of resolver_look_up, and the time within which a resolver asks again; -1: none. */
    int64_t timeout_ms;
    /* A resolver calls it once after `done` was given a partial answer, with the other family's names, some of
     * which may be known already, or with NULL where there are no more. The resolver has ended then. NULL: the
     * caller does without them. */
    void (*late)(void *context, struct resolved *resolved);
};

/* Frees the names; *resolved is then empty. It may be called twice. */
void resolved_release(struct resolved *resolved);

/* Fills *copy with names of its own, for resolved_release. There is at least one. */
void resolved_copy(struct resolved *copy, const struct resolved *resolved);

/* Adds a copy of one more name, unless it is there already. */
void resolved_add(struct resolved *resolved, const struct sockname *name);

/* Says whether the address has a host that is no literal, so that its names are looked up. */
bool resolver_has_name(const struct address *address);

/* Says whether it has neither such a host nor the name of a service, so that nothing is looked up anywhere. */
bool resolver_is_numeric(const struct address *address);

/* Writes the port of an address of kind ADDRESS_INET: a number, or unless `numeric` a service, which is looked up in
 * the list of services (services(5)). Returns 0, or -1 with status 2. */
int resolver_port(const struct address *address, bool numeric, unsigned *port, struct error *err);

/* Looks `address` (not fd: or systemd:) up into *resolved, which is then the caller's. It runs the loop while a look-up
 * is on its way, for at most timeout_ms. Returns 0, or -1 with status 3 for a name, 2 for a service or a literal of the
 * wrong family, 5 when the time is over. When somebody else stops the loop: -1, and *err is left as it was. */
int resolver_look_up(struct loop *loop, const struct address *address,
                     const struct resolver_options *options, struct resolved *resolved,
                     struct error *err);

/* Begins a look-up in the background. `done` is called from the loop, never before resolver_start has returned, with
 * the names, which the callee releases, or with resolved NULL and the reason. The resolver has ended then, unless the
 * names are partial and options->late is given. */
struct resolver;
struct resolver *resolver_start(
    struct loop *loop, const struct address *address, const struct resolver_options *options,
    void (*done)(void *context, struct resolved *resolved, const struct error *err), void *context);

/* Frees a resolver that has not ended; NULL is none. The threads of its look-up end by themselves. */
void resolver_cancel(struct resolver *resolver);

#endif
