/*
 * Getting a connected socket: every address of the name takes part in a race (RFC 8305).
 *
 * Attempts start in the order of the addresses, families interleaved: the second 250 ms after the
 * first, the others, while there is no answer, 10 ms after each other. One that is refused lets the
 * next start at once; the first one up wins and the others are closed. Where one family's addresses
 * are known later than the other's, they join the race then. A loop may have any number of dialers.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/address.h"
#include "net/attempt.h"
#include "net/resolver.h"
#include "net/socket_file.h"
#include "net/sockopt.h"
#include "net/via.h"
#include "sys/loop.h"

struct dial_options {
    bool numeric;            /* -n */
    bool is_retried;         /* another round will follow if it fails: when all known addresses have
                                failed, the dialer waits a second for those not known yet; else
                                until the look-up ends or timeout_ms is over */
    int64_t timeout_ms;      /* for look-up and connecting together; -1: no limit */
    const char *source;      /* -s: local IP address or UNIX path; NULL: the system's choice */
    const char *source_port; /* -p; NULL: the system's choice */
    const struct sockopt *sockopt; /* NULL: none */
    bool any_sender; /* a datagram socket to a group or a broadcast address is not connected */
    struct via *via; /* a program makes the connection; NULL: we do. Of all the others only
                              timeout_ms counts then */
    const struct resolved *refused; /* addresses that are left out; the owner's; NULL: none */
    /* What a name was found to be, kept from one connection to the next and looked up anew when
     * none of it answers. Starts as {0}, the owner's to release; NULL: every time a look-up. */
    struct resolved *known;
};

struct connection {
    int fd;               /* the caller's; non-blocking, unless inherited */
    bool inherited;       /* fd: or systemd: others may share it, and it is left as it was: use
                             fd_of, not fd_of_socket; the sock_ calls never block on it */
    int socktype;         /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET or SOCK_RAW */
    bool is_group;        /* it is not connected, see any_sender: send to `peer` */
    struct sockname peer; /* as connected to */
    struct sockname local;
    struct socket_file file; /* of -s PATH; connection_close removes it */
    struct via_program *via; /* whose socket it is; connection_close ends it. NULL: none */
    int64_t looked_up_us;    /* loop_now_us when the names were known; 0: of an inherited one */
};

/* Runs the loop until connected. *err names every address that was tried: status 3 or 2 for a bad
 * name or -s, 4 when no address could be connected to, 5 when the time was over; err->errnum is why
 * the system gave no socket or no port, else 0. When somebody else stops the loop: -1, and *err is
 * left as it was. */
int dial(struct loop *loop, const struct address *address, const struct dial_options *options,
         struct connection *connection, struct error *err);

/* Does in the background what dial does: `done` is called once, from the loop (never before dial_start has
 * returned), with the connection, which is then the callee's, or with NULL and the reason. The dialer
 * has ended then. */
struct dialer;
struct dialer *dial_start(struct loop *loop, const struct address *address,
                          const struct dial_options *options,
                          void (*done)(void *context, const struct connection *connection,
                                       const struct error *err),
                          void *context);

/* Ends and frees a dialer that has not called `done`. */
void dial_cancel(struct dialer *dialer);

/* Closes the socket, and removes the file of -s PATH. May be called twice. */
void connection_close(struct connection *connection);

/* Closes it in the foreground, after a transfer that returned `result`: see via_end. */
int connection_end(struct connection *connection, bool received, int result, struct error *err);

/* Fills *source with what the options say of our own end of connections to `address`. Returns 0, or -1 with status 2
 * where it makes no sense. */
int dial_read_source(struct source *source, const struct address *address,
                     const struct dial_options *options, struct error *err);

#endif
