#include "cmd/http/http_fetch.h"

#include <stdlib.h>

#include "base/units.h"
#include "cli/report.h"
#include "cmd/http/http_transfer.h"

enum { FIRST_PAUSE_MS = 250, PAUSE_MOST_MS = 8000 };

bool http_fetch_is_over(const struct http_fetch *fetch, const struct error *err)
{
    return fetch->limit->is_over || err->status == STATUS_LOCAL_IO || err->signal_number;
}

/* Tries */

struct pause {
    struct loop *loop;
    struct timer timer;
};

static void pause_is_over(struct timer *timer)
{
    loop_stop(LOOP_OWNER(timer, struct pause, timer)->loop, 0);
}

static int wait_for(struct loop *loop, int64_t ms)
{
    struct pause pause = {.loop = loop, .timer.fired = pause_is_over};
    loop_timer_set(loop, &pause.timer, ms);
    int result = loop_run(loop);
    loop_timer_cancel(loop, &pause.timer);
    return result;
}

/* Up to an answer that counts. */
static int try_often(struct http_transfer *transfer, struct error *err)
{
    const struct http_fetch *fetch = transfer->fetch;
    char pause[UNITS_DURATION_MAX];
    for (;;) {
        if (http_transfer_try(transfer, err) == 0)
            return 0;
        if (transfer->anew && !fetch->options->silent)
            report_warning("%s; starting anew", err->text);
        if (transfer->anew)
            continue;
        if (!transfer->may_pass || transfer->tries == fetch->options->retries ||
            http_fetch_is_over(fetch, err))
            return -1;
        transfer->tries++;
        if (!fetch->options->silent)
            report_warning("%s; trying again in %s", err->text,
                           units_show_duration(pause, transfer->pause_ms));
        if (wait_for(fetch->loop, transfer->pause_ms))
            return -1;
        transfer->pause_ms *= 2;
        if (transfer->pause_ms > PAUSE_MOST_MS)
            transfer->pause_ms = PAUSE_MOST_MS;
    }
}

/* Redirects */

/* Where it leads is the server's choice, not a wrong command line. */
static int set_hop(struct http_transfer *transfer, const struct http_target *origin,
                   struct error *err)
{
    http_target_release(&transfer->hop);
    free(transfer->hop_url);
    transfer->hop_url = transfer->next;
    transfer->next = NULL;
    transfer->target = &transfer->hop;
    if (http_target_init(&transfer->hop, transfer->fetch->options, transfer->hop_url, origin,
                         err) == 0)
        return 0;
    if (err->status == STATUS_USAGE)
        err->status = STATUS_REFUSED;
    return -1;
}

static int follow(struct http_transfer *transfer, const struct http_target *origin,
                  struct error *err)
{
    int result;
    while ((result = try_often(transfer, err)) == 0 && transfer->next)
        if (set_hop(transfer, origin, err))
            return -1;
    return result;
}

int http_fetch_run(const struct http_fetch *fetch, const char *url, bool last, struct error *err)
{
    struct http_target origin;
    struct http_output *output = fetch->output;
    struct http_transfer transfer = {
        .fetch = fetch,
        .target = &origin,
        .pause_ms = FIRST_PAUSE_MS,
        .persistent = !last || fetch->options->location,
    };
    if (http_target_init(&origin, fetch->options, url, NULL, err))
        return -1;
    transfer.watch = (struct http_watch){.loop = fetch->loop,
                                         .idle_ms = fetch->options->idle_ms,
                                         .exchange = &transfer.exchange,
                                         .err = err};
    int result = http_output_find(output, &origin.url, err);
    transfer.watch.reader = output->standard;
    if (output->has_file)
        transfer.watch.reader.fd = -1;
    http_watch_start(&transfer.watch);
    if (!result)
        result = follow(&transfer, &origin, err);
    if (!result)
        result = http_output_finish(output, err);
    http_watch_stop(&transfer.watch);
    http_output_drop(output);
    http_exchange_release(&transfer.exchange);
    http_target_release(&transfer.hop);
    free(transfer.hop_url);
    free(transfer.next);
    http_target_release(&origin);
    return result;
}
