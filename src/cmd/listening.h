/*
 * One run of `sockctl listen`: what its ways of serving have in common. Each is a file of its own.
 */
#ifndef CMD_LISTENING_H
#define CMD_LISTENING_H

#include <stdbool.h>

#include "base/error.h"
#include "cmd/server.h"
#include "cmd/session.h"
#include "cmd/shared.h"
#include "io/hub.h"
#include "io/loop.h"

struct forward_options {
    const char *to;
    bool send_proxy;
    bool accept_proxy;
};

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
    struct opt_bytes greeting;
    struct forward_options forward;
    struct server_options server;
    bool log_json;
};

struct listening {
    const struct listen_options *given;
    struct loop *loop;
    struct server server; /* joined and stopping are set by the way of serving */
    struct session session;
    struct filters filters;
    struct error *err;

    struct hub hub;                /* listening_many's */
    struct forwarding *forwarding; /* listening_forward's */
    int client;                    /* these three, listening_one's: who came */
    struct sockname peer;
    struct watch reader; /* of stdout, while nobody has come */
};

/* Ways to serve, each until its end. The server is open. */
int listening_one(struct listening *listening);       /* a client */
int listening_many(struct listening *listening);      /* clients */
int listening_datagrams(struct listening *listening); /* whoever speaks */
int listening_forward(struct listening *listening);   /* clients, to another address */

/* Whether --to goes with the other options. Status 2. */
int listening_check_forward(const struct listen_options *given, struct error *err);

#endif
