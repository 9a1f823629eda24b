/*
 * From an address to the socket names it stands for.
 *
 * A name is first looked up as a whole, both families by one getaddrinfo(3): libc then stops at the
 * source (the hosts file) and at the domain of the search list that has the name in either family, and
 * sorts what it found. Where that takes longer than HEAD_START_MS, the families are asked for side by
 * side as well, and from then on the first family's answer is enough: IPv6's at once, IPv4's after
 * RFC 8305's Resolution Delay. Who wants the other family's names too is told them when they come.
 *
 * Where there is a time limit, and libc would not ask again within it, the tries are spread over the
 * limit, so that a datagram may be lost.
 */
#include "net/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>

#include "base/memory.h"
#include "net/address_order.h"
#include "net/hostname.h"
#include "net/literal.h"
#include "net/lookup.h"

enum {
    HEAD_START_MS = 25, /* of the look-up as a whole */
    DELAY_MS = 50,      /* for the IPv6 names once the IPv4 ones are known: RFC 8305, 3 */
    TRIES = 3,          /* within a time limit */
    TRY_LEAST_MS = 100,
    LIBC_TRY_MS = 5000 /* until libc asks again by itself: resolv.conf(5) */
};

struct resolver {
    struct loop *loop;
    struct watch watch;
    struct timer now;   /* for an answer that is there at once */
    struct timer again; /* until the families, or all of it once more, are asked for */
    struct timer delay; /* until one family's names are enough */
    struct lookup *lookup;
    const struct lookup_answer *told; /* of the family whose names were delivered first */
    char host[ADDRESS_HOST_MAX + 1];
    int family;
    int tries; /* at a name in one family, or at the families of a name */
    int64_t timeout_ms;
    bool complete;
    unsigned port;
    int result;
    struct resolved resolved;
    struct error error;
    void (*done)(void *context, struct resolved *resolved, const struct error *err);
    void (*late)(void *context, struct resolved *resolved);
    void *context;
};

void resolved_release(struct resolved *resolved)
{
    free(resolved->names);
    *resolved = (struct resolved){0};
}

void resolved_copy(struct resolved *copy, const struct resolved *resolved)
{
    copy->count = resolved->count;
    copy->names = memory_grow(NULL, resolved->count, sizeof *copy->names);
    memcpy(copy->names, resolved->names, resolved->count * sizeof *copy->names);
}

/* The end */

static void resolver_free(struct resolver *resolver)
{
    loop_unwatch(resolver->loop, &resolver->watch);
    loop_timer_cancel(resolver->loop, &resolver->now);
    loop_timer_cancel(resolver->loop, &resolver->again);
    loop_timer_cancel(resolver->loop, &resolver->delay);
    if (resolver->lookup)
        lookup_leave(resolver->lookup);
    resolved_release(&resolver->resolved);
    free(resolver);
}

void resolver_cancel(struct resolver *resolver)
{
    if (resolver)
        resolver_free(resolver);
}

/* Tells what is known. Whoever is told may cancel a resolver that goes on. */
static void resolver_deliver(struct resolver *resolver, bool goes_on)
{
    const struct resolver own = *resolver;
    struct resolved resolved = own.resolved;
    resolver->resolved = (struct resolved){0};
    if (!goes_on)
        resolver_free(resolver);
    own.done(own.context, own.result < 0 ? NULL : &resolved, &own.error);
}

static void deliver_now(struct timer *timer)
{
    resolver_deliver(LOOP_OWNER(timer, struct resolver, now), false);
}

/* The answers */

static struct sockname name_of(const struct addrinfo *found, unsigned port)
{
    struct sockname name = {.length = found->ai_addrlen};
    memcpy(&name.storage, found->ai_addr, found->ai_addrlen);
    sockname_set_port(&name, port);
    return name;
}

static void add_names(struct resolver *resolver, const struct lookup_answer *answer)
{
    for (const struct addrinfo *at = answer->found; at; at = at->ai_next) {
        const struct sockname name = name_of(at, resolver->port);
        resolved_add(&resolver->resolved, &name);
    }
}

static bool has_names(const struct lookup_answer *answer)
{
    return answer && answer->found;
}

/* The search list may have led the two families to different hosts. */
static bool are_of_one_host(const struct lookup_answer *one, const struct lookup_answer *other)
{
    const char *name = one->found->ai_canonname, *other_name = other->found->ai_canonname;
    return !name || !other_name || strcasecmp(name, other_name) == 0;
}

/* In a race the families take turns: whose best name is the better one is all that has to be known. */
static bool is_better(const struct lookup_answer *one, const struct lookup_answer *other)
{
    const struct sockname name = name_of(one->found, 0), other_name = name_of(other->found, 0);
    struct address_order own, others;
    address_order_find(&own, &name);
    address_order_find(&others, &other_name);
    return address_order_rule(&own, &others) != NULL;
}

/* What the families' two answers come to. */
static void add_families(struct resolver *resolver, const struct lookup_answer *v4,
                         const struct lookup_answer *v6)
{
    const bool both = has_names(v4) && has_names(v6);
    const bool v6_first = both && is_better(v6, v4);
    if (both && !are_of_one_host(v4, v6)) {
        add_names(resolver, v4);
        return;
    }
    if (has_names(v6) && v6_first)
        add_names(resolver, v6);
    if (has_names(v4))
        add_names(resolver, v4);
    if (has_names(v6))
        add_names(resolver, v6);
}

static int fail_answer(struct resolver *resolver, const struct lookup_answer *answer)
{
    return hostname_fail(resolver->host,
                         hostname_failure(answer->code, answer->errnum, resolver->family),
                         &resolver->error);
}

/* The look-up is over: everything that it found. */
static void deliver_all(struct resolver *resolver)
{
    const struct lookup_answer *whole = lookup_answer(resolver->lookup, LOOKUP_WHOLE);
    const struct lookup_answer *v4 = lookup_answer(resolver->lookup, LOOKUP_IPV4);
    const struct lookup_answer *v6 = lookup_answer(resolver->lookup, LOOKUP_IPV6);
    if (has_names(whole))
        add_names(resolver, whole);
    else if (has_names(v4) || has_names(v6))
        add_families(resolver, v4, v6);
    else if (whole)
        resolver->result = fail_answer(resolver, whole);
    else
        resolver->result = fail_answer(resolver, hostname_is_graver(v4->code, v6->code) ? v4 : v6);
    resolver_deliver(resolver, false);
}

/* One family's names, while the other's are still to come. */
static void deliver_one(struct resolver *resolver, const struct lookup_answer *answer)
{
    const bool goes_on = resolver->late != NULL;
    loop_timer_cancel(resolver->loop, &resolver->delay);
    add_names(resolver, answer);
    resolver->resolved.partial = true;
    resolver->told = answer;
    resolver_deliver(resolver, goes_on);
}

static void delay_is_over(struct timer *timer)
{
    struct resolver *resolver = LOOP_OWNER(timer, struct resolver, delay);
    deliver_one(resolver, lookup_answer(resolver->lookup, LOOKUP_IPV4));
}

/* The names of the family that was not told, if there are any. */
static void deliver_late(struct resolver *resolver)
{
    const struct resolver own = *resolver;
    const int told = own.told->found->ai_family;
    const struct lookup_answer *other = lookup_answer(own.lookup,
                                                      told == AF_INET ? LOOKUP_IPV6 : LOOKUP_IPV4);
    const struct lookup_answer *whole = lookup_answer(own.lookup, LOOKUP_WHOLE);
    if (has_names(whole))
        add_names(resolver, whole);
    else if (has_names(other) && are_of_one_host(own.told, other))
        add_names(resolver, other);
    struct resolved resolved = resolver->resolved;
    resolver->resolved = (struct resolved){0};
    resolver_free(resolver);
    own.late(own.context, resolved.count ? &resolved : NULL);
}

static void look_up_ready(struct watch *watch, uint32_t events)
{
    struct resolver *resolver = LOOP_OWNER(watch, struct resolver, watch);
    eventfd_t count;
    (void)events;
    if (eventfd_read(watch->fd, &count)) /* orders what the thread wrote before what we read */
        return;
    const struct lookup_answer *whole = lookup_answer(resolver->lookup, LOOKUP_WHOLE);
    const struct lookup_answer *v4 = lookup_answer(resolver->lookup, LOOKUP_IPV4);
    const struct lookup_answer *v6 = lookup_answer(resolver->lookup, LOOKUP_IPV6);
    if (whole || (v4 && v6)) {
        if (resolver->told)
            deliver_late(resolver);
        else
            deliver_all(resolver);
    } else if (resolver->told || resolver->complete) {
        return;
    } else if (has_names(v6)) {
        deliver_one(resolver, v6);
    } else if (has_names(v4) && !loop_timer_is_set(&resolver->delay)) {
        loop_timer_set(resolver->loop, &resolver->delay, DELAY_MS);
    }
}

/* Asking */

/* When to ask again, if the first datagram of a try was lost; -1: libc does. */
static int64_t try_ms(const struct resolver *resolver)
{
    const int64_t limit_ms = resolver->timeout_ms;
    if (limit_ms < 0 || limit_ms >= TRIES * (int64_t)LIBC_TRY_MS || resolver->tries >= TRIES)
        return -1;
    return limit_ms / TRIES < TRY_LEAST_MS ? TRY_LEAST_MS : limit_ms / TRIES;
}

/* That a thread cannot be started is no failure: there is one already. */
static void ask_again(struct timer *timer)
{
    struct resolver *resolver = LOOP_OWNER(timer, struct resolver, again);
    if (resolver->family != AF_UNSPEC) {
        lookup_ask(resolver->lookup, LOOKUP_WHOLE);
    } else {
        if (!lookup_answer(resolver->lookup, LOOKUP_IPV6))
            lookup_ask(resolver->lookup, LOOKUP_IPV6);
        if (!lookup_answer(resolver->lookup, LOOKUP_IPV4))
            lookup_ask(resolver->lookup, LOOKUP_IPV4);
    }
    resolver->tries++;
    const int64_t after_ms = try_ms(resolver);
    if (after_ms >= 0)
        loop_timer_set(resolver->loop, timer, after_ms);
}

static void start_look_up(struct resolver *resolver, int socktype)
{
    resolver->lookup = lookup_new(resolver->host, resolver->family, socktype);
    int failure = resolver->lookup ? lookup_ask(resolver->lookup, LOOKUP_WHOLE) : errno;
    if (failure) {
        resolver->result = error_system(&resolver->error, STATUS_RESOLVE, failure,
                                        "resolve %.100s: start the look-up", resolver->host);
        loop_timer_set(resolver->loop, &resolver->now, 0);
        return;
    }
    resolver->watch = (struct watch){.fd = lookup_fd(resolver->lookup), .ready = look_up_ready};
    loop_watch(resolver->loop, &resolver->watch, EPOLLIN);
    resolver->tries = resolver->family == AF_UNSPEC ? 0 : 1;
    const int64_t after_ms = resolver->tries ? try_ms(resolver) : HEAD_START_MS;
    if (after_ms >= 0)
        loop_timer_set(resolver->loop, &resolver->again, after_ms);
}

static const char *host_of(const struct address *address)
{
    return *address->host ? address->host : "localhost";
}

struct resolver *resolver_start(
    struct loop *loop, const struct address *address, const struct resolver_options *options,
    void (*done)(void *context, struct resolved *resolved, const struct error *err), void *context)
{
    struct resolver *resolver = memory_new(1, sizeof *resolver);
    *resolver = (struct resolver){.loop = loop,
                                  .now.fired = deliver_now,
                                  .again.fired = ask_again,
                                  .delay.fired = delay_is_over,
                                  .family = address->family,
                                  .timeout_ms = options->timeout_ms,
                                  .complete = options->complete,
                                  .done = done,
                                  .late = options->late,
                                  .context = context};
    int taken = literal_take(address, options, &resolver->port, &resolver->resolved,
                             &resolver->error);
    resolver->result = taken < 0 ? -1 : 0;
    if (taken) {
        loop_timer_set(loop, &resolver->now, 0);
    } else {
        snprintf(resolver->host, sizeof resolver->host, "%s", host_of(address));
        start_look_up(resolver, address->socktype);
    }
    return resolver;
}

/* The look-up that is waited for */

struct waiting {
    struct loop *loop;
    struct timer limit;
    struct resolved *resolved;
    struct error *err;
    const char *host;
    bool answered;
};

static void waiting_done(void *context, struct resolved *resolved, const struct error *err)
{
    struct waiting *waiting = context;
    waiting->answered = true;
    if (resolved)
        *waiting->resolved = *resolved;
    else
        *waiting->err = *err;
    loop_stop(waiting->loop, resolved ? 0 : -1);
}

static void limit_over(struct timer *timer)
{
    struct waiting *waiting = LOOP_OWNER(timer, struct waiting, limit);
    error_set(waiting->err, STATUS_TIMEOUT, "resolve %.100s: no answer within the time limit",
              waiting->host);
    loop_stop(waiting->loop, -1);
}

int resolver_look_up(struct loop *loop, const struct address *address,
                     const struct resolver_options *options, struct resolved *resolved,
                     struct error *err)
{
    struct waiting waiting = {.loop = loop,
                              .limit.fired = limit_over,
                              .resolved = resolved,
                              .err = err,
                              .host = host_of(address)};
    unsigned port = 0;
    *resolved = (struct resolved){0};
    int taken = literal_take(address, options, &port, resolved, err);
    if (taken < 0)
        resolved_release(resolved);
    if (taken)
        return taken < 0 ? -1 : 0;
    struct resolver *resolver = resolver_start(loop, address, options, waiting_done, &waiting);
    if (options->timeout_ms >= 0)
        loop_timer_set(loop, &waiting.limit, options->timeout_ms);
    int result = loop_run(loop);
    loop_timer_cancel(loop, &waiting.limit);
    if (waiting.answered)
        return result;
    resolver_cancel(resolver);
    return -1;
}
