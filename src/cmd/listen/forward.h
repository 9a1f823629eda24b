/*
 * One run of `listen --to`: what its two ways, for connections and for datagrams, have in common.
 */
#ifndef CMD_LISTEN_FORWARD_H
#define CMD_LISTEN_FORWARD_H

#include <stdint.h>

#include "base/error.h"
#include "cmd/listen/forward_dial.h"
#include "cmd/listen/listening.h"
#include "dgram/flows.h"
#include "net/address.h"
#include "net/dial.h"
#include "stream/forward.h"

struct forwarding {
    struct listening *listening;
    struct address to;
    struct dial_options how;
    struct sockopt sockopt; /* of the far side's sockets */
    struct forward_dials dials;
    struct resolved known;        /* what the name of the far side was found to be */
    struct limit_options limits;  /* of the server: -w is for connecting here */
    struct forward forward;       /* of connections */
    struct forwarded *first;      /* clients that are not joined yet */
    struct datagram_flows *flows; /* of datagrams */
};

/* Both run until their end; the server is open. */
int forwarding_connections(struct forwarding *forwarding);
int forwarding_datagrams(struct forwarding *forwarding);

/* At -v, or as an object. */
void forwarding_tell_connected(const struct connection *connection);
/* A connection to the far side could not be made: a warning, of those about a lack of descriptors or of
 * local ports one in 10 s, and no more clients come for a while. `client` is who it was for. */
void forwarding_warn(struct forwarding *forwarding, const struct sockname *client,
                     const struct error *err);

#endif
