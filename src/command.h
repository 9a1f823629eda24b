/*
 * What a command is, and the one list of them.
 *
 * A command is one file in cmd/, which defines `const struct command NAME_command`, and one entry
 * in COMMANDS. It is policy alone: it parses nothing, prints no error and never exits.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/opt.h"

#define SOCKCTL_VERSION "0.1.0"

#define COMMANDS(X)                                                                                \
    X(connect) X(listen) X(echo_server) X(unix_send) X(unix_serve) X(http_get) X(resolve)

struct operands {
    const char *const *words; /* NULL-terminated */
    int count;                /* of words, between the command's min_operands and max_operands */
    char **program; /* what followed `--`, NULL-terminated, for a command that takes a program */
};

struct command {
    const char *name;     /* as typed: "echo-server" */
    const char *operands; /* as help shows them: "PATH [MESSAGE...]" */
    const char *summary;  /* one line, no full stop */
    int min_operands;
    int max_operands;          /* -1: no limit */
    bool takes_program;        /* words after `--` are a program and its arguments */
    bool takes_urls;           /* the operands are URLs: no secrets in them stay in argv */
    const struct opt *options; /* ends with OPT_END */
    const void *defaults;      /* the options struct before parsing */
    size_t options_size;       /* of that struct */
    /* 0, or -1 with *err filled; its status is the exit status. */
    int (*run)(const void *options, const struct operands *operands, struct error *err);
};

#define COMMAND_DECLARE(name) extern const struct command name##_command;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

#endif
