/*
 * A conversation: what is said to a peer, and what it has to answer, in order.
 */
#ifndef CMD_CONNECT_DIALOG_H
#define CMD_CONNECT_DIALOG_H

#include "base/error.h"
#include "cmd/common/session.h"
#include "cmd/connect/script.h"
#include "net/dial.h"

/* Follows the script over the connection; what arrives goes to stdout. It is over when the last
 * expression is met; or, where the last step sends, when the peer ends, or the time to wait for
 * that. Status 9 when the peer ends before an expression is met. */
int dialog_run(const struct session *session, const struct script *script,
               const struct connection *connection, struct error *err);

#endif
