/*
 * connect --exec, --sh-exec.
 */
#ifndef CMD_CONNECT_CONNECT_PROGRAM_H
#define CMD_CONNECT_CONNECT_PROGRAM_H

#include "base/error.h"
#include "cmd/common/session.h"
#include "net/dial.h"

/* Runs a program (argv as program_words makes it) that is joined to the connection, which must be a
 * stream and is closed in the end, until both are over. Its status is that of *err. */
int connect_program(const struct session *session, const char **argv, struct connection *connection,
                    struct error *err);

#endif
