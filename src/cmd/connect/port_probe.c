/*
 * Whether one port of a host is open.
 *
 * There is a try for each address, all at the same time. Each connects (try_settled), and where that is not enough
 * waits for what comes back (try_answered). The first that finds the port open ends the probe (probe_open), and so do
 * the last that comes to nothing (try_end) and the time limit.
 */
#include "cmd/connect/port_probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/attempt.h"
#include "sys/sock.h"
#include "sys/sockname.h"

enum { VERIFY_MS = 100 };

struct port_probe_try {
    struct port_probe *probe;
    struct sockname peer;
    struct attempt attempt;
    struct watch answer; /* once connected */
    struct timer verify;
};

static void try_release(struct port_probe_try *try)
{
    loop_timer_cancel(try->probe->loop, &try->verify);
    loop_unwatch(try->probe->loop, &try->answer);
    attempt_drop(&try->attempt);
}

void port_probe_cancel(struct port_probe *probe)
{
    loop_timer_cancel(probe->loop, &probe->limit);
    for (size_t i = 0; i < probe->names->count; i++) {
        struct port_probe_try *try = &probe->tries[i];
        if (try->probe) /* else it was not even started */
            try_release(try);
    }
    free(probe->tries);
    probe->tries = NULL;
}

/* Ends the probe, once all tries have been started: the owner may free it then. */
static void probe_settle(struct port_probe *probe)
{
    if (probe->starting)
        return;
    probe->took_us = loop_now_us() - probe->began_us;
    port_probe_cancel(probe);
    probe->settled(probe);
}

static void probe_open(struct port_probe *probe)
{
    probe->answer = PORT_PROBE_OPEN;
    probe->pending = 0;
    probe_settle(probe);
}

/* Ends a try that has come to nothing. The last one ends the probe; a port is not closed as long as an address was
 * not asked for want of a socket. */
static void try_end(struct port_probe_try *try)
{
    struct port_probe *probe = try->probe;
    try_release(try);
    probe->answer = probe->was_asked && !probe->is_short ? PORT_PROBE_CLOSED : PORT_PROBE_UNASKED;
    probe->pending--;
    if (!probe->pending)
        probe_settle(probe);
}

static void try_closed(struct port_probe_try *try, const char *reason)
{
    try->probe->was_asked = true;
    snprintf(try->probe->reason, sizeof try->probe->reason, "%s", reason);
    try_end(try);
}

/* Something came back on a connected socket. */
static void try_answered(struct watch *watch, uint32_t events)
{
    struct port_probe_try *try = LOOP_OWNER(watch, struct port_probe_try, answer);
    struct port_probe *probe = try->probe;
    char byte;
    (void)events;
    int reason = sock_read_report(watch->fd, &probe->by);
    ssize_t got = reason ? -1 : sock_recv_flags(watch->fd, &byte, 1, MSG_PEEK);
    if (got < 0 && !reason)
        reason = errno;
    if (reason == EAGAIN)
        return;
    if (got > 0 || (got == 0 && probe->socktype == SOCK_DGRAM))
        probe_open(probe);
    else
        try_closed(try, got == 0 ? "closed at once" : strerror(reason));
}

/* The connection is still there: the port is open. */
static void try_verify_timeout(struct timer *timer)
{
    probe_open(LOOP_OWNER(timer, struct port_probe_try, verify)->probe);
}

static void try_settled(struct attempt *attempt)
{
    struct port_probe_try *try = LOOP_OWNER(attempt, struct port_probe_try, attempt);
    struct port_probe *probe = try->probe;
    const bool is_datagram = probe->socktype == SOCK_DGRAM;
    const int fd = attempt->watch.fd;
    if (attempt->state != ATTEMPT_UP) {
        const bool unasked = attempt->unbound || attempt->refused || attempt->no_socket;
        if (unasked)
            probe->is_short |= attempt_is_shortage(attempt->no_socket);
        else
            probe->was_asked = true;
        if (!probe->was_asked || !unasked)
            attempt_reason(attempt, probe->reason);
        try_end(try);
        return;
    }
    if (!is_datagram && !probe->verify_open) {
        probe_open(probe);
        return;
    }
    try->answer = (struct watch){.fd = fd, .ready = try_answered};
    loop_watch(probe->loop, &try->answer, EPOLLIN);
    if (!is_datagram) {
        try->verify.fired = try_verify_timeout;
        loop_timer_set(probe->loop, &try->verify, VERIFY_MS);
        return;
    }
    /* What ICMP says of the datagram is kept for sock_read_report (ip(7)). */
    if (try->peer.storage.ss_family == AF_INET)
        sock_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    else if (try->peer.storage.ss_family == AF_INET6)
        sock_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    const ssize_t sent = attempt->is_group
                             ? sock_send_to(fd, probe->payload, probe->payload_length, &try->peer)
                             : sock_send(fd, probe->payload, probe->payload_length);
    if (sent < 0)
        try_closed(try, strerror(errno));
}

static void probe_limit_timeout(struct timer *timer)
{
    struct port_probe *probe = LOOP_OWNER(timer, struct port_probe, limit);
    probe->answer = PORT_PROBE_SILENT;
    probe_settle(probe);
}

void port_probe_start(struct port_probe *probe)
{
    const size_t count = probe->names->count;
    probe->tries = memory_new(count, sizeof *probe->tries);
    probe->pending = count;
    probe->by.length = 0;
    probe->began_us = loop_now_us();
    probe->limit = (struct timer){.fired = probe_limit_timeout};
    probe->starting = true;
    for (size_t i = 0; i < count && probe->pending; i++) {
        struct port_probe_try *try = &probe->tries[i];
        try->probe = probe;
        try->peer = probe->names->names[i];
        if (probe->port)
            sockname_set_port(&try->peer, probe->port);
        try->attempt = (struct attempt){.loop = probe->loop,
                                        .peer = &try->peer,
                                        .socktype = probe->socktype,
                                        .source = probe->source,
                                        .sockopt = probe->sockopt,
                                        .any_sender = true,
                                        .settled = try_settled};
        if (attempt_start(&try->attempt) != ATTEMPT_UNDER_WAY)
            try_settled(&try->attempt);
    }
    probe->starting = false;
    if (probe->pending)
        loop_timer_set(probe->loop, &probe->limit, probe->limit_ms);
    else
        probe_settle(probe);
}
