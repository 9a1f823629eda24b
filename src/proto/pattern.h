/*
 * Regular expressions (POSIX extended, regex(7)) over bytes that may hold NUL.
 * Source: regcomp(3).
 */
#ifndef PROTO_PATTERN_H
#define PROTO_PATTERN_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

struct pattern {
    regex_t regex;
};

enum { PATTERN_WHY_MAX = 96 };

/* Compiles `text`, in which \n \r \t \f \v \a \e \xHH and \0NN stand for that byte, as in C, also in
 * brackets; before anything else a backslash is the expression's own. False: it is wrong, and `why` (PATTERN_WHY_MAX
 * bytes) says how. */
bool pattern_compile(struct pattern *pattern, const char *text, char *why);
void pattern_release(struct pattern *pattern);

/* Where the first match in `bytes` ends, as an offset; -1: there is none. bytes[length] is there to
 * be written to. A match never goes over a NUL: *searched, 0 in the beginning, is moved on to where
 * the next search, when there are more bytes, has to start. */
ptrdiff_t pattern_find(const struct pattern *pattern, char *bytes, size_t length, size_t *searched);

#endif
