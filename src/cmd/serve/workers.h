/*
 * --workers: a server as several processes that share its listening sockets, so that a client is
 * served by whichever has time for it, and none is lost with one of them. Processes, since each then
 * has a limit on descriptors of its own, and needs no locks.
 */
#ifndef CMD_SERVE_WORKERS_H
#define CMD_SERVE_WORKERS_H

#include <sys/types.h>

#include "cmd/serve/server.h"

enum { WORKERS_MAX = 256 };

struct workers {
    struct server *server;
    pid_t ids[WORKERS_MAX]; /* 0: ended */
    int count;
    bool stopping;
    struct timer grace;          /* of those that have got SIGTERM */
    struct server_options share; /* of a worker: it has its part of -m */
};

/* workers_check checks that there can be so many, beside what they cannot be had with: a wait for the first client, and
 * a command of --run. Returns 0, or -1 with status 2. */
int workers_check(int64_t count, bool awaits, bool runs, struct error *err);

/* workers_run starts `count` processes, after server_open. In each of them it returns 1, and the server has a loop of
 * its own, ready for server_ready, and its share of the clients. In the first one it returns when all have ended: 0,
 * or -1 and the error, which the worker that failed has printed already. */
int workers_run(struct workers *workers, struct server *server, int count);

#endif
