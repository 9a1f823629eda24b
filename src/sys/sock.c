/*
 * Each call is made here alone, so that each is shown at -vv; first those that have the bytes and nothing beside them, then
 * sendmsg(2) and recvmsg(2). What a message comes with is read once and scrubbed: packet info is kept, descriptors are
 * closed unless they were asked for.
 */
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <linux/errqueue.h>

#include "sys/trace.h"

enum {
    SOCK_SNDBUF_LOCK = 1,      /* of SO_BUF_LOCK: the kernel does not export it to libc */
    STREAM_SNDBUF = 512 * 1024 /* the kernel doubles it: socket(7) */
};

static const struct sockaddr *const_sockaddr(const struct sockname *name)
{
    return (const struct sockaddr *)(const void *)&name->storage;
}

/* Empties a name for a call that fills it in: a peer without a name leaves it as it is. */
static struct sockaddr *empty_sockaddr(struct sockname *name)
{
    name->storage.ss_family = AF_UNSPEC;
    name->length = sizeof name->storage;
    name->protocol = 0;
    return (struct sockaddr *)(void *)&name->storage;
}

int sock_open(int family, int socktype, int protocol)
{
    int fd = socket(family, socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    TRACE_CALL(fd, EVENT(.kind = TRACE_SOCKET, .fd = fd, .option = family, .value = socktype),
               "socket(%s, %s|SOCK_NONBLOCK|SOCK_CLOEXEC, %s)", trace_name(TRACE_FAMILY, family),
               trace_name(TRACE_SOCKTYPE, socktype),
               trace_protocol(protocol, (char[TRACE_NUMBER_MAX]){""}));
    return fd;
}

int sock_bind(int fd, const struct sockname *name)
{
    int result = bind(fd, const_sockaddr(name), name->length);
    TRACE_CALL(result, EVENT(.kind = TRACE_BIND, .fd = fd, .name = name), "bind(%d, %s, %u)", fd,
               SOCKADDR_OF(name), name->length);
    return result;
}

int sock_listen(int fd, int backlog)
{
    int result = listen(fd, backlog);
    TRACE_CALL(result, EVENT(.kind = TRACE_LISTEN, .fd = fd, .value = backlog), "listen(%d, %d)",
               fd, backlog);
    return result;
}

int sock_accept(int fd, struct sockname *peer)
{
    int client;
    do
        client = accept4(fd, empty_sockaddr(peer), &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (client < 0 && errno == EINTR);
    TRACE_TRY(client, EVENT(.kind = TRACE_ACCEPT, .fd = fd, .name = peer),
              "accept4(%d, %s, [%u], SOCK_NONBLOCK|SOCK_CLOEXEC)", fd,
              client < 0 ? "NULL" : SOCKADDR_OF(peer), client < 0 ? 0 : peer->length);
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
    TRACE_CALL(result, EVENT(.kind = TRACE_CONNECT, .fd = fd, .name = name), "connect(%d, %s, %u)",
               fd, SOCKADDR_OF(name), name->length);
    return result;
}

int sock_shutdown(int fd, int how)
{
    int result = shutdown(fd, how);
    TRACE_CALL(result, EVENT(.kind = TRACE_SHUTDOWN, .fd = fd, .value = how), "shutdown(%d, %s)",
               fd, trace_name(TRACE_HOW, how));
    return result;
}

bool sock_look(int fd, struct sock_record *record)
{
    const int saved = errno;
    struct tcp_info info = {0};
    socklen_t length = sizeof info, size = sizeof(int);
    *record = (struct sock_record){0};
    const bool is_socket = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &record->family, &size) == 0 &&
                           getsockopt(fd, SOL_SOCKET, SO_TYPE, &record->socktype, &size) == 0 &&
                           getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &record->protocol, &size) == 0;
    if (is_socket && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
        record->tcp_state = info.tcpi_state;
        record->backlog = info.tcpi_sacked;
        record->retransmits = info.tcpi_retransmits;
    }
    errno = saved;
    return is_socket;
}

/* Fills in, beside the record, whether close(2) will throw away bytes that nobody has read. */
static void sock_look_before_close(int fd, struct sock_record *record)
{
    const int saved = errno;
    char byte;
    if (sock_look(fd, record) && record->tcp_state && record->tcp_state != TCP_LISTEN)
        record->has_unread = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    errno = saved;
}

void sock_close(int fd)
{
    int saved = errno;
    struct sock_record before = {0};
    if (log_setting.verbosity >= LOG_LEVEL_TRACE)
        sock_look_before_close(fd, &before);
    /* Linux has closed it even where it says EINTR: never twice. */
    int result = close(fd);
    TRACE_CALL(result, EVENT(.kind = TRACE_CLOSE, .fd = fd, .before = &before), "close(%d)", fd);
    errno = saved;
}

void sock_abort(int fd)
{
    sock_reset_on_close(fd);
    sock_close(fd);
}

ssize_t sock_recv_flags(int fd, void *buffer, size_t room, int flags)
{
    ssize_t length;
    do
        length = recv(fd, buffer, room, flags | MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    TRACE_TRY(length,
              EVENT(.kind = TRACE_RECV, .fd = fd, .bytes = buffer, .length = room, .value = flags),
              "recv(%d, %s, %zu, MSG_DONTWAIT%s)", fd,
              flags == MSG_TRUNC ? "NULL" : DATA_OF(buffer, length), room,
              flags == MSG_PEEK    ? "|MSG_PEEK"
              : flags == MSG_TRUNC ? "|MSG_TRUNC"
                                   : "");
    return length;
}

int sock_set_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int sock_pair(int pair[2])
{
    int result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    TRACE(result, "socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [%d, %d])",
          result < 0 ? -1 : pair[0], result < 0 ? -1 : pair[1]);
    if (result == 0)
        fcntl(pair[0], F_SETFL, O_NONBLOCK);
    return result;
}

ssize_t sock_recv(int fd, void *buffer, size_t room)
{
    return sock_recv_flags(fd, buffer, room, 0);
}

ssize_t sock_send(int fd, const void *bytes, size_t length)
{
    return sock_send_private(fd, bytes, length, length);
}

ssize_t sock_send_private(int fd, const void *bytes, size_t length, size_t shown)
{
    ssize_t sent;
    do
        sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    TRACE_TRY(sent,
              EVENT(.kind = TRACE_SEND, .fd = fd, .bytes = shown < length ? NULL : bytes,
                    .length = length),
              "send(%d, %s%s, %zu, MSG_DONTWAIT|MSG_NOSIGNAL)", fd,
              DATA_OF(bytes, (ssize_t)(shown < length ? shown : length)),
              shown < length ? "... (not shown: credentials)" : "", length);
    return sent;
}

ssize_t sock_send_urgent(int fd, char byte)
{
    ssize_t sent;
    do
        sent = send(fd, &byte, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    TRACE_TRY(sent,
              EVENT(.kind = TRACE_SEND, .fd = fd, .bytes = &byte, .length = 1, .value = MSG_OOB),
              "send(%d, %s, 1, MSG_OOB|MSG_DONTWAIT|MSG_NOSIGNAL)", fd, DATA_OF(&byte, 1));
    return sent;
}

ssize_t sock_send_to(int fd, const void *bytes, size_t length, const struct sockname *to)
{
    ssize_t sent;
    do
        sent = sendto(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, const_sockaddr(to),
                      to->length);
    while (sent < 0 && errno == EINTR);
    TRACE_TRY(sent,
              EVENT(.kind = TRACE_SENDTO, .fd = fd, .name = to, .bytes = bytes, .length = length),
              "sendto(%d, %s, %zu, MSG_DONTWAIT|MSG_NOSIGNAL, %s, %u)", fd,
              DATA_OF(bytes, (ssize_t)length), length, SOCKADDR_OF(to), to->length);
    return sent;
}

int sock_set(int fd, int level, int option, int value)
{
    int result = setsockopt(fd, level, option, &value, sizeof value);
    TRACE_AT(trace_is_detail(level, option) ? LOG_LEVEL_DETAIL : LOG_LEVEL_TRACE, result,
             EVENT(.kind = TRACE_SETSOCKOPT, .fd = fd, .level = level, .option = option,
                   .value = value),
             "setsockopt(%d, %s, %s, [%d], 4)", fd, trace_name(TRACE_LEVEL, level),
             trace_option(level, option), value);
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
    TRACE_CALL(result,
               EVENT(.kind = TRACE_SETSOCKOPT, .fd = fd, .level = SOL_SOCKET, .option = SO_LINGER),
               "setsockopt(%d, SOL_SOCKET, SO_LINGER, {1, 0}, 8)", fd);
    return result;
}

int sock_join(int fd, const struct sockname *group, const struct sockname *source,
              unsigned interface)
{
    const int level = group->storage.ss_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    struct group_source_req request = {.gsr_interface = interface};
    struct group_req any = {.gr_interface = interface};
    memcpy(&any.gr_group, &group->storage, group->length);
    memcpy(&request.gsr_group, &group->storage, group->length);
    memcpy(&request.gsr_source, &source->storage, source->length);
    const int result = source->length ? setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &request,
                                                   sizeof request)
                                      : setsockopt(fd, level, MCAST_JOIN_GROUP, &any, sizeof any);
    TRACE_CALL(result, EVENT(.kind = TRACE_JOIN, .fd = fd, .name = group),
               "setsockopt(%d, %s, %s, {interface %u, %s%s%s})", fd, trace_name(TRACE_LEVEL, level),
               source->length ? "MCAST_JOIN_SOURCE_GROUP" : "MCAST_JOIN_GROUP", interface,
               SOCKADDR_OF(group), source->length ? ", " : "",
               source->length ? SOCKADDR_OF(source) : "");
    return result;
}

int sock_set_group_interface(int fd, int family, unsigned interface)
{
    const struct ip_mreqn request = {.imr_ifindex = (int)interface};
    const int result = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request);
    TRACE(result, "setsockopt(%d, IPPROTO_IP, IP_MULTICAST_IF, {interface %u})", fd, interface);
    if (family != AF_INET6)
        return result;
    return sock_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)interface);
}

int sock_set_interface(int fd, const char *name)
{
    int result = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
    TRACE(result, "setsockopt(%d, SOL_SOCKET, SO_BINDTODEVICE, \"%s\", %zu)", fd, name,
          strlen(name));
    return result;
}

int sock_get(int fd, int level, int option, int *value)
{
    socklen_t length = sizeof *value;
    int result = getsockopt(fd, level, option, value, &length);
    TRACE_DETAIL(result, "getsockopt(%d, %s, %s, [%d], [4])", fd, trace_name(TRACE_LEVEL, level),
                 trace_option(level, option), result < 0 ? 0 : *value);
    return result;
}

int sock_error(int fd)
{
    int pending = 0;
    socklen_t length = sizeof pending;
    int result = getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &length);
    /* An error that is taken here is in no other call. */
    TRACE_AT(pending && trace_explains() ? LOG_LEVEL_TRACE : LOG_LEVEL_DETAIL, result,
             EVENT(.kind = TRACE_SO_ERROR, .fd = fd, .value = pending),
             "getsockopt(%d, SOL_SOCKET, SO_ERROR, [%s], [4])", fd,
             pending ? trace_name(TRACE_ERRNO, pending) : "0");
    return result < 0 ? errno : pending;
}

int sock_name(int fd, struct sockname *name)
{
    int result = getsockname(fd, empty_sockaddr(name), &name->length);
    TRACE_CALL(result, EVENT(.kind = TRACE_GETSOCKNAME, .fd = fd, .name = name),
               "getsockname(%d, %s, [%u])", fd, result < 0 ? "NULL" : SOCKADDR_OF(name),
               result < 0 ? 0 : name->length);
    return result;
}

int sock_peer(int fd, struct sockname *name)
{
    int result = getpeername(fd, empty_sockaddr(name), &name->length);
    TRACE_CALL(result, EVENT(.kind = TRACE_GETPEERNAME, .fd = fd, .name = name),
               "getpeername(%d, %s, [%u])", fd, result < 0 ? "NULL" : SOCKADDR_OF(name),
               result < 0 ? 0 : name->length);
    return result;
}

int sock_credentials(int fd, struct ucred *credentials)
{
    socklen_t length = sizeof *credentials;
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, &length);
    TRACE_CALL(result, EVENT(.kind = TRACE_PEERCRED, .fd = fd, .value = (int)credentials->pid),
               "getsockopt(%d, SOL_SOCKET, SO_PEERCRED, {pid=%d, uid=%u, gid=%u}, [12])", fd,
               result < 0 ? 0 : (int)credentials->pid, result < 0 ? 0 : (unsigned)credentials->uid,
               result < 0 ? 0 : (unsigned)credentials->gid);
    return result;
}

int sock_unread(int fd)
{
    int bytes = 0;
    /* SIOCOUTQ by the name under which libc knows it. */
    int result = ioctl(fd, TIOCOUTQ, &bytes);
    TRACE_DETAIL(result, "ioctl(%d, SIOCOUTQ, [%d])", fd, bytes);
    return result < 0 ? -1 : bytes;
}

int sock_unacknowledged(int fd)
{
    return sock_is_tcp(fd) ? sock_unread(fd) : -1;
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
    TRACE_DETAIL(result, "getsockopt(%d, IPPROTO_TCP, TCP_INFO, {rtt=%u, total_retrans=%u}, [%u])",
                 fd, tcp->rtt_us, tcp->retransmits, length);
    return result;
}

/* Messages, and what they come with */

enum { DROPPED_MAX = 64 }; /* datagrams in a row of senders who are not admitted */

#ifndef SCM_PIDFD /* libcs older than the kernel's */
#define SCM_PIDFD 0x04
#endif

static bool is_control(const struct cmsghdr *control, int level, int type)
{
    return control->cmsg_level == level && control->cmsg_type == type;
}

static void message_add_control(struct sock_message *message, int level, int type,
                                struct iovec value)
{
    const struct cmsghdr control = {.cmsg_len = (socklen_t)CMSG_LEN(value.iov_len),
                                    .cmsg_level = level,
                                    .cmsg_type = type};
    unsigned char *end = message->control + message->control_length;
    memset(end, 0, CMSG_SPACE(value.iov_len));
    memcpy(end, &control, sizeof control);
    memcpy(end + CMSG_LEN(0), value.iov_base, value.iov_len);
    message->control_length += CMSG_SPACE(value.iov_len);
}

/* What one message came with, as far as we use it. */
struct control_read {
    bool has_ipv4;
    bool has_ipv6;
    struct in_pktinfo ipv4;
    struct in6_pktinfo ipv6;
};

static void control_read_one(struct control_read *read, struct sock_message *message,
                             const struct cmsghdr *control)
{
    size_t length = control->cmsg_len - CMSG_LEN(0);
    int segment = 0, fd;
    struct ucred credentials;
    if (is_control(control, SOL_SOCKET, SCM_RIGHTS) || is_control(control, SOL_SOCKET, SCM_PIDFD)) {
        /* Nobody asked for descriptors: as many as there was room for are ours by now. */
        for (size_t at = 0; at + sizeof fd <= length; at += sizeof fd) {
            memcpy(&fd, CMSG_DATA(control) + at, sizeof fd);
            sock_close(fd);
        }
    } else if (is_control(control, IPPROTO_IP, IP_PKTINFO) && length == sizeof read->ipv4) {
        memcpy(&read->ipv4, CMSG_DATA(control), sizeof read->ipv4);
        read->has_ipv4 = true;
    } else if (is_control(control, IPPROTO_IPV6, IPV6_PKTINFO) && length == sizeof read->ipv6) {
        memcpy(&read->ipv6, CMSG_DATA(control), sizeof read->ipv6);
        read->has_ipv6 = true;
    } else if (is_control(control, IPPROTO_UDP, UDP_GRO) && length == sizeof segment) {
        memcpy(&segment, CMSG_DATA(control), sizeof segment);
        message->segment = segment > 0 ? (size_t)segment : 0;
    } else if (is_control(control, SOL_SOCKET, SCM_CREDENTIALS) && length == sizeof credentials) {
        memcpy(&credentials, CMSG_DATA(control), sizeof credentials);
        message->has_user = true;
        message->user = credentials.uid;
    }
}

/* Makes an answer come from the address that was asked. One to what was sent to a group or to a broadcast address comes
 * from the address that the kernel names, or is free to choose. */
static void message_choose_source(struct sock_message *message, struct control_read *read)
{
    struct in6_addr *ours = &read->ipv6.ipi6_addr;
    bool is_mapped = IN6_IS_ADDR_V4MAPPED(ours);
    if (is_mapped && read->has_ipv4)
        memcpy(&ours->s6_addr[12], &read->ipv4.ipi_spec_dst, sizeof read->ipv4.ipi_spec_dst);
    else if (IN6_IS_ADDR_MULTICAST(ours))
        *ours = in6addr_any;
    /* It leaves by whichever interface the routing table says, where the address alone says whose it
     * is. */
    if (!IN6_IS_ADDR_LINKLOCAL(ours))
        read->ipv6.ipi6_ifindex = 0;
    read->ipv4.ipi_ifindex = 0;
    if (read->has_ipv6)
        message_add_control(message, IPPROTO_IPV6, IPV6_PKTINFO,
                            (struct iovec){&read->ipv6, sizeof read->ipv6});
    else if (read->has_ipv4)
        message_add_control(message, IPPROTO_IP, IP_PKTINFO,
                            (struct iovec){&read->ipv4, sizeof read->ipv4});
}

/* Receives one message. Nothing of what the sender has put beside the bytes remains: what an answer says is made anew. */
static ssize_t message_receive(int fd, struct iovec bytes, struct sock_message *message)
{
    _Alignas(size_t) unsigned char control[192];
    message->peer.storage.ss_family = AF_UNSPEC; /* a peer without a name leaves it as it is */
    message->peer.protocol = 0;
    struct msghdr header = {.msg_name = &message->peer.storage,
                            .msg_namelen = sizeof message->peer.storage,
                            .msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    struct control_read read = {.has_ipv4 = false};
    ssize_t length;
    do
        length = recvmsg(fd, &header, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    message->peer.length = length < 0 ? 0 : header.msg_namelen;
    const ssize_t shown = length > (ssize_t)bytes.iov_len ? (ssize_t)bytes.iov_len : length;
    TRACE_TRY(length,
              EVENT(.kind = TRACE_RECVMSG, .fd = fd, .name = &message->peer,
                    .bytes = bytes.iov_base, .length = bytes.iov_len),
              "recvmsg(%d, {%s, %s, %zu}, MSG_DONTWAIT|MSG_TRUNC|MSG_CMSG_CLOEXEC)", fd,
              length < 0 ? "NULL" : SOCKADDR_OF(&message->peer), DATA_OF(bytes.iov_base, shown),
              bytes.iov_len);
    message->segment = 0;
    message->has_user = false;
    message->control_length = 0;
    /* By hand: the macro that steps to the next one does not compile without a warning everywhere. */
    const size_t end = length < 0 ? 0 : header.msg_controllen;
    for (size_t at = 0; at + CMSG_LEN(0) <= end;) {
        const struct cmsghdr *one = (const struct cmsghdr *)(const void *)(control + at);
        if (one->cmsg_len < CMSG_LEN(0))
            break;
        control_read_one(&read, message, one);
        at += CMSG_SPACE(one->cmsg_len - CMSG_LEN(0));
    }
    message_choose_source(message, &read);
    return length;
}

static bool admit_anybody(void *context, const struct sock_message *message)
{
    (void)context;
    (void)message;
    return true;
}

const struct sock_senders sock_any_sender = {.admit = admit_anybody};

ssize_t sock_recv_message(int fd, void *buffer, size_t room, struct sock_message *message,
                          const struct sock_senders *senders)
{
    for (int round = 0; round < DROPPED_MAX; round++) {
        ssize_t length = message_receive(fd, (struct iovec){buffer, room}, message);
        if (length < 0 || senders->admit(senders->context, message))
            return length;
    }
    errno = EAGAIN;
    return -1;
}

static ssize_t message_send(int fd, const void *bytes, size_t length,
                            const struct sock_message *message)
{
    /* sendmsg(2) changes none of what it is given, but its struct does not say so. */
    struct sock_message copy = *message;
    struct iovec part = {.iov_len = length};
    memcpy(&part.iov_base, &bytes, sizeof part.iov_base);
    struct msghdr header = {.msg_name = &copy.peer.storage,
                            .msg_namelen = copy.peer.length,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = copy.control_length ? copy.control : NULL,
                            .msg_controllen = (socklen_t)copy.control_length};
    ssize_t sent;
    do
        sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t sock_send_answer(int fd, const void *bytes, size_t length,
                         const struct sock_message *message)
{
    ssize_t sent = message_send(fd, bytes, length, message);
    TRACE_TRY(sent,
              EVENT(.kind = TRACE_SENDMSG, .fd = fd, .name = &message->peer, .bytes = bytes,
                    .length = length),
              "sendmsg(%d, {%s, %s, %zu}, MSG_DONTWAIT|MSG_NOSIGNAL)", fd,
              SOCKADDR_OF(&message->peer), DATA_OF(bytes, (ssize_t)length), length);
    return sent;
}

ssize_t sock_send_segments(int fd, const void *bytes, size_t length, size_t segment,
                           const struct sock_message *to)
{
    uint16_t size = (uint16_t)segment;
    struct sock_message message = {.control_length = 0};
    if (to)
        message = *to;
    message_add_control(&message, IPPROTO_UDP, UDP_SEGMENT, (struct iovec){&size, sizeof size});
    ssize_t sent = message_send(fd, bytes, length, &message);
    TRACE_TRY(sent,
              EVENT(.kind = TRACE_SEGMENTS, .fd = fd, .bytes = bytes, .length = length,
                    .value = size),
              "sendmsg(%d, {%s, %s, %zu, UDP_SEGMENT [%u]}, MSG_DONTWAIT|MSG_NOSIGNAL)", fd,
              to ? SOCKADDR_OF(&to->peer) : "NULL", DATA_OF(bytes, (ssize_t)length), length, size);
    return sent;
}

int sock_read_report(int fd, struct sockname *by)
{
    char byte;
    _Alignas(size_t) unsigned char control[256];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct sock_extended_err report;
    sa_family_t family;
    ssize_t got = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    TRACE_DETAIL(got, "recvmsg(%d, {}, MSG_ERRQUEUE|MSG_DONTWAIT)", fd);
    *by = (struct sockname){.length = 0};
    struct cmsghdr *header = got < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (!header)
        return 0;
    memcpy(&report, CMSG_DATA(header), sizeof report);
    /* The address follows the report (SO_EE_OFFENDER). */
    const unsigned char *address = CMSG_DATA(header) + sizeof report;
    memcpy(&family, address, sizeof family);
    if (family == AF_INET)
        by->length = sizeof(struct sockaddr_in);
    else if (family == AF_INET6)
        by->length = sizeof(struct sockaddr_in6);
    memcpy(&by->storage, address, by->length);
    sockname_set_port(by, 0);
    return (int)report.ee_errno;
}

/* Descriptors */

ssize_t sock_send_with(int fd, const void *bytes, size_t length, int passed)
{
    union {
        struct cmsghdr header;
        unsigned char room[CMSG_SPACE(sizeof passed)];
    } rights = {.header = {.cmsg_len = CMSG_LEN(sizeof passed),
                           .cmsg_level = SOL_SOCKET,
                           .cmsg_type = SCM_RIGHTS}};
    struct iovec part = {.iov_len = length};
    memcpy(&part.iov_base, &bytes, sizeof part.iov_base); /* sendmsg(2) only reads it */
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &rights,
                             .msg_controllen = sizeof rights.room};
    memcpy(CMSG_DATA(&rights.header), &passed, sizeof passed);
    ssize_t sent;
    do
        sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    TRACE_TRY(sent, EVENT(.kind = TRACE_SEND, .fd = fd, .bytes = bytes, .length = length),
              "sendmsg(%d, {NULL, %s, %zu, SCM_RIGHTS [%d]}, MSG_DONTWAIT|MSG_NOSIGNAL)", fd,
              DATA_OF(bytes, (ssize_t)length), length, passed);
    return sent;
}

/* Receives with room for one descriptor, and not a byte more: CMSG_SPACE would do for two. */
ssize_t sock_recv_with(int fd, void *buffer, size_t room, int *passed)
{
    union {
        struct cmsghdr header;
        unsigned char room[CMSG_SPACE(sizeof *passed)];
    } rights;
    struct iovec bytes = {buffer, room};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = &rights,
                             .msg_controllen = CMSG_LEN(sizeof *passed)};
    ssize_t length;
    do
        length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    const struct cmsghdr *header = length < 0 ? NULL : CMSG_FIRSTHDR(&message);
    *passed = 0;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof *passed))
        memcpy(passed, CMSG_DATA(header), sizeof *passed);
    TRACE_TRY(length, EVENT(.kind = TRACE_RECV, .fd = fd, .bytes = buffer, .length = room),
              "recvmsg(%d, {NULL, %s, %zu, SCM_RIGHTS [%d]}, MSG_DONTWAIT|MSG_CMSG_CLOEXEC)", fd,
              DATA_OF(buffer, length), room, *passed);
    return length;
}
