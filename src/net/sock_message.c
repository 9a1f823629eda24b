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

static bool is_control(const struct cmsghdr *control, int level, int type)
{
    return control->cmsg_level == level && control->cmsg_type == type;
}

/* An answer leaves by whichever interface the routing table says, where the address alone says whose
 * it is; from an address of one machine, which a multicast group's is not. */
static void sort_destination(struct cmsghdr *control)
{
    if (is_control(control, IPPROTO_IP, IP_PKTINFO))
        ((struct in_pktinfo *)(void *)CMSG_DATA(control))->ipi_ifindex = 0;
    if (!is_control(control, IPPROTO_IPV6, IPV6_PKTINFO))
        return;
    struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(control);
    if (IN6_IS_ADDR_MULTICAST(&info->ipi6_addr))
        info->ipi6_addr = in6addr_any;
    if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
        info->ipi6_ifindex = 0;
}

/* What the kernel says beside a datagram, made into what an answer may say. */
static void sort_control(struct sock_message *message)
{
    int segment;
    size_t skip = CMSG_SPACE(sizeof segment);
    struct cmsghdr *control = (struct cmsghdr *)(void *)message->control;
    message->segment = 0;
    /* The kernel says it first. */
    if (message->control_length >= skip && is_control(control, IPPROTO_UDP, UDP_GRO)) {
        memcpy(&segment, CMSG_DATA(control), sizeof segment);
        message->segment = segment > 0 ? (size_t)segment : 0;
        message->control_length -= skip;
        memmove(message->control, message->control + skip, message->control_length);
    }
    if (message->control_length)
        sort_destination(control);
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
    sort_control(message);
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
                           const struct sock_message *to)
{
    const uint16_t size = (uint16_t)segment;
    const struct cmsghdr control = {.cmsg_len = CMSG_LEN(sizeof size),
                                    .cmsg_level = IPPROTO_UDP,
                                    .cmsg_type = UDP_SEGMENT};
    struct sock_message message = {.control_length = 0};
    if (to)
        message = *to;
    unsigned char *end = message.control + message.control_length;
    memcpy(end, &control, sizeof control);
    memcpy(end + CMSG_LEN(0), &size, sizeof size);
    message.control_length += CMSG_SPACE(sizeof size);
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
