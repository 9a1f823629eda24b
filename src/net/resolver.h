/*
 * From an address to the socket names it stands for. Literals, UNIX paths and vsock need no
 * look-up; names are looked up by getaddrinfo(3) on a thread, so that the loop goes on.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/loop.h"
#include "net/address.h"

struct resolver_options {
    bool listening;     /* no host means every address; else localhost */
    bool numeric;       /* -n: no look-up of names or services */
    int64_t timeout_ms; /* of resolver_look_up; -1: no limit */
};

/* The names, in the order to try them (RFC 6724, as getaddrinfo sorts). */
struct resolved {
    struct sockname *names; /* the owner's: resolved_release */
    size_t count;
};
void resolved_release(struct resolved *resolved);
/* *copy is another owner's; of at least one name. */
void resolved_copy(struct resolved *copy, const struct resolved *resolved);

/* Looks `address` (not fd: or systemd:) up. Runs the loop while a look-up is on its way, for at
 * most timeout_ms. Status 3 for a name, 2 for a service or a literal of the wrong family, 5 when
 * the time is over. When somebody else stops the loop: -1, and *err is left as it was. */
int resolver_look_up(struct loop *loop, const struct address *address,
                     const struct resolver_options *options, struct resolved *resolved,
                     struct error *err);

/* A look-up in the background. `done` is called from the loop with the names (then the callee's)
 * or with resolved NULL and the reason. Cancelling forgets the look-up; its thread ends alone. */
struct resolver;
struct resolver *resolver_start(
    struct loop *loop, const struct address *address, const struct resolver_options *options,
    void (*done)(void *context, struct resolved *resolved, const struct error *err), void *context);
void resolver_cancel(struct resolver *resolver);

#endif
