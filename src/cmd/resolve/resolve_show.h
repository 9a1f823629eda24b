/*
 * The answers of resolve: text, short or JSON on stdout; what is told of them on stderr.
 */
#ifndef CMD_RESOLVE_RESOLVE_SHOW_H
#define CMD_RESOLVE_RESOLVE_SHOW_H

#include "cmd/resolve/resolve_answer.h"

/* The answer on stdout; `first` of those that are shown. Says whether there was anything to show. */
bool resolve_show(const struct resolve_answer *answer, const struct resolve_plan *plan, bool first);
/* Its failure, --explain and --timing on stderr. */
void resolve_tell(const struct resolve_answer *answer, const struct resolve_plan *plan);

#endif
