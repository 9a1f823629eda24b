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

/* Returns the row of 2^N for 2^N to 2^(N+1) - 1 bytes; NULL for none. */
static struct list *budget_row(struct budget *budget, size_t bytes)
{
    size_t row = 0;
    if (!bytes)
        return NULL;
    while (bytes >>= 1)
        row++;
    return &budget->rows[row];
}

void budget_set(struct budget *budget, struct budget_holder *holder, size_t bytes)
{
    if (holder->bytes == bytes)
        return;
    struct list *before = budget_row(budget, holder->bytes), *now = budget_row(budget, bytes);
    if (before && before != now)
        list_remove(before, &holder->node);
    if (now && now != before)
        list_append(now, &holder->node);
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
