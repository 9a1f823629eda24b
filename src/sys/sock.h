/*
 * The socket calls themselves, thin, each shown at -vv as a student of sockets would write it:
 * "connect(3, 127.0.0.1:8080) = 0". No other file makes them. EINTR is handled here; everything
 * else is the caller's, in errno. All descriptors are close-on-exec.
 * Source: socket(2), ip(7), tcp(7), udp(7), unix(7).
 */
#ifndef SYS_SOCK_H
#define SYS_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "sys/sockname.h"

/* Non-blocking and close-on-exec. -1 and errno. */
int sock_open(int family, int socktype, int protocol);
int sock_bind(int fd, const struct sockname *name);
int sock_listen(int fd, int backlog);
int sock_accept(int fd, struct sockname *peer);
/* -1 with EINPROGRESS while it goes on. */
int sock_connect(int fd, const struct sockname *name);
int sock_shutdown(int fd, int how);
void sock_close(int fd);
/* Closes it so that a TCP peer sees a reset (SO_LINGER), and what was not sent yet is lost. */
void sock_abort(int fd);

/* Never block (MSG_DONTWAIT), never raise SIGPIPE. */
ssize_t sock_recv(int fd, void *buffer, size_t room);
/* As sock_recv, of TCP; what came is counted, and gone (MSG_TRUNC, tcp(7)). EOPNOTSUPP: an old kernel
 * that does not know how to, of MPTCP. */
ssize_t sock_discard(int fd, void *buffer, size_t room);
/* What is there stays there (MSG_PEEK). */
ssize_t sock_peek(int fd, void *buffer, size_t room);
ssize_t sock_send(int fd, const void *bytes, size_t length);
/* One byte as urgent data (MSG_OOB). */
ssize_t sock_send_urgent(int fd, char byte);
/* Passes a descriptor over a UNIX socket (SCM_RIGHTS), with a byte that is NUL. May block where
 * `channel` does. */
ssize_t sock_send_descriptor(int channel, int passed);
/* As sock_send, with a descriptor beside the first byte. */
ssize_t sock_send_with(int fd, const void *bytes, size_t length, int passed);
/* As sock_recv. *passed is the first descriptor that came with these bytes, the caller's, or 0: none
 * did. The kernel closes the others, and all of them where sock_recv is called. */
ssize_t sock_recv_with(int fd, void *buffer, size_t room, int *passed);
/* `to` may be NULL on a connected socket. */
ssize_t sock_send_to(int fd, const void *bytes, size_t length, const struct sockname *to);

/* A datagram, or a message of a seqpacket socket, and what the kernel says beside it. */
struct sock_message {
    struct sockname peer;
    size_t segment; /* of several that came together, the size of each but the last; 0: one */
    bool has_user;  /* with SO_PASSCRED, of a UNIX socket: who has sent it */
    uid_t user;     /* … who has this number */
    size_t
        control_length; /* of what an answer says: which of our addresses it comes from; 0: nothing */
    _Alignas(size_t) unsigned char control[96];
};
/* Who may send to us: asked of each datagram that arrives, before anybody sees it. */
struct sock_senders {
    bool (*admit)(void *context, const struct sock_message *message);
    void *context;
};
/* Everybody: for a connected socket, whose peer is known, and for the answers to a group. */
extern const struct sock_senders sock_any_sender;

/* From now on the kernel says of datagrams where they were sent to (IP_PKTINFO). */
void sock_ask_destination(int fd, int family);
/* Receives a datagram of a sender whom `senders` admits, with *message filled; the length returned
 * may exceed `room`: it was cut (MSG_TRUNC). Others are dropped; after a number of them in a row
 * errno is EAGAIN, although there may be more. Descriptors that came with it (SCM_RIGHTS) are closed. */
ssize_t sock_recv_message(int fd, void *buffer, size_t room, struct sock_message *message,
                          const struct sock_senders *senders) __attribute__((nonnull));
/* Answers *message: to its sender, from the address that it was sent to. */
ssize_t sock_send_answer(int fd, const void *bytes, size_t length,
                         const struct sock_message *message);

/* Many datagrams of one size, of which the last may be shorter, in one call (UDP_SEGMENT). Whether
 * the kernel knows how to, on this socket: where not, it would join them. */
bool sock_has_segments(int fd);
/* To whom sock_send_answer would send them; NULL on a connected socket. */
ssize_t sock_send_segments(int fd, const void *bytes, size_t length, size_t segment,
                           const struct sock_message *to);
/* From now on what came so from one sender may be received so (UDP_GRO), where the kernel can. */
void sock_receive_segments(int fd);

/* Keeps what ICMP says of a datagram that was sent (ip(7), IP_RECVERR) for sock_read_report, which
 * takes one such report: its errno, and in *by (length 0: not known) the host that it comes from.
 * 0: there is none. Of a socket that is neither IPv4 nor IPv6: nothing. */
void sock_keep_reports(int fd, int family);
int sock_read_report(int fd, struct sockname *by);

/* MPTCP, too. */
bool sock_is_tcp(int fd);
int sock_set(int fd, int level, int option, int value);
/* A UNIX socket gets room for as much as a pipe of a pump holds, as far as the system allows: with the
 * stock 208 KiB, sender and receiver wait for each other every time. Not where it has more, or what the
 * user has chosen (SO_BUF_LOCK), and not of TCP, which finds its own. */
void sock_make_room(int fd);
/* SO_LINGER with no time: close(2) will reset the connection. */
int sock_reset_on_close(int fd);
/* SO_BINDTODEVICE. */
int sock_set_interface(int fd, const char *name);
int sock_get(int fd, int level, int option, int *value);
/* SO_ERROR: the pending error, which it clears; 0 if none. */
int sock_error(int fd);
int sock_name(int fd, struct sockname *name);
int sock_peer(int fd, struct sockname *name);
/* SO_PEERCRED: who has connected to a UNIX socket. */
int sock_credentials(int fd, struct ucred *credentials);
/* Shows a splice(2) that io/ has made. */
void sock_trace_splice(int in, int out, size_t length, ssize_t moved);
/* 0: the peer of this UNIX stream has read all that was sent to it, or has closed (then sock_error
 * tells whether something was left unread). Else a figure that falls as it reads: the memory that
 * the rest occupies. -1: the kernel does not say. Source: unix(7), SIOCOUTQ in tcp(7). */
int sock_unread(int fd);
/* Bytes sent but not acknowledged by the peer's TCP (SIOCOUTQ); -1 where it does not say, and of a
 * socket that is not TCP. */
int sock_unacknowledged(int fd);
/* TCP_INFO, of which this is what we tell. -1 for a socket that is not TCP. */
struct sock_tcp {
    unsigned rtt_us;         /* smoothed (RFC 6298) */
    unsigned retransmits;    /* segments, from the beginning */
    unsigned unacknowledged; /* segments */
    bool asking;         /* a segment, or a look at a closed window, was sent again, or a probe */
    int64_t last_ack_ms; /* since the peer acknowledged anything */
};
int sock_tcp(int fd, struct sock_tcp *tcp);

#endif
