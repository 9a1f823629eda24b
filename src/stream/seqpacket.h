/*
 * The messages of a seqpacket connection, each sent on whole, to itself or to another socket. What
 * a pump is for bytes.
 */
#ifndef STREAM_SEQPACKET_H
#define STREAM_SEQPACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/filter.h"
#include "stream/pump.h"

enum { SEQPACKET_MAX = 1 << 18 }; /* bytes in a message; what is longer fails with EMSGSIZE */

struct seqpacket {
    int in;
    int out; /* a stream gets the bytes of the messages, without their bounds */
    enum pump_state state;
    int failure;
    bool in_ended;
    char *waiting; /* a message that could not be sent yet; the seqpacket' own; NULL: none */
    size_t length; /* of it */
    struct filter *filter; /* the owner's; sees what arrives; NULL: nobody does */
    uint64_t taken;
    uint64_t moved;
};

void seqpacket_init(struct seqpacket *seqpacket, int in, int out);
/* A message that goes first. */
void seqpacket_preload(struct seqpacket *seqpacket, const char *bytes, size_t length);
void seqpacket_release(struct seqpacket *seqpacket);
/* Moves what can be moved now without blocking, a bounded amount, by way of `buffer` of SEQPACKET_MAX
 * bytes. Returns seqpacket->state. */
enum pump_state seqpacket_move(struct seqpacket *seqpacket, char *buffer);

#endif
