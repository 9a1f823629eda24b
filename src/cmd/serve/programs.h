/*
 * Connections that are joined to programs, one each: the socket is the program's stdin and stdout.
 * What listen and connect have in common with --exec and --sh-exec.
 *
 * Both ways are as a relay has them: the end of what the peer sends is the end of the program's
 * stdin, the end of its stdout shuts down the sending half. What a program no longer reads is thrown
 * away. It is over when the program has ended and all that it wrote is delivered.
 */
#ifndef CMD_SERVE_PROGRAMS_H
#define CMD_SERVE_PROGRAMS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/list.h"
#include "cmd/common/session.h"
#include "cmd/serve/server.h"
#include "stream/pump.h"
#include "sys/process.h"

struct program_options {
    const char *exec;
    const char *shell;
    bool inetd; /* the program has the socket itself; not for messages */
};
/* For those commands whose programs are for a connection. */
#define INETD_ROW(options, field)                                                                  \
    OPT_FOR(0, "inetd", flag, options, field.inetd, MODE_ONLY_WAYS(MODE_PROGRAM | MODE_PROGRAMS),  \
            "the program gets the socket itself as stdin and stdout")
#define PROGRAM_ROWS(options, field, help)                                                         \
    GROUP_PROGRAMS,                                                                                \
        OPT_FOR('e', "exec", program, options, field.exec, ~MODE_MESSAGES,                         \
                help "; arguments after --"),                                                      \
        OPT_FOR('c', "sh-exec", command, options, field.shell, ~MODE_MESSAGES,                     \
                "like -e, but a shell command")

struct programs {
    /* Set by the owner. */
    const struct session *session;
    struct children *children; /* initialised */
    const char **argv;         /* of program_words; the owner's */
    bool inetd;                /* as in the options */
    /* Called when one is over, with its connection closed and its program reaped: result is 0, or -1 and *err, with the
     * status that the program has ended with, or else the connection. */
    void (*left)(struct programs *programs, int result, const struct error *err);

    struct pump_pool pool;
    struct fd sink;
    struct list clients;
    bool ending;
    bool awaited; /* the loop runs until all are over */
};

/* program_is_given tells whether a program is to be started. */
bool program_is_given(const struct program_options *options);

/* program_check says whether the options go together, and looks the program up: 0, or -1 with status 2, or as
 * program_look_up. */
int program_check(const struct program_options *options, char **arguments, struct error *err);

/* program_words returns the program and its arguments, NULL after the last, to be given to free(). */
const char **program_words(const struct program_options *options, char **arguments);

/* program_start_for_client starts a program whose environment describes the connection of a client (see
 * environment.h): spec->env is not looked at. Otherwise it is program_start. */
int program_start_for_client(struct children *children, struct program *program,
                             const struct program_spec *spec, const struct admitted_client *client,
                             struct error *err);

/* programs_init opens what all have in common. Returns 0, or -1 and status 8. */
int programs_init(struct programs *programs, struct error *err);

/* programs_serve starts a program for the stream `socket` of a client (whose own `fd` is not looked at), and closes
 * that in the end, whatever came of it. Returns 0, or -1 and *err where it could not be started; `left` is not
 * called then. */
int programs_serve(struct programs *programs, struct fd socket,
                   const struct admitted_client *admitted, struct error *err);

/* programs_end sends SIGTERM to all the programs that still run and lets them end, by running the loop; those that
 * are not gone within a second are killed. */
void programs_end(struct programs *programs);

/* programs_release closes what programs_init has opened. */
void programs_release(struct programs *programs);

#endif
