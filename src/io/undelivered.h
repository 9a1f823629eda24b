/*
 * What a relay that failed owes: bytes of near.in that did not reach the far side.
 */
#ifndef IO_UNDELIVERED_H
#define IO_UNDELIVERED_H

#include "base/error.h"
#include "io/relay.h"

/* Adds " (N bytes not delivered)", if there are any. */
void undelivered_add(const struct relay *relay, struct error *err);

#endif
