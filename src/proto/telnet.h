/*
 * Telnet for those who do not speak it: commands (RFC 854) are taken out of what arrives, and each
 * option that the other side asks for or offers is refused (RFC 1143: in a state where everything
 * is off, DO is answered with WONT, WILL with DONT, and nothing else is answered).
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

/* Starts as {0}. An option that is asked for many times before answers are taken is refused once:
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
/* Writes the answers, at most TELNET_ANSWERS_MAX bytes, which are then no longer due. */
size_t telnet_answer(struct telnet *telnet, char *out);

#endif
