/*
 * Connections to the far side of listen --to, for many clients. While the far side's name is looked up
 * for one of them, the others wait for what comes of it: a thousand clients are one look-up.
 */
#ifndef CMD_LISTEN_FORWARD_DIAL_H
#define CMD_LISTEN_FORWARD_DIAL_H

#include <stdbool.h>

#include "net/address.h"
#include "net/dial.h"

/* loop, to and how are set by the owner before; `how.known` is not NULL. */
struct forward_dials {
    struct loop *loop;
    const struct address *to;
    const struct dial_options *how;
    bool is_name;               /* there is something to be looked up */
    struct dialer *asking;      /* while the name is looked up */
    struct forward_dial *first; /* who waits for it */
    struct forward_dial *last;
};

struct forward_dial {
    struct forward_dials *dials;
    struct forward_dial *next; /* of those who wait */
    struct forward_dial *previous;
    struct dialer *dialer; /* NULL: it waits */
    void (*done)(void *context, const struct connection *connection, const struct error *err);
    void *context;
};

void forward_dials_init(struct forward_dials *dials);
/* No dial is left. */
void forward_dials_release(struct forward_dials *dials);
/* As dial_start. `done` is called with the dial gone; forward_dial_cancel before it forgets it. */
struct forward_dial *forward_dial_start(struct forward_dials *dials,
                                        void (*done)(void *context,
                                                     const struct connection *connection,
                                                     const struct error *err),
                                        void *context);
void forward_dial_cancel(struct forward_dial *dial);

#endif
