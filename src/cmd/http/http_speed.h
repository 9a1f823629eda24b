/*
 * How slow an answer may come (--speed-limit, --speed-time).
 */
#ifndef CMD_HTTP_HTTP_SPEED_H
#define CMD_HTTP_HTTP_SPEED_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/loop.h"

enum { HTTP_SPEED_PARTS = 10 };

/* It lies in the struct of whoever is limited; the owner sets what comes before `timer`, the rest is 0. */
struct http_speed {
    uint64_t rate;   /* bytes a second; 0: there is no limit */
    int64_t time_ms; /* over so long */
    /* How many bytes have come. *counts, true at first: whether they could; false: our own side has held them up since the
     * last call. */
    uint64_t (*look)(struct http_speed *speed, bool *counts);
    /* Called once, from the loop: in the time that counts, `rate` has not been reached. */
    void (*over)(struct http_speed *speed);
    struct timer timer;
    struct loop *loop;
    uint64_t seen;
    int64_t looked_ms;
    /* The last parts of the time that counted, in turn. */
    struct {
        uint64_t bytes;
        int64_t ms;
    } parts[HTTP_SPEED_PARTS];
    unsigned counted;
};

/* http_speed_start begins to count, if there is a limit. */
void http_speed_start(struct http_speed *speed, struct loop *loop);

/* http_speed_stop counts no more. It may be called twice. */
void http_speed_stop(struct http_speed *speed);

#endif
