/*
 * SHA-256 (FIPS 180-4), incrementally. Pure.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_TEXT = 2 * SHA256_BYTES };

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
};

void sha256_init(struct sha256 *sha);

/* Adds bytes; any number of calls is the same as one with all of them. */
void sha256_add(struct sha256 *sha, const void *bytes, size_t length);

/* Ends the sum and writes the digest in lower-case hexadecimal into `out` (SHA256_TEXT + 1 bytes). Returns out. */
char *sha256_text(struct sha256 *sha, char *out);

#endif
