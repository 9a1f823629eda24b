/*
 * What the system's resolver (files, DNS, whatever nsswitch says) knows of a name or an address.
 */
#ifndef DNS_NAMES_H
#define DNS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "net/resolver.h"
#include "sys/sockname.h"

/* Whatever came of a look-up, names_release gives back what *names holds. All of these block, and fail with status 3 where
 * the look-up fails. */
struct names {
    char *name;     /* the canonical one */
    char **aliases; /* the other ones, each once */
    size_t alias_count;
    struct resolved addresses; /* each once, in the order to try them; port 0 without a service */
    unsigned *socktypes;       /* for each address, of the service: bits 1 << SOCK_STREAM … */
};

/* Finds the addresses of a host in `family` (AF_UNSPEC: any), its canonical name, and as an alias the name asked for, where
 * that is another. An address is its own name. With a service, a name or a number, the addresses have its port. */
int names_find(struct names *names, const char *host, int family, const char *service,
               struct error *err);

/* Adds the other aliases that the resolver knows of what was found as `host`: those of the hosts file and the owners of
 * CNAME records. getaddrinfo(3) does not return them: it takes another look-up for each family. */
void names_add_aliases(struct names *names, const char *host);

/* Finds the name of `address`, its aliases, and the addresses that it is found under; with a service (else NULL), in their
 * place the address itself with the service's port. `text` is what the user typed. */
int names_find_address(struct names *names, const char *text, const struct sockname *address,
                       const char *service, struct error *err);

/* Says whether there is no such service. It asks nobody but the list of services. */
bool names_lack_service(const char *service);

/* Frees what *names holds. */
void names_release(struct names *names);

#endif
