/*
 * What may look at bytes on their way, and change them: a table of calls that whoever moves them is
 * given by its owner.
 */
#ifndef STREAM_FILTER_H
#define STREAM_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/list.h"

enum { FILTER_WORDS = 2048 };

struct filter {
    /* Given `length` bytes that were read, at *bytes; as many bytes in front of them are room to
     * write in. Moves *bytes to what is to be written, and returns its length: in that room and
     * where the bytes were, so at most twice as much. -1: it failed; the owner of the filter keeps
     * the error, errno says what the system did. */
    ssize_t (*pass)(struct filter *filter, char **bytes, size_t length);
    /* It has bytes of its own to send, between what was read before and what is read next. */
    bool waiting;
    /* Writes them, at most FILTER_WORDS, and is no longer waiting. */
    size_t (*say)(struct filter *filter, char *words);
    /* The owner of the filter cannot take more now: whoever moves bytes gives it none (what it has let
     * pass is still written) until `resume`, which the mover has set, is called, or NULL. */
    bool held;
    void (*resume)(struct filter *filter);
    void *mover;
    struct list_node node; /* the owner's */
};

#endif
