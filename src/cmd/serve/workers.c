/*
 * See workers.h. The first process listens and says so, forks the workers, and then waits for their ends alone: a
 * signal goes on to all of them, and the failure of one ends all. A worker leaves the parent's loop behind and goes
 * on as if it were the only server.
 */
#include "cmd/serve/workers.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/trace.h"

enum { GRACE_MS = 1500 }; /* more than a worker has with its programs */

/* In a worker */

/* Leaves the parent's loop behind, in a new worker. Returns 1. */
static int worker_begin(struct workers *workers, int count, pid_t parent)
{
    struct server *server = workers->server;
    workers->share = *server->options;
    workers->share.max_conns = (workers->share.max_conns + count - 1) / count;
    server->options = &workers->share;
    loop_free(server->loop);
    server->loop = loop_new();
    server->worker = true;
    signals_catch(&server->signals, server->loop, server->err);
    listener_inherit(&server->listener, server->loop);
    server->wait.loop = server->total.loop = server->loop;
    server->total.timer = (struct timer){0};
    setpgid(0, 0); /* ^C is for the parent, which passes it on once */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        raise(SIGTERM);
    return 1;
}

/* In the parent */

static void workers_signal(const struct workers *workers, int signal_number)
{
    for (int i = 0; i < workers->count; i++)
        if (workers->ids[i])
            kill(workers->ids[i], signal_number);
}

static void workers_grace_timeout(struct timer *timer)
{
    workers_signal(LOOP_OWNER(timer, struct workers, grace), SIGKILL);
}

static void workers_stop(struct workers *workers)
{
    workers->stopping = true;
    workers_signal(workers, SIGTERM);
    workers->grace.fired = workers_grace_timeout;
    if (!loop_timer_is_set(&workers->grace))
        loop_timer_set(workers->server->loop, &workers->grace, GRACE_MS);
}

/* Reaps those that have ended; with flags of 0, all, which are waited for. Returns how many are left. */
static int workers_reap(struct workers *workers, int flags)
{
    struct error *err = workers->server->err;
    int left = 0;
    for (int i = 0; i < workers->count; i++) {
        int status;
        if (!workers->ids[i])
            continue;
        if (waitpid(workers->ids[i], &status, flags) != workers->ids[i]) {
            left++;
            continue;
        }
        trace_wait(workers->ids[i], workers->ids[i], status);
        workers->ids[i] = 0;
        if (workers->stopping || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
            continue;
        if (WIFEXITED(status))
            error_silent(err, WEXITSTATUS(status));
        else
            error_set(err, STATUS_TRANSFER, "a worker was ended by signal %d", WTERMSIG(status));
        workers_stop(workers);
    }
    return left;
}

static void workers_stop_if_none(struct workers *workers)
{
    if (workers_reap(workers, WNOHANG) == 0)
        loop_stop(workers->server->loop, workers->server->err->status ? -1 : 0);
}

static void workers_signalled(void *context, int signal_number)
{
    struct workers *workers = context;
    if (signal_number == SIGCHLD)
        workers_stop_if_none(workers);
    else if (signal_number == SIGHUP && workers->server->access.rules.has_files)
        workers_signal(workers, SIGHUP);
    else
        workers_stop(workers);
}

int workers_check(int64_t count, bool awaits, bool runs, struct error *err)
{
    if (count > WORKERS_MAX)
        return error_set(err, STATUS_USAGE, "option --workers: at most %d", WORKERS_MAX);
    if (count > 1 && (awaits || runs))
        return error_set(err, STATUS_USAGE, "-w and --run are for one process: not with --workers");
    return 0;
}

int workers_run(struct workers *workers, struct server *server, int count)
{
    const pid_t parent = getpid();
    sigset_t set;
    *workers = (struct workers){.server = server};
    /* First, so that no worker holds the descriptor of --ready-fd: clients wait in the backlog. */
    if (server_ready(server))
        return -1;
    for (; workers->count < count; workers->count++) {
        pid_t id = fork();
        if (id == 0)
            return worker_begin(workers, count, parent);
        TRACE_CALL(id, EVENT(.kind = TRACE_FORK, .fd = -1, .value = 1), "fork()");
        if (id < 0) {
            error_system(server->err, STATUS_CONNECT, errno, "start a worker");
            workers->stopping = true;
            workers_signal(workers, SIGKILL); /* they have not begun */
            workers_reap(workers, 0);
            return -1;
        }
        workers->ids[workers->count] = id;
    }
    signals_set(&set);
    sigaddset(&set, SIGCHLD);
    if (server->access.rules.has_files)
        sigaddset(&set, SIGHUP);
    loop_signals(server->loop, &set, workers_signalled, workers);
    server_confine(server, SANDBOX_CHILDREN);
    workers_stop_if_none(workers); /* some may have ended before their signal was asked for */
    int result = loop_run(server->loop);
    if (workers_reap(workers, WNOHANG)) { /* a time limit is over */
        workers_stop(workers);
        loop_run(server->loop);
    }
    loop_timer_cancel(server->loop, &workers->grace);
    return result;
}
