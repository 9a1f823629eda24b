/*
 * IPv4 addresses are written without snprintf(3), whose pages of libc stay out of a plain transfer.
 */
#include "sys/sockname.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>

#include "base/text.h"

static const struct sockaddr_in *as_ipv4(const struct sockname *name)
{
    return (const struct sockaddr_in *)(const void *)&name->storage;
}

static const struct sockaddr_in6 *as_ipv6(const struct sockname *name)
{
    return (const struct sockaddr_in6 *)(const void *)&name->storage;
}

static const struct sockaddr_vm *as_vsock(const struct sockname *name)
{
    return (const struct sockaddr_vm *)(const void *)&name->storage;
}

unsigned sockname_zone(const struct sockname *name)
{
    return name->storage.ss_family == AF_INET6 ? as_ipv6(name)->sin6_scope_id : 0;
}

void sockname_set_port(struct sockname *name, unsigned port)
{
    if (name->storage.ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)&name->storage)->sin_port = htons((uint16_t)port);
    else if (name->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&name->storage)->sin6_port = htons((uint16_t)port);
}

void sockname_set_inet(struct sockname *name, int family, const void *address, unsigned port)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    *name = (struct sockname){.length = family == AF_INET ? sizeof ipv4 : sizeof ipv6};
    if (family == AF_INET) {
        memcpy(&ipv4.sin_addr, address, sizeof ipv4.sin_addr);
        memcpy(&name->storage, &ipv4, sizeof ipv4);
    } else {
        memcpy(&ipv6.sin6_addr, address, sizeof ipv6.sin6_addr);
        memcpy(&name->storage, &ipv6, sizeof ipv6);
    }
    sockname_set_port(name, port);
}

const unsigned char *sockname_inet(const struct sockname *name, size_t *length)
{
    const struct in6_addr *ipv6 = &as_ipv6(name)->sin6_addr;
    *length = 4;
    if (name->storage.ss_family == AF_INET)
        return (const unsigned char *)&as_ipv4(name)->sin_addr;
    if (name->storage.ss_family != AF_INET6)
        return NULL;
    if (IN6_IS_ADDR_V4MAPPED(ipv6))
        return &ipv6->s6_addr[12];
    *length = sizeof *ipv6;
    return ipv6->s6_addr;
}

static void inet_text(const struct sockname *name, char *out)
{
    size_t length;
    const unsigned char *address = sockname_inet(name, &length);
    const unsigned zone_number = address && length > 4 ? as_ipv6(name)->sin6_scope_id : 0;
    if (address && length > 4) {
        char text[INET6_ADDRSTRLEN], zone[IF_NAMESIZE];
        inet_ntop(AF_INET6, address, text, sizeof text);
        if (!zone_number)
            snprintf(out, SOCKNAME_TEXT_MAX, "%s", text);
        else if (if_indextoname(zone_number, zone))
            snprintf(out, SOCKNAME_TEXT_MAX, "%s%%%s", text, zone);
        else
            snprintf(out, SOCKNAME_TEXT_MAX, "%s%%%u", text, zone_number);
        return;
    }
    for (size_t i = 0; address && i < length; i++) {
        if (i)
            *out++ = '.';
        out = text_put_number(out, address[i]);
    }
}

/* Writes the bytes of an abstract name, which may be any, with '@' for a NUL, as ss(8) shows them; those of a path, which
 * has a NUL at its end or, if it fills the array, none. */
static void unix_text(const struct sockname *name, char *out)
{
    const struct sockaddr_un *sun = (const void *)&name->storage;
    size_t start = offsetof(struct sockaddr_un, sun_path);
    size_t length = name->length > start ? name->length - start : 0;
    if (length > sizeof sun->sun_path)
        length = sizeof sun->sun_path;
    if (length && sun->sun_path[0])
        length = strnlen(sun->sun_path, length);
    memcpy(out, sun->sun_path, length);
    out[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (!out[i])
            out[i] = '@';
}

void sockname_of_text(struct sockname *name, const char *text)
{
    enum { KEPT = 100 }; /* and a NUL; they stand behind the family */
    *name = (struct sockname){.length = 0};
    memcpy((char *)&name->storage + sizeof(sa_family_t), text, strnlen(text, KEPT));
}

char *sockname_host(const struct sockname *name, char *out)
{
    *out = '\0';
    if (name->storage.ss_family == AF_UNIX)
        unix_text(name, out);
    else if (name->storage.ss_family == AF_VSOCK && as_vsock(name)->svm_cid == VMADDR_CID_ANY)
        stpcpy(out, "*");
    else if (name->storage.ss_family == AF_VSOCK)
        text_put_number(out, as_vsock(name)->svm_cid);
    else
        inet_text(name, out);
    return out;
}

unsigned sockname_port(const struct sockname *name)
{
    if (name->protocol)
        return 0;
    switch (name->storage.ss_family) {
    case AF_INET:
        return ntohs(as_ipv4(name)->sin_port);
    case AF_INET6:
        return ntohs(as_ipv6(name)->sin6_port);
    case AF_VSOCK:
        return as_vsock(name)->svm_port;
    default:
        return 0;
    }
}

char *sockname_text(const struct sockname *name, char *out)
{
    enum { HOST_MAX = SOCKNAME_TEXT_MAX - 32 }; /* what a host can be, and less than fits */
    char host[SOCKNAME_TEXT_MAX];
    unsigned port = sockname_port(name);
    sa_family_t family = name->storage.ss_family;
    const char *text = (const char *)&name->storage + sizeof family; /* see sockname_of_text */
    sockname_host(name, host);
    const char *open = strchr(host, ':') ? "[" : "", *close = *open ? "]" : "";
    if (name->protocol == SOCKNAME_PING)
        snprintf(out, SOCKNAME_TEXT_MAX, "icmp:%s%.*s%s", open, HOST_MAX, host, close);
    else if (name->protocol)
        snprintf(out, SOCKNAME_TEXT_MAX, "raw:%d:%s%.*s%s", name->protocol, open, HOST_MAX, host,
                 close);
    else if (family == AF_UNIX)
        snprintf(out, SOCKNAME_TEXT_MAX, "unix:%.*s", HOST_MAX, *host ? host : "(unnamed)");
    else if (family == AF_VSOCK)
        snprintf(out, SOCKNAME_TEXT_MAX, "vsock:%.*s:%u", HOST_MAX, host, port);
    else if (family != AF_INET && family != AF_INET6)
        snprintf(out, SOCKNAME_TEXT_MAX, "%s", family == AF_UNSPEC && *text ? text : "unnamed");
    else if (strcmp(host, "::") == 0)
        snprintf(out, SOCKNAME_TEXT_MAX, "*:%u", port);
    else if (strchr(host, ':'))
        snprintf(out, SOCKNAME_TEXT_MAX, "[%.*s]:%u", HOST_MAX, host, port);
    else
        text_put_number(stpcpy(stpcpy(out, host), ":"), port);
    return out;
}

char *sockname_struct(const struct sockname *name, char *out)
{
    enum { HOST_MAX = SOCKNAME_TEXT_MAX - 32 }; /* as above */
    char host[SOCKNAME_TEXT_MAX], scope[32] = "";
    const unsigned port = sockname_port(name);
    switch (name->storage.ss_family) {
    case AF_INET:
        snprintf(out, SOCKNAME_TEXT_MAX, "{AF_INET, %.*s, port %u}", HOST_MAX,
                 sockname_host(name, host), port);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &as_ipv6(name)->sin6_addr, host, sizeof host);
        if (as_ipv6(name)->sin6_scope_id)
            snprintf(scope, sizeof scope, ", scope_id %u", as_ipv6(name)->sin6_scope_id);
        snprintf(out, SOCKNAME_TEXT_MAX, "{AF_INET6, %.*s, port %u%s}", HOST_MAX - 32, host, port,
                 scope);
        break;
    case AF_UNIX:
        if (*sockname_host(name, host))
            snprintf(out, SOCKNAME_TEXT_MAX, "{AF_UNIX, \"%.*s\"}", HOST_MAX, host);
        else
            stpcpy(out, "{AF_UNIX}");
        break;
    case AF_VSOCK:
        snprintf(out, SOCKNAME_TEXT_MAX, "{AF_VSOCK, cid %.*s, port %u}", HOST_MAX - 32,
                 sockname_host(name, host), port);
        break;
    default:
        stpcpy(out, "NULL");
    }
    return out;
}

bool sockname_is_inet(const struct sockname *name)
{
    return name->storage.ss_family == AF_INET || name->storage.ss_family == AF_INET6;
}

bool sockname_is_loopback(const struct sockname *name)
{
    size_t length;
    const unsigned char *address = sockname_inet(name, &length);
    return address && (length == 4 ? *address == IN_LOOPBACKNET
                                   : memcmp(address, &in6addr_loopback, length) == 0);
}

bool sockname_is_multicast(const struct sockname *name)
{
    size_t length;
    const unsigned char *address = sockname_inet(name, &length);
    return address && (length == 4 ? *address >> 4 == 0xe : *address == 0xff);
}

bool sockname_lacks_zone(const struct sockname *name)
{
    return name->storage.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LINKLOCAL(&as_ipv6(name)->sin6_addr) && !as_ipv6(name)->sin6_scope_id;
}

bool sockname_is_same(const struct sockname *one, const struct sockname *other)
{
    return one->length == other->length && memcmp(&one->storage, &other->storage, one->length) == 0;
}

uint64_t sockname_hash(const struct sockname *name, uint64_t seed)
{
    const unsigned char *bytes = (const unsigned char *)&name->storage;
    uint64_t hash = seed;
    for (socklen_t i = 0; i < name->length; i++)
        hash = (hash ^ bytes[i]) * 1099511628211U;
    return hash;
}
