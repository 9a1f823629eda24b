/*
 * Two pumps that join a local side (stdin and stdout, or a client) to a remote side (a socket), and
 * how it all ends: see sockctl-connect(1), "ENDS".
 *
 *     tx:   local.in → remote      rx: remote → local.out
 *
 * When `tx` has ended, the remote side's sending half is shut down and reading goes on. When `rx`
 * has ended first, what `local.in` still delivers is still sent. When the reader of local.out goes, that is
 * an end in order if all that came is written, and `tx` has ended or does so within RELAY_PARTING_MS: for
 * whoever closes both closes one of them first.
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

struct relay_policy {
    bool no_shutdown;      /* the remote side's sending half stays open when `tx` has ended */
    bool confirm;          /* wait until a remote side by TCP has acknowledged every byte */
    int64_t keepalive_ms;  /* of the remote side's socket, see stream/keepalive */
    int64_t quit_after_ms; /* after `tx` has ended, until all is over; -1: no limit */
    int64_t idle_ms;       /* nothing moved for so long: status 5; -1: no limit */
    int64_t silence_ms;    /* when `rx` has ended: `tx` ends after so much silence; 0: at once;
                              -1: only at its own end */
    const char *greeting;  /* goes to the remote side first; at most PUMP_BUFFER bytes */
    size_t greeting_length;
    struct filter *tx_filter; /* the owner's; NULL: nobody looks at the bytes */
    struct filter *rx_filter;
    struct pace *tx_pace; /* the owner's; NULL: as fast as it goes */
    struct pace *rx_pace;
    const struct fd
        *reopened; /* what local.in is read by, see fd_reopened; the owner's; NULL: itself */
    const struct fd *sink; /* where bytes go once local.out takes no more, and that is no failure;
                               the owner's; NULL: it is one */
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

struct relay {
    struct loop *loop;
    struct relay_policy policy;
    struct relay_side local;
    struct relay_side remote;
    struct pump tx;
    struct pump rx;
    bool tx_open;
    bool rx_open;
    bool shut;         /* the remote side has been told that no more comes */
    bool remote_ended; /* by itself: `rx` is over, and nobody has cut it short */
    bool remote_hung; /* the remote side has closed both ways: nothing to hear from it but errors */
    bool local_gone;  /* nobody will take what still arrives */
    bool finished;
    int result;
    struct error error; /* what went wrong first */
    uint64_t silent_at; /* bytes taken by `tx` when the silence was last looked at */
    int64_t confirm_ms; /* between two looks at what is not acknowledged */
    struct keepalive *keepalive;
    struct idle_limit idle;
    struct timer quit;
    struct timer silence;
    struct timer confirm;
    struct timer parting; /* the reader of local.out has gone: until local.in has to have ended */
    struct timer tx_wait; /* until the pump may go on */
    struct timer rx_wait;
    /* `rx` has ended and all of it is written: what is to be told to local.out. May be NULL.
     * -1: it failed, errno says how. Also before local.out is replaced by the sink. */
    int (*local_ended)(struct relay *relay);
    /* It is over: result is 0, or -1 and error. May release the relay. */
    void (*done)(struct relay *relay);
};

/* The sides (ends, names, status), policy, local_ended and done are set by the owner before; the
 * descriptors stay the owner's. `pool` outlives the relay. Starts moving from the loop. */
void relay_start(struct relay *relay, struct loop *loop, struct pump_pool *pool);
/* Nobody will take what still arrives: it is over as soon as `tx` has ended and is delivered. */
void relay_local_gone(struct relay *relay);
/* Whether the remote side has got less than local.in had to say: then the end of its connection must not
 * look like the end of the stream. A person at a terminal has said what was sent. Also after it is over. */
bool relay_has_cut(const struct relay *relay);
/* Ends it with *err. Its `done` is called. */
void relay_fail(struct relay *relay, const struct error *err);
/* Forgets timers, watches and what is held. May be called twice. */
void relay_release(struct relay *relay);

#endif
