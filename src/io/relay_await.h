/*
 * Inside a relay: what it awaits, and where it does no more. A descriptor that cannot be used now is not watched, so nothing
 * spins. Nobody but relay.c includes it.
 */
#ifndef IO_RELAY_AWAIT_H
#define IO_RELAY_AWAIT_H

#include "io/relay.h"

bool relay_is_one_descriptor(const struct relay_side *side);
/* Sets the watches, and the timers of pumps that wait, by the states of the pumps. */
void relay_await(struct relay *relay);

/* Lets `down`, whose bytes near.out refuses, go on to the sink. False: that is not to be. */
bool relay_divert(struct relay *relay);

#endif
