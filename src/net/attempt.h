/*
 * One socket on its way to one address: it is opened, bound to the source, and connected.
 * Source: connect(2), RFC 9293.
 */
#ifndef NET_ATTEMPT_H
#define NET_ATTEMPT_H

#include <stdbool.h>

#include "net/address.h"
#include "net/socket_file.h"
#include "net/sockopt.h"
#include "sys/loop.h"

/* The local end that a connection is to have: -s and -p. */
struct source {
    int family;           /* AF_INET, AF_INET6 or AF_UNIX of `name`; AF_UNSPEC: no address */
    struct sockname name; /* where there is an address */
    unsigned port;        /* 0: the system's choice */
};

enum attempt_state { ATTEMPT_UNDER_WAY, ATTEMPT_UP, ATTEMPT_FAILED };

struct attempt {
    /* Set before the start; what they point to outlives the attempt. */
    struct loop *loop;
    const struct sockname *peer;
    int socktype;
    const struct source *source;
    const struct sockopt *sockopt; /* NULL: none */
    bool any_sender; /* of datagrams: to a group or a broadcast address, it is not connected */
    /* Called from the loop when the attempt was under way, and now is up or has failed. It may drop and free it. */
    void (*settled)(struct attempt *attempt);
    void *context;

    enum attempt_state state;
    const char *reason;  /* ATTEMPT_FAILED: why */
    const char *refused; /* ATTEMPT_FAILED: the socket option that was refused, or NULL */
    int no_socket;       /* ATTEMPT_FAILED: the errno of its socket(2); else 0 */
    int no_port;  /* ATTEMPT_FAILED: EADDRNOTAVAIL: no local address or port is left; else 0 */
    bool unbound; /* ATTEMPT_FAILED: because the source could not be bound */
    struct sockname local;   /* ATTEMPT_UP */
    bool is_group;           /* ATTEMPT_UP: it is not connected, see any_sender */
    struct socket_file file; /* of a UNIX source; the attempt's */
    struct watch watch;      /* watch.fd is the attempt's; -1: closed */
    struct timer again;      /* a UNIX server's backlog was full */
};

/* Opens the socket, binds it to the source and connects. Returns attempt->state; `settled` is not called where the
 * outcome is known at once. */
enum attempt_state attempt_start(struct attempt *attempt);

/* Closes the socket and removes the file, if the attempt has any. */
void attempt_drop(struct attempt *attempt);

/* Returns the socket of an attempt that is up, and fills *file; both are the caller's from now on. */
int attempt_take(struct attempt *attempt, struct socket_file *file);

enum { ATTEMPT_REASON_MAX = SOCKNAME_TEXT_MAX + 160 };

/* Writes why the attempt is not up: "Connection refused", or, of something of ours, "--mark: Operation not
 * permitted", "source port 99: Permission denied". Returns `out`, which holds ATTEMPT_REASON_MAX bytes. */
char *attempt_reason(const struct attempt *attempt, char *out);

/* Tells whether an errno says that the system is out of what a connection needs (descriptors, memory, local ports),
 * which passes. */
bool attempt_is_shortage(int errnum);

#endif
