/*
 * Whether one port of a host is open: all the host's addresses are asked at the same time, and the
 * first that is open decides. Over UDP, a datagram is open's sign, an ICMP error closed's, and
 * there may be neither.
 */
#ifndef CMD_CONNECT_PORT_PROBE_H
#define CMD_CONNECT_PORT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attempt.h"
#include "net/resolver.h"
#include "sys/loop.h"

enum port_probe_answer {
    PORT_PROBE_OPEN,
    PORT_PROBE_CLOSED,
    PORT_PROBE_SILENT,
    PORT_PROBE_UNASKED /* something on our side failed, and nobody was asked */
};

struct port_probe_try; /* to one of the addresses */

struct port_probe {
    /* The owner's; what they point to outlives the probe. */
    struct loop *loop;
    const struct resolved *names;
    uint16_t port; /* of those that are IPv4 or IPv6 */
    int socktype;
    const struct source *source;
    const struct sockopt *sockopt;
    const char *payload; /* of the datagram */
    size_t payload_length;
    int64_t limit_ms;
    bool verify_open; /* a stream that is closed at once is not open: what is in front accepts for a
                       server that is not there */
    /* Called when the probe is over and the rest is set, from port_probe_start or from the loop. It may free the
     * probe. */
    void (*settled)(struct port_probe *probe);

    enum port_probe_answer answer;
    char reason[ATTEMPT_REASON_MAX]; /* PORT_PROBE_CLOSED, PORT_PROBE_UNASKED: why */
    struct sockname by; /* PORT_PROBE_CLOSED: whom ICMP comes from; length 0: not known */
    bool is_short;      /* PORT_PROBE_UNASKED: no socket was to be had, for now */
    bool was_asked;     /* one of the addresses */
    int64_t took_us;
    struct port_probe_try *tries; /* names->count of them, the probe's */
    size_t pending;               /* of the tries */
    struct timer limit;
    bool starting;
    int64_t began_us;
};

/* Asks all addresses at once. A probe that has begun runs until `settled`, or until it is cancelled. */
void port_probe_start(struct port_probe *probe);

/* Ends a probe that has begun, without a call of `settled`. */
void port_probe_cancel(struct port_probe *probe);

#endif
