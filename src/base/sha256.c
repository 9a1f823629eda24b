/*
 * FIPS 180-4, 6.2: blocks of 64 bytes are added to eight words of state; what does not fill a block is kept.
 */
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

void sha256_init(struct sha256 *sha)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    *sha = (struct sha256){.length = 0};
    memcpy(sha->state, start, sizeof start);
}

static uint32_t rotate_right(uint32_t word, unsigned by)
{
    return word >> by | word << (32 - by);
}

/* Adds one block of 64 bytes: FIPS 180-4, 6.2.2. */
static void add_block(struct sha256 *sha, const unsigned char *block)
{
    uint32_t words[64] = {0}, *state = sha->state; /* gcc 12's analyser loses count */
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (size_t i = 0; i < 16; i++, block += 4)
        words[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
                   block[3];
    for (size_t i = 16; i < 64; i++) {
        uint32_t early = words[i - 15], late = words[i - 2];
        words[i] = words[i - 16] + (rotate_right(early, 7) ^ rotate_right(early, 18) ^ early >> 3) +
                   words[i - 7] + (rotate_right(late, 17) ^ rotate_right(late, 19) ^ late >> 10);
    }
    for (size_t i = 0; i < 64; i++) {
        uint32_t one = h + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                       ((e & f) ^ (~e & g)) + constants[i] + words[i];
        uint32_t two = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                       ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + one;
        d = c, c = b, b = a, a = one + two;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t length)
{
    const unsigned char *from = bytes;
    while (length) {
        size_t held = sha->length % sizeof sha->block, taken = sizeof sha->block - held;
        if (!held && length >= sizeof sha->block) {
            add_block(sha, from);
        } else {
            taken = length < taken ? length : taken;
            memcpy(sha->block + held, from, taken);
            if (held + taken == sizeof sha->block)
                add_block(sha, sha->block);
        }
        sha->length += taken;
        from += taken;
        length -= taken;
    }
}

char *sha256_text(struct sha256 *sha, char *out)
{
    unsigned char tail[8];
    uint64_t bits = sha->length * 8;
    for (size_t i = 0; i < sizeof tail; i++)
        tail[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha256_add(sha, "\x80", 1);
    while (sha->length % sizeof sha->block != sizeof sha->block - sizeof tail)
        sha256_add(sha, "", 1);
    sha256_add(sha, tail, sizeof tail);
    for (size_t i = 0; i < 8; i++)
        snprintf(out + 8 * i, 9, "%08x", (unsigned)sha->state[i]);
    return out;
}
