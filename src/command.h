/*
 * The one list of commands.
 *
 * A command is a folder in cmd/, one file of which defines `const struct command NAME_command` (cli/opt.h says what
 * that is), and one entry in COMMANDS. It is policy alone: it parses nothing, prints no error and never exits.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "cli/opt.h"

#define SOCKCTL_VERSION "0.1.0"

#define COMMANDS(X)                                                                                \
    X(connect) X(listen) X(echo_server) X(unix_send) X(unix_serve) X(http_get) X(resolve)

#define COMMAND_DECLARE(name) extern const struct command name##_command;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

#endif
