/*
 * The socket calls that send and receive something beside the bytes: sendmsg(2) and recvmsg(2).
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <linux/errqueue.h>

#include "sys/sock.h"
#include "sys/trace.h"

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

/* Descriptors that nobody asked for: as many as there was room for are ours by now. */
static void control_close_descriptors(const struct cmsghdr *control)
{
    const unsigned char *at = CMSG_DATA(control);
    const unsigned char *end = (const unsigned char *)control + control->cmsg_len;
    int fd;
    for (; at + sizeof fd <= end; at += sizeof fd) {
        memcpy(&fd, at, sizeof fd);
        sock_close(fd);
    }
}

static void control_read_one(struct control_read *read, struct sock_message *message,
                             const struct cmsghdr *control)
{
    size_t length = control->cmsg_len - CMSG_LEN(0);
    int segment = 0;
    struct ucred credentials;
    if (is_control(control, SOL_SOCKET, SCM_RIGHTS) || is_control(control, SOL_SOCKET, SCM_PIDFD)) {
        control_close_descriptors(control);
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

/* An answer comes from the address that was asked. One that was sent to a group or to a broadcast
 * address comes from the address that the kernel names, or is free to choose. */
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

/* Nothing of what the sender has put beside the bytes remains: what an answer says is made anew. */
static void message_read_control(struct sock_message *message, const struct msghdr *header)
{
    struct control_read read = {.has_ipv4 = false};
    message->segment = 0;
    message->has_user = false;
    message->control_length = 0;
    /* By hand: the macro that steps to the next one does not compile without a warning everywhere. */
    const unsigned char *bytes = header->msg_control;
    for (size_t at = 0; at + CMSG_LEN(0) <= header->msg_controllen;) {
        const struct cmsghdr *control = (const struct cmsghdr *)(const void *)(bytes + at);
        if (control->cmsg_len < CMSG_LEN(0))
            break;
        control_read_one(&read, message, control);
        at += CMSG_SPACE(control->cmsg_len - CMSG_LEN(0));
    }
    message_choose_source(message, &read);
}

static ssize_t receive_message(int fd, struct iovec bytes, struct sock_message *message)
{
    _Alignas(size_t) unsigned char control[192];
    message->peer.storage.ss_family = AF_UNSPEC; /* a peer without a name leaves it as it is */
    struct msghdr header = {.msg_name = &message->peer.storage,
                            .msg_namelen = sizeof message->peer.storage,
                            .msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    ssize_t length;
    do
        length = recvmsg(fd, &header, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        header.msg_controllen = 0;
    message->peer.length = length < 0 ? 0 : header.msg_namelen;
    TRACE(length, "recvmsg(%d, %zu, %s)", fd, bytes.iov_len,
          length < 0 ? "NULL" : TEXT_OF(&message->peer));
    message_read_control(message, &header);
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
        ssize_t length = receive_message(fd, (struct iovec){buffer, room}, message);
        if (length < 0 || senders->admit(senders->context, message))
            return length;
    }
    errno = EAGAIN;
    return -1;
}

static ssize_t send_message(int fd, const void *bytes, size_t length,
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
    ssize_t sent = send_message(fd, bytes, length, message);
    TRACE(sent, "sendmsg(%d, %zu, %s)", fd, length, TEXT_OF(&message->peer));
    return sent;
}

bool sock_has_segments(int fd)
{
    int size;
    return sock_get(fd, IPPROTO_UDP, UDP_SEGMENT, &size) == 0;
}

ssize_t sock_send_segments(int fd, const void *bytes, size_t length, size_t segment,
                           const struct sock_message *to)
{
    uint16_t size = (uint16_t)segment;
    struct sock_message message = {.control_length = 0};
    if (to)
        message = *to;
    message_add_control(&message, IPPROTO_UDP, UDP_SEGMENT, (struct iovec){&size, sizeof size});
    ssize_t sent = send_message(fd, bytes, length, &message);
    TRACE(sent, "sendmsg(%d, %zu, UDP_SEGMENT [%u])", fd, length, size);
    return sent;
}

void sock_receive_segments(int fd)
{
    sock_set(fd, IPPROTO_UDP, UDP_GRO, 1);
}

void sock_keep_reports(int fd, int family)
{
    if (family == AF_INET)
        sock_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    else if (family == AF_INET6)
        sock_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

/* The address follows the report (SO_EE_OFFENDER). */
static void read_reporter(const unsigned char *report, struct sockname *by)
{
    const unsigned char *address = report + sizeof(struct sock_extended_err);
    sa_family_t family;
    memcpy(&family, address, sizeof family);
    if (family == AF_INET)
        by->length = sizeof(struct sockaddr_in);
    else if (family == AF_INET6)
        by->length = sizeof(struct sockaddr_in6);
    memcpy(&by->storage, address, by->length);
    sockname_set_port(by, 0);
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
    ssize_t got = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    TRACE(got, "recvmsg(%d, MSG_ERRQUEUE)", fd);
    *by = (struct sockname){.length = 0};
    struct cmsghdr *header = got < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (!header)
        return 0;
    memcpy(&report, CMSG_DATA(header), sizeof report);
    read_reporter(CMSG_DATA(header), by);
    return (int)report.ee_errno;
}

/* Descriptors */

static ssize_t send_rights(int fd, struct iovec bytes, int passed, int flags)
{
    union {
        struct cmsghdr header;
        unsigned char room[CMSG_SPACE(sizeof passed)];
    } rights = {.header = {.cmsg_len = CMSG_LEN(sizeof passed),
                           .cmsg_level = SOL_SOCKET,
                           .cmsg_type = SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = &rights,
                             .msg_controllen = sizeof rights.room};
    memcpy(CMSG_DATA(&rights.header), &passed, sizeof passed);
    ssize_t sent;
    do
        sent = sendmsg(fd, &message, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    TRACE(sent, "sendmsg(%d, %zu, SCM_RIGHTS [%d])", fd, bytes.iov_len, passed);
    return sent;
}

ssize_t sock_send_descriptor(int channel, int passed)
{
    return send_rights(channel, (struct iovec){(char[]){""}, 1}, passed, MSG_DONTWAIT);
}

ssize_t sock_send_with(int fd, const void *bytes, size_t length, int passed)
{
    struct iovec part = {.iov_len = length};
    memcpy(&part.iov_base, &bytes, sizeof part.iov_base); /* sendmsg(2) only reads it */
    return send_rights(fd, part, passed, MSG_DONTWAIT);
}

/* There is room for one, and not a byte more: CMSG_SPACE would do for two. */
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
    TRACE(length, "recvmsg(%d, %zu, SCM_RIGHTS [%d])", fd, room, *passed);
    return length;
}
