/*
 * What is sent, as line protocols want it: LF as CR LF, and for telnet (RFC 854) the byte 255,
 * which would start a command, twice. A CR LF stays as it is, also where it comes in two parts.
 */
#ifndef PROTO_ENCODER_H
#define PROTO_ENCODER_H

#include <stdbool.h>
#include <stddef.h>

struct encoder {
    bool lines;    /* set by the owner: LF becomes CR LF */
    bool twice;    /* set by the owner: 255 becomes 255 255 */
    bool after_cr; /* the encoder's: the last byte was a CR */
};

/* Writes at most 2 * length bytes and returns their number. `out` may be `length` bytes, or more,
 * in front of `in`. */
size_t encoder_encode(struct encoder *encoder, char *out, const char *in, size_t length);

#endif
