#include "cmd/serve/workers.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE_MS = 1500 }; /* more than a worker has with its programs */

/* In a worker */

static void take_share(struct workers *workers, int count)
{
    workers->share = *workers->server->options;
    workers->share.max_conns = (workers->share.max_conns + count - 1) / count;
    workers->server->options = &workers->share;
}

/* What the parent's loop knows is the parent's. */
static int become_worker(struct workers *workers, int count, pid_t parent)
{
    struct server *server = workers->server;
    take_share(workers, count);
    loop_free(server->loop);
    server->loop = loop_new();
    server->worker = true;
    signals_catch(&server->signals, server->loop, server->err);
    listener_inherit(&server->listener, server->loop);
    server->wait.loop = server->total.loop = server->loop;
    server->total.timer = (struct timer){0};
    setpgid(0, 0); /* ^C is for the parent, which tells the workers once */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        raise(SIGTERM);
    return 1;
}

/* In the parent */

static void tell_all(const struct workers *workers, int signal_number)
{
    for (int i = 0; i < workers->count; i++)
        if (workers->ids[i])
            kill(workers->ids[i], signal_number);
}

static void patience_over(struct timer *timer)
{
    tell_all(LOOP_OWNER(timer, struct workers, grace), SIGKILL);
}

static void stop_all(struct workers *workers)
{
    workers->stopping = true;
    tell_all(workers, SIGTERM);
    workers->grace.fired = patience_over;
    if (!loop_timer_is_set(&workers->grace))
        loop_timer_set(workers->server->loop, &workers->grace, GRACE_MS);
}

static void note_end(struct workers *workers, int index, int status)
{
    struct error *err = workers->server->err;
    workers->ids[index] = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (!workers->stopping && WIFEXITED(status))
        error_silent(err, WEXITSTATUS(status));
    else if (!workers->stopping)
        error_set(err, STATUS_TRANSFER, "a worker was ended by signal %d", WTERMSIG(status));
    if (!workers->stopping)
        stop_all(workers);
}

/* Those that have ended; with flags of 0, all, which are waited for. Returns how many are left. */
static int reap(struct workers *workers, int flags)
{
    int left = 0;
    for (int i = 0; i < workers->count; i++) {
        int status;
        if (workers->ids[i] && waitpid(workers->ids[i], &status, flags) == workers->ids[i])
            note_end(workers, i, status);
        left += workers->ids[i] != 0;
    }
    return left;
}

static void stop_if_none(struct workers *workers)
{
    if (reap(workers, WNOHANG) == 0)
        loop_stop(workers->server->loop, workers->server->err->status ? -1 : 0);
}

static void signal_came(void *context, int signal_number)
{
    struct workers *workers = context;
    if (signal_number == SIGCHLD)
        stop_if_none(workers);
    else if (signal_number == SIGHUP && access_has_files(&workers->server->access))
        tell_all(workers, SIGHUP);
    else
        stop_all(workers);
}

static int wait_for_all(struct workers *workers)
{
    struct server *server = workers->server;
    sigset_t set;
    signals_set(&set);
    sigaddset(&set, SIGCHLD);
    if (access_has_files(&server->access))
        sigaddset(&set, SIGHUP);
    loop_signals(server->loop, &set, signal_came, workers);
    stop_if_none(workers); /* some may have ended before their signal was asked for */
    int result = loop_run(server->loop);
    if (reap(workers, WNOHANG)) { /* a time limit is over */
        stop_all(workers);
        loop_run(server->loop);
    }
    loop_timer_cancel(server->loop, &workers->grace);
    return result;
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
    pid_t parent = getpid();
    *workers = (struct workers){.server = server};
    /* First, so that no worker holds the descriptor that tells: clients wait in the backlog. */
    if (server_ready(server))
        return -1;
    for (; workers->count < count; workers->count++) {
        pid_t id = fork();
        if (id == 0)
            return become_worker(workers, count, parent);
        if (id < 0) {
            error_system(server->err, STATUS_CONNECT, errno, "start a worker");
            workers->stopping = true;
            tell_all(workers, SIGKILL); /* they have not begun */
            reap(workers, 0);
            return -1;
        }
        workers->ids[workers->count] = id;
    }
    return wait_for_all(workers);
}
