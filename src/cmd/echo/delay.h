/*
 * Answers to datagrams that meet faults on their way: they leave late, twice, changed or not at all.
 * What waits is bounded; what is beyond that is lost, as datagrams may be.
 */
#ifndef CMD_ECHO_DELAY_H
#define CMD_ECHO_DELAY_H

#include <stddef.h>
#include <stdint.h>

#include "cmd/echo/faults.h"
#include "dgram/send_queue.h"
#include "sys/loop.h"

struct delay {
    struct loop *loop;
    const struct faults *faults;   /* the owner's */
    struct send_queue *send_queue; /* the owner's: where they go when their time has come */
    uint64_t pieces;               /* decided upon */
    struct delayed_entry *first;   /* those that wait, the next one due first; the struct's own */
    struct delayed_entry *last;
    size_t bytes;    /* in them */
    int64_t free_us; /* with a rate: when the last one is through */
    struct timer due;
};

void delay_init(struct delay *late, struct loop *loop, const struct faults *faults,
                struct send_queue *send_queue);
/* Forgets what waits. */
void delay_release(struct delay *late);
/* As send_queue_answer; changes `bytes`. */
void delay_answer(struct delay *late, int fd, const struct sock_message *message, char *bytes,
                  size_t length);

#endif
