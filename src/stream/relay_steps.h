/*
 * Inside a relay: shared by relay.c, which is about how it goes on and ends, relay_await.c, about
 * what it awaits, and relay_limits.c, about time. Nobody else includes it.
 */
#ifndef STREAM_RELAY_STEPS_H
#define STREAM_RELAY_STEPS_H

#include "stream/relay.h"

enum { RELAY_CONFIRM_MOST_MS = 20 }; /* between two looks at what is not acknowledged */

/* Keeps the first thing that went wrong. */
void relay_note_error(struct relay *relay, const struct error *err);
/* Nothing more goes to the far side. What it said before it went is still passed on, as long as that
 * moves. */
void relay_read_rest(struct relay *relay);
/* After a move: what came of it, and what is awaited next. */
void relay_settle(struct relay *relay);
/* Both flows are over. */
void relay_conclude(struct relay *relay);

/* Limits that have run out. */
void relay_idle_over(struct timer *timer);
void relay_quit_over(struct timer *timer);
void relay_silence_over(struct timer *timer);

bool relay_is_one_descriptor(const struct relay_side *side);
/* Sets the watches, and the timers of pumps that wait, by the states of the pumps. */
void relay_await(struct relay *relay);

/* Lets `down`, whose bytes near.out refuses, go on to the sink. False: that is not to be. */
bool relay_divert(struct relay *relay);

#endif
