#include "sys/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sys/trace.h"

enum {
    SOCK_SNDBUF_LOCK = 1,      /* of SO_BUF_LOCK: the kernel does not export it to libc */
    STREAM_SNDBUF = 512 * 1024 /* the kernel doubles it: socket(7) */
};

static const struct sockaddr *const_sockaddr(const struct sockname *name)
{
    return (const struct sockaddr *)(const void *)&name->storage;
}

/* Made ready for a call that fills it in: a peer without a name leaves it as it is. */
static struct sockaddr *empty_sockaddr(struct sockname *name)
{
    name->storage.ss_family = AF_UNSPEC;
    name->length = sizeof name->storage;
    return (struct sockaddr *)(void *)&name->storage;
}

int sock_open(int family, int socktype, int protocol)
{
    int fd = socket(family, socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    TRACE(fd, "socket(%s, %s, %s)", trace_family(family), trace_socktype(socktype),
          trace_protocol(protocol));
    return fd;
}

int sock_bind(int fd, const struct sockname *name)
{
    int result = bind(fd, const_sockaddr(name), name->length);
    TRACE(result, "bind(%d, %s)", fd, TEXT_OF(name));
    return result;
}

int sock_listen(int fd, int backlog)
{
    int result = listen(fd, backlog);
    TRACE(result, "listen(%d, %d)", fd, backlog);
    return result;
}

int sock_accept(int fd, struct sockname *peer)
{
    int client;
    do
        client = accept4(fd, empty_sockaddr(peer), &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (client < 0 && errno == EINTR);
    TRACE(client, "accept(%d, %s)", fd, client < 0 ? "NULL" : TEXT_OF(peer));
    return client;
}

int sock_connect(int fd, const struct sockname *name)
{
    int result = connect(fd, const_sockaddr(name), name->length);
    /* An interrupted connect goes on by itself, see connect(2), which the second call finds. */
    if (result < 0 && errno == EINTR)
        result = connect(fd, const_sockaddr(name), name->length);
    if (result < 0 && errno == EALREADY)
        errno = EINPROGRESS;
    TRACE(result, "connect(%d, %s)", fd, TEXT_OF(name));
    return result;
}

int sock_shutdown(int fd, int how)
{
    int result = shutdown(fd, how);
    TRACE(result, "shutdown(%d, %s)", fd, trace_how(how));
    return result;
}

void sock_close(int fd)
{
    int saved = errno;
    /* Linux has closed it even where it says EINTR: never twice. */
    int result = close(fd);
    TRACE(result, "close(%d)", fd);
    errno = saved;
}

void sock_abort(int fd)
{
    sock_reset_on_close(fd);
    sock_close(fd);
}

static ssize_t receive(int fd, void *buffer, size_t room, int flags, const char *shown)
{
    ssize_t length;
    do
        length = recv(fd, buffer, room, flags | MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    TRACE(length, "recv(%d, %zu%s)", fd, room, shown);
    return length;
}

ssize_t sock_recv(int fd, void *buffer, size_t room)
{
    return receive(fd, buffer, room, 0, "");
}

ssize_t sock_discard(int fd, void *buffer, size_t room)
{
    return receive(fd, buffer, room, MSG_TRUNC, ", MSG_TRUNC");
}

ssize_t sock_peek(int fd, void *buffer, size_t room)
{
    return receive(fd, buffer, room, MSG_PEEK, ", MSG_PEEK");
}

ssize_t sock_send(int fd, const void *bytes, size_t length)
{
    ssize_t sent;
    do
        sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    TRACE(sent, "send(%d, %zu)", fd, length);
    return sent;
}

ssize_t sock_send_urgent(int fd, char byte)
{
    ssize_t sent;
    do
        sent = send(fd, &byte, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    TRACE(sent, "send(%d, 1, MSG_OOB)", fd);
    return sent;
}

ssize_t sock_send_to(int fd, const void *bytes, size_t length, const struct sockname *to)
{
    if (!to)
        return sock_send(fd, bytes, length);
    ssize_t sent;
    do
        sent = sendto(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, const_sockaddr(to),
                      to->length);
    while (sent < 0 && errno == EINTR);
    TRACE(sent, "sendto(%d, %zu, %s)", fd, length, TEXT_OF(to));
    return sent;
}

int sock_set(int fd, int level, int option, int value)
{
    int result = setsockopt(fd, level, option, &value, sizeof value);
    TRACE(result, "setsockopt(%d, %s, %s, %d)", fd, trace_level(level), trace_option(level, option),
          value);
    return result;
}

bool sock_is_tcp(int fd)
{
    int protocol;
    if (sock_get(fd, SOL_SOCKET, SO_PROTOCOL, &protocol))
        return false;
    return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

void sock_make_room(int fd)
{
    int domain, chosen, room;
    if (sock_get(fd, SOL_SOCKET, SO_DOMAIN, &domain) == 0 && domain == AF_UNIX &&
        sock_get(fd, SOL_SOCKET, SO_BUF_LOCK, &chosen) == 0 && !(chosen & SOCK_SNDBUF_LOCK) &&
        sock_get(fd, SOL_SOCKET, SO_SNDBUF, &room) == 0 && room < 2 * STREAM_SNDBUF)
        sock_set(fd, SOL_SOCKET, SO_SNDBUF, STREAM_SNDBUF);
}

int sock_reset_on_close(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int result = setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    TRACE(result, "setsockopt(%d, SOL_SOCKET, SO_LINGER, {1, 0})", fd);
    return result;
}

void sock_ask_destination(int fd, int family)
{
    if (family == AF_INET)
        sock_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    else if (family == AF_INET6)
        sock_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    /* What IPv4 sends to an IPv6 socket may have gone to a broadcast address, which looks like any
     * other: here the kernel says which address of ours would answer. */
    if (family == AF_INET6)
        sock_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

int sock_set_interface(int fd, const char *name)
{
    int result = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
    TRACE(result, "setsockopt(%d, SOL_SOCKET, SO_BINDTODEVICE, %s)", fd, name);
    return result;
}

int sock_get(int fd, int level, int option, int *value)
{
    socklen_t length = sizeof *value;
    int result = getsockopt(fd, level, option, value, &length);
    TRACE(result, "getsockopt(%d, %s, %s, [%d])", fd, trace_level(level),
          trace_option(level, option), result < 0 ? 0 : *value);
    return result;
}

int sock_error(int fd)
{
    int pending = 0;
    socklen_t length = sizeof pending;
    int result = getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &length);
    TRACE(result, "getsockopt(%d, SOL_SOCKET, SO_ERROR, [%s])", fd,
          pending ? trace_errno(pending) : "0");
    return result < 0 ? errno : pending;
}

int sock_name(int fd, struct sockname *name)
{
    int result = getsockname(fd, empty_sockaddr(name), &name->length);
    TRACE(result, "getsockname(%d, %s)", fd, result < 0 ? "NULL" : TEXT_OF(name));
    return result;
}

int sock_peer(int fd, struct sockname *name)
{
    int result = getpeername(fd, empty_sockaddr(name), &name->length);
    TRACE(result, "getpeername(%d, %s)", fd, result < 0 ? "NULL" : TEXT_OF(name));
    return result;
}

int sock_credentials(int fd, struct ucred *credentials)
{
    socklen_t length = sizeof *credentials;
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, &length);
    TRACE(result, "getsockopt(%d, SOL_SOCKET, SO_PEERCRED, {pid=%d, uid=%u, gid=%u})", fd,
          result < 0 ? 0 : (int)credentials->pid, result < 0 ? 0 : (unsigned)credentials->uid,
          result < 0 ? 0 : (unsigned)credentials->gid);
    return result;
}

int sock_unread(int fd)
{
    int bytes = 0;
    /* SIOCOUTQ by the name under which libc knows it. */
    int result = ioctl(fd, TIOCOUTQ, &bytes);
    TRACE(result, "ioctl(%d, SIOCOUTQ, [%d])", fd, bytes);
    return result < 0 ? -1 : bytes;
}

int sock_unacknowledged(int fd)
{
    return sock_is_tcp(fd) ? sock_unread(fd) : -1;
}

void sock_trace_splice(int in, int out, size_t length, ssize_t moved)
{
    TRACE(moved, "splice(%d, %d, %zu)", in, out, length);
}

int sock_tcp(int fd, struct sock_tcp *tcp)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (!sock_is_tcp(fd))
        return -1;
    int result = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    *tcp = (struct sock_tcp){.rtt_us = info.tcpi_rtt,
                             .retransmits = info.tcpi_total_retrans,
                             .unacknowledged = info.tcpi_unacked,
                             .asking = info.tcpi_retransmits || info.tcpi_probes,
                             .last_ack_ms = info.tcpi_last_ack_recv};
    TRACE(result, "getsockopt(%d, IPPROTO_TCP, TCP_INFO, [rtt=%u, total_retrans=%u])", fd,
          tcp->rtt_us, tcp->retransmits);
    return result;
}
