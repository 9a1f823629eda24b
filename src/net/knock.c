#include "net/knock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/attempt.h"
#include "net/sock.h"
#include "net/sockname.h"

enum { DISTRUST_MS = 100 };

struct knock_way {
    struct knock *knock;
    struct sockname peer;
    struct attempt attempt;
    struct watch answer; /* once connected */
    struct timer trust;
};

static void release(struct knock *knock)
{
    loop_timer_cancel(knock->loop, &knock->limit);
    for (size_t i = 0; i < knock->names->count; i++) {
        struct knock_way *way = &knock->ways[i];
        if (!way->knock)
            continue; /* not even started */
        loop_timer_cancel(knock->loop, &way->trust);
        loop_unwatch(knock->loop, &way->answer);
        attempt_drop(&way->attempt);
    }
    free(knock->ways);
    knock->ways = NULL;
}

/* Told once all ways have been started: the owner may free the knock then. */
static void settle(struct knock *knock)
{
    if (knock->starting)
        return;
    knock->took_us = loop_now_us() - knock->began_us;
    release(knock);
    knock->settled(knock);
}

static void open_up(struct knock *knock)
{
    knock->answer = KNOCK_OPEN;
    knock->pending = 0;
    settle(knock);
}

/* One way has come to nothing. The last one is told; a port is not closed as long as an address was
 * not asked for want of a socket. */
static void end_way(struct knock_way *way)
{
    struct knock *knock = way->knock;
    loop_timer_cancel(knock->loop, &way->trust);
    loop_unwatch(knock->loop, &way->answer);
    attempt_drop(&way->attempt);
    knock->answer = knock->was_asked && !knock->is_short ? KNOCK_CLOSED : KNOCK_UNASKED;
    knock->pending--;
    if (!knock->pending)
        settle(knock);
}

static void close_way(struct knock_way *way, const char *reason)
{
    way->knock->was_asked = true;
    snprintf(way->knock->reason, sizeof way->knock->reason, "%s", reason);
    end_way(way);
}

static bool is_shortage(int errnum)
{
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS || errnum == ENOMEM;
}

static void give_way_up(struct knock_way *way)
{
    struct knock *knock = way->knock;
    if (attempt_is_unasked(&way->attempt))
        knock->is_short |= is_shortage(way->attempt.no_socket);
    else
        knock->was_asked = true;
    if (!knock->was_asked || !attempt_is_unasked(&way->attempt))
        attempt_reason(&way->attempt, knock->reason);
    end_way(way);
}

/* Something came back on a connected socket. */
static void answered(struct watch *watch, uint32_t events)
{
    struct knock_way *way = LOOP_OWNER(watch, struct knock_way, answer);
    struct knock *knock = way->knock;
    char byte;
    (void)events;
    int reason = sock_read_report(watch->fd, &knock->by);
    ssize_t got = reason ? -1 : sock_peek(watch->fd, &byte, 1);
    if (got < 0 && !reason)
        reason = errno;
    if (reason == EAGAIN)
        return;
    if (got > 0 || (got == 0 && knock->socktype == SOCK_DGRAM))
        open_up(knock);
    else
        close_way(way, got == 0 ? "closed at once" : strerror(reason));
}

static void trusted(struct timer *timer)
{
    open_up(LOOP_OWNER(timer, struct knock_way, trust)->knock);
}

static void come_up(struct knock_way *way)
{
    struct knock *knock = way->knock;
    int fd = way->attempt.watch.fd;
    bool is_datagram = knock->socktype == SOCK_DGRAM;
    if (!is_datagram && !knock->distrusts) {
        open_up(knock);
        return;
    }
    way->answer = (struct watch){.fd = fd, .ready = answered};
    loop_watch(knock->loop, &way->answer, EPOLLIN);
    if (!is_datagram) {
        way->trust.fired = trusted;
        loop_timer_set(knock->loop, &way->trust, DISTRUST_MS);
        return;
    }
    sock_keep_reports(fd, way->peer.storage.ss_family);
    if (sock_send_to(fd, knock->payload, knock->payload_length, NULL) < 0)
        close_way(way, strerror(errno));
}

static void attempt_settled(struct attempt *attempt)
{
    struct knock_way *way = LOOP_OWNER(attempt, struct knock_way, attempt);
    if (attempt->state == ATTEMPT_UP)
        come_up(way);
    else
        give_way_up(way);
}

static void limit_reached(struct timer *timer)
{
    struct knock *knock = LOOP_OWNER(timer, struct knock, limit);
    knock->answer = KNOCK_SILENT;
    settle(knock);
}

static void start_way(struct knock *knock, size_t which)
{
    struct knock_way *way = &knock->ways[which];
    way->knock = knock;
    way->peer = knock->names->names[which];
    if (knock->port)
        sockname_set_port(&way->peer, knock->port);
    way->attempt = (struct attempt){.loop = knock->loop,
                                    .peer = &way->peer,
                                    .socktype = knock->socktype,
                                    .source = knock->source,
                                    .sockopt = knock->sockopt,
                                    .settled = attempt_settled};
    if (attempt_start(&way->attempt) != ATTEMPT_UNDER_WAY)
        attempt_settled(&way->attempt);
}

void knock_start(struct knock *knock)
{
    size_t count = knock->names->count;
    knock->ways = memory_new(count, sizeof *knock->ways);
    knock->pending = count;
    knock->by.length = 0;
    knock->began_us = loop_now_us();
    knock->limit = (struct timer){.fired = limit_reached};
    knock->starting = true;
    for (size_t i = 0; i < count && knock->pending; i++)
        start_way(knock, i);
    knock->starting = false;
    if (knock->pending)
        loop_timer_set(knock->loop, &knock->limit, knock->limit_ms);
    else
        settle(knock);
}
