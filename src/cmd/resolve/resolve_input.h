/*
 * The names to resolve: the operands, and the lines of stdin where one of those is "-".
 */
#ifndef CMD_RESOLVE_RESOLVE_INPUT_H
#define CMD_RESOLVE_RESOLVE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/resolve/resolve_answer.h"

struct resolve_input {
    const char *const *words; /* what is left of them, NULL-terminated; not owned */
    size_t at;                /* in the block that was read from stdin */
    size_t end;
    int errnum; /* of a read that failed, which is the end */
    char block[4096];
};

/* The next name, which may have to be waited for, to be looked up; NULL at the end. */
struct resolve_answer *resolve_input_next(struct resolve_input *input);

#endif
