/*
 * Whether one port of a host is open: all the host's addresses are asked at the same time, and the
 * first that is open decides. Over UDP, a datagram is open's sign, an ICMP error closed's, and
 * there may be neither.
 */
#ifndef NET_KNOCK_H
#define NET_KNOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "net/attempt.h"
#include "net/resolver.h"
#include "net/source.h"

enum knock_answer {
    KNOCK_OPEN,
    KNOCK_CLOSED,
    KNOCK_SILENT,
    KNOCK_UNASKED /* something on our side failed, and nobody was asked */
};

struct knock_way; /* to one of the addresses */

struct knock {
    /* The owner's; what they point to outlives the knock. */
    struct loop *loop;
    const struct resolved *names;
    uint16_t port; /* of those that are IPv4 or IPv6 */
    int socktype;
    const struct source *source;
    const struct sockopt *sockopt;
    const char *payload; /* of the datagram */
    size_t payload_length;
    int64_t limit_ms;
    bool distrusts; /* a stream that is closed at once is not open: what is in front accepts for a
                       server that is not there */
    /* It is over, the rest is set; from knock_start or from the loop. May free the knock. */
    void (*settled)(struct knock *knock);

    enum knock_answer answer;
    char reason[ATTEMPT_REASON_MAX]; /* KNOCK_CLOSED, KNOCK_UNASKED: why */
    struct sockname by;              /* KNOCK_CLOSED: whom ICMP comes from; length 0: not known */
    bool is_short;                   /* KNOCK_UNASKED: no socket was to be had, for now */
    bool was_asked;                  /* one of the addresses */
    int64_t took_us;
    struct knock_way *ways; /* names->count of them, the knock's */
    size_t pending;         /* of the ways */
    struct timer limit;
    bool starting;
    int64_t began_us;
};

void knock_start(struct knock *knock);

#endif
