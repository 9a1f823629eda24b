/*
 * What a relay that failed owes: bytes of near.in that did not reach the far side.
 */
#ifndef STREAM_UNDELIVERED_H
#define STREAM_UNDELIVERED_H

#include "base/error.h"
#include "stream/relay.h"

/* Adds " (N bytes not delivered)", if there are any. */
void undelivered_add(const struct relay *relay, struct error *err);

#endif
