/*
 * Those who take part in a transfer without moving its bytes: a tap looks at them, a filter changes them. Each is a
 * table of calls that whoever moves the bytes is given by its owner.
 */
#ifndef STREAM_FILTER_H
#define STREAM_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/list.h"

struct tap {
    /* Looks at bytes that were read, before they are passed on. -1: it failed; the owner of the tap keeps the error,
     * and errno says what the system did. */
    int (*look)(struct tap *tap, const char *bytes, size_t length);
};

enum { FILTER_ANSWER_MAX = 2048 };

struct filter {
    /* Changes `length` bytes that were read, at *bytes; as many bytes in front of them are room to write in. Moves
     * *bytes to what is to be passed on, and returns its length: in that room and where the bytes were, so at most twice
     * as much. -1: it failed; the owner of the filter keeps the error, and errno says what the system did. */
    ssize_t (*pass)(struct filter *filter, char **bytes, size_t length);
    /* The filter has bytes of its own to send, between what was read before and what is read next. */
    bool has_answer;
    /* Writes these, at most FILTER_ANSWER_MAX, to `bytes`, and has none any more. */
    size_t (*answer)(struct filter *filter, char *bytes);
    /* The owner of the filter cannot take more now: whoever moves bytes gives it none (what it has let pass is still
     * written) until the owner calls `resume`. The mover sets these two; a `resume` of NULL is not called. */
    bool held;
    void (*resume)(struct filter *filter);
    void *mover;
    struct list_node node; /* the owner's */
};

/* Tells whether a filter, which may be NULL for none, is to be given nothing now. */
static inline bool filter_is_held(const struct filter *filter)
{
    return filter && filter->held;
}

/* Sets who moves bytes through a filter, or with NULL that nobody does any more. A filter of NULL is none. */
static inline void filter_set_mover(struct filter *filter, void *mover,
                                    void (*resume)(struct filter *filter))
{
    if (!filter)
        return;
    filter->mover = mover;
    filter->resume = resume;
}

#endif
