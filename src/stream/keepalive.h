/*
 * The peer that lives, but does not read. --keepalive=TIME gives a peer twice TIME to acknowledge what it was sent
 * (TCP_USER_TIMEOUT), and a window that stays closed for so long counts as no answer, too, although the peer's TCP answers
 * each time that it is asked for it. So a connection is looked at, now and then, and while its peer keeps the window closed
 * and answers, it has no such limit.
 * Source: tcp(7), RFC 9293, 3.8.6.1.
 */
#ifndef STREAM_KEEPALIVE_H
#define STREAM_KEEPALIVE_H

#include <stdint.h>

#include "sys/loop.h"

struct keepalive;

/* Begins to look at a connection, by `time_ms` of struct sockopt; returns NULL where that gives no limit. The descriptor stays
 * the caller's; one that is not TCP is looked at once. */
struct keepalive *keepalive_start(struct loop *loop, int fd, int64_t time_ms);

/* Looks no more, before the descriptor is closed. NULL: nothing. */
void keepalive_stop(struct keepalive *keepalive);

#endif
