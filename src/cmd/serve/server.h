/*
 * What listen, echo-server and unix-serve have in common: a listener, what is said of it, who may be a client and how
 * many there may be, how long the first one may take to come, and what a signal does.
 *
 *     server_open → server_ready → server_accept → loop_run → server_close
 */
#ifndef CMD_SERVE_SERVER_H
#define CMD_SERVE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/list.h"
#include "cmd/common/limit.h"
#include "cmd/common/options.h"
#include "cmd/serve/access.h"
#include "cmd/serve/supervised_child.h"
#include "net/listener.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/sandbox.h"
#include "sys/sock.h"

/* A client that may talk to us. An engine gets its clients as these, from `joined`, and in no other way. */
struct admitted_client {
    int fd;                      /* owned by the callee of `joined` */
    const struct sockname *peer; /* the client, be it behind a proxy; valid during the call */
    struct sockname destination; /* our end as it has it, by its PROXY header; length 0: not said */
    bool is_proxy;               /* it is the proxy itself: its header is LOCAL or UNKNOWN */
};

/* The owner sets what stands before `began`, joined and stop not later than server_ready; the rest is zero. */
struct server {
    struct loop *loop;
    const struct server_options *options;
    const struct limit_options *limits;
    const struct sockopt *sockopt; /* NULL: none */
    bool numeric;
    bool no_sandbox;      /* nothing is given up: see sys/sandbox.h */
    bool worker;          /* one of several processes: the first process has said that it listens */
    int64_t header_ms;    /* clients that may announce begin with a PROXY header, within this time;
                             0: nobody does */
    char *const *command; /* of --run: what followed `--` */
    struct error *err;
    /* Called when a client has come and is admitted. The callee calls server_left when it has gone. */
    void (*joined)(struct server *server, const struct admitted_client *client);
    /* Called when a signal, or the end of the command of --run, says that the server is to end its connections in
     * order, and then to stop the loop with 0. NULL: a signal ends the command. */
    void (*stop)(struct server *server);
    /* Called when the lists of who may connect have been read again. NULL: nobody has to know. */
    void (*reviewed)(struct server *server);

    bool began;     /* server_begin was called */
    bool signalled; /* it was told to stop */
    struct listener listener;
    struct list pending; /* clients that have yet to send their PROXY header */
    struct access access;
    char name[SOCKNAME_TEXT_MAX]; /* of the first socket */
    size_t count;                 /* clients at present */
    size_t max_clients;           /* clients that there are descriptors for; 0: not asked */
    struct limit wait;            /* for the first client */
    struct limit total;
    struct signals signals;
    struct children children; /* initialised by those who start programs */
    struct supervised_child child;
    struct sandbox sandbox; /* of server_prepare_sandbox */
};

/* server_begin catches signals and starts --max-time: either ends what comes before anybody is served, be it a
 * FIFO that nobody reads. Those who open files first call it; else server_open does. Returns 0, or -1 and the error
 * of options that do not go together (status 2). */
int server_begin(struct server *server);

/* server_open reads the lists of who may connect, and listens on the address. Nobody is served yet; a signal ends
 * the command. Returns 0, or -1 and the error. */
int server_open(struct server *server, const struct address *address);

/* server_send_at_once sets TCP_NODELAY for clients to come. It is for a server that passes on, or sends back, just
 * what it has read: to hold that back until what was sent last is acknowledged (RFC 896) saves it no packet, and
 * costs a client that writes twice before it reads 40 ms. */
void server_send_at_once(const struct server *server);

/* server_ready says that it listens, and starts the command of --run. From now on a signal calls `stop`; SIGHUP,
 * where lists come from files, reads them again instead. Returns 0, or -1 and the error. */
int server_ready(struct server *server);

/* server_prepare_sandbox makes the sandbox for what this server goes on needing, and beside that `needs`, to be entered
 * after server_ready and before the first client; where programs are started for clients, it is not called. */
void server_prepare_sandbox(struct server *server, unsigned needs);

/* server_confine prepares it and enters. */
void server_confine(struct server *server, unsigned needs);

/* server_skip_sandbox says, in its place, that programs are started for clients, which would be bound by it. */
void server_skip_sandbox(const struct server *server);

/* server_reserve keeps so many descriptors for each client: those for whom there would be none wait in the
 * backlog. */
void server_reserve(struct server *server, int descriptors);

/* server_accept begins to wait for the first client, which ends the wait when it is admitted. From then on, connections
 * that are admitted are given to `joined`, never more than max_conns at a time; datagrams the caller receives itself, from
 * those whom server_senders admits. */
void server_accept(struct server *server);

/* server_accept_waiting does the same at once for those that have connected already, before the listener is closed. */
void server_accept_waiting(struct server *server);

/* server_senders returns the check that sock_recv_message makes of each datagram's sender, by the lists as they are
 * then. The server outlives it. */
struct sock_senders server_senders(struct server *server);

/* server_datagram_sockets gives a server of datagrams its sockets together with who may send to them, without whom
 * none is to be received from. The sockets stay the listener's. Returns how many there are. */
size_t server_datagram_sockets(struct server *server, int sockets[LISTENER_SOCKETS_MAX],
                               struct sock_senders *senders);

/* server_refuse ends the coming of clients: others are refused, and those that are pending are closed. It may be called
 * twice. */
void server_refuse(struct server *server);

/* server_left says that there is one client fewer, and so room for another. */
void server_left(struct server *server);

/* server_close ends the listener and all limits, and waits for the command of --run. Returns what the command line
 * ends with, where serving ended with `result`. */
int server_close(struct server *server, int result);

#endif
