/*
 * See keepalive.h. A timer looks at the connection twice in each limit: while the window is closed and the peer answers,
 * TCP_USER_TIMEOUT is lifted, and set again to what it was once that is over.
 */
#include "stream/keepalive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sys/sock.h"

struct keepalive {
    struct loop *loop;
    struct timer timer;
    int fd;
    int64_t time_ms;
    int limit_ms; /* what is to be set again */
    bool lifted;
};

static void keepalive_look(struct timer *timer)
{
    struct keepalive *keepalive = LOOP_OWNER(timer, struct keepalive, timer);
    struct sock_tcp tcp;
    if (sock_tcp(keepalive->fd, &tcp))
        return;
    /* The limit is lifted while the peer answers, but takes nothing. */
    bool silent = tcp.asking && tcp.last_ack_ms >= keepalive->time_ms;
    bool lifts = !silent && (tcp.asking || !tcp.unacknowledged) && sock_unread(keepalive->fd) > 0;
    if (lifts && !keepalive->lifted &&
        sock_get(keepalive->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &keepalive->limit_ms))
        return;
    if (lifts != keepalive->lifted)
        sock_set(keepalive->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, lifts ? 0 : keepalive->limit_ms);
    keepalive->lifted = lifts;
    loop_timer_set(keepalive->loop, timer, keepalive->time_ms / 2);
}

struct keepalive *keepalive_start(struct loop *loop, int fd, int64_t time_ms)
{
    if (time_ms <= 0)
        return NULL;
    struct keepalive *keepalive = memory_new(1, sizeof *keepalive);
    *keepalive = (struct keepalive){.loop = loop,
                                    .timer.fired = keepalive_look,
                                    .fd = fd,
                                    .time_ms = time_ms < 1000 ? 1000 : time_ms};
    loop_timer_set(loop, &keepalive->timer, keepalive->time_ms / 2);
    return keepalive;
}

void keepalive_stop(struct keepalive *keepalive)
{
    if (keepalive)
        loop_timer_cancel(keepalive->loop, &keepalive->timer);
    free(keepalive);
}
