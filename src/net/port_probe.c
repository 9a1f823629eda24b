#include "net/port_probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/attempt.h"
#include "sys/sock.h"
#include "sys/sockname.h"

enum { DISTRUST_MS = 100 };

struct port_probe_attempt {
    struct port_probe *probe;
    struct sockname peer;
    struct attempt attempt;
    struct watch answer; /* once connected */
    struct timer trust;
};

static void release(struct port_probe *probe)
{
    loop_timer_cancel(probe->loop, &probe->limit);
    for (size_t i = 0; i < probe->names->count; i++) {
        struct port_probe_attempt *way = &probe->ways[i];
        if (!way->probe)
            continue; /* not even started */
        loop_timer_cancel(probe->loop, &way->trust);
        loop_unwatch(probe->loop, &way->answer);
        attempt_drop(&way->attempt);
    }
    free(probe->ways);
    probe->ways = NULL;
}

/* Told once all ways have been started: the owner may free the probe then. */
static void settle(struct port_probe *probe)
{
    if (probe->starting)
        return;
    probe->took_us = loop_now_us() - probe->began_us;
    release(probe);
    probe->settled(probe);
}

static void open_up(struct port_probe *probe)
{
    probe->answer = PORT_PROBE_OPEN;
    probe->pending = 0;
    settle(probe);
}

/* One way has come to nothing. The last one is told; a port is not closed as long as an address was
 * not asked for want of a socket. */
static void end_way(struct port_probe_attempt *way)
{
    struct port_probe *probe = way->probe;
    loop_timer_cancel(probe->loop, &way->trust);
    loop_unwatch(probe->loop, &way->answer);
    attempt_drop(&way->attempt);
    probe->answer = probe->was_asked && !probe->is_short ? PORT_PROBE_CLOSED : PORT_PROBE_UNASKED;
    probe->pending--;
    if (!probe->pending)
        settle(probe);
}

static void close_way(struct port_probe_attempt *way, const char *reason)
{
    way->probe->was_asked = true;
    snprintf(way->probe->reason, sizeof way->probe->reason, "%s", reason);
    end_way(way);
}

static void give_way_up(struct port_probe_attempt *way)
{
    struct port_probe *probe = way->probe;
    if (attempt_is_unasked(&way->attempt))
        probe->is_short |= attempt_is_shortage(way->attempt.no_socket);
    else
        probe->was_asked = true;
    if (!probe->was_asked || !attempt_is_unasked(&way->attempt))
        attempt_reason(&way->attempt, probe->reason);
    end_way(way);
}

/* Something came back on a connected socket. */
static void answered(struct watch *watch, uint32_t events)
{
    struct port_probe_attempt *way = LOOP_OWNER(watch, struct port_probe_attempt, answer);
    struct port_probe *probe = way->probe;
    char byte;
    (void)events;
    int reason = sock_read_report(watch->fd, &probe->by);
    ssize_t got = reason ? -1 : sock_peek(watch->fd, &byte, 1);
    if (got < 0 && !reason)
        reason = errno;
    if (reason == EAGAIN)
        return;
    if (got > 0 || (got == 0 && probe->socktype == SOCK_DGRAM))
        open_up(probe);
    else
        close_way(way, got == 0 ? "closed at once" : strerror(reason));
}

static void trusted(struct timer *timer)
{
    open_up(LOOP_OWNER(timer, struct port_probe_attempt, trust)->probe);
}

static void come_up(struct port_probe_attempt *way)
{
    struct port_probe *probe = way->probe;
    int fd = way->attempt.watch.fd;
    bool is_datagram = probe->socktype == SOCK_DGRAM;
    if (!is_datagram && !probe->verify_open) {
        open_up(probe);
        return;
    }
    way->answer = (struct watch){.fd = fd, .ready = answered};
    loop_watch(probe->loop, &way->answer, EPOLLIN);
    if (!is_datagram) {
        way->trust.fired = trusted;
        loop_timer_set(probe->loop, &way->trust, DISTRUST_MS);
        return;
    }
    sock_keep_reports(fd, way->peer.storage.ss_family);
    if (sock_send_to(fd, probe->payload, probe->payload_length, NULL) < 0)
        close_way(way, strerror(errno));
}

static void attempt_settled(struct attempt *attempt)
{
    struct port_probe_attempt *way = LOOP_OWNER(attempt, struct port_probe_attempt, attempt);
    if (attempt->state == ATTEMPT_UP)
        come_up(way);
    else
        give_way_up(way);
}

static void limit_reached(struct timer *timer)
{
    struct port_probe *probe = LOOP_OWNER(timer, struct port_probe, limit);
    probe->answer = PORT_PROBE_SILENT;
    settle(probe);
}

static void start_way(struct port_probe *probe, size_t which)
{
    struct port_probe_attempt *way = &probe->ways[which];
    way->probe = probe;
    way->peer = probe->names->names[which];
    if (probe->port)
        sockname_set_port(&way->peer, probe->port);
    way->attempt = (struct attempt){.loop = probe->loop,
                                    .peer = &way->peer,
                                    .socktype = probe->socktype,
                                    .source = probe->source,
                                    .sockopt = probe->sockopt,
                                    .settled = attempt_settled};
    if (attempt_start(&way->attempt) != ATTEMPT_UNDER_WAY)
        attempt_settled(&way->attempt);
}

void port_probe_start(struct port_probe *probe)
{
    size_t count = probe->names->count;
    probe->ways = memory_new(count, sizeof *probe->ways);
    probe->pending = count;
    probe->by.length = 0;
    probe->began_us = loop_now_us();
    probe->limit = (struct timer){.fired = limit_reached};
    probe->starting = true;
    for (size_t i = 0; i < count && probe->pending; i++)
        start_way(probe, i);
    probe->starting = false;
    if (probe->pending)
        loop_timer_set(probe->loop, &probe->limit, probe->limit_ms);
    else
        settle(probe);
}
