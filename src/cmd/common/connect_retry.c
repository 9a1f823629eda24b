/*
 * See connect_retry.h. Rounds of trying have a number (--retry) or a time (--wait); between two of them the loop runs
 * for a pause that doubles from 50 ms to a second. A probe uses the rounds too, with a round of its own.
 */
#include "cmd/common/connect_retry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "cmd/common/filters.h"
#include "cmd/common/secret.h"
#include "net/hostname.h"
#include "net/proxy_header.h"
#include "sys/sock.h"
#include "sys/unblocked.h"

enum {
    PAUSE_FIRST_MS = 50,
    PAUSE_MAX_MS = 1000,
    LAST_ROUND_MS = 100 /* of the time of --wait, or a quarter of what is left of it */
};

/* Rounds */

void retry_rounds_init(struct retry_rounds *rounds, const struct connect_retry_options *options,
                       struct loop *loop)
{
    *rounds = (struct retry_rounds){
        .loop = loop,
        .deadline_ms = options->wait_ms < 0 ? -1 : loop_now_ms() + options->wait_ms,
        .retries = options->retries,
        .pause_ms = PAUSE_FIRST_MS,
    };
}

static int64_t retry_rounds_left_ms(const struct retry_rounds *rounds)
{
    int64_t left = rounds->deadline_ms - loop_now_ms();
    return left < 0 ? 0 : left;
}

int64_t retry_rounds_limit(const struct retry_rounds *rounds, int64_t limit_ms)
{
    if (rounds->deadline_ms < 0)
        return limit_ms;
    return limit_ms < 0 || retry_rounds_left_ms(rounds) < limit_ms ? retry_rounds_left_ms(rounds)
                                                                   : limit_ms;
}

/* Tells whether what failed may be otherwise in a moment. */
static bool retry_is_worthwhile(const struct error *failure)
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

/* Runs the loop for that time. Returns 0, or -1 where somebody else has stopped the loop. */
static int retry_rounds_rest(const struct retry_rounds *rounds, int64_t for_ms)
{
    bool timed_out;
    loop_await(rounds->loop, for_ms, &timed_out);
    return timed_out ? 0 : -1;
}

/* Returns the pause until the next round; 0: there is no time for one more. None follows faster than the one before,
 * unless that one took long: the pause before the last is as long as it takes for that round to begin just before the
 * end. */
static int64_t retry_rounds_next_pause_ms(struct retry_rounds *rounds)
{
    int64_t pause_ms = rounds->pause_ms;
    rounds->pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
    if (rounds->deadline_ms < 0)
        return pause_ms;
    int64_t left = retry_rounds_left_ms(rounds);
    int64_t until_last_ms = left - (left / 4 < LAST_ROUND_MS ? left / 4 : LAST_ROUND_MS);
    if (until_last_ms < pause_ms / 4)
        return 0;
    return until_last_ms < 2 * pause_ms ? until_last_ms : pause_ms;
}

int retry_rounds_pause(struct retry_rounds *rounds, const struct error *failure, struct error *err)
{
    bool waits = rounds->deadline_ms >= 0;
    if (!retry_is_worthwhile(failure) || (!waits && rounds->retries == 0)) {
        *err = *failure;
        return -1;
    }
    int64_t pause_ms = retry_rounds_next_pause_ms(rounds);
    if (!pause_ms) {
        if (retry_rounds_rest(rounds, retry_rounds_left_ms(rounds)))
            return -1;
        /* The time of --wait is over: the last reason is the reason, not that the last round was short. */
        bool says_nothing = failure->status == STATUS_TIMEOUT && rounds->last.status;
        *err = says_nothing ? rounds->last : *failure;
        err->status = STATUS_TIMEOUT;
        return error_add(err, " (no more time to wait)");
    }
    if (failure->status != STATUS_TIMEOUT)
        rounds->last = *failure;
    if (!waits)
        rounds->retries--;
    log_note(LOG_LEVEL_INFO, "%s; trying again in %lld ms", failure->text, (long long)pause_ms);
    return retry_rounds_rest(rounds, pause_ms);
}

/* Connecting */

int connect_retry_check(struct loop *loop, const struct connect_retry_options *options,
                        const struct address *address, struct proxy *proxy, struct error *err)
{
    const char *environment = options->proxy_env ? getenv("ALL_PROXY") : NULL;
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
    explicit_bzero(options->proxy, strlen(options->proxy));
    return result ? 1 : -1;
}

int via_options_check(const struct via_options *options, bool secure, const struct address *address,
                      struct via *via, struct error *err)
{
    const bool is_tls = options->tls || secure;
    if (options->command && is_tls)
        return error_set(err, STATUS_USAGE, "options --via and --tls exclude each other");
    if ((options->ca || options->insecure) && !is_tls)
        return error_set(err, STATUS_USAGE, "option --tls-%s is for --tls",
                         options->ca ? "ca" : "insecure");
    if (options->ca && options->insecure)
        return error_set(err, STATUS_USAGE,
                         "options --tls-ca and --tls-insecure exclude each other");
    if (options->command && !*options->command)
        return error_set(err, STATUS_USAGE, "option --via: '' is empty");
    if (!options->command && !is_tls)
        return 0;
    via->command = options->command;
    via->ca = options->ca;
    via->insecure = options->insecure;
    return via_check(via, address, err) ? -1 : 1;
}

/* Sending a PROXY header */

/* Finds the destination that is said to be behind a proxy, if that is an address. */
static void sockname_of_target(struct sockname *name, const struct address *target)
{
    struct error ignored;
    unsigned port;
    *name = (struct sockname){.length = 0};
    if (hostname_read_literal(target->host, name, &ignored) != 1 ||
        resolver_port(target, true, &port, &ignored))
        *name = (struct sockname){.length = 0};
    else
        sockname_set_port(name, port);
}

int connect_send_proxy(struct loop *loop, const struct connection *connection,
                       const struct send_proxy *send_proxy, struct error *err)
{
    struct filters *filters = send_proxy->filters;
    struct proxied_ends ends = {.source = connection->local, .destination = connection->peer};
    const struct fd socket = connection->inherited ? fd_of(connection->fd)
                                                   : fd_of_socket(connection->fd);
    char header[PROXY_HEADER_MAX], name[SOCKNAME_TEXT_MAX];
    if (!send_proxy->version)
        return 0;
    if (send_proxy->target)
        sockname_of_target(&ends.destination, send_proxy->target);
    if (connection->via)
        ends = (struct proxied_ends){.source.length = 0};
    const size_t length = proxied_ends_write(&ends, send_proxy->version, SOCK_STREAM, header);
    if (filters && filters_greeting(filters, header, length)) {
        filters_error(filters, err);
        return -1;
    }
    if (unblocked_write(loop, socket, header, length) == 0)
        return 0;
    if (errno == ECANCELED)
        return -1;
    return error_system(err, STATUS_TRANSFER, errno, "send to %s",
                        sockname_text(&connection->peer, name));
}

/* Connecting, round by round */

/* Tries one round. What goes wrong is in *failure; its status stays 0 when somebody else has stopped the loop. */
static int connect_once(const struct retry_rounds *rounds, const struct connect_retry *retry,
                        struct connection *connection, struct error *failure)
{
    struct loop *loop = rounds->loop;
    int64_t limit_ms = retry_rounds_limit(rounds, retry->dial->timeout_ms);
    const struct address *next = retry->proxy ? &retry->proxy->address : retry->address;
    struct dial_options how = *retry->dial;
    int64_t began_ms = loop_now_ms();
    how.timeout_ms = limit_ms;
    how.is_retried = rounds->deadline_ms >= 0 || rounds->retries > 0;
    if (dial(loop, next, &how, connection, failure))
        return -1;
    if (!retry->proxy)
        return 0;
    if (limit_ms >= 0) {
        limit_ms -= loop_now_ms() - began_ms;
        limit_ms = limit_ms < 0 ? 0 : limit_ms;
    }
    const struct proxy_way way = {retry->proxy, retry->address, limit_ms, retry->idle_ms};
    if (proxy_pass(loop, connection->fd, &way, failure) == 0)
        return 0;
    connection_close(connection);
    return -1;
}

int connect_with_retry(struct loop *loop, const struct connect_retry *retry,
                       struct connection *connection, struct error *err)
{
    struct retry_rounds rounds;
    retry_rounds_init(&rounds, retry->options, loop);
    for (;;) {
        struct error failure = {.status = STATUS_OK};
        if (connect_once(&rounds, retry, connection, &failure) == 0)
            return 0;
        if (failure.status == STATUS_OK)
            return -1; /* somebody else has stopped the loop, and said why */
        if (retry_rounds_pause(&rounds, &failure, err))
            return -1;
    }
}
