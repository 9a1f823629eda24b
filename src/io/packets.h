/*
 * The messages of a seqpacket connection, each sent back whole. What a pump is for bytes.
 */
#ifndef IO_PACKETS_H
#define IO_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/filter.h"
#include "io/pump.h"

enum { PACKETS_MOST = 1 << 18 }; /* bytes in a message; what is longer fails with EMSGSIZE */

struct packets {
    int fd;
    enum pump_state state;
    int failure;
    bool in_ended;
    char *waiting;         /* a message that could not be sent yet; the packets' own; NULL: none */
    size_t length;         /* of it */
    struct filter *filter; /* the owner's; sees what arrives; NULL: nobody does */
    uint64_t taken;
    uint64_t moved;
};

void packets_init(struct packets *packets, int fd);
void packets_release(struct packets *packets);
/* Moves what can be moved now without blocking, a bounded amount, by way of `buffer` of PACKETS_MOST
 * bytes. Returns packets->state. */
enum pump_state packets_move(struct packets *packets, char *buffer);

#endif
