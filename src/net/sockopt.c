/*
 * The options that a user chooses for a socket.
 *
 * sockopt_apply has one table that says for each option which setsockopt(2) calls it comes to; sockopt_open makes a
 * socket and sets what every socket of ours gets besides.
 */
#include "net/sockopt.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

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

static int64_t flag(bool given)
{
    return given ? 1 : -1;
}

static int64_t seconds(int64_t ms)
{
    return ms > 0 ? (ms + 999) / 1000 : -1;
}

/* Between two probes. */
static int64_t probe_seconds(int64_t ms)
{
    return seconds(ms > 0 ? (ms + KEEPALIVE_PROBES - 1) / KEEPALIVE_PROBES : ms);
}

static int64_t probe_count(int64_t ms)
{
    return ms > 0 ? (seconds(ms) + probe_seconds(ms) - 1) / probe_seconds(ms) : -1;
}

/* An idle peer has to answer the probes in time, and any one to acknowledge what it was sent. */
static int64_t user_timeout(int64_t ms)
{
    return ms > 0 ? 2000 * seconds(ms) : -1;
}

/* The kernel gives less without a word where its limit is lower. */
static void tell_buffer(int fd, const struct setting *setting)
{
    int given;
    if (setting->level != SOL_SOCKET ||
        (setting->name != SO_RCVBUF && setting->name != SO_SNDBUF) ||
        log_setting.verbosity < LOG_LEVEL_INFO || sock_get(fd, SOL_SOCKET, setting->name, &given))
        return;
    if (given / 2 < setting->value)
        log_warning("%s: the system gives no more than %d bytes", setting->option, given / 2);
}

static const char *apply_all(const struct setting *settings, int fd)
{
    for (; settings->option; settings++) {
        if (settings->value < 0)
            continue;
        if (sock_set(fd, settings->level, settings->name, (int)settings->value))
            return settings->option;
        tell_buffer(fd, settings);
    }
    return NULL;
}

const char *sockopt_apply(const struct sockopt *options, int fd, int family, enum sockopt_use use)
{
    if (!options)
        return NULL;
    /* A server's IPv6 socket may get IPv4 clients: then the options of both count. */
    bool ipv6 = family == AF_INET6;
    const struct setting settings[] = {
        {"--rcvbuf", SOL_SOCKET, SO_RCVBUF, buffer_size(options->rcvbuf)},
        {"--sndbuf", SOL_SOCKET, SO_SNDBUF, buffer_size(options->sndbuf)},
        {"--mark", SOL_SOCKET, SO_MARK, options->mark},
        {"--broadcast", SOL_SOCKET, SO_BROADCAST, flag(options->broadcast)},
        {"--ttl", IPPROTO_IP, IP_TTL, options->ttl},
        {"--ttl", IPPROTO_IPV6, IPV6_UNICAST_HOPS, ipv6 ? options->ttl : -1},
        {"--tos", IPPROTO_IP, IP_TOS, options->tos},
        {"--tos", IPPROTO_IPV6, IPV6_TCLASS, ipv6 ? options->tos : -1},
        {"--no-delay", IPPROTO_TCP, TCP_NODELAY, flag(options->no_delay)},
        {"--keepalive", SOL_SOCKET, SO_KEEPALIVE, flag(options->keepalive_ms >= 0)},
        {"--keepalive", IPPROTO_TCP, TCP_KEEPIDLE, seconds(options->keepalive_ms)},
        {"--keepalive", IPPROTO_TCP, TCP_KEEPINTVL, probe_seconds(options->keepalive_ms)},
        {"--keepalive", IPPROTO_TCP, TCP_KEEPCNT, probe_count(options->keepalive_ms)},
        {"--keepalive", IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout(options->keepalive_ms)},
        {"--fastopen", IPPROTO_TCP, use == SOCKOPT_LISTEN ? TCP_FASTOPEN : TCP_FASTOPEN_CONNECT,
         !options->fastopen || use == SOCKOPT_ACCEPTED ? -1
         : use == SOCKOPT_LISTEN                       ? FASTOPEN_QUEUE
                                                       : 1},
        {0}};
    if (options->interface && sock_set_interface(fd, options->interface))
        return "--interface";
    return apply_all(settings, fd);
}

int sockopt_open(const struct sockopt *options, int family, int socktype, enum sockopt_use use,
                 const char **refused)
{
    bool mptcp = options && options->mptcp;
    int fd = sock_open(family, socktype, mptcp ? IPPROTO_MPTCP : 0);
    *refused = fd < 0 && mptcp ? "--mptcp" : NULL;
    if (fd < 0)
        return -1;
    /* A byte that is urgent has its place among the others; without this it would be lost. */
    if (options && !mptcp && socktype == SOCK_STREAM && (family == AF_INET || family == AF_INET6))
        sock_set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    /* The kernel gives what it may, and no error. */
    if (options && !options->rcvbuf && socktype == SOCK_DGRAM && family != AF_UNIX)
        sock_set(fd, SOL_SOCKET, SO_RCVBUF, DATAGRAM_RCVBUF);
    *refused = sockopt_apply(options, fd, family, use);
    if (!*refused)
        return fd;
    sock_close(fd);
    return -1;
}
