#include "net/icmp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <linux/errqueue.h>

#include "net/sock.h"
#include "net/sockname.h"
#include "net/trace.h"

void icmp_keep(int fd, int family)
{
    if (family == AF_INET)
        sock_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    else if (family == AF_INET6)
        sock_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

static void read_sender(const struct sock_extended_err *report, struct sockname *by)
{
    const struct sockaddr *sender = SO_EE_OFFENDER(report);
    if (sender->sa_family == AF_INET)
        by->length = sizeof(struct sockaddr_in);
    else if (sender->sa_family == AF_INET6)
        by->length = sizeof(struct sockaddr_in6);
    memcpy(&by->storage, sender, by->length);
    if (by->length)
        sockname_set_port(by, 0);
}

int icmp_read(int fd, struct sockname *by)
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
    read_sender((const void *)CMSG_DATA(header), by);
    return (int)report.ee_errno;
}
