/*
 * The log of one connection: who it is with and since when, and what is told of it at its end.
 */
#ifndef CMD_COMMON_CONNECTION_LOG_H
#define CMD_COMMON_CONNECTION_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/report.h"
#include "sys/sockname.h"

/* Start with {0}. */
struct connection_log {
    char peer[SOCKNAME_TEXT_MAX];
    char local[SOCKNAME_TEXT_MAX]; /* for objects alone, else empty */
    int64_t began_ms;              /* 0: not yet */
    int fd;                        /* the owner's */
    bool stats;                    /* --stats */
};

/* Whether anybody will read it. */
bool connection_log_is_wanted(void);
/* From now on; a second time, only the peer is another. `peer` may be without a name. */
void connection_log_open(struct connection_log *log, int fd, const struct sockname *peer);
/* … and tells that the peer has come, */
void connection_log_accept(struct connection_log *log, int fd, const struct sockname *peer);
/* or that it is over, before its descriptor is closed; `end` says how, and how many bytes. */
void connection_log_close(const struct connection_log *log, struct report_end end);

/* How it ended, of what its transfer returned. */
enum report_how connection_log_how(int result, const struct error *err);
/* The same of an errno; 0 is a limit of ours that ran out. */
enum report_how connection_log_how_failed(int errnum);

#endif
