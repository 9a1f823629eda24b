/*
 * What ICMP says of a datagram that was sent, and who says it: ip(7), IP_RECVERR.
 */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include "net/address.h"

/* From now on it is kept for icmp_read. Of a socket that is neither IPv4 nor IPv6: nothing. */
void icmp_keep(int fd, int family);
/* Takes one report: its errno, and in *by (length 0: not known) the host that sent it. 0: there is
 * none. */
int icmp_read(int fd, struct sockname *by);

#endif
