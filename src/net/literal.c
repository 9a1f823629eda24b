#include "net/literal.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <linux/vm_sockets.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "net/hostname.h"

static bool is_known(const struct resolved *resolved, const struct sockname *name)
{
    for (size_t i = 0; i < resolved->count; i++)
        if (sockname_is_same(&resolved->names[i], name))
            return true;
    return false;
}

void resolved_add(struct resolved *resolved, const struct sockname *name)
{
    if (is_known(resolved, name))
        return;
    resolved->names = memory_grow(resolved->names, resolved->count + 1, sizeof *resolved->names);
    resolved->names[resolved->count++] = *name;
}

/* Literals */

static struct sockname ipv4_name(struct in_addr address)
{
    struct sockname name = {.length = sizeof(struct sockaddr_in)};
    const struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = address};
    memcpy(&name.storage, &sin, sizeof sin);
    return name;
}

static struct sockname ipv6_name(struct in6_addr address, unsigned zone)
{
    struct sockname name = {.length = sizeof(struct sockaddr_in6)};
    const struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6,
                                      .sin6_addr = address,
                                      .sin6_scope_id = zone};
    memcpy(&name.storage, &sin6, sizeof sin6);
    return name;
}

/* The index of a zone: an interface's name or number. 0: there is none such. */
static unsigned zone_index(const char *zone)
{
    int64_t number;
    if (text_is_digits(zone, strlen(zone)))
        return units_number(zone, 1, INT32_MAX, &number) ? 0 : (unsigned)number;
    return if_nametoindex(zone);
}

int literal_read(const char *host, struct sockname *name, struct error *err)
{
    struct in_addr v4;
    struct in6_addr v6;
    char literal[INET6_ADDRSTRLEN];
    size_t length = (size_t)(strchrnul(host, '%') - host);
    if (inet_pton(AF_INET, host, &v4) == 1) {
        *name = ipv4_name(v4);
        return 1;
    }
    if (length >= sizeof literal)
        return 0;
    memcpy(literal, host, length);
    literal[length] = '\0';
    if (inet_pton(AF_INET6, literal, &v6) != 1)
        return 0;
    unsigned zone = host[length] ? zone_index(host + length + 1) : 0;
    if (host[length] && !zone) {
        hostname_fail(host, "this machine has no such interface", err);
        return -1;
    }
    *name = ipv6_name(v6, zone);
    return 1;
}

static int take_literal(const struct address *address, unsigned port, struct resolved *resolved,
                        struct error *err)
{
    struct sockname name;
    int taken = literal_read(address->host, &name, err);
    if (taken <= 0)
        return taken;
    if (address->family != AF_UNSPEC && address->family != name.storage.ss_family)
        return error_set(err, STATUS_USAGE, "'%.100s' is not an %s address", address->host,
                         address->family == AF_INET ? "IPv4" : "IPv6");
    sockname_set_port(&name, port);
    resolved_add(resolved, &name);
    return 1;
}

/* Without a host: every address, or this machine's own. Where both families are wanted, a listener
 * on the IPv6 wildcard has IPv4 too. */
static void take_default(const struct address *address, bool listening, unsigned port,
                         struct resolved *resolved)
{
    const struct in_addr v4 = {htonl(listening ? INADDR_ANY : INADDR_LOOPBACK)};
    struct sockname names[] = {
        ipv6_name(listening ? in6addr_any : in6addr_loopback, 0),
        ipv4_name(v4),
    };
    const bool wanted[] = {
        address->family != AF_INET,
        address->family == AF_INET || (address->family == AF_UNSPEC && !listening),
    };
    for (size_t i = 0; i < 2; i++) {
        sockname_set_port(&names[i], port);
        if (wanted[i])
            resolved_add(resolved, &names[i]);
    }
}

static void take_vsock(const struct address *address, bool listening, struct resolved *resolved)
{
    struct sockname name = {.length = sizeof(struct sockaddr_vm)};
    const bool any_port = listening && address->vsock_port == 0;
    const struct sockaddr_vm vm = {.svm_family = AF_VSOCK,
                                   .svm_cid = address->cid,
                                   .svm_port = any_port ? VMADDR_PORT_ANY : address->vsock_port};
    memcpy(&name.storage, &vm, sizeof vm);
    resolved_add(resolved, &name);
}

/* Services */

static int unknown_service(const struct address *address, struct error *err)
{
    error_set(err, STATUS_USAGE, "unknown service '%s'", address->port);
    return *address->host ? -1 : error_add(err, " (an address is HOST PORT, HOST:PORT or PORT)");
}

/* getaddrinfo without a host asks nobody but the list of services, in every libc. */
int literal_port(const struct address *address, bool numeric, unsigned *port, struct error *err)
{
    const struct addrinfo hints = {.ai_socktype = address->socktype, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    struct sockname name = {.length = 0};
    int64_t number;
    if (text_is_digits(address->port, strlen(address->port))) {
        if (units_number(address->port, 0, UINT16_MAX, &number))
            return error_set(err, STATUS_USAGE, "port '%s' is not from 0 to 65535", address->port);
        *port = (unsigned)number;
        return 0;
    }
    if (numeric)
        return error_set(err, STATUS_USAGE, "port '%s' is not a number (-n forbids look-ups)",
                         address->port);
    if (getaddrinfo(NULL, address->port, &hints, &found) != 0)
        return unknown_service(address, err);
    memcpy(&name.storage, found->ai_addr, found->ai_addrlen);
    *port = sockname_port(&name);
    freeaddrinfo(found);
    return 0;
}

/* All of it */

static int take_inet(const struct address *address, const struct resolver_options *options,
                     unsigned *port, struct resolved *resolved, struct error *err)
{
    if (literal_port(address, options->numeric, port, err))
        return -1;
    if (!*address->host) {
        if (!options->listening && !options->numeric)
            return 0; /* localhost */
        take_default(address, options->listening, *port, resolved);
        return 1;
    }
    int taken = take_literal(address, *port, resolved, err);
    if (taken)
        return taken;
    if (options->numeric)
        return error_set(err, STATUS_RESOLVE,
                         "'%.100s' is not a numeric address (-n forbids look-ups)", address->host);
    const char *wrong = hostname_check(address->host);
    return wrong ? hostname_fail(address->host, wrong, err) : 0;
}

int literal_take(const struct address *address, const struct resolver_options *options,
                 unsigned *port, struct resolved *resolved, struct error *err)
{
    struct sockname name;
    switch (address->kind) {
    case ADDRESS_UNIX:
        sockname_of_unix(&name, address);
        resolved_add(resolved, &name);
        return 1;
    case ADDRESS_VSOCK:
        take_vsock(address, options->listening, resolved);
        return 1;
    case ADDRESS_INET:
        return take_inet(address, options, port, resolved, err);
    case ADDRESS_FD:
    case ADDRESS_SYSTEMD:
        break;
    }
    return error_set(err, STATUS_USAGE, "an inherited socket has no address to look up");
}
