/*
 * Answers on their way to whoever asked by datagram: sent at once where the receiver can take them,
 * kept in order where it cannot, so that one that does not read delays nobody else. Of the socket's
 * send buffer such a one has a share. What waits is
 * bounded in bytes and in time; what is beyond that is lost, as datagrams may be.
 */
#ifndef DGRAM_SEND_QUEUE_H
#define DGRAM_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "dgram/send_shares.h"
#include "sys/loop.h"
#include "sys/sock.h"

struct send_queue_share {
    size_t entries;
    size_t bytes; /* in them */
};

struct send_queue {
    struct loop *loop;
    struct send_entry *first; /* that wait; the send_queue's */
    struct send_entry **end;
    struct send_queue_share all;
    struct timer again;        /* until the next try */
    struct send_shares shares; /* of what has been sent to UNIX receivers, and is not read yet */
};

void send_queue_init(struct send_queue *send_queue, struct loop *loop);
/* Forgets what waits. */
void send_queue_release(struct send_queue *send_queue);
/* Forgets what waits to be sent by `fd`, which is to be closed. */
void send_queue_forget(struct send_queue *send_queue, int fd);
/* Sends `bytes` by `fd` as the answer to *message. False if they are lost. */
bool send_queue_answer(struct send_queue *send_queue, int fd, const struct sock_message *message,
                       const void *bytes, size_t length);

#endif
