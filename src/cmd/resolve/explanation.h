/*
 * What --explain says of the addresses of an answer: where each is from, and why it is in its place.
 */
#ifndef CMD_RESOLVE_EXPLANATION_H
#define CMD_RESOLVE_EXPLANATION_H

#include <stddef.h>

#include "cmd/resolve/resolve_answer.h"

enum { EXPLANATION_MAX = 320 };

/* Writes the host of an address with its zone, and an IPv4-mapped address as the IPv6 address that it is, into `out`, of
 * SOCKNAME_TEXT_MAX bytes. Returns out. */
const char *explanation_host(const struct sockname *address, char *out);

/* Writes why the address of that number is in its place, "precedence 50, label 0, scope 2, source ::1; first", into `out`, of
 * EXPLANATION_MAX bytes. Returns out. */
const char *explanation_place(const struct resolve_answer *answer, size_t i, char *out);

/* Writes all of it to stderr: on a terminal as a table, or below each address where that is too wide; elsewhere a line for
 * each. An answer that is not explained: nothing. */
void explanation_show(const struct resolve_answer *answer);

#endif
