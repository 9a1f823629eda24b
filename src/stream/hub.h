/*
 * Many clients, one output, one input: what any client sends goes to the output, each read of it whole, and what several
 * send in one round of the loop in one write; what the input delivers goes to every client. Or the owner receives all of
 * it, and sends clients what it likes.
 *
 * What a client does not take at once is queued for it. Where half of its queue is full, or half of the
 * memory that all queues may take, no more is read of what would fill it, until it has taken that; but
 * a client that takes nothing for half a second is not waited for. When its queue is full it is
 * disconnected, and so is the one with the largest when all of them take too much.
 *
 * A client that has not got all that there was for it, from its queue or from an input that has not
 * ended, has its connection reset, so that it does not take the end of that for the end of all.
 */
#ifndef STREAM_HUB_H
#define STREAM_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/error.h"
#include "stream/filter.h"
#include "stream/peer.h"
#include "stream/write_queue.h"
#include "sys/fd.h"
#include "sys/loop.h"

enum { HUB_QUEUE = 1 << 20, HUB_READ = 65535 };

enum hub_end {
    HUB_EOF,
    HUB_RESET,
    HUB_IDLE,
    HUB_SLOW,    /* it does not read */
    HUB_LARGEST, /* its queue was the largest when all together were too large */
    HUB_STOPPED
};

struct hub_client {
    struct hub *hub;
    struct peer peer; /* of hub->clients */
    struct write_queue queue;
    bool queued; /* something waits in it, as it is counted */
    struct budget_holder holder;
    size_t owned;          /* bytes that the owner holds for it, see hub_client_owns */
    struct timer timer;    /* for the nearest of its other limits */
    bool ended;            /* it has sent all it had */
    bool lost;             /* its timer will drop it */
    enum hub_end lost_how; /* how it has ended then */
    int failure;           /* errno of HUB_RESET */
    int64_t moved_ms;
    int64_t taken_ms;  /* when its queue was begun, or last got shorter */
    int untaken;       /* of what was sent, when that was looked at last, see sock_unread */
    uint64_t bytes_in; /* from the client */
    void *user_data;   /* the owner's */
};

struct hub {
    /* Its limits are the owner's to set. While nothing is read, those that have sent something wait. Its loop is NULL when
     * the hub is released. */
    struct peers clients;
    struct fd in;          /* the owner's; fd -1: no input */
    struct fd in_reopened; /* what `in` is read by, see fd_reopened; the owner's */
    struct fd out;
    struct filter *tx_filter; /* of the input; the owner's; NULL: none */
    struct filter *rx_filter; /* of what the clients send */
    const char *in_name;      /* for errors; the owner's */
    const char *out_name;
    struct error *err;     /* what went wrong, when it is over; the owner's */
    int64_t quit_after_ms; /* after the end of the input, at most so long; -1: no limit */
    int64_t silence_ms;    /* of the input, after the end of a client; 0: none; -1: no limit */
    bool no_shutdown;      /* the sending halves stay open at the end of the input */
    const char *greeting;
    size_t greeting_length;
    uint64_t max_memory;        /* bytes of all queues together; 0: BUDGET_DEFAULT */
    size_t queued_count;        /* clients for whom something is queued */
    size_t lost_count;          /* clients whose timer will drop them */
    struct budget budget;       /* of all queues */
    struct hub_client *awaited; /* the one that is behind; NULL: nobody is */
    struct timer hold;          /* until it is waited for no more */
    struct watch in_watch;
    bool in_ended;
    bool in_began; /* it has delivered something */
    int64_t in_moved_ms;
    struct write_queue queue;
    char *buffer;            /* the hub's: 2 * HUB_READ bytes to read into, see filter.h */
    struct write_cork *cork; /* the hub's: gathers what clients send in one round of the loop */
    struct timer put;        /* the end of that round */
    bool failed;             /* its input or its output has: *err says why */
    /* Takes what a client sends, in place of the output, or what the input delivers (from NULL), in place of the
     * clients. `bytes` is NULL at the end. May call hub_send. NULL: the output and the clients get it. */
    void (*received)(struct hub *hub, struct hub_client *from, const char *bytes, size_t length);
    /* A client has gone, and is no longer among the clients; its descriptor is closed after this. May call hub_send. May
     * be NULL. */
    void (*left)(struct hub *hub, const struct hub_client *client, enum hub_end how);
    /* The hub is over and released: `result` is 0 after hub_stop, or -1 with *err. */
    void (*done)(struct hub *hub, int result);
};

/* Starts to read and write. The owner has set in, in_reopened, out, filters, names, err, limits, greeting, max_memory,
 * received, left and done; the rest is 0. */
void hub_start(struct hub *hub, struct loop *loop);
/* Takes over a non-blocking socket, and returns its client, which is the hub's until `left`. */
struct hub_client *hub_add(struct hub *hub, int fd, void *user_data);
/* Sends at once what the client can take, and queues the rest. A client that has gone or whose queue is full is dropped, but
 * not before the next round of the loop. */
void hub_send(struct hub_client *client, const char *bytes, size_t length);
/* Sends the bytes to all clients but `from`, which may be NULL. */
void hub_send_others(struct hub *hub, const struct hub_client *from, const char *bytes,
                     size_t length);
/* Says that the owner holds so many bytes for this client, which count as if they were queued. */
void hub_client_owns(struct hub_client *client, size_t bytes);
/* Reads no more, and calls `done` once what was read is written, by the rules of sys/drain. */
void hub_stop(struct hub *hub);
/* Closes what is left; `left` is called for each client. May be called twice. */
void hub_release(struct hub *hub);

#endif
