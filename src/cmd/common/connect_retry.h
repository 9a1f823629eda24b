/*
 * Getting a connection as the command line wants it: directly or through a proxy, at once or in several rounds, for a
 * server that is not there yet.
 */
#ifndef CMD_COMMON_CONNECT_RETRY_H
#define CMD_COMMON_CONNECT_RETRY_H

#include <stdint.h>

#include "base/error.h"
#include "cli/opt.h"
#include "cmd/common/options.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "net/via.h"
#include "sys/loop.h"

struct connect_retry_options {
    int64_t wait_ms; /* -1: one round */
    int64_t retries;
    char *proxy;
    bool proxy_env;
};
#define CONNECT_RETRY_DEFAULTS                                                                     \
    {                                                                                              \
        .wait_ms = -1                                                                              \
    }
#define CONNECT_WAIT_ROW(options, field)                                                           \
    GROUP_LIMITS,                                                                                  \
        OPT(0, "wait", duration, options, field.wait_ms, "try again until connected, for TIME")
#define CONNECT_RETRY_ROWS(options, field)                                                         \
    CONNECT_WAIT_ROW(options, field),                                                              \
        OPT('R', "retry", number, options, field.retries, "try N times more"), GROUP_PROXY,        \
        OPT_FOR('x', "proxy", proxy, options, field.proxy,                                         \
                MODE_ONLY_KINDS(MODE_TCP) & ~(MODE_PROBE | MODE_VIA),                              \
                "through a proxy: socks5://, socks4://, http://"),                                 \
        OPT_FOR(0, "proxy-env", flag, options, field.proxy_env,                                    \
                MODE_ONLY_KINDS(MODE_TCP) & ~(MODE_PROBE | MODE_VIA),                              \
                "through the proxy in ALL_PROXY")

/* Options of what makes the connection in place of a socket of ours: see net/via.h. */
struct via_options {
    const char *command;
    const char *ca;
    bool tls;
    bool insecure;
};
/* For HOST PORT of TCP (via_check), whatever is done with the connection but passing it on. */
#define VIA_MODES (MODE_ONLY_KINDS(MODE_TCP) & ~MODE_PASS)
#define VIA_ROWS(options, field, via_modes)                                                        \
    OPT_FOR(0, "via", command, options, field.command, via_modes,                                  \
            "the connection is COMMAND's stdin and stdout (%h: host, %p: port)")
#define TLS_ROWS(options, field, via_modes)                                                        \
    OPT_FOR(0, "tls-ca", file, options, field.ca, via_modes,                                       \
            "trust the certificates in FILE alone"),                                               \
        OPT_FOR(0, "tls-insecure", flag, options, field.insecure, via_modes,                       \
                "believe any certificate")

/* Fills *via as the options say, with nothing but `children` set before. Returns 1: it is to be used for `address`; 0: it
 * is not; -1: status 2. `secure`: TLS is wanted, whatever they say. */
int via_options_check(const struct via_options *options, bool secure, const struct address *address,
                      struct via *via, struct error *err);

/* A PROXY header that goes first; `field` is an int, the version, or 0 for none. */
#define SEND_PROXY_ROW(options, field, proxy_modes)                                                \
    OPT_ROW(0, "send-proxy", proxy_version, NULL, options, field, OPT_OPTIONAL, proxy_modes,       \
            "send a PROXY header first, of version 1 or 2 (2)")

/* A PROXY header that is to be sent. */
struct filters;
struct send_proxy {
    int version;                  /* 0: none is sent */
    const struct address *target; /* what is behind a proxy; NULL: there is no proxy */
    struct filters *filters;      /* that dump it; may be NULL */
};

/* Sends a PROXY header over a new connection: its source is our own end, its destination the other, or, behind a proxy, the
 * target, if that is an address. LOCAL or UNKNOWN where these are not known. Status 1 or 8; -1, with *err as it was, when
 * somebody else stops the loop. */
int connect_send_proxy(struct loop *loop, const struct connection *connection,
                       const struct send_proxy *send_proxy, struct error *err);

/* Rounds of trying, and the pauses between them. retry_rounds_init begins the first round. */
struct retry_rounds {
    struct loop *loop;
    int64_t deadline_ms; /* -1: none */
    int64_t retries;     /* left */
    int64_t pause_ms;    /* the next one */
    struct error last;   /* failure that was not for want of time; status 0: none */
};
void retry_rounds_init(struct retry_rounds *rounds, const struct connect_retry_options *options,
                       struct loop *loop);

/* Returns how long a round may take, given the limit for each round (-1: none); -1: no limit. */
int64_t retry_rounds_limit(const struct retry_rounds *rounds, int64_t limit_ms);

/* Runs the loop for a pause after a round that has failed with *failure, longer each time. 0: the next round may begin; -1:
 * this was the last one, and *err says why, or somebody else has stopped the loop and filled *err. */
int retry_rounds_pause(struct retry_rounds *rounds, const struct error *failure, struct error *err);

/* Fills *proxy, which proxy_release gives back, with the proxy that is to be used, whose URL may have to be read from a file:
 * see secret_read. The text of --proxy is wiped. 1: there is a proxy; 0: there is none; -1: status 2, or as secret_read. */
int connect_retry_check(struct loop *loop, const struct connect_retry_options *options,
                        const struct address *address, struct proxy *proxy, struct error *err);

/* Whom to connect to, and how. All of it is the owner's. */
struct connect_retry {
    const struct address *address;
    const struct proxy *proxy; /* NULL: none */
    const struct connect_retry_options *options;
    const struct dial_options *dial;
    int64_t idle_ms; /* what a proxy may be silent for; -1: no limit */
};

/* Does what dial does, in as many rounds as the options say. */
int connect_with_retry(struct loop *loop, const struct connect_retry *retry,
                       struct connection *connection, struct error *err);

#endif
