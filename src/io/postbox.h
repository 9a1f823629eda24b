/*
 * Answers on their way to whoever asked by datagram: sent at once where the receiver can take them,
 * kept in order where it cannot, so that one that does not read delays nobody else. Of the socket's
 * send buffer such a one has a share. What waits is
 * bounded in bytes and in time; what is beyond that is lost, as datagrams may be.
 */
#ifndef IO_POSTBOX_H
#define IO_POSTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "io/loop.h"
#include "io/send_shares.h"
#include "net/sock.h"

struct postbox_share {
    size_t letters;
    size_t bytes; /* in them */
};

struct postbox {
    struct loop *loop;
    struct letter *first; /* that wait; the postbox's */
    struct letter **end;
    struct postbox_share all;
    struct timer again;        /* until the next try */
    struct send_shares shares; /* of what has been sent to UNIX receivers, and is not read yet */
};

void postbox_init(struct postbox *postbox, struct loop *loop);
/* Forgets what waits. */
void postbox_release(struct postbox *postbox);
/* Forgets what waits to be sent by `fd`, which is to be closed. */
void postbox_forget(struct postbox *postbox, int fd);
/* Sends `bytes` by `fd` as the answer to *message. False if they are lost. */
bool postbox_answer(struct postbox *postbox, int fd, const struct sock_message *message,
                    const void *bytes, size_t length);

#endif
