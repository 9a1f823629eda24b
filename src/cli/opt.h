/*
 * Options as data. One row says everything about one option: parsing, --help, usage, completions, for which modes of
 * the command it is, and the check of the man page are derived from it.
 *
 *     static const struct opt options[] = {
 *         OPT('w', "timeout", duration, struct connect_options, timeout_ms, "limit for connecting"),
 *         OPT_END,
 *     };
 *
 * A row is bound to a field of the command's options struct; a field of the wrong type for its kind does not compile.
 * OPT_GROUP is the heading of the rows after it. It may stand several times: those rows are one group, which help and
 * the man page show where the heading stands first.
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/opt_type.h"

enum {
    OPT_OPTIONAL = 1 /* the argument may be left out; if given, it is written --name=VALUE */
};

/* OPT_ALL is of an option that is for every mode of its command; cmd/common/options.h lists the modes. */
#define OPT_ALL (~0u)

/* Small and in this order for the sake of the start, at which each page of rows is written to: they have pointers. */
struct opt {
    const char *name;
    const char *help;
    const char *metavar;         /* how help calls the value; NULL: as the type does */
    const struct opt_type *type; /* NULL: a heading, whose title is `help` */
    unsigned modes;              /* that it is for: see cmd/common/modes.h */
    uint16_t offset;             /* of its field in the options struct */
    uint16_t size;               /* of the field */
    char entry;                  /* 0: none */
    unsigned char flags;
};

#define OPT_ROW(entry, name, kind, metavar, options, field, flags, modes, help)                    \
    {                                                                                              \
        name, help, metavar, &opt_##kind, (unsigned)(modes),                                       \
            offsetof(options, field) + 0 * _Generic(((options *)0)->field, OPT_CTYPE_##kind        \
                                                    : sizeof(char)),                               \
            sizeof(((options *)0)->field), entry, flags                                            \
    }
/* OPT is a row for every mode, OPT_WITH one with flags, OPT_FOR one for these modes only, OPT_VALUE one whose value has
 * a name of its own. */
#define OPT(entry, name, kind, options, field, help)                                               \
    OPT_ROW(entry, name, kind, NULL, options, field, 0, OPT_ALL, help)
#define OPT_WITH(entry, name, kind, options, field, flags, help)                                   \
    OPT_ROW(entry, name, kind, NULL, options, field, flags, OPT_ALL, help)
#define OPT_FOR(entry, name, kind, options, field, modes, help)                                    \
    OPT_ROW(entry, name, kind, NULL, options, field, 0, modes, help)
#define OPT_VALUE(entry, name, kind, metavar, options, field, help)                                \
    OPT_ROW(entry, name, kind, metavar, options, field, 0, OPT_ALL, help)
#define OPT_GROUP(name, title)                                                                     \
    {                                                                                              \
        name, title, NULL, NULL, 0, 0, 0, 0, 0                                                     \
    }
#define OPT_END                                                                                    \
    {                                                                                              \
        NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0                                                      \
    }
/* The group of the options that every command has, and of others like them. */
#define OPT_GROUP_GENERAL OPT_GROUP("general", "General")

/* What a command is given beside its options. */
struct operands {
    const char *const *words; /* NULL-terminated */
    int count;                /* of words, between the command's min_operands and max_operands */
    char **program;  /* what followed `--`, NULL-terminated, for a command that takes a program */
    bool no_sandbox; /* nothing is to be given up: see sys/sandbox.h */
};

/* What a command is: see command.h, which has the list of them. */
struct command {
    const char *name;     /* as typed: "echo-server" */
    const char *operands; /* as help shows them: "PATH [MESSAGE...]" */
    const char *
        forms; /* of the command line besides "[OPTIONS] OPERANDS", one a line, without the name; NULL: none */
    const char *summary;       /* one line, no full stop */
    const char *operand_forms; /* how the first operand may be written */
    const char *used_most;     /* the options that help shows first, by name, between blanks */
    const char *examples;      /* two command lines, one a line */
    int min_operands;
    int max_operands;          /* -1: no limit */
    bool takes_program;        /* words after `--` are a program and its arguments */
    bool serves;               /* it is a server */
    bool takes_urls;           /* the operands are URLs: no secrets in them stay in argv */
    const struct opt *options; /* ends with OPT_END */
    const void *defaults;      /* the options struct before parsing */
    size_t options_size;       /* of that struct */
    /* 0, or -1 with *err filled; its status is the exit status. */
    int (*run)(const void *options, const struct operands *operands, struct error *err);
};

/* The rows that every command has: --help, --version, --verbose, --no-sandbox. */
struct opt_common {
    const char *help; /* NULL: not asked for; see help_command */
    bool version;
    bool no_sandbox;
    int verbosity;
};
extern const struct opt opt_common_rows[];

/* What the words of a command line say; it is the caller's, and opt_release frees what is in it. */
struct opt_parsed {
    void *options; /* the command's options struct */
    struct opt_common common;
    const char **words; /* operands in their order, NULL-terminated; copies, if they are URLs */
    int count;
    char **program; /* in argv: what follows `--`; NULL without one */
};

/* opt_parse reads argv[1] … of `command`, by getopt_long(3), whose state it uses. With --help or --version the
 * operands are not checked. A lone word after a lone --help is a group, where it is made of letters. It fails with status 2. Whatever comes of it, opt_release follows. */
int opt_parse(const struct command *command, int argc, char **argv, struct opt_parsed *parsed,
              struct error *err);

/* opt_release frees what *parsed holds, and wipes what may be secret. */
void opt_release(const struct command *command, struct opt_parsed *parsed);

/* opt_is_given tells whether the option of a row of the command was given; `options` are as they were parsed. That is
 * so where its field is not as the defaults have it: one that sets what is so anyway does no harm. */
bool opt_is_given(const struct command *command, const struct opt *row, const void *options);

/* opt_next returns the row after `row` (NULL: the first one) in the command's table and the common rows, which come after
 * these; NULL: there are no more. Headings are rows, too. Help and --table walk a command's options with it. */
const struct opt *opt_next(const struct command *command, const struct opt *row);

/* opt_metavar returns how help calls the option's value; NULL: it takes none. */
const char *opt_metavar(const struct opt *row);

#endif
