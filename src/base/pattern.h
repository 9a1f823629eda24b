/*
 * Regular expressions (POSIX extended, regex(7)) over bytes that may hold NUL. They are about lines: `^` matches where one
 * begins, `$` before its LF, and neither `.` nor a list like [^a] matches an LF (REG_NEWLINE).
 * Source: regcomp(3).
 */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

struct pattern {
    regex_t regex;
};

enum { PATTERN_WHY_MAX = 96 };

/* Compiles `text`, in which \n \r \t \f \v \a \e \xHH and \0NN stand for that byte, as in C, also in brackets; before
 * anything else a backslash is the expression's own. False: the text is wrong, `why` (PATTERN_WHY_MAX bytes) says how, and
 * there is nothing to be released. */
bool pattern_compile(struct pattern *pattern, const char *text, char *why);

/* Frees what pattern_compile has allocated. */
void pattern_release(struct pattern *pattern);

/* Where a search has got to. It is {0} in the beginning. */
struct pattern_place {
    size_t searched; /* bytes that need no second look when there are more */
    bool in_line;    /* the first byte does not begin a line: set by the caller */
};

/* Returns where the first match in `bytes` ends, as an offset; -1: there is none. bytes[length] is there to be written to.
 * A match never goes over a NUL, and what follows one does not begin a line. `$` matches at the end of the bytes, too. */
ptrdiff_t pattern_find(const struct pattern *pattern, char *bytes, size_t length,
                       struct pattern_place *place);

#endif
