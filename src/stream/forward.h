/*
 * Pairs of connections, thousands at a time: what one side of a pair sends goes to the other, and so do its end and its
 * reset. A side that does not read is not sent to, and the other not read from: that is the back-pressure, and it delays no
 * other pair. The local side is the one that came to us, the remote side the one that we have connected to.
 *
 * A stream that is cut, by our own end or by a limit, must not look like one that has ended: the connection of a side that
 * has not got all that the other sent is reset, once what was sent to it is acknowledged, if that does not take too long.
 */
#ifndef STREAM_FORWARD_H
#define STREAM_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/channel.h"
#include "stream/peer.h"
#include "sys/fd.h"

enum forward_end {
    FORWARD_EOF,    /* both sides have ended, and all of it is passed on */
    FORWARD_FAILED, /* one side failed, see `failure`; the other has been reset */
    FORWARD_IDLE,
    FORWARD_STOPPED
};

struct forward_side {
    struct forward_pair *pair;
    struct watch watch; /* watch.fd is the pair's */
    struct keepalive *keepalive;
    struct channel channel; /* from here to the other side */
    bool ended; /* the channel has ended, and so has the sending half of the other side */
    bool cut;   /* what comes from here was cut: the other side will be reset */
    bool hung;  /* it has closed both ways: only errors may come from it */
};

struct forward_pair {
    struct forward *forward;
    struct list_node node; /* of forward->pairs.list */
    struct forward_side local;
    struct forward_side remote;
    struct idle_limit idle;
    struct timer timer;          /* of a pair that failed or was cut, until it is looked at again */
    int64_t until_ms;            /* how long what is held may take after that; 0: neither */
    struct forward_side *failed; /* NULL: neither */
    int failure;                 /* errno */
    void *user_data;             /* the owner's */
};

struct forward {
    /* Its loop and limits are the owner's to set. What it lists are pairs: a pair has one place and one idle limit, and
     * two sockets, so that neither of its sides is a struct peer. */
    struct peers pairs;
    struct channel_pool pool;
    /* For remote sides that would take the end of what they are sent for the end of all: they are not told that the local
     * side has ended, and the pair ends when nothing has moved for so long after that. 0: they are told. */
    int64_t linger_ms;
    /* A pair has ended; its descriptors are closed after this. */
    void (*left)(struct forward *forward, const struct forward_pair *pair, enum forward_end how);
    /* The remote side of a pair has ended, and all that it had sent is passed on. Returns 0: its end is passed on, too;
     * an errno: it has failed; or EAGAIN: forward_end_remote will say which, until when this may be asked again. NULL: an
     * end is an end. */
    int (*remote_ended)(struct forward *forward, struct forward_pair *pair);
    /* After forward_stop: the last one has gone. */
    void (*stopped)(struct forward *forward);
};

/* What is joined: two connected sockets, which are taken over, and their types. */
struct forward_ends {
    struct fd local;
    struct fd remote;
    int local_socktype;
    int remote_socktype;
    const char
        *preface; /* goes to the remote side first; at most PUMP_BUFFER bytes; no filter sees it */
    size_t preface_length;
    struct filter
        *local_filter; /* the owner's, of what the local side sends; NULL: nobody has to see it */
    struct filter *remote_filter;
};

/* Joins two sockets to a pair. The owner has set what forward->pairs needs, left and stopped; the rest is 0. May call
 * `left` at once. */
void forward_join(struct forward *forward, const struct forward_ends *ends, void *user_data);

/* Says how the remote side has ended after an EAGAIN of remote_ended: 0, or an errno. It may call `left`. */
void forward_end_remote(struct forward_pair *pair, int failure);

/* Passes on what has arrived, then ends the pairs by the rules of sys/drain, and calls `stopped`. A second call waits for
 * nothing. */
void forward_stop(struct forward *forward);

/* Ends what is left at once. */
void forward_release(struct forward *forward);

#endif
