/*
 * Answers to datagrams that meet faults on their way: they leave late, twice, changed or not at all.
 * What waits is bounded; what is beyond that is lost, as datagrams may be.
 */
#ifndef IO_LATE_H
#define IO_LATE_H

#include <stddef.h>
#include <stdint.h>

#include "io/faults.h"
#include "io/loop.h"
#include "io/postbox.h"

struct late {
    struct loop *loop;
    const struct faults *faults; /* the owner's */
    struct postbox *postbox;     /* the owner's: where they go when their time has come */
    uint64_t pieces;             /* decided upon */
    struct late_letter *first;   /* those that wait, the next one due first; the struct's own */
    struct late_letter *last;
    size_t bytes;    /* in them */
    int64_t free_us; /* with a rate: when the last one is through */
    struct timer due;
};

void late_init(struct late *late, struct loop *loop, const struct faults *faults,
               struct postbox *postbox);
/* Forgets what waits. */
void late_release(struct late *late);
/* As postbox_answer; changes `bytes`. */
void late_answer(struct late *late, int fd, const struct sock_message *message, char *bytes,
                 size_t length);

#endif
