/*
 * Bound sockets: listening ones (stream, seqpacket) and datagram and raw ones, all the addresses that a
 * name stands for; and the socket file, if it is a UNIX path.
 *
 * A stale socket file (nobody answers) is replaced; one whose owner answers, or any other kind of
 * file, is never touched. Only our own file is removed at the end.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/address.h"
#include "net/socket_file.h"
#include "net/sockopt.h"
#include "sys/loop.h"

struct listener_options {
    bool numeric;
    int backlog;        /* 0: the system's largest */
    int mode;           /* of a socket file, in force before the first client can connect */
    bool reuse_port;    /* SO_REUSEPORT */
    bool ask_users;     /* who sends datagrams to a UNIX socket (SO_PASSCRED) */
    int64_t timeout_ms; /* for the look-up of a name; -1: no limit */
    const struct sockopt *sockopt; /* NULL: none; lasts as long as the listener */
};

enum { LISTENER_SOCKETS_MAX = 8 };

struct listener_socket {
    struct listener *listener;
    struct watch watch; /* a stream listener's own; of a datagram socket, the command's to use */
    struct sockname name;
};

struct listener {
    struct loop *loop;
    struct listener_socket sockets[LISTENER_SOCKETS_MAX];
    size_t count;
    int socktype;
    bool any_port;  /* port 0 was asked for: the kernel chose */
    bool inherited; /* others may share the sockets */
    const struct sockopt *sockopt;
    struct socket_file file; /* ours, of a UNIX path */
    struct timer rest;       /* after EMFILE and the like no accept is tried for a while */
    int64_t warned_ms;       /* when the last warning of that was; 0: none yet */
    bool shared;             /* other processes accept too, and one is to wake up */
    bool accepting;
    void (*accepted)(void *context, int fd, const struct sockname *peer);
    void *context;
};

/* Binds and, for streams, listens; it reports nothing. Returns 0, or -1 with status 4.
 *
 * Addresses fd: and systemd: take what was inherited. A listening socket among them is made
 * non-blocking, though others may share it: where two processes wait for the same client, accept(2)
 * would block the one that comes second, and there is no flag to ask for a single call not to. */
int listener_open(struct listener *listener, struct loop *loop, const struct address *address,
                  const struct listener_options *options, struct error *err);

/* Writes the address of a socket as it is reported: for a socket of all addresses, "*:80", or "[::]:80" where it is for
 * IPv6 alone. Returns out, which holds SOCKNAME_TEXT_MAX bytes. */
char *listener_text(const struct listener_socket *socket, char *out);

/* Gives each new connection (non-blocking, the callee's) to `accepted`, which may pause or close the listener.
 * Transient errors are retried; where the system is out of descriptors or memory, clients wait in the backlog, and
 * one warning in 10 s says so. */
void listener_accept(struct listener *listener,
                     void (*accepted)(void *context, int fd, const struct sockname *peer),
                     void *context);

/* Lets new clients wait in the backlog until listener_accept is called again. */
void listener_pause(struct listener *listener);

/* Lets new clients wait for 100 ms: the owner has run out of what it needs for a client. Returns whether a
 * warning is due, which is once in 10 s, whatever it is that has run out. */
bool listener_rest(struct listener *listener);

/* Goes on with the sockets in a loop of its own, in the child after fork(2). The socket file is the parent's. */
void listener_inherit(struct listener *listener, struct loop *loop);

/* Closes the sockets and removes our socket file. It may be called twice. */
void listener_close(struct listener *listener);

#endif
