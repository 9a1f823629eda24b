/*
 * --run: a command that is started once the server listens, and at whose end the server stops.
 *
 * It shares our stdin, stdout, stderr and process group. A signal that is to stop the server is passed on to it
 * first, unless it comes from a terminal, which has sent it to both; the server stops when it has ended, or a second
 * later, and then it is killed.
 */
#ifndef CMD_SERVE_SUPERVISED_CHILD_H
#define CMD_SERVE_SUPERVISED_CHILD_H

#include <stdbool.h>

#include "base/error.h"
#include "net/listener.h"
#include "sys/loop.h"
#include "sys/process.h"

/* It starts as {0}; the owner sets loop and stop. */
struct supervised_child {
    struct loop *loop;
    struct program program;
    /* Called when the server is to stop; `asked`: because a signal says so. */
    void (*stop)(struct supervised_child *child, bool asked);
    struct timer timer; /* from its end until the server stops */
    bool asked;
    bool started;
    bool waiting; /* for its end alone */
};

/* Checks that `words`, what followed `--`, and --run go together. Returns 0, or -1 with status 2. */
int supervised_child_check(bool run, char *const *words, struct error *err);

/* Starts the command, with the address of `listens` in its environment. Returns 0, or -1 and the status of
 * program_start. */
int supervised_child_start(struct supervised_child *child, struct children *children,
                           char *const *words, const struct listener_socket *listens,
                           struct error *err);

/* Passes a signal on that has come. Returns false where it is not the child that has to end first. */
bool supervised_child_signal(struct supervised_child *child, int signal_number);

/* Returns what a command ends with: of a server that has ended by itself, with `result`, it awaits the child's end, if
 * that was 0, or else ends it. The child's status counts, unless the server has failed. */
int supervised_child_end(struct supervised_child *child, int result, struct error *err);

#endif
