/*
 * What a process gives up once its sockets are open: files, by Landlock (landlock(7)), system calls, by a seccomp filter
 * (seccomp(2)), and, by limits (setrlimit(2)), new processes and core dumps. None is got back.
 *
 * A command says at its cut what it goes on needing: sandbox_init with its needs, sandbox_allow for each file that is
 * opened later, and sandbox_enter. All that is missing from the kernel is done without, and said at -v: it makes nothing fail.
 * What is refused fails with EPERM (a call) or EACCES (a file); with SOCKCTL_SANDBOX=strict in the environment a call
 * that is refused ends the process with SIGSYS, so that tests find what the table of calls lacks.
 *
 * A program that is started is bound by all of it, and keeps no privilege of its own (no_new_privs): a command that may still
 * start one does not enter.
 */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include <stdbool.h>

/* What is needed beside reading, writing, waiting, and memory. */
enum sandbox_need {
    SANDBOX_ACCEPT = 1 << 0,  /* clients are accepted */
    SANDBOX_SOCKETS = 1 << 1, /* sockets are made, bound and connected */
    SANDBOX_LOOKUP =
        1 << 2, /* names are looked up, on threads: the resolver's files, libraries and sockets */
    SANDBOX_SERVICES = 1 << 3, /* beside that, all of /etc, for long: its files may be replaced */
    SANDBOX_CHILDREN = 1 << 4, /* processes of ours are signalled and waited for */
    SANDBOX_ZONES = 1
                    << 5, /* IPv6 addresses with a zone are shown: its name is asked by a socket */
    SANDBOX_DATAGRAMS = 1 << 6, /* datagrams are sent to whoever has sent some */
    SANDBOX_READ = 1 << 7,      /* these are set by sandbox_allow */
    SANDBOX_REMOVE = 1 << 8,
    SANDBOX_REPLACE = 1 << 9,
    SANDBOX_THREADS = 1 << 10 /* threads are started, other than those that look names up */
};

/* A sandbox that is being prepared; {0} is none. It is the caller's, and is not to be copied between sandbox_init and
 * sandbox_enter. */
struct sandbox {
    unsigned needs;
    bool is_ready; /* sandbox_init was called: sandbox_enter does something */
    int ruleset;   /* Landlock's; -1: there is none */
    int abi;       /* Landlock's version; 0: the kernel lacks it */
};

/* Prepares what goes on needing `needs`, a sum of those that sandbox_allow does not set. It costs a descriptor until
 * sandbox_enter. */
void sandbox_init(struct sandbox *sandbox, unsigned needs);

/* Leaves the directory of `file` open for one need: SANDBOX_READ, to read the file, which may be replaced by another of its
 * name; SANDBOX_REMOVE, to remove it; SANDBOX_REPLACE, to write a new one beside it and give that its name. Where the file
 * is a symbolic link, the directory that it leads to is open, too; a device or a FIFO is itself, and no directory. Landlock
 * knows directories: the others in it are as open. */
void sandbox_allow(struct sandbox *sandbox, enum sandbox_need need, const char *file);

/* Gives up all else, for this thread and, of calls, for all that run. It does nothing where sandbox_init was not called. */
void sandbox_enter(struct sandbox *sandbox);

/* What of it this kernel and this machine have, for --version: "seccomp, Landlock ABI 3", "none". It is static. */
const char *sandbox_describe(void);

/* Says at -v that there is no sandbox, and why: "a program may be started". */
void sandbox_skip(const char *why);

#endif
