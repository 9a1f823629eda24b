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

#include "net/sock.h"
#include "net/trace.h"

/* The address, but not the interface: the way back is the routing table's to choose. */
static void forget_interface(struct cmsghdr *control)
{
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO)
        ((struct in_pktinfo *)(void *)CMSG_DATA(control))->ipi_ifindex = 0;
    else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO)
        ((struct in6_pktinfo *)(void *)CMSG_DATA(control))->ipi6_ifindex = 0;
}

ssize_t sock_recv_message(int fd, void *buffer, size_t room, struct sock_message *message)
{
    struct iovec bytes = {buffer, room};
    message->peer.storage.ss_family = AF_UNSPEC; /* a peer without a name leaves it as it is */
    struct msghdr header = {.msg_name = &message->peer.storage,
                            .msg_namelen = sizeof message->peer.storage,
                            .msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = message->control,
                            .msg_controllen = sizeof message->control};
    ssize_t length;
    do
        length = recvmsg(fd, &header, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    message->peer.length = length < 0 ? 0 : header.msg_namelen;
    message->control_length = length < 0 ? 0 : header.msg_controllen;
    struct cmsghdr *control = length < 0 ? NULL : CMSG_FIRSTHDR(&header);
    if (control)
        forget_interface(control);
    TRACE(length, "recvmsg(%d, %zu, %s)", fd, room, length < 0 ? "NULL" : TEXT_OF(&message->peer));
    return length;
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
                           const struct sockname *to)
{
    const uint16_t size = (uint16_t)segment;
    struct sock_message message = {.control_length = CMSG_SPACE(sizeof size)};
    struct cmsghdr control = {.cmsg_len = CMSG_LEN(sizeof size),
                              .cmsg_level = IPPROTO_UDP,
                              .cmsg_type = UDP_SEGMENT};
    memcpy(message.control, &control, sizeof control);
    memcpy(message.control + CMSG_LEN(0), &size, sizeof size);
    if (to)
        message.peer = *to;
    ssize_t sent = send_message(fd, bytes, length, &message);
    TRACE(sent, "sendmsg(%d, %zu, UDP_SEGMENT [%u])", fd, length, size);
    return sent;
}

void sock_receive_segments(int fd)
{
    sock_set(fd, IPPROTO_UDP, UDP_GRO, 1);
}

size_t sock_segment(const struct sock_message *message, size_t length)
{
    int size;
    struct cmsghdr control;
    if (message->control_length < CMSG_LEN(sizeof size))
        return length;
    memcpy(&control, message->control, sizeof control);
    memcpy(&size, message->control + CMSG_LEN(0), sizeof size);
    bool many = control.cmsg_level == IPPROTO_UDP && control.cmsg_type == UDP_GRO && size > 0;
    return many ? (size_t)size : length;
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
    return send_rights(channel, (struct iovec){(char[]){""}, 1}, passed, 0);
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
