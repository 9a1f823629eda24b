/*
 * The socket calls themselves, thin, each shown (sys/trace) as a student of sockets would write it. No other file makes
 * them. EINTR is handled here, and
 * datagrams of senders who are not admitted are dropped here; everything else is the caller's, in errno. All
 * descriptors are close-on-exec. Any thread may make these calls.
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

/* Opens a socket that does not block. -1 and errno. */
int sock_open(int family, int socktype, int protocol);
int sock_bind(int fd, const struct sockname *name);
int sock_listen(int fd, int backlog);

/* Takes the next connection, which does not block; *peer is its other end. */
int sock_accept(int fd, struct sockname *peer);

/* Connects. -1 with EINPROGRESS while it goes on. */
int sock_connect(int fd, const struct sockname *name);
int sock_shutdown(int fd, int how);

/* What the kernel keeps of a socket, as far as --explain tells it. */
struct sock_record {
    int family;
    int socktype;
    int protocol;
    int tcp_state;        /* of TCP_INFO: TCP_ESTABLISHED ...; 0: it is not TCP */
    unsigned backlog;     /* of one that listens: how many may wait */
    unsigned retransmits; /* of what has not been acknowledged */
    bool has_unread;      /* of one that is about to be closed */
};

/* Fills in the record, all but has_unread, without a line in the trace, and leaves errno as it was. False: the descriptor
 * is no socket. */
bool sock_look(int fd, struct sock_record *record);

/* Closes the socket, and leaves errno as it was. */
void sock_close(int fd);

/* Closes the socket so that a TCP peer sees a reset (SO_LINGER), and what was not sent yet is lost. */
void sock_abort(int fd);

/* Makes a pair of UNIX stream sockets, the caller's: pair[0] is for us and non-blocking, pair[1] for a program: socketpair(2).
 * Returns 0, or -1 and errno. */
int sock_pair(int pair[2]);

/* Makes a socket block, as whoever else gets it expects. Returns 0, or -1 and errno. */
int sock_set_blocking(int fd);

/* Receives bytes. Neither this nor the next ones block (MSG_DONTWAIT) or raise SIGPIPE. */
ssize_t sock_recv(int fd, void *buffer, size_t room);

/* Receives with MSG_PEEK: what stays there; or, over TCP, with MSG_TRUNC (tcp(7)): counts what came, and is gone.
 * EOPNOTSUPP: an old kernel that does not know how to, of MPTCP. */
ssize_t sock_recv_flags(int fd, void *buffer, size_t room, int flags);
ssize_t sock_send(int fd, const void *bytes, size_t length);

/* Sends bytes of which the trace shows the first `shown` alone, for there are credentials among the others. */
ssize_t sock_send_private(int fd, const void *bytes, size_t length, size_t shown);

/* Sends one byte as urgent data (MSG_OOB). */
ssize_t sock_send_urgent(int fd, char byte);

/* Sends with a descriptor beside the first byte, over a UNIX socket (SCM_RIGHTS). */
ssize_t sock_send_with(int fd, const void *bytes, size_t length, int passed);

/* Receives; *passed is the first descriptor that came with these bytes, the caller's, or 0: none did. The kernel closes the
 * others, and all of them where sock_recv is called. */
ssize_t sock_recv_with(int fd, void *buffer, size_t room, int *passed);

/* Sends to `to`, on a socket that need not be connected. */
ssize_t sock_send_to(int fd, const void *bytes, size_t length, const struct sockname *to);

/* A datagram, or a message of a seqpacket socket, and what the kernel says beside it. */
struct sock_message {
    struct sockname peer;
    size_t segment; /* of several that came together, the size of each but the last; 0: one */
    bool has_user;  /* with SO_PASSCRED, of a UNIX socket: who has sent it is known */
    uid_t user;     /* … and has this number */
    size_t control_length; /* of what an answer says: from which of our addresses; 0: nothing */
    _Alignas(size_t) unsigned char control[96];
};

/* Who may send to us: asked of each datagram that arrives, before anybody sees it. */
struct sock_senders {
    bool (*admit)(void *context, const struct sock_message *message);
    void *context;
};

/* Admits everybody: for a connected socket, whose peer is known, and for the answers to a group. */
extern const struct sock_senders sock_any_sender;

/* Receives a datagram of a sender whom `senders` admits, with *message filled; the length returned may exceed `room`: it
 * was cut (MSG_TRUNC). Others are dropped; after a number of them in a row errno is EAGAIN, although there may be more.
 * Descriptors that came with it (SCM_RIGHTS) are closed. */
ssize_t sock_recv_message(int fd, void *buffer, size_t room, struct sock_message *message,
                          const struct sock_senders *senders) __attribute__((nonnull));

/* Answers *message: to its sender, from the address that it was sent to. */
ssize_t sock_send_answer(int fd, const void *bytes, size_t length,
                         const struct sock_message *message);

/* Sends many datagrams of one size, of which the last may be shorter, in one call, to whom sock_send_answer would; `to` is
 * NULL on a connected socket. A kernel on whose socket UDP_SEGMENT cannot be read would join them. */
ssize_t sock_send_segments(int fd, const void *bytes, size_t length, size_t segment,
                           const struct sock_message *to);

/* Takes one report of what ICMP says of a datagram that was sent, where IP_RECVERR is set: returns its errno, and in *by (length 0: not known) the host that it comes from. 0: there is
 * none. */
int sock_read_report(int fd, struct sockname *by);

/* Says whether the socket is one of TCP, or of MPTCP. */
bool sock_is_tcp(int fd);
int sock_set(int fd, int level, int option, int value);

/* Gives a UNIX socket room for as much as a pipe of a pump holds, as far as the system allows: with the stock 208 KiB,
 * sender and receiver wait for each other every time. It leaves a socket that has more, one of which the user has chosen
 * it (SO_BUF_LOCK), and TCP, which finds its own. */
void sock_make_room(int fd);

/* Makes close(2) reset the connection: SO_LINGER with no time. */
int sock_reset_on_close(int fd);

/* Joins a multicast group, from one source, or, where its length is 0, from any, on an interface by its index; 0: on the
 * one that the routes say. RFC 3678, 5.1. Returns 0, or -1 and errno. */
int sock_join(int fd, const struct sockname *group, const struct sockname *source,
              unsigned interface);

/* Sends what goes to groups by an interface: IP_MULTICAST_IF, and of an IPv6 socket IPV6_MULTICAST_IF too. */
int sock_set_group_interface(int fd, int family, unsigned interface);

/* Binds to an interface: SO_BINDTODEVICE. */
int sock_set_interface(int fd, const char *name);
int sock_get(int fd, int level, int option, int *value);

/* Returns the pending error (SO_ERROR) and clears it; 0: there is none. */
int sock_error(int fd);
int sock_name(int fd, struct sockname *name);
int sock_peer(int fd, struct sockname *name);

/* Says who has connected to a UNIX socket: SO_PEERCRED. */
int sock_credentials(int fd, struct ucred *credentials);

/* Returns 0 where the peer of this UNIX stream has read all that was sent to it, or has closed (then sock_error says
 * whether something was left unread). Else it returns a figure that falls as the peer reads: the memory that the rest
 * occupies. -1: the kernel does not say. Source: unix(7), SIOCOUTQ in tcp(7). */
int sock_unread(int fd);

/* Returns the bytes sent but not acknowledged by the peer's TCP (SIOCOUTQ); -1 where it does not say, and of a socket that
 * is not TCP. */
int sock_unacknowledged(int fd);

/* What we use of TCP_INFO. */
struct sock_tcp {
    unsigned rtt_us;         /* smoothed (RFC 6298) */
    unsigned retransmits;    /* segments, from the beginning */
    unsigned unacknowledged; /* segments */
    bool asking;         /* a segment, or a look at a closed window, was sent again, or a probe */
    int64_t last_ack_ms; /* since the peer acknowledged anything */
};

/* Fills *tcp. -1: the socket is not TCP. */
int sock_tcp(int fd, struct sock_tcp *tcp);

#endif
