/*
 * The account of one connection: who it is with and since when, and what is told of it at its end.
 */
#ifndef CMD_ACCOUNT_H
#define CMD_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/report.h"
#include "net/sockname.h"

/* Start with {0}. */
struct account {
    char peer[SOCKNAME_TEXT_MAX];
    char local[SOCKNAME_TEXT_MAX]; /* for objects alone, else empty */
    int64_t began_ms;              /* 0: not yet */
    int fd;                        /* the owner's */
    bool stats;                    /* --stats */
};

/* Whether anybody will read it. */
bool account_is_wanted(void);
/* From now on; a second time, only the peer is another. `peer` may be without a name. */
void account_open(struct account *account, int fd, const struct sockname *peer);
/* … and tells that the peer has come, */
void account_accept(struct account *account, int fd, const struct sockname *peer);
/* or that it is over, before its descriptor is closed; `end` says how, and how many bytes. */
void account_close(const struct account *account, struct report_end end);

/* How it ended, of what its transfer returned. */
enum report_how account_how(int result, const struct error *err);
/* The same of an errno; 0 is a limit of ours that ran out. */
enum report_how account_how_failed(int errnum);

#endif
