/*
 * A holder moves to another row when what it holds passes a power of two, so that counting costs nothing else; in a row it
 * goes to the end.
 */
#include "base/budget.h"

void budget_init(struct budget *budget, uint64_t max)
{
    *budget = (struct budget){.max = max < SIZE_MAX ? (size_t)max : SIZE_MAX};
    if (!max)
        budget->max = BUDGET_DEFAULT;
}

/* Returns the index of the row of 2^N for 2^N to 2^(N+1) - 1 bytes; BUDGET_ROWS for none. */
static size_t row_of(size_t bytes)
{
    size_t row = 0;
    if (!bytes)
        return BUDGET_ROWS;
    while (bytes >>= 1)
        row++;
    return row;
}

void budget_set(struct budget *budget, struct budget_holder *holder, size_t bytes)
{
    if (holder->bytes == bytes)
        return;
    const size_t before = row_of(holder->bytes), now = row_of(bytes);
    if (before != now && before < BUDGET_ROWS)
        list_remove(&budget->rows[before], &holder->node);
    if (before != now && now < BUDGET_ROWS)
        list_append(&budget->rows[now], &holder->node);
    budget->used += bytes - holder->bytes;
    holder->bytes = bytes;
}

bool budget_is_exceeded(const struct budget *budget)
{
    return budget->used > budget->max;
}

struct budget_holder *budget_largest(const struct budget *budget)
{
    for (size_t row = BUDGET_ROWS; row-- > 0;)
        if (budget->rows[row].count)
            return LIST_FIRST(&budget->rows[row], struct budget_holder, node);
    return NULL;
}
