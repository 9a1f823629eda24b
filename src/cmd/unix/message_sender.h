/*
 * Messages from a person to a server, and its replies to stdout, until the server has read them
 * all.
 */
#ifndef CMD_UNIX_MESSAGE_SENDER_H
#define CMD_UNIX_MESSAGE_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/common/connection_log.h"
#include "net/dial.h"
#include "proto/frame.h"
#include "sys/loop.h"

struct sending {
    const struct connection *connection; /* a stream */
    const struct connection_log *log;    /* of it, open */
    const struct framing *framing;
    const char *const *messages; /* ends with NULL; none: those on stdin */
    bool by_nul;                 /* on stdin, NUL ends a message, not newline */
    bool reply;                  /* after each message, one is awaited and printed */
    size_t max_reply;
    int passed;      /* a descriptor that goes with each message; -1: none */
    int64_t idle_ms; /* status 5 when nothing moved for so long; -1: no limit */
};

/* Runs the loop. Status 1 when the server goes away before it has read everything; 7 for a reply
 * that is malformed or cut. When somebody else stops the loop with -1, *err is left as it was. */
int message_sender_run(const struct sending *sending, struct loop *loop, struct error *err);

#endif
