/*
 * Programs that are started, and how their ends are reported.
 *
 * A program gets 0, 1 and 2 and no other descriptor (whoever starts it has called descriptors_close_on_exec), no signal
 * blocked, and SIGPIPE as it was meant to be. SIGCHLD, one descriptor for all of them, reports the ends: a pidfd would cost
 * each one a descriptor, and Linux 5.3.
 */
#ifndef SYS_PROCESS_H
#define SYS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/error.h"
#include "sys/loop.h"

enum { CHILDREN_BUCKETS = 256 };

/* All the programs of a process: there is one of these. */
struct children {
    struct loop *loop; /* NULL: not in use */
    struct watch signals;
    struct program *buckets[CHILDREN_BUCKETS]; /* by id */
    rlim_t max_open; /* of descriptors, for programs (see descriptors_allow_max); 0: as for us */
};

struct program {
    /* The owner's: called when it has ended and is reaped, with `end` set. It may free the program. */
    void (*ended)(struct program *program);
    pid_t id;     /* 0: it does not run, or no longer */
    bool grouped; /* it has a process group of its own */
    int in; /* what is written here it reads; the owner's to close (fd_close); non-blocking. -1: none */
    int out; /* here one reads what it writes; likewise */
    int end; /* as waitpid(2) says it */
    struct children *children;
    struct program *next; /* the children's */
    struct timer grace;   /* of program_stop */
};

struct program_spec {
    const char *const *argv; /* the first is looked up in PATH */
    const char *const *env;
    bool wired; /* stdin and stdout are pipes, and the signals of our terminal are not for it; else
                   it shares ours, and our process group */
    int passed; /* becomes its descriptor 3; the caller's to close, as the next two. 0: none */
    int socket; /* becomes its stdin and stdout, where it is not wired. 0: none */
    bool grouped; /* in a process group of its own, as one that is wired */
    int messages; /* becomes its stderr. 0: none */
};

/* Begins to watch for ends. `children` is {0} but for max_open, or initialised already. It fails with status 70: there is
 * no descriptor for it. */
int children_init(struct children *children, struct loop *loop, struct error *err);

/* Watches no longer. `children` may be not in use. */
void children_release(struct children *children);

/* Looks for the program that would be started under this name. Returns 0, or -1 and the status as program_start. */
int program_look_up(const char *name, struct error *err);

/* Starts a program. It fails with status 127 where there is no such program, and with 126 where it cannot be run; errnum
 * says why. */
int program_start(struct children *children, struct program *program,
                  const struct program_spec *spec, struct error *err);

/* Puts the program in our place, with the descriptors that we have inherited. It returns only where it cannot: -1, and the
 * status as above. */
int program_replace(char *const *argv, struct error *err);

/* Sends a signal to the program, if it runs, and, where it has a process group of its own, to what it has started. */
void program_signal(const struct program *program, int signal_number);

/* Sends the signal (0: none, for one was sent before) to the program, if it runs, and SIGKILL where it has not ended after
 * grace_ms. `ended` is called in either case. */
void program_stop(struct program *program, int signal_number, int64_t grace_ms);

/* Ends the program, if it still runs, with SIGKILL, without a call of `ended`. */
void program_kill(struct program *program);

/* Returns the status as a shell has it: the program's own, or 128+N where signal N has ended it. */
int program_status(const struct program *program);

#endif
