/*
 * What the peer has not read yet.
 */
#ifndef NET_UNREAD_H
#define NET_UNREAD_H

/* 0: the peer of this UNIX stream has read all that was sent to it, or has closed (then sock_error
 * tells whether something was left unread). Else a figure that falls as it reads: the memory that
 * the rest occupies. Of a TCP socket, the bytes that are not acknowledged. -1: the kernel does not
 * say. Source: unix(7), SIOCOUTQ in tcp(7). */
int unread_memory(int fd);

#endif
