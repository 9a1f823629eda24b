/*
 * Getting a connection as the command line wants it: directly or through a proxy, at once or with
 * patience for a server that is not there yet.
 */
#ifndef CMD_REACH_H
#define CMD_REACH_H

#include <stdint.h>

#include "base/error.h"
#include "cli/opt.h"
#include "io/loop.h"
#include "net/dial.h"
#include "net/proxy.h"

struct reach_options {
    int64_t wait_ms; /* -1: one round */
    int64_t retries;
    char *proxy;
    bool proxy_env;
};
#define REACH_DEFAULTS                                                                             \
    {                                                                                              \
        .wait_ms = -1                                                                              \
    }
#define REACH_ROWS(options, field)                                                                 \
    OPT(0, "wait", duration, options, field.wait_ms, "try again until connected, for TIME"),       \
        OPT('R', "retry", number, options, field.retries, "try N times more"),                     \
        OPT('x', "proxy", proxy, options, field.proxy,                                             \
            "through socks5://, socks4:// or http:// [USER:PASS@]HOST[:PORT], or @FILE"),          \
        OPT(0, "proxy-env", flag, options, field.proxy_env, "through the proxy in ALL_PROXY")

/* Rounds of trying, and the pauses between them. */
struct patience {
    struct loop *loop;
    int64_t deadline_ms; /* -1: none */
    int64_t retries;     /* left */
    int64_t pause_ms;    /* the next one */
    struct error last;   /* failure that was not for want of time; status 0: none */
};
void patience_init(struct patience *patience, const struct reach_options *options,
                   struct loop *loop);
/* Milliseconds that a round may take, given the limit for each round (-1: none); -1: no limit. */
int64_t patience_limit(const struct patience *patience, int64_t limit_ms);
/* After a round that has failed with *failure: runs the loop for a pause, longer each time. 0: now
 * the next round; -1: this was the last one, and *err says why, or somebody else has stopped the
 * loop and filled *err. */
int patience_pause(struct patience *patience, const struct error *failure, struct error *err);

/* Usage errors; fills *proxy, kind and address, with what is to be used, which may have to be read from a
 * file: see secret_read. 1: a proxy, 0: none. */
int reach_check(struct loop *loop, const struct reach_options *options,
                const struct address *address, struct proxy *proxy, struct error *err);

/* Whom to reach, and how. All of it is the owner's. */
struct reach {
    const struct address *address;
    const struct proxy *proxy; /* NULL: none */
    const struct reach_options *options;
    const struct dial_options *dial;
    int64_t idle_ms; /* what a proxy may be silent for; -1: no limit */
};

/* As dial, in as many rounds as the options say. */
int reach(struct loop *loop, const struct reach *reach, struct connection *connection,
          struct error *err);

#endif
