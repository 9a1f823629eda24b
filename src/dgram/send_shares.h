/*
 * How the receivers of a UNIX datagram socket share its send buffer. What a receiver has not read yet
 * stays in the buffer of the one socket that has sent it (unix(7)): without a bound for each, one that
 * does not read would silence the socket for all others.
 */
#ifndef DGRAM_SEND_SHARES_H
#define DGRAM_SEND_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/sock.h"

/* Start with {0}. */
struct send_shares {
    struct send_share *sent; /* what may not have been read yet, in the order of sending; its own */
    size_t count;
    size_t bytes; /* that they take in the buffer, rather too many than too few */
    int fd;       /* whose buffer was asked for last, */
    size_t room;  /* and its size; 0: not asked yet */
};

/* Whether `peer`, a UNIX name, may be sent so many bytes by `fd` now. Asks the kernel only where it is
 * in doubt. */
bool send_shares_allow(struct send_shares *shares, int fd, const struct sockname *peer,
                       size_t length);
/* They have been sent. */
void send_shares_add(struct send_shares *shares, int fd, const struct sockname *peer,
                     size_t length);
void send_shares_release(struct send_shares *shares);

#endif
