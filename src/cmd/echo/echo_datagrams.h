/*
 * Datagrams, each answered to whoever sent it, from the address that it was sent to: by itself, or as the mode says; with
 * faults, late, twice, changed or not at all. Where that is UDP, not if it looks like part of a loop (loop_guard).
 */
#ifndef CMD_ECHO_ECHO_DATAGRAMS_H
#define CMD_ECHO_ECHO_DATAGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/echo/echo.h"
#include "cmd/echo/faults.h"
#include "cmd/echo/loop_guard.h"
#include "dgram/send_queue.h"
#include "net/listener.h"
#include "stream/filter.h"
#include "sys/loop.h"
#include "sys/sock.h"

enum { ECHO_DATAGRAM_SOCKETS_MAX = 8, ECHO_DATAGRAM_MAX = 1 << 18 };

struct echo_datagram_socket {
    struct echo_datagrams *echo;
    struct watch watch;
    struct sockname name; /* ours */
};

/* loop, mode, faults, tap and senders are set by the owner, the rest is zero. */
struct echo_datagrams {
    struct loop *loop;
    enum echo_mode mode;
    const struct faults *faults; /* the owner's; NULL: none */
    struct tap *tap;             /* the owner's; sees what is answered; NULL: nobody does */
    struct echo_datagram_socket sockets[ECHO_DATAGRAM_SOCKETS_MAX];
    size_t count;
    char *buffer; /* the echo's, ECHO_DATAGRAM_MAX bytes */
    struct send_queue send_queue;
    uint64_t pieces;         /* for which faults were decided upon */
    int64_t free_us;         /* with faults->rate: when the last answer is through */
    struct loop_guard guard; /* the slots are the echo's */
    bool held;
    struct sock_senders senders; /* who may speak to it at all */
};

/* echo_datagrams_start starts with a listener's sockets, which stay the owner's, at most ECHO_DATAGRAM_SOCKETS_MAX. */
void echo_datagrams_start(struct echo_datagrams *echo, const struct listener_socket *sockets,
                          size_t count);

/* echo_datagrams_hold says whether what arrives is to wait from now on. */
void echo_datagrams_hold(struct echo_datagrams *echo, bool held);

/* echo_datagrams_release forgets what waits; `loop` is NULL then. */
void echo_datagrams_release(struct echo_datagrams *echo);

#endif
