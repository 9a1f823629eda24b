/*
 * One URL fetched: dial, request, head, body.
 */
#ifndef CMD_HTTP_FETCH_H
#define CMD_HTTP_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/http_target.h"
#include "io/aside.h"
#include "io/end.h"
#include "io/loop.h"
#include "io/pump.h"

struct http_fetch_options {
    bool include;               /* the head is printed, too */
    bool fail;                  /* no body with a status of 400 and above */
    bool silent;                /* no warnings */
    int64_t connect_timeout_ms; /* -1: no limit */
    int64_t idle_ms;
};

/* Where what is fetched goes. */
struct http_output {
    struct end end;
    const char *name;   /* for errors */
    struct aside *file; /* NULL: stdout. Found, and created when there is something to write */
};

struct http_fetch {
    const struct http_target_options *target_options;
    const struct http_fetch_options *options;
    struct loop *loop;
    struct http_output *output;
    struct pump_pool *pool;
};

/* Runs the loop until the answer is written to the output. Status 6 when the answer's is 400 or
 * above: then nothing goes to a file, but to stdout it is still written. When somebody else stops
 * the loop: -1, and *err is left as it was. */
int http_fetch_run(const struct http_fetch *fetch, const struct http_target *target,
                   struct error *err);

#endif
