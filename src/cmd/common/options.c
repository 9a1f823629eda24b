/* The kinds of values that only options of several commands have: see options.h. */
#include "cmd/common/options.h"

static const char *group_read(char *text, void *field)
{
    return memberships_add(field, text);
}

const struct opt_type opt_group = {.metavar = "GROUP", .read = group_read};
