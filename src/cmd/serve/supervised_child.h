/*
 * --run: a command that is started once the server listens, and at whose end the server stops.
 *
 * It shares our stdin, stdout, stderr and process group. A signal that is to stop the server is
 * passed on to it first, unless a terminal has told it already; the server stops when it has ended,
 * or a second later, and then it is killed.
 */
#ifndef CMD_SERVE_SUPERVISED_CHILD_H
#define CMD_SERVE_SUPERVISED_CHILD_H

#include <stdbool.h>

#include "base/error.h"
#include "net/listener.h"
#include "sys/loop.h"
#include "sys/process.h"

/* Start with {0}. */
struct supervised_child {
    struct loop *loop;
    struct program program;
    /* The server is to stop; `asked`: a signal says so. */
    void (*stop)(struct supervised_child *child, bool asked);
    struct timer timer;
    bool asked;
    bool started;
    bool waiting; /* for its end alone */
};

/* Whether `words`, what followed `--`, and --run go together. Status 2. */
int supervised_child_check(bool run, char *const *words, struct error *err);
/* Starts it, with the address of `listens` in its environment. */
int supervised_child_start(struct supervised_child *child, struct children *children,
                           char *const *words, const struct listener_socket *listens,
                           struct error *err);
/* A signal has come. False: it is not the child that has to end first. */
bool supervised_child_signal(struct supervised_child *child, int signal_number);
/* What a command ends with: of a server that has ended by itself, with `result`, it awaits the
 * child's end, if that was 0, or else ends it. Its status counts, unless the server has
 * failed. */
int supervised_child_end(struct supervised_child *child, int result, struct error *err);

#endif
