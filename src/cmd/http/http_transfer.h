/*
 * One request and its answer, up to where the body goes.
 */
#ifndef CMD_HTTP_HTTP_TRANSFER_H
#define CMD_HTTP_HTTP_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/http/http_body.h"
#include "cmd/http/http_exchange.h"
#include "cmd/http/http_fetch.h"
#include "cmd/http/http_target.h"
#include "cmd/http/http_timing.h"
#include "cmd/http/http_watch.h"

/* One URL on its way, through its redirects and tries. */
struct http_transfer {
    const struct http_fetch *fetch;
    const struct http_target *target; /* the one that is asked now */
    struct http_exchange exchange;
    struct http_body body;
    struct http_watch watch;
    struct http_timing timing;
    int64_t redirects;
    int64_t tries;
    int64_t pause_ms;
    bool persistent;        /* the connection may serve others */
    bool resumes;           /* the rest was asked for */
    bool may_pass;          /* what went wrong */
    bool anew;              /* what is there is of no use: all of it is to be asked for, at once */
    bool keeps;             /* the connection is as good as new */
    char *next;             /* where a redirect leads; NULL: nowhere */
    struct http_target hop; /* where one has led */
    char *hop_url;
};

/* Asks transfer->target once; more often only where a connection that was kept turns out to be dead.
 * Sets `next` where the answer is a redirect that is to be followed, else has written its body to the
 * output. Fails as http_fetch_run does; `may_pass` says whether it is worth another try,
 * and `anew` whether another one is due that counts as none. */
int http_transfer_try(struct http_transfer *transfer, struct error *err);

#endif
