/*
 * The messages of a seqpacket connection, each sent on whole, to itself or to another socket. What
 * a pump is for bytes.
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
    int in;
    int out; /* a stream gets the bytes of the messages, without their bounds */
    enum pump_state state;
    int failure;
    bool in_ended;
    char *waiting;         /* a message that could not be sent yet; the packets' own; NULL: none */
    size_t length;         /* of it */
    struct filter *filter; /* the owner's; sees what arrives; NULL: nobody does */
    uint64_t taken;
    uint64_t moved;
};

void packets_init(struct packets *packets, int in, int out);
/* A message that goes first. */
void packets_preload(struct packets *packets, const char *bytes, size_t length);
void packets_release(struct packets *packets);
/* Moves what can be moved now without blocking, a bounded amount, by way of `buffer` of PACKETS_MOST
 * bytes. Returns packets->state. */
enum pump_state packets_move(struct packets *packets, char *buffer);

#endif
