/*
 * Telnet (RFC 854) for those who do not speak it. Commands are taken out of what arrives, and each option that the
 * other side asks for or offers is refused (RFC 1143: in a state where everything is off, DO is answered with WONT,
 * WILL with DONT, and nothing else is answered). What is sent is encoded as telnet and other line protocols want it.
 */
#ifndef PROTO_TELNET_H
#define PROTO_TELNET_H

#include <stdbool.h>
#include <stddef.h>

enum {
    TELNET_OPTIONS = 256,
    TELNET_ANSWERS_MAX = 2 * TELNET_OPTIONS * 3 /* bytes */
};

enum telnet_state {
    TELNET_DATA,
    TELNET_COMMAND,               /* after IAC */
    TELNET_OPTION,                /* after DO, DONT, WILL or WONT */
    TELNET_SUBNEGOTIATION,        /* after SB, until IAC SE */
    TELNET_SUBNEGOTIATION_COMMAND /* after IAC in it */
};

/* The decoder starts as {0}. An option that is asked for many times before the answers are taken is refused once:
 * that bounds them, whatever the other side does. */
struct telnet {
    enum telnet_state state;
    unsigned char verb;
    bool refuses;              /* there are answers to be sent */
    bool wont[TELNET_OPTIONS]; /* to be answered so */
    bool dont[TELNET_OPTIONS];
};

/* Leaves the data in `bytes` and returns its length. IAC IAC is the data byte 255. */
size_t telnet_decode(struct telnet *telnet, char *bytes, size_t length);

/* Writes the answers, at most TELNET_ANSWERS_MAX bytes, which are then no longer due, and returns their length. */
size_t telnet_answer(struct telnet *telnet, char *out);

/* The encoder starts as {0} but for what its owner wants. */
struct telnet_encoder {
    bool
        lines; /* the owner's: LF becomes CR LF; a CR LF stays as it is, also where it comes in two parts */
    bool twice;    /* the owner's: 255, which would start a command, becomes 255 255 */
    bool after_cr; /* the encoder's: the last byte was a CR */
};

/* Writes at most 2 * length bytes and returns their number. `out` may be `length` bytes, or more, in front of `in`. */
size_t telnet_encode(struct telnet_encoder *encoder, char *out, const char *in, size_t length);

#endif
