/*
 * One run of `sockctl listen`: what its ways of serving have in common. Each is a file of its own.
 */
#ifndef CMD_LISTEN_LISTENING_H
#define CMD_LISTEN_LISTENING_H

#include <stdbool.h>

#include "base/error.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/options.h"
#include "cmd/common/session.h"
#include "cmd/serve/programs.h"
#include "cmd/serve/server.h"
#include "cmd/serve/workers.h"
#include "proto/chat.h"
#include "stream/hub.h"
#include "sys/loop.h"

struct forward_options {
    const char *to;
    bool send_proxy;
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
};

/* One of many clients: the user_data of a hub_client. */
struct listening_client {
    struct connection_log log;
    unsigned long number; /* the first is 1 */
    struct chat_reader reader;
    bool warned;   /* that lines of it are cut */
    bool is_proxy; /* see server.h */
};

struct listening {
    const struct listen_options *given;
    struct loop *loop;
    struct server server; /* joined and stopping are set by the way of serving */
    struct session session;
    struct filters filters;
    struct error *err;

    struct workers workers;
    struct forwarding *forwarding; /* listening_forward's */
    struct hub hub;                /* these three, listening_many's */
    unsigned long count;           /* of all clients there ever were */
    struct listening_client input; /* what stdin says to a chat, as if it were one */
    int client;                    /* these three, listening_one's: who came */
    struct sockname peer;
    struct watch reader; /* of stdout, while nobody has come */

    const char **argv; /* these two, listening_programs's: what is run */
    struct programs programs;
};

/* Ways to serve, each until its end. The server is open. */
int listening_one(struct listening *listening);       /* a client */
int listening_many(struct listening *listening);      /* clients */
int listening_datagrams(struct listening *listening); /* whoever speaks */
int listening_forward(struct listening *listening);   /* clients, to another address */
int listening_programs(struct listening *listening);  /* clients, with a program for each */

/* --workers: 1 in a process that is to serve, which may be one of several; else that is over, and the
 * way returns what this did. */
int listening_share(struct listening *listening);

/* Whether --to goes with the other options. Status 2. */
int listening_check_forward(const struct listen_options *given, struct error *err);

/* What listening_many does with what it hears, for --broker and --chat; see io/hub.h. */
void listening_broker_heard(struct hub *hub, struct hub_client *from, const char *bytes,
                            size_t length);
void listening_chat_heard(struct hub *hub, struct hub_client *from, const char *bytes,
                          size_t length);
void listening_chat_joined(struct hub_client *client);
void listening_chat_left(const struct hub_client *client);

#endif
