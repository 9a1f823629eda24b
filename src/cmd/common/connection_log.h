/*
 * The log of one connection: who it is with and since when, and what is logged at its end.
 */
#ifndef CMD_COMMON_CONNECTION_LOG_H
#define CMD_COMMON_CONNECTION_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/report.h"
#include "sys/sockname.h"

/* The record of one connection, which starts as {0}. */
struct connection_log {
    char peer[SOCKNAME_TEXT_MAX];
    char local[SOCKNAME_TEXT_MAX]; /* for objects alone, else empty */
    int64_t began_ms;              /* 0: not yet */
    int fd;                        /* the owner's */
    bool stats;                    /* --stats */
};

/* Tells whether anybody will read a log. */
bool connection_log_is_wanted(void);

/* Writes how a log calls a peer into `out`, which holds SOCKNAME_TEXT_MAX bytes: its name; in text, a UNIX client, which has
 * none, by the process that has connected, where the kernel shows it. Returns out. */
char *connection_log_name(int fd, const struct sockname *peer, char *out);

/* Begins the record of a connection with `peer`, which may be without a name. A second call only changes the peer. */
void connection_log_open(struct connection_log *log, int fd, const struct sockname *peer);

/* Does the same, and logs that the peer has come. */
void connection_log_accept(struct connection_log *log, int fd, const struct sockname *peer);

/* Logs that the connection is over, before its descriptor is closed; `end` says how, and how many bytes. */
void connection_log_close(const struct connection_log *log, struct report_end end);

/* Makes a record, and logs that the peer has come, for a server of thousands of peers: NULL, and nothing is logged, where
 * nobody will read it. connection_log_end frees it. */
struct connection_log *connection_log_new(int fd, const struct sockname *peer);

/* Does what connection_log_close does, and frees the record, which may be NULL. */
void connection_log_end(struct connection_log *log, struct report_end end);

/* Tells how a connection ended, by what its transfer returned. */
enum report_how connection_log_how(int result, const struct error *err);

/* Tells how a connection ended, by an errno; 0 is a limit of ours that ran out. */
enum report_how connection_log_how_failed(int errnum);

#endif
