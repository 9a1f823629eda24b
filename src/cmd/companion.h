/*
 * --run: a command that is started once the server listens, and at whose end the server stops.
 *
 * It shares our stdin, stdout, stderr and process group. A signal that is to stop the server is
 * passed on to it first, unless a terminal has told it already; the server stops when it has ended,
 * or a second later, and then it is killed.
 */
#ifndef CMD_COMPANION_H
#define CMD_COMPANION_H

#include <stdbool.h>

#include "base/error.h"
#include "io/loop.h"
#include "io/program.h"
#include "net/listener.h"

/* Start with {0}. */
struct companion {
    struct loop *loop;
    struct program program;
    /* The server is to stop; `asked`: a signal says so. */
    void (*stop)(struct companion *companion, bool asked);
    struct timer timer;
    bool asked;
    bool started;
    bool waiting; /* for its end alone */
};

/* Whether `words`, what followed `--`, and --run go together. Status 2. */
int companion_check(bool run, char *const *words, struct error *err);
/* Starts it, with the address of `listens` in its environment. */
int companion_start(struct companion *companion, struct children *children, char *const *words,
                    const struct listener_socket *listens, struct error *err);
/* A signal has come. False: it is not the companion that has to end first. */
bool companion_signal(struct companion *companion, int signal_number);
/* What a command ends with: of a server that has ended by itself, with `result`, it awaits the
 * companion's end, if that was 0, or else ends it. Its status counts, unless the server has
 * failed. */
int companion_end(struct companion *companion, int result, struct error *err);

#endif
