/*
 * One bound of memory for many holders: what each of them holds is counted, and when all together hold too much, the
 * largest is known at once, however many there are.
 *
 * Holders are kept in a row for each power of two. The largest is the one that has been in the highest row for the longest
 * time: of several that hold about the same, the one that has not got rid of it.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum { BUDGET_DEFAULT = 64 << 20, BUDGET_MIN = 64 << 10, BUDGET_ROWS = CHAR_BIT * sizeof(size_t) };

/* Embedded in what holds memory, and zeroed by the owner. */
struct budget_holder {
    struct list_node node;
    size_t bytes; /* 0: in no row */
};

struct budget {
    size_t max;
    size_t used;
    struct list rows[BUDGET_ROWS];
};

/* Begins with `max` bytes for all holders together; 0: BUDGET_DEFAULT. */
void budget_init(struct budget *budget, uint64_t max);

/* Notes that the holder holds so many bytes from now on; before it is freed: 0. */
void budget_set(struct budget *budget, struct budget_holder *holder, size_t bytes);

bool budget_is_exceeded(const struct budget *budget);

/* Returns the largest holder; NULL: nobody holds anything. */
struct budget_holder *budget_largest(const struct budget *budget);

#endif
