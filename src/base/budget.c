/*
 * See budget.h. A holder moves to another row when what it holds passes a power of two, so that counting costs
 * nothing else; in a row it goes to the end.
 */
#include "base/budget.h"

void budget_init(struct budget *budget, uint64_t most)
{
    *budget = (struct budget){.most = most < SIZE_MAX ? (size_t)most : SIZE_MAX};
    if (!most)
        budget->most = BUDGET_DEFAULT;
}

/* The row of 2^N for 2^N to 2^(N+1) - 1 bytes. */
static size_t budget_row_of(size_t bytes)
{
    size_t row = 0;
    while (bytes >>= 1)
        row++;
    return row;
}

static void budget_leave(struct budget *budget, struct budget_holder *holder)
{
    struct budget_row *row = &budget->rows[budget_row_of(holder->bytes)];
    *(holder->previous ? &holder->previous->next : &row->first) = holder->next;
    *(holder->next ? &holder->next->previous : &row->last) = holder->previous;
}

static void budget_enter(struct budget *budget, struct budget_holder *holder)
{
    struct budget_row *row = &budget->rows[budget_row_of(holder->bytes)];
    holder->next = NULL;
    holder->previous = row->last;
    *(row->last ? &row->last->next : &row->first) = holder;
    row->last = holder;
}

void budget_set(struct budget *budget, struct budget_holder *holder, size_t bytes)
{
    size_t before = holder->bytes;
    if (before == bytes)
        return;
    bool stays = before && bytes && budget_row_of(before) == budget_row_of(bytes);
    if (before && !stays)
        budget_leave(budget, holder);
    budget->used += bytes - before;
    holder->bytes = bytes;
    if (bytes && !stays)
        budget_enter(budget, holder);
}

bool budget_is_exceeded(const struct budget *budget)
{
    return budget->used > budget->most;
}

struct budget_holder *budget_largest(const struct budget *budget)
{
    for (size_t row = BUDGET_ROWS; row-- > 0;)
        if (budget->rows[row].first)
            return budget->rows[row].first;
    return NULL;
}
