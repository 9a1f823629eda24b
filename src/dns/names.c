/*
 * What the system's resolver knows of a name or an address.
 *
 * getaddrinfo(3) finds the addresses; the classic interface (gethostbyname2_r, gethostbyaddr_r) is asked for what it
 * does not return: aliases, and the names of an address.
 */
#include "dns/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "net/hostname.h"
#include "proto/idna.h"
#include "sys/trace.h"

/* The list of aliases */

/* Compares names, in which neither case counts nor the dot of the root. */
static bool is_same_name(const char *one, const char *other)
{
    size_t length = strlen(one), other_length = strlen(other);
    length -= length && one[length - 1] == '.';
    other_length -= other_length && other[other_length - 1] == '.';
    return length == other_length && strncasecmp(one, other, length) == 0;
}

static void add_alias(struct names *names, const char *alias)
{
    if (is_same_name(alias, names->name))
        return;
    for (size_t i = 0; i < names->alias_count; i++)
        if (is_same_name(alias, names->aliases[i]))
            return;
    names->aliases = memory_grow(names->aliases, names->alias_count + 1, sizeof *names->aliases);
    names->aliases[names->alias_count++] = memory_copy(alias, strlen(alias));
}

void names_release(struct names *names)
{
    for (size_t i = 0; i < names->alias_count; i++)
        free(names->aliases[i]);
    free(names->aliases);
    free(names->name);
    free(names->socktypes);
    resolved_release(&names->addresses);
    *names = (struct names){0};
}

/* From a name */

int names_find(struct names *names, const char *host, int family, const char *service,
               struct error *err)
{
    const struct addrinfo hints = {
        .ai_family = family,
        .ai_socktype = service ? 0 : SOCK_STREAM, /* each address once, not once a type */
        .ai_flags = AI_CANONNAME,
    };
    struct addrinfo *found = NULL;
    *names = (struct names){0};
    int code = hostname_look_up(host, service, &hints, &found);
    if (code)
        return hostname_fail(host, hostname_failure(code, errno, family), err);
    const char *name = found->ai_canonname ? found->ai_canonname : host;
    names->name = memory_copy(name, strlen(name));
    add_alias(names, host);
    /* Each address once, with the types of sockets that its service has. */
    for (const struct addrinfo *at = found; at; at = at->ai_next) {
        struct sockname address = {.length = at->ai_addrlen};
        const size_t count = names->addresses.count;
        size_t i = 0;
        memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
        resolved_add(&names->addresses, &address);
        if (names->addresses.count > count) {
            names->socktypes = memory_grow(names->socktypes, count + 1, sizeof *names->socktypes);
            names->socktypes[count] = 0;
        }
        while (!sockname_is_same(&names->addresses.names[i], &address))
            i++;
        names->socktypes[i] |= 1U << at->ai_socktype;
    }
    freeaddrinfo(found);
    return 0;
}

/* The classic interface, which returns aliases */

/* A name in a family, or an address. */
struct question {
    const char *host;
    int family;
    const void *address; /* NULL: the host is asked for */
    socklen_t length;
};

struct entry {
    struct hostent host;
    struct hostent *found; /* the host, or NULL: there is none, for this reason */
    int reason;            /* h_errno */
    int errnum;
    char *bytes; /* what the host points to; to be freed */
};

/* Shows the call, at -vv, under the name that the manual and every lecture have for it. */
static void trace_entry(const struct entry *entry, const struct question *question)
{
    const char *family = trace_name(TRACE_FAMILY, question->family);
    const char *quote = entry->found ? "\"" : "",
               *name = entry->found ? entry->found->h_name : "NULL";
    char address[INET6_ADDRSTRLEN] = "";
    if (question->address &&
        inet_ntop(question->family, question->address, address, sizeof address))
        trace_text(EVENT(.fd = -1), "gethostbyaddr(%s, %u, %s) = %s%s%s", address,
                   (unsigned)question->length, family, quote, name, quote);
    else
        trace_text(EVENT(.fd = -1), "gethostbyname2(\"%s\", %s) = %s%s%s", question->host, family,
                   quote, name, quote);
}

static void find_entry(struct entry *entry, const struct question *question)
{
    enum { ROOM_MAX = 1 << 20 };
    size_t room = 512;
    *entry = (struct entry){0};
    do {
        room *= 2;
        entry->bytes = memory_grow(entry->bytes, room, 1);
        if (question->address)
            entry->errnum = gethostbyaddr_r(question->address, question->length, question->family,
                                            &entry->host, entry->bytes, room, &entry->found,
                                            &entry->reason);
        else
            entry->errnum = gethostbyname2_r(question->host, question->family, &entry->host,
                                             entry->bytes, room, &entry->found, &entry->reason);
    } while (entry->errnum == ERANGE && room < ROOM_MAX);
    if (log_setting.verbosity >= LOG_LEVEL_TRACE)
        trace_entry(entry, question);
}

static void add_aliases(struct names *names, const struct hostent *host)
{
    add_alias(names, host->h_name);
    for (char **alias = host->h_aliases; alias && *alias; alias++)
        add_alias(names, *alias);
}

void names_add_aliases(struct names *names, const char *host)
{
    static const int families[] = {AF_INET, AF_INET6};
    if (!idna_is_ascii(host))
        host = names->name;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct resolved *addresses = &names->addresses;
        size_t at = 0;
        while (at < addresses->count && addresses->names[at].storage.ss_family != families[i])
            at++;
        if (at == addresses->count)
            continue;
        const struct question question = {.host = hostname_to_ask(host), .family = families[i]};
        struct entry entry;
        find_entry(&entry, &question);
        if (entry.found)
            add_aliases(names, entry.found);
        free(entry.bytes);
    }
}

/* From an address */

static void add_addresses(struct names *names, const struct hostent *host)
{
    for (char **at = host->h_addr_list; *at; at++) {
        struct sockname name;
        sockname_set_inet(&name, host->h_addrtype, *at, 0);
        resolved_add(&names->addresses, &name);
    }
}

static const char *entry_failure(const struct entry *entry)
{
    if (entry->reason < 0) /* glibc's NETDB_INTERNAL */
        return strerror(entry->errnum);
    if (entry->reason == TRY_AGAIN)
        return gai_strerror(EAI_AGAIN);
    if (entry->reason == NO_RECOVERY)
        return gai_strerror(EAI_FAIL);
    return "it has no name";
}

/* Replaces the addresses, and nothing else, by those of `text`, an address, with the service's port. */
static int set_service(struct names *names, const char *text, const char *service,
                       struct error *err)
{
    struct names found;
    int result = names_find(&found, text, AF_UNSPEC, service, err);
    struct resolved addresses = names->addresses;
    names->addresses = found.addresses;
    found.addresses = addresses;
    free(names->socktypes);
    names->socktypes = found.socktypes;
    found.socktypes = NULL;
    names_release(&found);
    return result;
}

int names_find_address(struct names *names, const char *text, const struct sockname *address,
                       const char *service, struct error *err)
{
    const void *storage = &address->storage;
    struct question question = {.family = AF_INET6,
                                .address = &((const struct sockaddr_in6 *)storage)->sin6_addr,
                                .length = sizeof(struct in6_addr)};
    struct sockname literal;
    struct entry entry;
    int result = -1;
    if (address->storage.ss_family == AF_INET)
        question = (struct question){.family = AF_INET,
                                     .address = &((const struct sockaddr_in *)storage)->sin_addr,
                                     .length = sizeof(struct in_addr)};
    *names = (struct names){0};
    find_entry(&entry, &question);
    if (!entry.found) {
        hostname_fail(text, entry_failure(&entry), err);
    } else if (hostname_read_literal(entry.found->h_name, &literal, err)) {
        /* So says musl of "none". */
        hostname_fail(text, "it has no name", err);
    } else {
        names->name = memory_copy(entry.found->h_name, strlen(entry.found->h_name));
        add_aliases(names, entry.found);
        add_addresses(names, entry.found);
        result = service ? set_service(names, text, service, err) : 0;
    }
    free(entry.bytes);
    return result;
}

bool names_lack_service(const char *service)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (getaddrinfo(NULL, service, &hints, &found))
        return true;
    freeaddrinfo(found);
    return false;
}
