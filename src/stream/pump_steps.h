/*
 * Inside a pump: shared by pump.c, which runs the steps, splice.c, which has the zero-copy ones,
 * and pump_pool.c. Nobody else includes it.
 */
#ifndef STREAM_PUMP_STEPS_H
#define STREAM_PUMP_STEPS_H

#include "stream/pump.h"

/* What a step came to. */
enum pump_step {
    PUMP_STEP_MORE, /* moved a good deal: there may be more at once */
    PUMP_STEP_WAIT  /* pump->state says for what, or that it is over */
};

/* Sets the state and, for a failure, keeps errno. Returns PUMP_STEP_WAIT. */
enum pump_step pump_stop(struct pump *pump, enum pump_state state);
/* Counts what was taken from `in`. */
void pump_count_taken(struct pump *pump, size_t length);
/* How many bytes may be taken now, at most `most`. */
size_t pump_room(const struct pump *pump, size_t most);

/* From the next step on. */
void pump_take_way(struct pump *pump, enum pump_way way);
/* And never again another. */
void pump_only_copy(struct pump *pump);
/* A pipe that others may read, too: whoever of them comes late waits in read(2), but not in splice(2). */
bool pump_in_may_block(const struct pump *pump);

/* Whether splice(2) is for these kinds of ends. */
bool pump_can_splice(const struct pump *pump);
enum pump_step pump_splice(struct pump *pump);
enum pump_step pump_fill_pipe(struct pump *pump);
enum pump_step pump_drain_pipe(struct pump *pump);

char *pump_pool_take(struct pump_pool *pool);
void pump_pool_give(struct pump_pool *pool, char *buffer);
/* -1 and errno. */
int pump_pool_take_pipe(struct pump_pool *pool, int ends[2]);
/* One that still holds bytes is closed. */
void pump_pool_give_pipe(struct pump_pool *pool, int ends[2], bool empty);

#endif
