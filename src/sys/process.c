/*
 * Programs are started by posix_spawn(3), and found again by their id in a table of buckets when
 * SIGCHLD, which a signalfd(2) brings, says that some have ended.
 */
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/trace.h"

/* The trace: posix_spawn(3) is shown as the two calls of a lecture that it makes. */

static void trace_start(const struct program_spec *spec, pid_t id, int failure)
{
    enum { ROOM = 512 };
    const char *file = spec->argv[0];
    char words[ROOM], *to = words + strlen(trace_data(file, (ssize_t)strlen(file), words));
    for (const char *const *word = spec->argv + 1; *word; word++) {
        if (to + TRACE_DATA_MAX + 2 >= words + ROOM) {
            stpcpy(to, "...");
            break;
        }
        to = stpcpy(to, ", ");
        to += strlen(trace_data(*word, (ssize_t)strlen(*word), to));
    }
    if (!failure)
        trace_call(LOG_LEVEL_TRACE, id, EVENT(.kind = TRACE_FORK, .fd = -1), "fork()");
    errno = failure;
    trace_call(LOG_LEVEL_TRACE, failure ? -1 : 0,
               EVENT(.kind = TRACE_EXEC, .fd = -1,
                     .meaning = failure ? NULL : "in the new process"),
               "execve(%s, [%s], environ)", DATA_OF(file, (ssize_t)strlen(file)), words);
}

/* Ends */

static struct program **children_bucket(struct children *children, pid_t id)
{
    return &children->buckets[id % CHILDREN_BUCKETS];
}

/* Finds the program with that id, and forgets it; NULL: it is none of ours. */
static struct program *children_take(struct children *children, pid_t id)
{
    struct program **at = children_bucket(children, id);
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    struct program *program = *at;
    if (program) {
        *at = program->next;
        program->id = 0;
        loop_timer_cancel(children->loop, &program->grace);
    }
    return program;
}

/* Reaps programs that have ended: several ends may have become one signal. */
static void children_reap(struct watch *watch, uint32_t events)
{
    struct children *children = LOOP_OWNER(watch, struct children, signals);
    struct signalfd_siginfo info;
    int end;
    pid_t id;
    (void)events;
    ssize_t got;
    do
        got = read(watch->fd, &info, sizeof info);
    while (got == (ssize_t)sizeof info);
    while (children->loop && (id = waitpid(-1, &end, WNOHANG)) > 0) {
        struct program *program = children_take(children, id);
        trace_wait(-1, id, end);
        if (!program)
            continue;
        program->end = end;
        program->ended(program);
    }
}

int children_init(struct children *children, struct loop *loop, struct error *err)
{
    sigset_t set;
    if (children->loop)
        return 0;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    signal(SIGCHLD, SIG_DFL); /* whoever ignores it does not learn how its children ended */
    sigprocmask(SIG_BLOCK, &set, NULL);
    children->signals.ready = children_reap;
    children->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (children->signals.fd < 0)
        return error_system(err, STATUS_IMPOSSIBLE, errno, "wait for programs");
    children->loop = loop;
    loop_watch(loop, &children->signals, EPOLLIN);
    return 0;
}

void children_release(struct children *children)
{
    if (!children->loop)
        return;
    loop_unwatch(children->loop, &children->signals);
    close(children->signals.fd);
    children->loop = NULL;
}

/* Starting */

/* Returns the list as posix_spawn(3) takes it: as strings that it might change, which it does not. */
static char *const *spawn_words(const char *const *list)
{
    const union {
        const char *const *kept;
        char *const *taken;
    } words = {list};
    return words.taken;
}

/* Starts the program. Returns 0, or why it cannot. The memory of a server is not copied: libc uses vfork(2) or its like. */
static int program_spawn(struct program *program, const struct program_spec *spec, int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    /* What we have changed for ourselves is restored. */
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    sigaddset(&defaults, SIGCHLD);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    int failure = 0;
    if (spec->wired || spec->grouped)
        flags |= POSIX_SPAWN_SETPGROUP;
    if (spec->wired) {
        failure = posix_spawn_file_actions_adddup2(&actions, in, 0);
        if (!failure)
            failure = posix_spawn_file_actions_adddup2(&actions, out, 1);
    }
    if (!failure && spec->socket)
        failure = posix_spawn_file_actions_adddup2(&actions, spec->socket, 0);
    if (!failure && spec->socket)
        failure = posix_spawn_file_actions_adddup2(&actions, spec->socket, 1);
    if (!failure && spec->messages)
        failure = posix_spawn_file_actions_adddup2(&actions, spec->messages, 2);
    if (!failure && spec->passed)
        failure = posix_spawn_file_actions_adddup2(&actions, spec->passed, 3);
    posix_spawnattr_setflags(&attributes, (short)flags);
    if (!failure)
        failure = posix_spawnp(&program->id, spec->argv[0], &actions, &attributes,
                               spawn_words(spec->argv), spawn_words(spec->env));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

static int program_refuse(const char *name, int failure, struct error *err)
{
    bool missing = failure == ENOENT || failure == ENOTDIR;
    return error_system(err, missing ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN, failure, "run %s",
                        name);
}

/* Returns 0, or why the file cannot be run. */
static int program_file_failure(const char *path)
{
    struct stat found;
    if (stat(path, &found) < 0)
        return errno;
    if (!S_ISREG(found.st_mode))
        return EACCES; /* as execve(2) has it */
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

int program_look_up(const char *name, struct error *err)
{
    const char *path = getenv("PATH");
    if (strchr(name, '/')) {
        const int failure = program_file_failure(name);
        return failure ? program_refuse(name, failure, err) : 0;
    }
    int failure = ENOENT; /* or that of a file that is there */
    if (!path)
        path = "/bin:/usr/bin"; /* as execvp(3) has it */
    for (;;) {
        char file[PATH_MAX];
        const size_t length = strcspn(path, ":");
        const int written = snprintf(file, sizeof file, "%.*s%s%s", (int)length, path,
                                     length ? "/" : "", name);
        const int this_one = written < PATH_MAX ? program_file_failure(file) : ENAMETOOLONG;
        if (!this_one)
            return 0;
        if (this_one == EACCES)
            failure = EACCES;
        if (!path[length])
            return program_refuse(name, failure, err);
        path += length + 1;
    }
}

int program_start(struct children *children, struct program *program,
                  const struct program_spec *spec, struct error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    struct rlimit limit;
    int failure = 0;
    if (spec->wired && (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0))
        failure = errno;
    if (!failure && spec->wired) {
        /* The program's ends block, as programs expect; ours do not. */
        fcntl(in[1], F_SETFL, O_NONBLOCK);
        fcntl(out[0], F_SETFL, O_NONBLOCK);
    }
    if (!failure)
        failure = program_spawn(program, spec, in[0], out[1]);
    if (log_setting.verbosity >= LOG_LEVEL_TRACE)
        trace_start(spec, program->id, failure);
    fd_close(&in[0]);
    fd_close(&out[1]);
    program->in = in[1];
    program->out = out[0];
    program->grouped = spec->wired || spec->grouped;
    program->children = children;
    if (failure) {
        program->id = 0;
        fd_close(&program->in);
        fd_close(&program->out);
        return program_refuse(spec->argv[0], failure, err);
    }
    /* A moment after its start: the limit that we need to start it is ours. */
    if (children->max_open && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = children->max_open;
        prlimit(program->id, RLIMIT_NOFILE, &limit, NULL);
    }
    struct program **bucket = children_bucket(children, program->id);
    program->next = *bucket;
    *bucket = program;
    return 0;
}

int program_replace(char *const *argv, struct error *err)
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    execvp(argv[0], argv);
    int failure = errno;
    signal(SIGPIPE, SIG_IGN);
    return program_refuse(argv[0], failure, err);
}

/* Ending */

void program_signal(const struct program *program, int signal_number)
{
    if (program->id)
        kill(program->grouped ? -program->id : program->id, signal_number);
}

void program_kill(struct program *program)
{
    if (!program->id)
        return;
    program_signal(program, SIGKILL);
    pid_t gone;
    do
        gone = waitpid(program->id, &program->end, 0);
    while (gone < 0 && errno == EINTR);
    trace_wait(program->id, gone, program->end);
    children_take(program->children, program->id);
}

static void program_grace_timeout(struct timer *timer)
{
    struct program *program = LOOP_OWNER(timer, struct program, grace);
    program_kill(program);
    program->ended(program);
}

void program_stop(struct program *program, int signal_number, int64_t grace_ms)
{
    if (!program->id)
        return;
    if (signal_number)
        program_signal(program, signal_number);
    program->grace.fired = program_grace_timeout;
    loop_timer_set(program->children->loop, &program->grace, grace_ms);
}

int program_status(const struct program *program)
{
    if (WIFSIGNALED(program->end))
        return STATUS_SIGNAL + WTERMSIG(program->end);
    return WEXITSTATUS(program->end);
}
