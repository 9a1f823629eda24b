/*
 * One URL fetched: redirects, tries, request, head, body.
 */
#ifndef CMD_HTTP_HTTP_FETCH_H
#define CMD_HTTP_HTTP_FETCH_H

#include <stdbool.h>

#include "base/error.h"
#include "cmd/common/limit.h"
#include "cmd/http/http_connection.h"
#include "cmd/http/http_options.h"
#include "cmd/http/http_output.h"
#include "cmd/http/http_sandbox.h"
#include "stream/pump.h"
#include "sys/loop.h"

/* What all URLs have in common. */
struct http_fetch {
    const struct http_options *options;
    struct loop *loop;
    const struct limit *limit; /* of the command */
    struct http_output *output;
    struct http_connections *connections;
    struct pump_pool *pool;
    struct http_sandbox *sandbox;
};

/* http_fetch_run runs the loop until the answer to `url` is written to the output; with `last` no URL follows. It
 * fails with status 6 where the answer's status is 400 or above: then nothing goes to a file, but to stdout it is
 * still written. When somebody else stops the loop it returns -1, with *err as it was. */
int http_fetch_run(const struct http_fetch *fetch, const char *url, bool last, struct error *err);

/* http_fetch_is_over says whether nothing that follows can succeed: no output, no time left, or a signal. */
bool http_fetch_is_over(const struct http_fetch *fetch, const struct error *err);

#endif
