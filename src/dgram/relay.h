/*
 * A relay between a pair of descriptors and a datagram socket (UDP, UNIX datagrams, seqpackets) that keeps the
 * boundaries of messages: one read of the input is one datagram, and each datagram that arrives is written whole.
 * An empty datagram is data, not an end; only a seqpacket connection has ends.
 */
#ifndef DGRAM_RELAY_H
#define DGRAM_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "stream/filter.h"
#include "stream/pace.h"
#include "stream/write_queue.h"
#include "sys/fd.h"
#include "sys/idle_limit.h"
#include "sys/loop.h"
#include "sys/sock.h"

enum {
    DATAGRAM_UDP_MAX = 65507, /* 65,535 less the IPv4 and UDP headers (RFC 768, RFC 791) */
    DATAGRAM_RAW_MAX = 65515, /* 65,535 less the IPv4 header */
    DATAGRAM_MAX = 65535,
    DATAGRAM_SOCKETS_MAX = 8,
    DATAGRAM_BURST = 64,           /* datagrams in a row before others get their turn */
    DATAGRAM_KEPT_MAX = 128 * 1024 /* bytes that are kept for another address, with their lengths */
};

enum datagram_peer {
    DATAGRAM_CONNECTED, /* the kernel knows the peer */
    DATAGRAM_FIRST,     /* the first sender is the peer, others are ignored */
    DATAGRAM_GROUP,     /* whatever comes is taken; what is sent goes to policy.group */
    DATAGRAM_ANY        /* whatever comes is taken; what is sent goes to the last sender */
};

struct datagram_policy {
    enum datagram_peer peer;
    const struct sockname *group; /* of DATAGRAM_GROUP; the owner's */
    size_t max_bytes;             /* in a datagram to send */
    bool lines;            /* a line of the input is a datagram, its LF included, not a read */
    const char *separator; /* written after each datagram that has come; the owner's */
    size_t separator_length;
    int64_t max_received;  /* done after so many; 0: no limit */
    bool has_end;          /* a message of no bytes is the end (seqpacket) */
    short protocol;        /* of the sockets' names, see sys/sockname.h */
    bool ip_header;        /* of a raw one: packets keep their IPv4 header */
    bool inherited;        /* others may have the sockets, whose options stay as they are */
    int64_t silence_ms;    /* after that end, as in stream/relay.h */
    int64_t quit_after_ms; /* after the end of input: until so long without a datagram; -1: ever */
    int64_t refusal_ms;    /* but not before so long after the end of input, for a refusal */
    int64_t first_ms;      /* until the first datagram: status 5; -1: no limit */
    int64_t idle_ms;       /* nothing moved for so long: status 5; -1: no limit */
    struct sock_senders senders; /* whose datagrams are taken at all, and who may be sent to */
};

struct datagram_socket {
    struct datagram_relay *relay;
    struct watch watch;
};

/* From the input to the network. The buffers are the relay's. */
struct datagram_tx {
    struct watch watch;             /* of the input */
    char *bytes;                    /* what has been read of it: twice policy.max_bytes + 1 bytes */
    size_t held;                    /* bytes in it, from … */
    size_t start;                   /* … here, where the next datagram is */
    size_t lengths[DATAGRAM_BURST]; /* of the datagrams there: from `next` to `count` they wait */
    size_t next;
    size_t count;
    size_t segment_max; /* bytes in a datagram that may leave with others in one call; 0: none */
    char *filtered;     /* 2 * (policy.max_bytes + 1) bytes: see filter.h */
    char *outgoing;     /* the next datagram as the filter has left it; NULL: it did not see it */
    size_t outgoing_length;
    struct timer wait; /* until the pace, or the kernel, allows the next datagram */
    bool exhausted;    /* what is held is the last */
    int failure;       /* errno of the read that failed after it; 0: the input has ended */
    bool ended;
};

/* What has been sent before anything has come, each datagram after its length (a size_t): where an address refuses it, it
 * is sent again to the next one. */
struct datagram_kept {
    char *bytes; /* the relay's; NULL: nothing is kept (any more) */
    size_t length;
    size_t next; /* from here on it has to be sent again; `length`: nothing has */
    bool moving; /* the owner looks for the next address: nothing is sent or received */
};

/* From the network to the output. */
struct datagram_rx {
    struct write_queue queue;
    char *bytes;     /* the relay's, twice DATAGRAM_MAX + 1 bytes: see filter.h */
    bool gathers;    /* what arrives is written in one go, as a stream */
    char *separated; /* the relay's: a datagram with the separator; NULL: there is none */
    size_t gathered; /* bytes in `bytes` that are to be written */
    bool ended;      /* the peer has sent all it had */
    int64_t count;   /* of datagrams */
};

struct datagram_relay {
    /* The owner sets these before the start; names, filters and the pace stay the owner's. */
    struct datagram_policy policy;
    struct fd in;          /* fd -1: no input */
    struct fd in_reopened; /* the same, to be read: see fd_reopened */
    struct fd out;
    const char *peer_name; /* for errors: "127.0.0.1:80" */
    const char *in_name;   /* "stdin" */
    const char *out_name;
    struct filter *tx_filter; /* NULL: nobody looks at the bytes */
    struct filter *rx_filter;
    struct pace *tx_pace; /* NULL: as fast as it goes */
    struct error *err;    /* what went wrong, when it is over; the owner's */
    /* The first datagram has come, or one of another sender than before. May be NULL. */
    void (*peer_changed)(struct datagram_relay *relay, const struct sockname *peer);
    /* Nobody is there for what was sent, and nothing has come. True: there may be another address, and the owner calls
     * datagram_move or datagram_give_up later, from the loop; false: there is none. NULL: never. */
    bool (*refused)(struct datagram_relay *relay);
    /* It is over: result is 0, or -1 and *err. The relay is not freed in it. */
    void (*done)(struct datagram_relay *relay);

    /* The relay's own; the owner may read them. */
    struct loop *loop; /* NULL: not started, or over */
    struct datagram_socket sockets[DATAGRAM_SOCKETS_MAX];
    size_t socket_count;
    size_t tx_socket;            /* the one that datagrams leave by */
    struct sock_message rx_last; /* its sender is the peer; which address it spoke to */
    bool has_peer;
    struct sockname answered; /* of DATAGRAM_GROUP: the last sender */
    struct datagram_tx tx;
    struct datagram_kept kept;
    struct datagram_rx rx;
    uint64_t bytes_in;  /* from the network */
    uint64_t bytes_out; /* to it */
    struct idle_limit idle;
    struct timer first;
    struct timer quit;
    int result;
};

/* datagram_max returns how many bytes a datagram may have that is sent by, or to, a socket of that name; a raw one's may
 * have their header. */
size_t datagram_max(const struct sockname *name, bool ip_header);

/* datagram_start starts a relay whose fields the owner has set, with sockets that stay the owner's, at most
 * DATAGRAM_SOCKETS_MAX of them. It is over when `done` is called, from the loop. */
void datagram_start(struct datagram_relay *relay, struct loop *loop, const int *sockets,
                    size_t count);

/* datagram_move goes on, after `refused` has returned true, with a socket that is connected to another address, in place
 * of the only one: what was sent is sent again. Both sockets are the owner's; the old one may be closed afterwards. */
void datagram_move(struct datagram_relay *relay, int socket);

/* datagram_give_up ends the relay with the refusal, after `refused` has returned true: there is no other address. */
void datagram_give_up(struct datagram_relay *relay);

/* datagram_release ends the relay at once, without a call of `done`. It may be called twice, and after `done`. */
void datagram_release(struct datagram_relay *relay);

#endif
