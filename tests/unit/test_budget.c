/*
 * Who holds most, and how much all hold, while many holders grow, shrink and go.
 */
#include <stdio.h>

#include "base/budget.h"

static bool well = true;

static void check(bool truth, const char *what)
{
    if (!truth)
        printf("%s\n", what);
    well &= truth;
}

int main(void)
{
    enum { HOLDERS = 1000 };
    static struct budget_holder holders[HOLDERS];
    struct budget budget;
    budget_init(&budget, 0);
    check(budget.max == BUDGET_DEFAULT, "the default");
    budget_init(&budget, 10000);
    check(!budget_largest(&budget) && !budget_is_exceeded(&budget), "nobody holds anything");
    budget_set(&budget, &holders[0], 0);
    check(!budget_largest(&budget), "nothing is held by one");

    budget_set(&budget, &holders[0], 4097);
    budget_set(&budget, &holders[1], 5000);
    check(budget_largest(&budget) == &holders[0], "of about the same, the one that came first");
    budget_set(&budget, &holders[0], 4100);
    check(budget_largest(&budget) == &holders[0] && budget.used == 9100, "it stays in its row");
    budget_set(&budget, &holders[0], 4095);
    budget_set(&budget, &holders[0], 4096);
    check(budget_largest(&budget) == &holders[1], "who has got rid of it for a while is the last");
    budget_set(&budget, &holders[2], 904);
    check(!budget_is_exceeded(&budget) && budget.used == 10000, "all of it");
    budget_set(&budget, &holders[2], 905);
    check(budget_is_exceeded(&budget), "one byte too many");
    for (int i = 0; i < 3; i++)
        budget_set(&budget, &holders[i], 0);
    check(budget.used == 0 && !budget_largest(&budget), "all are gone");

    for (size_t i = 0; i < HOLDERS; i++)
        budget_set(&budget, &holders[i], i * 7919 % HOLDERS + 1);
    size_t left = budget.used, row = SIZE_MAX;
    for (struct budget_holder *largest; (largest = budget_largest(&budget));) {
        check(largest->bytes / 2 <= row, "a larger one came after a smaller one");
        row = largest->bytes;
        left -= largest->bytes;
        budget_set(&budget, largest, 0);
    }
    check(left == 0 && budget.used == 0, "the sum");
    return well ? 0 : 1;
}
