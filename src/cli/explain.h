/*
 * --explain: under each call of -vv, what it does and why it is there now, the bytes of its address, what goes over the
 * wire, and the state of the TCP connection. All of it is from the call itself and from what the kernel says of its socket
 * (sys/trace, sock_look), so it is what has happened. What was said once is not said again.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdbool.h>

#include "base/error.h"

/* How messages lie in a UNIX stream, as far as that can be shown. */
enum explain_frame {
    EXPLAIN_NO_FRAME,
    EXPLAIN_FRAME_NATIVE, /* a length in the machine's order, the text, a NUL */
    EXPLAIN_FRAME_BIG     /* a length in network order, and the text */
};

struct explain_setup {
    bool serves; /* it is a server whose calls they are */
    enum explain_frame frame;
    bool is_http;
};

/* Explains calls from now on, and until the program ends, in the language of sentence_language. To be called before
 * anything runs. Returns 0, or -1 and status 2 where messages are objects. */
int explain_begin(const struct explain_setup *setup, struct error *err);

#endif
