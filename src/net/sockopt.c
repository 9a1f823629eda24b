/*
 * The options that a user chooses for a socket.
 *
 * sockopt_apply has one table that says for each option which setsockopt(2) calls it comes to; sockopt_open makes a
 * socket and sets what every socket of ours gets besides.
 */
#include "net/sockopt.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/log.h"
#include "sys/sock.h"

#ifndef IPPROTO_MPTCP /* libcs older than the protocol */
#define IPPROTO_MPTCP 262
#endif

enum {
    KEEPALIVE_PROBES = 4,     /* in the second half of the time in which a peer has to answer */
    FASTOPEN_QUEUE = 1024,    /* clients whose handshake is not complete; the backlog limits too */
    DATAGRAM_RCVBUF = 4 << 20 /* where nothing slows the sender down, room for a burst */
};

struct setting {
    const char *option;
    int level;
    int name;
    int64_t value; /* -1: not asked for */
};

static int64_t buffer_size(uint64_t size)
{
    if (!size)
        return -1;
    return size < INT_MAX / 2 ? (int64_t)size : INT_MAX / 2; /* the kernel doubles it: socket(7) */
}

/* Warns of a buffer that is smaller than asked for: the kernel says nothing where its limit is lower. */
static void warn_of_small_buffer(int fd, const struct setting *setting)
{
    const bool is_buffer = setting->level == SOL_SOCKET &&
                           (setting->name == SO_RCVBUF || setting->name == SO_SNDBUF);
    int given;
    if (is_buffer && log_setting.verbosity >= LOG_LEVEL_INFO &&
        sock_get(fd, SOL_SOCKET, setting->name, &given) == 0 && given / 2 < setting->value)
        log_warning("%s: the system gives no more than %d bytes", setting->option, given / 2);
}

/* Returns the value of an option that is to be set, or not. */
static int64_t if_set(bool is_set, int64_t value)
{
    return is_set ? value : -1;
}

/* Binds to the interface, and sends what is for groups there. */
static int apply_interface(const char *name, int fd, int family, int socktype)
{
    if (!name)
        return 0;
    if (sock_set_interface(fd, name))
        return -1;
    return socktype == SOCK_STREAM ? 0 : sock_set_group_interface(fd, family, if_nametoindex(name));
}

const char *sockopt_apply(const struct sockopt *options, int fd, int family, enum sockopt_use use)
{
    if (!options)
        return NULL;
    /* An idle peer has to answer the probes in time, and any one to acknowledge what it was sent. */
    const bool keepalive = options->keepalive_ms > 0;
    const int64_t keepalive_ms = options->keepalive_ms;
    const int64_t idle_s = (keepalive_ms + 999) / 1000;
    const int64_t interval_s = ((keepalive_ms + KEEPALIVE_PROBES - 1) / KEEPALIVE_PROBES + 999) /
                               1000;
    const int64_t probes = interval_s ? (idle_s + interval_s - 1) / interval_s : 0;
    /* A server's IPv6 socket may get IPv4 clients: then the options of both count. */
    const bool ipv6 = family == AF_INET6;
    int socktype = SOCK_STREAM;
    /* A group has hops of its own, which only datagrams know. */
    if (options->ttl >= 0 || options->tos >= 0 || options->interface)
        sock_get(fd, SOL_SOCKET, SO_TYPE, &socktype);
    const int64_t group_ttl = socktype != SOCK_STREAM ? options->ttl : -1;
    const bool ipv4 = !ipv6 || socktype != SOCK_RAW; /* a raw socket has one family's alone */
    const struct setting settings[] = {
        {"--rcvbuf", SOL_SOCKET, SO_RCVBUF, buffer_size(options->rcvbuf)},
        {"--sndbuf", SOL_SOCKET, SO_SNDBUF, buffer_size(options->sndbuf)},
        {"--mark", SOL_SOCKET, SO_MARK, options->mark},
        {"--broadcast", SOL_SOCKET, SO_BROADCAST, if_set(options->broadcast, 1)},
        {"--ttl", IPPROTO_IP, IP_TTL, if_set(ipv4, options->ttl)},
        {"--ttl", IPPROTO_IPV6, IPV6_UNICAST_HOPS, if_set(ipv6, options->ttl)},
        {"--ttl", IPPROTO_IP, IP_MULTICAST_TTL, if_set(ipv4, group_ttl)},
        {"--ttl", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, if_set(ipv6, group_ttl)},
        {"--no-loopback", IPPROTO_IP, IP_MULTICAST_LOOP, if_set(ipv4 && options->no_loopback, 0)},
        {"--no-loopback", IPPROTO_IPV6, IPV6_MULTICAST_LOOP,
         if_set(ipv6 && options->no_loopback, 0)},
        {"--tos", IPPROTO_IP, IP_TOS, if_set(ipv4, options->tos)},
        {"--tos", IPPROTO_IPV6, IPV6_TCLASS, if_set(ipv6, options->tos)},
        {"--ip-header", IPPROTO_IP, IP_HDRINCL, if_set(options->ip_header, 1)},
        {"--no-delay", IPPROTO_TCP, TCP_NODELAY, if_set(options->no_delay, 1)},
        {"--keepalive", SOL_SOCKET, SO_KEEPALIVE, if_set(keepalive_ms >= 0, 1)},
        {"--keepalive", IPPROTO_TCP, TCP_KEEPIDLE, if_set(keepalive, idle_s)},
        {"--keepalive", IPPROTO_TCP, TCP_KEEPINTVL, if_set(keepalive, interval_s)},
        {"--keepalive", IPPROTO_TCP, TCP_KEEPCNT, if_set(keepalive, probes)},
        {"--keepalive", IPPROTO_TCP, TCP_USER_TIMEOUT, if_set(keepalive, 2000 * idle_s)},
        {"--fastopen", IPPROTO_TCP, use == SOCKOPT_LISTEN ? TCP_FASTOPEN : TCP_FASTOPEN_CONNECT,
         !options->fastopen || use == SOCKOPT_ACCEPTED ? -1
         : use == SOCKOPT_LISTEN                       ? FASTOPEN_QUEUE
                                                       : 1}};
    if (apply_interface(options->interface, fd, family, socktype))
        return "--interface";
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct setting *setting = &settings[i];
        if (setting->value < 0)
            continue;
        if (sock_set(fd, setting->level, setting->name, (int)setting->value))
            return setting->option;
        warn_of_small_buffer(fd, setting);
    }
    return NULL;
}

static int ip_protocol(const struct sockname *name)
{
    if (name->protocol != SOCKNAME_PING)
        return name->protocol;
    return name->storage.ss_family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

const char *sockopt_refusal(const struct sockname *name, int errnum)
{
    if (errnum == EACCES && name->protocol == SOCKNAME_PING)
        return "Permission denied (net.ipv4.ping_group_range has to have one of your groups)";
    if (errnum == EPERM && name->protocol)
        return "Operation not permitted (raw sockets need CAP_NET_RAW, which root has)";
    return strerror(errnum);
}

int sockopt_open(const struct sockopt *options, const struct sockname *name, int socktype,
                 enum sockopt_use use, const char **refused)
{
    const int family = name->storage.ss_family;
    bool mptcp = options && options->mptcp;
    int fd = sock_open(family, socktype, mptcp ? IPPROTO_MPTCP : ip_protocol(name));
    *refused = fd < 0 && mptcp ? "--mptcp" : NULL;
    if (fd < 0)
        return -1;
    /* A byte that is urgent has its place among the others; without this it would be lost. */
    if (options && !mptcp && socktype == SOCK_STREAM && (family == AF_INET || family == AF_INET6))
        sock_set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    /* The kernel gives what it may, and no error. */
    if (options && !options->rcvbuf && (socktype == SOCK_DGRAM || socktype == SOCK_RAW) &&
        family != AF_UNIX)
        sock_set(fd, SOL_SOCKET, SO_RCVBUF, DATAGRAM_RCVBUF);
    *refused = sockopt_apply(options, fd, family, use);
    if (!*refused)
        return fd;
    sock_close(fd);
    return -1;
}
