/*
 * connect --send, --expect: a dialog with the peer, whose steps (the script) are what is sent to it, and what it has to
 * answer, in their order.
 */
#ifndef CMD_CONNECT_DIALOG_H
#define CMD_CONNECT_DIALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/opt.h"
#include "cmd/common/session.h"
#include "net/dial.h"

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
    OPT_GROUP("conversation", "Conversation"),                                                     \
        OPT_FOR(0, "send", send, options, field, ~MODE_IP,                                         \
                "send TEXT instead of stdin (C escapes are understood)"),                          \
        OPT_FOR(0, "expect", expect, options, field, ~MODE_IP,                                     \
                "then wait until REGEX (POSIX extended) has come; may be repeated")

/* Checks that all expressions are valid, and that something is sent where `crlf` would change it. Status 2. */
int script_check(const struct script *script, bool crlf, struct error *err);

/* Follows a script that was checked, over the connection; what arrives goes to stdout. Runs the loop until the last
 * expression is matched; or, where the last step sends, until the peer ends, or the time to wait for that is over. Status 9
 * when the peer ends before an expression is matched. The connection stays the caller's to close. */
int dialog_run(const struct session *session, const struct script *script,
               const struct connection *connection, struct error *err);

#endif
