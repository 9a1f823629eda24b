/*
 * --accept-proxy: clients that have been accepted, and have yet to say by a PROXY header whose
 * connection they pass on.
 */
#ifndef CMD_NEWCOMERS_H
#define CMD_NEWCOMERS_H

#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "net/announced.h"

/* `first` and `count` are zero at the start; the owner sets the rest. */
struct newcomers {
    struct loop *loop;
    int64_t limit_ms; /* for a header */
    /* A client has said who it is; its descriptor is the callee's. Where the header says nothing, both
     * names in `announced` have the length 0. */
    void (*came)(struct newcomers *newcomers, int fd, const struct sockname *peer,
                 const struct announced *announced);
    /* One has not, and was told of and closed. */
    void (*refused)(struct newcomers *newcomers);
    struct newcomer *first;
    size_t count;
};

/* Takes over a connected stream socket. */
void newcomers_add(struct newcomers *newcomers, int fd, const struct sockname *peer);
/* Closes them all. May be called twice. */
void newcomers_close(struct newcomers *newcomers);

#endif
