/*
 * Host names that are not ASCII, in the form that DNS, HTTP and proxies have of them: labels "xn--..." (RFC 5891,
 * A-labels), with what follows in Punycode (RFC 3492). Pure.
 */
#ifndef PROTO_IDNA_H
#define PROTO_IDNA_H

#include <stdbool.h>

enum { IDNA_NAME_MAX = 253 };

/* Says whether all bytes are ASCII, so that nothing has to be encoded. */
bool idna_is_ascii(const char *name);

/* Writes the name, which is UTF-8, into `out`, which holds IDNA_NAME_MAX + 1 bytes: in lower case (as RFC 5895 has it),
 * each label that is not ASCII encoded. Returns NULL, or what is wrong, as words that follow the name: "is not UTF-8". */
const char *idna_encode(const char *name, char *out);

#endif
