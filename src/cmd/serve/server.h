/*
 * What listen, echo-server and unix-serve have in common: a listener, what is told of it, how many
 * clients there may be, how long the first one may take to come, and what a signal does.
 *
 *     server_open → server_ready → server_accept → loop_run → server_close
 */
#ifndef CMD_SERVE_SERVER_H
#define CMD_SERVE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cmd/common/limit.h"
#include "cmd/common/options.h"
#include "cmd/common/signals.h"
#include "cmd/serve/pending_clients.h"
#include "cmd/serve/supervised_child.h"
#include "net/access.h"
#include "net/listener.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/sock.h"

/* The owner sets what stands before `listener`, joined and stopping not later than server_ready; the
 * rest is zero. */
struct server {
    struct loop *loop;
    const struct server_options *options;
    const struct limit_options *limits;
    const struct sockopt *sockopt; /* NULL: none */
    bool numeric;
    bool worker;          /* one of several processes: that it listens has been told */
    int64_t header_ms;    /* clients that may announce begin with a PROXY header, within this time;
                             0: nobody does */
    char *const *command; /* of --run: what followed `--` */
    struct error *err;
    /* A client has come; its descriptor is the callee's. server_left when it has gone. */
    void (*joined)(struct server *server, int fd, const struct sockname *peer);
    /* A signal, or the end of the command of --run, says that it is to end its connections in order,
     * and then to stop the loop with 0. NULL: a signal ends the command. */
    void (*stopping)(struct server *server);
    /* The lists of who may connect have been read again. NULL: nobody has to know. */
    void (*reviewed)(struct server *server);

    bool began;   /* server_begin was called */
    bool stopped; /* by a signal */
    struct listener listener;
    struct pending_clients pending_clients;
    struct sockname
        destination; /* of the one that joins, by its PROXY header; length 0: not said */
    bool is_proxy;   /* the one that joins is the proxy itself: its header is LOCAL or UNKNOWN */
    struct access access;
    char name[SOCKNAME_TEXT_MAX]; /* of the first socket */
    size_t count;                 /* clients at present */
    size_t most;                  /* clients that there are descriptors for; 0: not asked */
    struct limit wait;            /* for the first client */
    struct limit total;
    struct signals signals;
    struct children children; /* initialised by whoever starts programs */
    struct supervised_child child;
};

/* Catches signals, and starts --max-time: either ends what comes before anybody is served, be it a FIFO
 * that nobody reads. For those who open files first; else server_open does it. */
int server_begin(struct server *server);
/* Reads the lists of who may connect, and listens on the address. Nobody is served yet; a signal ends
 * the command. */
int server_open(struct server *server, const struct address *address);
/* For a server that passes on, or sends back, just what it has read: to hold that back until what was
 * sent last is acknowledged (RFC 896) saves it no seqpacket, and costs a client that writes twice before
 * it reads 40 ms. Sets TCP_NODELAY for clients to come. */
void server_send_at_once(const struct server *server);
/* Says that it listens. From now on a signal calls `stopping`; SIGHUP, where lists come from files,
 * reads them again instead. */
int server_ready(struct server *server);
/* Starts the limit of the wait for the first client, */
void server_await_first(struct server *server);
/* which is over with it; with streams, the server sees that by itself. */
void server_heard(struct server *server);
/* Each client takes so many descriptors: those for whom there would be none wait in the backlog. */
void server_bound(struct server *server, int descriptors);
/* From now on clients that may connect are given to `joined`; never more than max_conns at a time. */
void server_accept(struct server *server);
/* The same at once for those that have connected already, before the listener is closed. */
void server_accept_waiting(struct server *server);
/* Who may send datagrams: those whom the lists let, as they are at the time. */
struct sock_senders server_senders(struct server *server);
/* No more clients: others are refused from here on. */
void server_refuse(struct server *server);
/* One client fewer: there is room for another. */
void server_left(struct server *server);
/* No more clients, and no limits; waits for the command of --run. Returns what the command line ends
 * with, where serving ended with `result`. */
int server_close(struct server *server, int result);

#endif
