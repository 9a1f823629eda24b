/*
 * --send and --expect: the steps of a conversation, in their order.
 */
#ifndef CMD_CONNECT_SCRIPT_H
#define CMD_CONNECT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/opt.h"
#include "cmd/common/options.h"
#include "proto/pattern.h"

enum { SCRIPT_MAX = 64 };

struct script_step {
    bool expects; /* an expression; else bytes to send */
    char *text;   /* in argv */
    size_t length;
};
struct script {
    struct script_step steps[SCRIPT_MAX];
    size_t count; /* 0: none is given */
};

#define OPT_CTYPE_send struct script
#define OPT_CTYPE_expect struct script
extern const struct opt_type opt_send;   /* TEXT, with C escapes; one step more each time */
extern const struct opt_type opt_expect; /* REGEX, one step more each time */
#define SCRIPT_ROWS(options, field)                                                                \
    OPT(0, "send", send, options, field, "say TEXT instead of stdin (C escapes are understood)"),  \
        OPT(0, "expect", expect, options, field,                                                   \
            "then wait until REGEX (POSIX extended) has come; may be repeated")

/* script_check says whether all expressions are valid: 0, or -1 and status 2. */
int script_check(const struct script *script, struct error *err);
/* The expression of a step. Status 2, unless script_check has seen it. */
int script_compile(const struct script_step *step, struct pattern *pattern, struct error *err);

#endif
