/*
 * What a client sends to a SOCKS proxy to be connected through it, and what the proxy answers. Pure: the owner sends what
 * socks_write writes, and hands in what it has received.
 * Source: RFC 1928 (SOCKS5), RFC 1929 (user name and password), SOCKS4 and 4a (Ying-Da Lee, 1996).
 */
#ifndef PROTO_SOCKS_H
#define PROTO_SOCKS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SOCKS_TEXT_MAX = 255,
    SOCKS_WRITE_MAX = 3 + 2 * (SOCKS_TEXT_MAX + 8), /* longest message to the proxy */
    SOCKS_READ_MAX = 262                            /* and from it */
};

enum socks_step {
    SOCKS_MORE,   /* the answer goes on: `wanted` bytes in all, as far as is known */
    SOCKS_WRITE,  /* it is whole, `wanted` bytes: now the next message */
    SOCKS_DONE,   /* the same, and connected: what follows is data */
    SOCKS_REFUSED /* see why */
};

struct socks {
    /* The owner's. */
    int version;      /* 4 or 5 */
    const char *host; /* an address, or a name that the proxy looks up */
    uint16_t port;
    const char *user;     /* NULL: none */
    const char *password; /* of version 5, with a user */
    /* What is going on; zero in the beginning. */
    int stage;
    size_t wanted;
    const char *why; /* words that follow the proxy's name: "connection refused" */
};

/* Returns NULL, or what cannot be sent in this version: "a user name is at most 255 bytes long". */
const char *socks_check(const struct socks *socks);

/* Writes the next message into `out` (SOCKS_WRITE_MAX bytes). Returns its length. */
size_t socks_write(struct socks *socks, unsigned char *out);

/* Reads the answer. `bytes` is what has come of it so far, never more than `wanted` bytes (0 in the beginning: a call
 * without bytes sets it). */
enum socks_step socks_read(struct socks *socks, const unsigned char *bytes, size_t length);

#endif
