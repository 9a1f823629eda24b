/*
 * One run of `sockctl listen`: its options, and what its ways of serving have in common.
 */
#ifndef CMD_LISTEN_LISTENING_H
#define CMD_LISTEN_LISTENING_H

#include <stdbool.h>

#include "base/error.h"
#include "cmd/common/connect_retry.h"
#include "cmd/common/options.h"
#include "cmd/common/session.h"
#include "cmd/serve/programs.h"
#include "cmd/serve/server.h"
#include "cmd/serve/workers.h"
#include "sys/loop.h"

struct forward_options {
    const char *to;
    int send_proxy;         /* the version; 0: none */
    struct via_options via; /* a program for each client connects */
};

/* Tells whether each client has a program that connects for it (--via, --tls). */
static inline bool forward_has_program(const struct forward_options *forward)
{
    return forward->via.command || forward->via.tls;
}

struct listen_options {
    struct family_options family;
    struct protocol_options protocol;
    struct limit_options limits;
    struct sockopt sockopt;
    struct transfer_options transfer;
    const char *source;
    const char *port;
    bool listen;
    bool keep_open;
    bool serial; /* these three have keep_open set too */
    bool broker;
    bool chat; /* and broker */
    struct opt_bytes greeting;
    struct forward_options forward;
    bool accept_proxy;
    struct server_options server;
    uint64_t max_memory; /* 0: not given */
    int64_t workers;
    struct program_options program;
    bool log_json;
    bool explain;
};

/* One run. What the way of serving needs beside is in a struct of its own, to which `serving` points while it runs. */
struct listening {
    const struct listen_options *typed; /* the options as they were typed */
    const struct listen_options *given; /* with what some of them imply */
    struct loop *loop;
    struct server server; /* joined and stop are set by the way of serving */
    struct session session;
    struct filters filters;
    char **arguments;  /* what follows `--`, where that is for the program; else NULL */
    const char **argv; /* of the program for each client; NULL: none */
    struct workers workers;
    struct error *err;
    void *serving;
};

/* listen_many serves many clients at once, who share stdin and stdout, until the end. The server is open. Returns 0, or
 * -1 and listening->err. */
int listen_many(struct listening *listening);

/* listen_forward forwards clients to another address (--to), in the same way. */
int listen_forward(struct listening *listening);

/* listen_share starts the processes of --workers. It returns 1 in a process that is to serve, which may be one of
 * several; else all is over, and the way returns what this did. */
int listen_share(struct listening *listening);

/* listen_check_forward says whether --to goes with the other options that were typed, where clients come over this kind
 * of socket (a MODE_ bit; 0: not known yet): 0, or -1 and status 2. */
int listen_check_forward(const struct listen_options *typed, unsigned kind, struct error *err);

#endif
