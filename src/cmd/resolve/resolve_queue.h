/*
 * Look-ups of many names at the same time, by a bounded number of threads, and their answers in the
 * order of the names and, of each name, of the types.
 */
#ifndef CMD_RESOLVE_RESOLVE_QUEUE_H
#define CMD_RESOLVE_RESOLVE_QUEUE_H

#include "cmd/resolve/resolve_answer.h"

struct resolve_queue;

/* resolve_queue_new makes a queue of the names in `words`, NULL-terminated; a "-" stands for the lines of stdin. The
 * array is copied, and so is the plan, but for what it points to. */
struct resolve_queue *resolve_queue_new(const struct resolve_plan *plan, const char *const *words);

/* resolve_queue_start starts the threads, for so many questions, each a name in one type, or fewer (0: nobody knows). It fails with status 3 where
 * not one can be started. */
int resolve_queue_start(struct resolve_queue *queue, size_t questions, struct error *err);

/* resolve_queue_next waits for the next answer, which is the caller's. NULL: there are no more, and *errnum is the
 * failure of reading stdin, or 0. */
struct resolve_answer *resolve_queue_next(struct resolve_queue *queue, int *errnum);

/* resolve_queue_free frees the queue, once there are no more answers. False: some were given up but go on, so that
 * it, and the plan, have to stay until the program ends; so they do where nobody waits for all answers. */
bool resolve_queue_free(struct resolve_queue *queue);

#endif
