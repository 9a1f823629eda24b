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

struct names {
    char *name;     /* the canonical one */
    char **aliases; /* the other ones, each once */
    size_t alias_count;
    struct resolved addresses; /* each once, in the order to try them; port 0 without a service */
    unsigned *socktypes;       /* for each address, of the service: bits 1 << SOCK_STREAM … */
};

/* These block. Status 3 where the look-up fails. Whatever came of it, names_release gives back what
 * *names holds. */

/* The addresses of a host in `family` (AF_UNSPEC: any), its canonical name, and as an alias the
 * name asked for, where that is another. An address is its own name. With a service, a name or a
 * number, the addresses have its port. */
int names_find(struct names *names, const char *host, int family, const char *service,
               struct error *err);
/* Adds the other aliases that the resolver knows of what was found as `host`: those of the hosts
 * file and the owners of CNAME records. getaddrinfo(3) does not tell them: it takes another look-up
 * for each family. */
void names_add_aliases(struct names *names, const char *host);
/* The name of `address`, its aliases, and the addresses that it is found under. `text` is what the
 * user typed. */
int names_find_address(struct names *names, const char *text, const struct sockname *address,
                       struct error *err);
/* The addresses without the other names: those of `text`, an address, with the service's port. */
int names_set_service(struct names *names, const char *text, const char *service,
                      struct error *err);
/* Whether there is no such service. Asks nobody but the list of services. */
bool names_lack_service(const char *service);
void names_release(struct names *names);

#endif
