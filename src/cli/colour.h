/*
 * Colour on a terminal. This is the one place that decides whether there is any, and that knows the escapes (ECMA-48, SGR).
 */
#ifndef CLI_COLOUR_H
#define CLI_COLOUR_H

#include <stdbool.h>

enum colour {
    COLOUR_NONE,
    COLOUR_ERROR,
    COLOUR_HINT,     /* what matters less: hints, the notes of -v */
    COLOUR_HEADING,  /* bold */
    COLOUR_OPEN,     /* a port that is open */
    COLOUR_CLOSED,   /* one that is not */
    COLOUR_SENT,     /* of a hex dump: what went out */
    COLOUR_RECEIVED, /* and what came in */
};

enum { COLOUR_TEXT_MAX = 8 }; /* bytes of the longest escape, and a NUL */

/* Says whether `fd` is to have colour: it is a terminal, NO_COLOR is unset or empty, and TERM is neither unset nor empty nor
 * "dumb". */
bool colour_is_wanted(int fd);

/* Returns the escape that begins the colour; empty for COLOUR_NONE, and where `wanted` is false. */
const char *colour_begin(bool wanted, enum colour colour);

/* Returns the escape that ends every colour; empty where `wanted` is false. */
const char *colour_end(bool wanted);

/* Has base/log, whose lines go to `fd`, colour them from now on, if that is to have colour. */
void colour_log(int fd);

#endif
