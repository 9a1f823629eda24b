/*
 * Answers on their way to those who asked by datagram: sent at once where the receiver can take them, kept in order
 * where it cannot, so that one that does not read delays nobody else; of the socket's send buffer such a one has a
 * share. An answer may also be given before it is due. What waits is bounded in bytes and in time; what is beyond that
 * is lost, as datagrams may be.
 */
#ifndef DGRAM_SEND_QUEUE_H
#define DGRAM_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "sys/loop.h"
#include "sys/sock.h"

/* What is sent, by which socket, and whose datagram it answers. */
struct send_answer {
    int fd;
    const struct sock_message *message;
    const void *bytes;
    size_t length;
};

/* What receivers of UNIX datagrams may not have read yet. */
struct send_shares {
    struct send_share *sent; /* in the order of sending; the queue's own */
    size_t count;
    size_t bytes; /* that they take in the buffer, rather too many than too few */
    int fd;       /* whose buffer was asked for last, */
    size_t room;  /* and its size; 0: not asked yet */
};

/* Entries that wait, and the bytes in them. */
struct send_row {
    struct list entries;
    size_t bytes;
};

struct send_queue {
    struct loop *loop;
    struct send_row
        waiting;        /* whose receiver cannot take them now, in the order of their answers */
    struct timer again; /* until the next try */
    struct send_row delayed; /* which are not due, the next one first */
    struct timer due;        /* until the first of them is */
    struct send_shares shares;
};

void send_queue_init(struct send_queue *queue, struct loop *loop);

/* send_queue_release forgets what waits, also of a queue that was zeroed and never initialised. */
void send_queue_release(struct send_queue *queue);

/* send_queue_forget forgets what waits to be sent by `fd`, which is to be closed; -1: by whichever. */
void send_queue_forget(struct send_queue *queue, int fd);

/* Tells whether an answer of that length might wait until it is due. */
bool send_queue_can_delay(const struct send_queue *queue, size_t length);

/* send_queue_answer sends an answer as soon as it is due, by loop_now_ms (0: now), and its receiver can take it. What
 * has to wait is copied. False when the answer is lost already. */
bool send_queue_answer(struct send_queue *queue, const struct send_answer *answer, int64_t due_ms);

#endif
