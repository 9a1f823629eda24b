/*
 * --send and --expect: what is said to a peer, and what it has to answer, in order.
 */
#ifndef CMD_CONVERSE_H
#define CMD_CONVERSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/opt.h"
#include "cmd/session.h"

enum { SCRIPT_MOST = 64 };

struct script_step {
    bool expects;     /* an expression; else bytes to send */
    const char *text; /* in argv */
    size_t length;
};
struct script {
    struct script_step steps[SCRIPT_MOST];
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

/* Usage errors of the expressions. */
int script_check(const struct script *script, struct error *err);

/* Follows the script over the connected socket `fd`; what arrives goes to stdout. It is over when
 * the last expression is met; or, where the last step sends, when the peer ends. Status 9 when the
 * peer ends before an expression is met. */
int converse(const struct session *session, const struct script *script, int fd, const char *peer,
             struct error *err);

#endif
