/*
 * Two pumps that join a local side (stdin and stdout, or a program) to a remote side (a socket), and how it all ends: see
 * sockctl-connect(1), "ENDS".
 *
 *     tx:   local.in → remote      rx: remote → local.out
 *
 * When `tx` has ended, the remote side's sending half is shut down and reading goes on. When `rx` has ended first, what
 * local.in still delivers is still sent. When the reader of local.out goes, that is an end in order if all that came is
 * written, and `tx` has ended or does so within RELAY_PARTING_MS: for whoever closes both closes one of them first.
 */
#ifndef STREAM_RELAY_H
#define STREAM_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "stream/keepalive.h"
#include "stream/pump.h"
#include "sys/fd.h"
#include "sys/idle_limit.h"
#include "sys/loop.h"

enum { RELAY_SILENCE_MS = 500, RELAY_PARTING_MS = 500 };

/* The rules. All pointers are the owner's. */
struct relay_policy {
    bool no_shutdown; /* the remote side's sending half stays open when `tx` has ended */
    bool confirm;     /* it is over only when a remote side by TCP has acknowledged every byte */
    int64_t keepalive_ms;  /* of the remote side's socket, see stream/keepalive */
    int64_t quit_after_ms; /* after `tx` has ended, until all is over; -1: no limit */
    int64_t idle_ms;       /* nothing moved for so long: status 5; -1: no limit */
    /* When `rx` has ended, `tx` ends after so much silence; 0: at once; -1: only at its own end. */
    int64_t silence_ms;
    const char *greeting; /* goes to the remote side first; at most PUMP_BUFFER bytes */
    size_t greeting_length;
    struct filter *tx_filter; /* NULL: nobody looks at the bytes */
    struct filter *rx_filter;
    struct pace *tx_pace; /* NULL: as fast as it goes */
    struct pace *rx_pace;
    const struct fd *reopened; /* reads what local.in is, see fd_reopened; NULL: itself does */
    /* Takes the bytes once local.out takes no more, which is then no failure; NULL: it is one. */
    const struct fd *sink;
};

struct relay_side {
    struct fd in;        /* fd -1: there is no flow from here */
    struct fd out;       /* the same descriptor as `in` for a socket */
    const char *in_name; /* for errors: "stdin", "127.0.0.1:80"; the owner's */
    const char *out_name;
    int status;            /* of a failure to read or write here */
    struct watch in_watch; /* of both, where they are the same descriptor */
    struct watch out_watch;
};

struct relay_flow {
    struct relay *relay;
    struct pump pump;
    bool open;         /* it is not over */
    struct timer wait; /* until the pump may go on */
};

struct relay {
    struct loop *loop;
    struct relay_policy policy;
    struct relay_side local;
    struct relay_side remote;
    struct relay_flow tx;
    struct relay_flow rx;
    bool shut;         /* the remote side has been told that no more comes */
    bool remote_ended; /* by itself: `rx` is over, and nobody has cut it short */
    bool remote_hung;  /* the remote side has closed both ways: only errors may come from it */
    bool local_gone;   /* nobody will take what still arrives */
    bool finished;
    int result;
    struct kept_error failure; /* what went wrong first; relay_release leaves it to the owner */
    uint64_t silent_at;        /* bytes that had moved when the silence was last looked at */
    uint64_t delivered;        /* of local.in's bytes, when the filter of `tx` last had an answer */
    bool deaf;                 /* the remote side has ended, and did not take such an answer */
    int64_t confirm_ms;        /* between two looks at what is not acknowledged */
    struct keepalive *keepalive;
    struct idle_limit idle;
    struct timer quit;
    struct timer silence;
    struct timer confirm;
    struct timer parting; /* the reader of local.out has gone: until local.in has to have ended */
    /* Tells local.out, where that can be told, that `rx` has ended and all of it is written; called also before the sink
     * takes its place. May be NULL. -1: it failed, and errno says how. */
    int (*local_ended)(struct relay *relay);
    /* The relay is over: `result` is 0, or -1 with `failure`. May release it. */
    void (*done)(struct relay *relay);
};

/* Starts moving, from the loop. The owner has set the descriptors, names and status of both sides, policy, local_ended and
 * done; the descriptors stay the owner's. `pool` outlives the relay. */
void relay_start(struct relay *relay, struct loop *loop, struct pump_pool *pool);

/* Says that nobody will take what still arrives: the relay is over as soon as `tx` has ended and is delivered. */
void relay_local_gone(struct relay *relay);

/* Tells whether the remote side has got less than local.in had to say: then the end of its connection must
 * not look like the end of the stream. A person at a terminal has said what was sent. It may be asked after
 * the relay is over. */
bool relay_has_cut(const struct relay *relay);

/* Gives up timers, watches and what is held. May be called twice. */
void relay_release(struct relay *relay);

#endif
