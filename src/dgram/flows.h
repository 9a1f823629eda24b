/*
 * Datagrams to another address and back: each client address has a flow, a connected socket of its own, so that the
 * answers that come there are known to be that client's. A flow ends when nothing has moved in it for a while, or, where
 * there are too many, when it is the one that was used least recently.
 */
#ifndef DGRAM_FLOWS_H
#define DGRAM_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "dgram/send_queue.h"
#include "sys/loop.h"
#include "sys/sock.h"

enum {
    DATAGRAM_FLOWS_SOCKETS_MAX = 8,
    DATAGRAM_FLOWS_MAX = 1 << 18 /* bytes in a datagram */
};

enum datagram_flow_end {
    DATAGRAM_FLOW_IDLE,
    DATAGRAM_FLOW_PUSHED,  /* out, by a newer one */
    DATAGRAM_FLOW_REFUSED, /* its client may not speak to us any more */
    DATAGRAM_FLOW_STOPPED
};

struct datagram_flow {
    struct datagram_flows *flows;
    struct list_node node;      /* in flows->by_use */
    struct datagram_flow *next; /* in the same bucket */
    int fd;                     /* the socket that the client speaks to; the owner's */
    struct sock_message client; /* its address, and which of ours it speaks to */
    struct watch remote;        /* remote.fd is the flow's; -1: not connected yet */
    struct sock_message group;  /* where its datagrams go, of a socket that is not connected */
    int64_t used_ms;
    struct list waiting;     /* datagrams that wait until it is connected */
    size_t waiting_bytes;    /* what they take */
    struct list_node unread; /* in flows->unread, while its answers are not read */
    bool is_unread;
    unsigned full_rounds; /* in a row in which there was as much to read as it might */
    uint64_t bytes_in;    /* from the client */
    uint64_t bytes_out;   /* to it */
    void *user_data;      /* the owner's */
};

struct datagram_flows_socket {
    struct datagram_flows *flows;
    struct watch watch;
    bool is_unread;
};

/* What stands before `sockets` is set by the owner, the rest is zero. */
struct datagram_flows {
    struct loop *loop;
    int64_t idle_ms;
    size_t max;                  /* flows at a time */
    struct sock_senders senders; /* who may have one */
    /* Connect it: datagram_flow_connected or datagram_flow_end, later, from the loop. Its first datagram follows. */
    void (*opened)(struct datagram_flows *flows, struct datagram_flow *flow);
    /* Looks at a datagram that is about to be passed on, or kept for that; it may call datagram_flows_hold. False: it is
     * not to be. NULL: nobody has to look. */
    bool (*look)(struct datagram_flows *flows, struct datagram_flow *flow, bool from_client,
                 size_t length);
    /* It has ended; its descriptor is closed after this. */
    void (*left)(struct datagram_flows *flows, const struct datagram_flow *flow,
                 enum datagram_flow_end how);

    struct datagram_flows_socket sockets[DATAGRAM_FLOWS_SOCKETS_MAX];
    size_t socket_count;
    size_t waiting_bytes; /* of all flows together */
    uint64_t seed;        /* of the table: nobody outside can choose who shares a bucket */
    bool is_held;         /* nothing is read */
    struct list unread;   /* flows that had something to be read since then */
    struct list by_use;   /* all flows, the one that was used last first */
    struct timer idle;    /* until the one that was used first may be idle */
    struct send_queue send_queue;
    char *buffer;                   /* the datagram that is passed on */
    struct datagram_flow **buckets; /* the table, which grows with the flows */
    size_t bucket_count;            /* a power of two */
};

/* datagram_flows_start starts with bound sockets, which stay the owner's, at most DATAGRAM_FLOWS_SOCKETS_MAX of them. */
void datagram_flows_start(struct datagram_flows *flows, const int *sockets, size_t count);

/* datagram_flow_connected takes over a connected socket (`group` is NULL), to which what has waited is sent; or one that is
 * not connected, from which all goes to `group`, and whoever answers is listened to. */
void datagram_flow_connected(struct datagram_flow *flow, int fd, const struct sockname *group);

/* datagram_flows_hold makes nothing be read from now on, until datagram_flows_resume: what comes meanwhile waits in the
 * kernel, as far as there is room. Either may be called twice. */
void datagram_flows_hold(struct datagram_flows *flows);
void datagram_flows_resume(struct datagram_flows *flows);

/* datagram_flows_review ends the flows of those who may not have one any more. */
void datagram_flows_review(struct datagram_flows *flows);

/* datagram_flow_end forgets a flow, without a call of `left`. */
void datagram_flow_end(struct datagram_flow *flow);

/* datagram_flows_release ends all of them. */
void datagram_flows_release(struct datagram_flows *flows);

#endif
