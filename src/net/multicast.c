/*
 * See multicast.h. What is typed is read twice, when it is given (memberships_add) and when it is joined
 * (memberships_join), so that nothing but the words has to be kept.
 */
#include "net/multicast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "sys/sock.h"

#ifndef IPV6_MULTICAST_ALL /* libcs older than the option */
#define IPV6_MULTICAST_ALL 29
#endif

struct membership {
    struct sockname group;
    struct sockname source;      /* length 0: any */
    char interface[IF_NAMESIZE]; /* empty: not given */
};

/* Reading */

/* Reads a literal address of either family. */
static bool read_literal(const char *text, size_t length, struct sockname *name)
{
    char literal[INET6_ADDRSTRLEN];
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    if (length >= sizeof literal)
        return false;
    memcpy(literal, text, length);
    literal[length] = '\0';
    *name = (struct sockname){.length = 0};
    if (inet_pton(AF_INET, literal, &ipv4.sin_addr) == 1) {
        memcpy(&name->storage, &ipv4, sizeof ipv4);
        name->length = sizeof ipv4;
    } else if (inet_pton(AF_INET6, literal, &ipv6.sin6_addr) == 1) {
        memcpy(&name->storage, &ipv6, sizeof ipv6);
        name->length = sizeof ipv6;
    }
    return name->length > 0;
}

/* Returns NULL, or what is wrong. */
static const char *membership_read(struct membership *membership, const char *text)
{
    const char *at_sign = strchr(text, '@'), *group = at_sign ? at_sign + 1 : text;
    const size_t length = strcspn(group, "%");
    const char *interface = group[length] ? group + length + 1 : "";
    *membership = (struct membership){.source.length = 0};
    if (!read_literal(group, length, &membership->group) ||
        !sockname_is_multicast(&membership->group))
        return "is not a multicast group: [SOURCE@]GROUP[%INTERFACE]";
    if (at_sign && (!read_literal(text, (size_t)(at_sign - text), &membership->source) ||
                    sockname_is_multicast(&membership->source)))
        return "has a source that is not the address of a host: [SOURCE@]GROUP[%INTERFACE]";
    if (at_sign && membership->source.storage.ss_family != membership->group.storage.ss_family)
        return "has a source of the other family than the group";
    if (group[length] && (!*interface || strlen(interface) >= IF_NAMESIZE))
        return "has no interface name after the %";
    memcpy(membership->interface, interface, strlen(interface) + 1);
    return NULL;
}

const char *memberships_add(struct memberships *memberships, const char *text)
{
    struct membership added, other;
    const char *wrong = membership_read(&added, text);
    if (wrong)
        return wrong;
    for (size_t i = 0; i < memberships->count; i++) {
        membership_read(&other, memberships->items[i]);
        if (!sockname_is_same(&other.group, &added.group) ||
            strcmp(other.interface, added.interface) != 0)
            continue;
        if (!other.source.length || !added.source.length)
            return "is given twice, or with and without a source";
        if (sockname_is_same(&other.source, &added.source))
            return "is given twice";
    }
    if (memberships->count == MEMBERSHIPS_MAX)
        return "is one group too many (64 at most)";
    memberships->items[memberships->count++] = text;
    return NULL;
}

bool memberships_have(const struct memberships *memberships, const struct sockname *group)
{
    struct membership membership;
    size_t length, other_length;
    const unsigned char *bytes = sockname_inet(group, &length);
    for (size_t i = 0; i < memberships->count; i++) {
        membership_read(&membership, memberships->items[i]);
        const unsigned char *other = sockname_inet(&membership.group, &other_length);
        if (length == other_length && memcmp(bytes, other, length) == 0)
            return true;
    }
    return false;
}

/* Joining */

/* Says why a group could not be joined, by errno. */
static const char *join_reason(const struct membership *membership, unsigned interface)
{
    const bool ipv6 = membership->group.storage.ss_family == AF_INET6;
    if (errno == ENODEV && !interface)
        return "no interface is known for this group (--interface NAME)";
    if (errno == ENOBUFS && membership->source.length)
        return ipv6 ? "too many sources (net.ipv6.mld_max_msf)"
                    : "too many sources of one group (net.ipv4.igmp_max_msf)";
    if (errno == ENOBUFS && !ipv6)
        return "too many groups for one socket (net.ipv4.igmp_max_memberships)";
    return strerror(errno);
}

/* Joins one group, on its own interface or the one named. Returns NULL, or why it cannot. */
static const char *membership_join(const struct membership *membership, int fd,
                                   const char *interface)
{
    unsigned index = sockname_zone(&membership->group);
    if (*membership->interface)
        interface = membership->interface;
    if (interface && !index)
        index = if_nametoindex(interface);
    if (interface && !index)
        return "there is no interface of that name";
    if (sock_join(fd, &membership->group, &membership->source, index))
        return join_reason(membership, index);
    /* Else a socket of all addresses hears whatever any other socket of this machine has joined. */
    if (membership->group.storage.ss_family == AF_INET)
        sock_set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    else
        sock_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    return NULL;
}

const char *multicast_join(int fd, const struct sockname *group, const char *interface)
{
    const struct membership membership = {.group = *group};
    return membership_join(&membership, fd, interface);
}

const char *memberships_join(const struct memberships *memberships, int fd, const char *interface,
                             const char **refused)
{
    int domain = AF_UNSPEC, only = 0;
    if (!memberships->count)
        return NULL;
    sock_get(fd, SOL_SOCKET, SO_DOMAIN, &domain);
    if (domain == AF_INET6)
        sock_get(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only);
    for (size_t i = 0; i < memberships->count; i++) {
        struct membership membership;
        membership_read(&membership, memberships->items[i]);
        const int family = membership.group.storage.ss_family;
        const char *wrong = family == AF_INET6 && domain == AF_INET
                                ? "a group of IPv6, and the socket is of IPv4"
                            : family == AF_INET && only
                                ? "a group of IPv4, and the socket is of IPv6"
                                : membership_join(&membership, fd, interface);
        *refused = memberships->items[i];
        if (wrong)
            return wrong;
    }
    *refused = NULL;
    return NULL;
}
