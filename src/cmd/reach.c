#include "cmd/reach.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "cmd/secret.h"

enum {
    PAUSE_FIRST_MS = 50,
    PAUSE_MOST_MS = 1000,
    LAST_ROUND_MS = 100 /* of the time of --wait, or a quarter of what is left of it */
};

/* Patience */

void patience_init(struct patience *patience, const struct reach_options *options,
                   struct loop *loop)
{
    *patience = (struct patience){
        .loop = loop,
        .deadline_ms = options->wait_ms < 0 ? -1 : loop_now_ms() + options->wait_ms,
        .retries = options->retries,
        .pause_ms = PAUSE_FIRST_MS,
    };
}

static int64_t left_ms(const struct patience *patience)
{
    int64_t left = patience->deadline_ms - loop_now_ms();
    return left < 0 ? 0 : left;
}

int64_t patience_limit(const struct patience *patience, int64_t limit_ms)
{
    if (patience->deadline_ms < 0)
        return limit_ms;
    return limit_ms < 0 || left_ms(patience) < limit_ms ? left_ms(patience) : limit_ms;
}

/* What may be otherwise in a moment. */
static bool is_worth_retrying(const struct error *failure)
{
    switch (failure->status) {
    case STATUS_TRANSFER:
    case STATUS_RESOLVE:
    case STATUS_CONNECT:
    case STATUS_TIMEOUT:
    case STATUS_REFUSED:
        return true;
    default:
        return false;
    }
}

struct pause {
    struct loop *loop;
    struct timer timer;
    bool over;
};

static void pause_over(struct timer *timer)
{
    struct pause *pause = LOOP_OWNER(timer, struct pause, timer);
    pause->over = true;
    loop_stop(pause->loop, 0);
}

static int rest(struct loop *loop, int64_t for_ms)
{
    struct pause pause = {.loop = loop, .timer.fired = pause_over};
    loop_timer_set(loop, &pause.timer, for_ms);
    loop_run(loop);
    loop_timer_cancel(loop, &pause.timer);
    return pause.over ? 0 : -1;
}

/* The time of --wait is over: the last reason is the reason, not that the last round was short. */
static int give_up(const struct patience *patience, const struct error *failure, struct error *err)
{
    bool says_nothing = failure->status == STATUS_TIMEOUT && patience->last.status;
    *err = says_nothing ? patience->last : *failure;
    err->status = STATUS_TIMEOUT;
    return error_add(err, " (no more time to wait)");
}

/* Until the next round; 0: there is no time for one more. None follows faster than the one before,
 * unless that one took long: the pause before the last is as long as it takes for that round to begin
 * just before the end. */
static int64_t next_pause_ms(struct patience *patience)
{
    int64_t pause_ms = patience->pause_ms;
    patience->pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
    if (patience->deadline_ms < 0)
        return pause_ms;
    int64_t left = left_ms(patience);
    int64_t until_last_ms = left - (left / 4 < LAST_ROUND_MS ? left / 4 : LAST_ROUND_MS);
    if (until_last_ms < pause_ms / 4)
        return 0;
    return until_last_ms < 2 * pause_ms ? until_last_ms : pause_ms;
}

int patience_pause(struct patience *patience, const struct error *failure, struct error *err)
{
    bool waits = patience->deadline_ms >= 0;
    if (!is_worth_retrying(failure) || (!waits && patience->retries == 0)) {
        *err = *failure;
        return -1;
    }
    int64_t pause_ms = next_pause_ms(patience);
    if (!pause_ms)
        return rest(patience->loop, left_ms(patience)) ? -1 : give_up(patience, failure, err);
    if (failure->status != STATUS_TIMEOUT)
        patience->last = *failure;
    if (!waits)
        patience->retries--;
    message_tell(MESSAGE_STORY, "%s; trying again in %lld ms", failure->text, (long long)pause_ms);
    return rest(patience->loop, pause_ms);
}

static bool has_another_round(const struct patience *patience)
{
    return patience->deadline_ms >= 0 || patience->retries > 0;
}

/* Reaching */

static const char *proxy_of_environment(const struct reach_options *options)
{
    return options->proxy_env ? getenv("ALL_PROXY") : NULL;
}

int reach_check(struct loop *loop, const struct reach_options *options,
                const struct address *address, struct proxy *proxy, struct error *err)
{
    const char *environment = proxy_of_environment(options);
    *proxy = (struct proxy){0};
    if (options->proxy && !*options->proxy)
        return error_set(err, STATUS_USAGE, "option --proxy: '' is empty");
    if (!options->proxy && (!environment || !*environment))
        return 0;
    if (!options->proxy)
        return proxy_parse(proxy, environment, err) || proxy_check(proxy, address, err)
                   ? error_add(err, " (ALL_PROXY)")
                   : 1;
    char *url = secret_read(loop, "proxy", options->proxy, err);
    int result = url && !proxy_parse(proxy, url, err) && !proxy_check(proxy, address, err);
    memory_wipe(url);
    return result ? 1 : -1;
}

/* One round. What goes wrong is in *failure; its status stays 0 when somebody else has stopped the
 * loop. */
static int try_once(const struct patience *patience, const struct reach *reach,
                    struct connection *connection, struct error *failure)
{
    struct loop *loop = patience->loop;
    int64_t limit_ms = patience_limit(patience, reach->dial->timeout_ms);
    const struct address *next = reach->proxy ? &reach->proxy->address : reach->address;
    struct dial_options how = *reach->dial;
    int64_t began_ms = loop_now_ms();
    how.timeout_ms = limit_ms;
    how.is_retried = has_another_round(patience);
    if (dial(loop, next, &how, connection, failure))
        return -1;
    if (!reach->proxy)
        return 0;
    if (limit_ms >= 0) {
        limit_ms -= loop_now_ms() - began_ms;
        limit_ms = limit_ms < 0 ? 0 : limit_ms;
    }
    const struct proxy_way way = {reach->proxy, reach->address, limit_ms, reach->idle_ms};
    if (proxy_pass(loop, connection->fd, &way, failure) == 0)
        return 0;
    connection_close(connection);
    return -1;
}

int reach(struct loop *loop, const struct reach *reach, struct connection *connection,
          struct error *err)
{
    struct patience patience;
    patience_init(&patience, reach->options, loop);
    for (;;) {
        struct error failure = {.status = STATUS_OK};
        if (try_once(&patience, reach, connection, &failure) == 0)
            return 0;
        if (failure.status == STATUS_OK)
            return -1; /* somebody else has stopped the loop, and said why */
        if (patience_pause(&patience, &failure, err))
            return -1;
    }
}
