/*
 * From an address to the socket names it stands for.
 *
 * Literals, UNIX paths, vsock and no host at all need no look-up (resolve_at_once). A name is looked up by
 * getaddrinfo(3) on threads (struct lookup), which write their answers to places of their own and then to an
 * eventfd, which the loop watches for the resolver (resolver_look_up_ready).
 *
 * A name is first looked up as a whole, both families by one getaddrinfo(3): libc then stops at the source (the hosts
 * file) and at the domain of the search list that has the name in either family, and sorts what it found. Where that
 * takes longer than HEAD_START_MS, the families are asked for side by side as well (resolver_ask_again), so that a server
 * that never answers for one family does not keep back the answer for the other. From then on the first family's answer
 * is enough (resolver_deliver_one): IPv6's at once, IPv4's when the second family has been awaited for RFC 8305's
 * Resolution Delay (resolver_delay_timeout). A caller with `late` gets the second family's names when they come.
 *
 * Where there is a time limit, and libc would not ask again within it, the tries are spread over the limit, so that a
 * datagram may be lost.
 */
#include "net/resolver.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "net/address_order.h"
#include "net/hostname.h"

enum {
    HEAD_START_MS = 25, /* of the look-up as a whole */
    DELAY_MS = 50,      /* for the IPv6 names once the IPv4 ones are known: RFC 8305, 3 */
    TRIES = 3,          /* within a time limit */
    TRY_MIN_MS = 100,
    LIBC_TRY_MS = 5000 /* until libc asks again by itself: resolv.conf(5) */
};

/* What was found */

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

void resolved_add(struct resolved *resolved, const struct sockname *name)
{
    for (size_t i = 0; i < resolved->count; i++)
        if (sockname_is_same(&resolved->names[i], name))
            return;
    resolved->names = memory_grow(resolved->names, resolved->count + 1, sizeof *resolved->names);
    resolved->names[resolved->count++] = *name;
}

/* Without a look-up */

bool resolver_has_name(const struct address *address)
{
    struct sockname literal;
    struct error ignored;
    return address->kind == ADDRESS_INET &&
           hostname_read_literal(address->host, &literal, &ignored) != 1;
}

bool resolver_is_numeric(const struct address *address)
{
    return address->kind != ADDRESS_INET ||
           (!resolver_has_name(address) && text_is_digits(address->port, strlen(address->port)));
}

/* Without a host, getaddrinfo(3) reads nothing but the list of services, in every libc. Most of it is in small letters. */
static int look_up_service(const char *service, const struct addrinfo *hints,
                           struct addrinfo **found)
{
    char small[ADDRESS_PORT_MAX + 1];
    int code = getaddrinfo(NULL, service, hints, found);
    if (code == 0)
        return 0;
    size_t i = 0;
    for (; service[i]; i++)
        small[i] = (char)(tolower)((unsigned char)service[i]); /* no macro */
    small[i] = '\0';
    return strcmp(small, service) == 0 ? code : getaddrinfo(NULL, small, hints, found);
}

int resolver_port(const struct address *address, bool numeric, unsigned *port, struct error *err)
{
    const struct addrinfo hints = {.ai_socktype = address->socktype, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    struct sockname name = {.length = 0};
    int64_t number;
    if (text_is_digits(address->port, strlen(address->port))) {
        if (units_number(address->port, 0, UINT16_MAX, &number))
            return error_set(err, STATUS_USAGE, "port '%s' is not from 0 to 65535", address->port);
        *port = (unsigned)number;
        return 0;
    }
    if (numeric)
        return error_set(err, STATUS_USAGE, "port '%s' is not a number (-n forbids look-ups)",
                         address->port);
    if (look_up_service(address->port, &hints, &found) != 0) {
        error_set(err, STATUS_USAGE, "unknown service '%s'", address->port);
        if (*address->host || hostname_add_socket_hint(address->port, err))
            return -1;
        return error_add(err, " (an address is HOST PORT, HOST:PORT or PORT)");
    }
    memcpy(&name.storage, found->ai_addr, found->ai_addrlen);
    *port = sockname_port(&name);
    freeaddrinfo(found);
    return 0;
}

/* Finds the number of the IP protocol of a raw socket; a name that is not known without is looked up in the list of
 * protocols (protocols(5)). */
static int resolver_protocol(const struct address *address, bool numeric, unsigned *protocol,
                             struct error *err)
{
    if (address->protocol >= 0) {
        *protocol = (unsigned)address->protocol;
        return 0;
    }
    if (numeric)
        return error_set(err, STATUS_USAGE, "protocol '%s' is not a number (-n forbids look-ups)",
                         address->port);
    const struct protoent *found = getprotobyname(address->port);
    if (!found || found->p_proto < 1 || found->p_proto > UINT8_MAX)
        return error_set(err, STATUS_USAGE,
                         "unknown protocol '%s' (raw:PROTO:HOST; a number, or a name of "
                         "/etc/protocols)",
                         address->port);
    *protocol = (unsigned)found->p_proto;
    return 0;
}

/* Returns what the names of an address have as their protocol, see sys/sockname.h. */
static short names_protocol(const struct address *address, unsigned port)
{
    if (address->kind != ADDRESS_RAW)
        return 0;
    if (address->socktype == SOCK_RAW)
        return (short)port;
    return SOCKNAME_PING;
}

/* Adds what no host stands for: every address, or this machine's own. Where both families are wanted, a listener
 * on the IPv6 wildcard has IPv4 too, unless it is a raw one. */
static void add_default(struct resolved *resolved, const struct address *address, bool listening,
                        unsigned port)
{
    const struct in6_addr v6 = listening ? in6addr_any : in6addr_loopback;
    const struct in_addr v4 = {htonl(listening ? INADDR_ANY : INADDR_LOOPBACK)};
    struct sockname name;
    if (address->family != AF_INET) {
        sockname_set_inet(&name, AF_INET6, &v6, port);
        resolved_add(resolved, &name);
    }
    if (address->family == AF_INET ||
        (address->family == AF_UNSPEC && (!listening || address->kind == ADDRESS_RAW))) {
        sockname_set_inet(&name, AF_INET, &v4, port);
        resolved_add(resolved, &name);
    }
}

/* Does what resolve_at_once does for a host and a port, or a protocol. */
static int resolve_inet_at_once(const struct address *address,
                                const struct resolver_options *options, unsigned *port,
                                struct resolved *resolved, struct error *err)
{
    struct sockname name;
    if (address->kind == ADDRESS_RAW ? resolver_protocol(address, options->numeric, port, err)
                                     : resolver_port(address, options->numeric, port, err))
        return -1;
    if (!*address->host) {
        if (!options->listening && !options->numeric)
            return 0; /* localhost */
        add_default(resolved, address, options->listening, *port);
        return 1;
    }
    int is_literal = hostname_read_literal(address->host, &name, err);
    if (is_literal < 0)
        return -1;
    if (is_literal) {
        if (address->family != AF_UNSPEC && address->family != name.storage.ss_family)
            return error_set(err, STATUS_USAGE, "'%.100s' is not an %s address", address->host,
                             address->family == AF_INET ? "IPv4" : "IPv6");
        sockname_set_port(&name, *port);
        resolved_add(resolved, &name);
        return 1;
    }
    if (options->numeric)
        return error_set(err, STATUS_RESOLVE,
                         "'%.100s' is not a numeric address (-n forbids look-ups)", address->host);
    const char *wrong = hostname_check(address->host);
    return wrong ? hostname_fail(address->host, wrong, err) : 0;
}

/* Resolves what needs no look-up. Returns 1: the names are in *resolved; 0: it takes a look-up, and *port is the
 * port, or the protocol; or -1: *err says what is wrong (status 2 for the service or the family, 3 for the host). Names
 * of services and protocols are looked up here: they are in a file at hand. */
static int resolve_at_once(const struct address *address, const struct resolver_options *options,
                           unsigned *port, struct resolved *resolved, struct error *err)
{
    const bool any_port = options->listening && address->vsock_port == 0;
    const struct sockaddr_vm vm = {.svm_family = AF_VSOCK,
                                   .svm_cid = address->cid,
                                   .svm_port = any_port ? VMADDR_PORT_ANY : address->vsock_port};
    struct sockname name = {.length = sizeof vm};
    int known;
    switch (address->kind) {
    case ADDRESS_UNIX:
        sockname_of_unix(&name, address);
        resolved_add(resolved, &name);
        return 1;
    case ADDRESS_VSOCK:
        memcpy(&name.storage, &vm, sizeof vm);
        resolved_add(resolved, &name);
        return 1;
    case ADDRESS_INET:
    case ADDRESS_RAW:
        known = resolve_inet_at_once(address, options, port, resolved, err);
        for (size_t i = 0; i < resolved->count; i++)
            resolved->names[i].protocol = names_protocol(address, *port);
        return known;
    case ADDRESS_FD:
    case ADDRESS_SYSTEMD:
        break;
    }
    return error_set(err, STATUS_USAGE, "an inherited socket has no address to look up");
}

/* The threads.
 *
 * A look-up belongs to whoever began it and to each of its threads; the last that leaves it frees it.
 * A thread asks for one part, puts the answer into that part's place unless another thread was there
 * first, writes to the eventfd and leaves. The owner reads the eventfd, which orders what the thread
 * wrote before what the owner reads. Nothing else is shared, so nothing is locked. */

enum lookup_part { LOOKUP_WHOLE, LOOKUP_IPV4, LOOKUP_IPV6, LOOKUP_PARTS };

struct lookup_answer {
    int code;               /* getaddrinfo's; 0: `found` is the answer */
    int errnum;             /* errno, where the code is EAI_SYSTEM */
    struct addrinfo *found; /* the look-up's */
};

/* What one thread, or one after the other, asks for. */
struct lookup_question {
    struct lookup *lookup;
    struct addrinfo hints;
    struct lookup_answer answer;
    atomic_bool claimed; /* by the thread that writes the answer */
    atomic_bool ready;
};

struct lookup {
    char host[ADDRESS_HOST_MAX + 1];
    struct lookup_question questions[LOOKUP_PARTS];
    int event; /* eventfd(2): readable once there is another answer; to be read before lookup_answer */
    atomic_int owners;
};

/* Makes a look-up, of which the whole is what has `family`, AF_UNSPEC: both. NULL: there was no descriptor, and errno
 * says why. */
static struct lookup *lookup_new(const char *host, int family, int socktype)
{
    const int families[LOOKUP_PARTS] = {family, AF_INET, AF_INET6};
    struct lookup *lookup = memory_new(1, sizeof *lookup);
    memcpy(lookup->host, host, strlen(host));
    for (size_t i = 0; i < LOOKUP_PARTS; i++) {
        struct lookup_question *question = &lookup->questions[i];
        question->lookup = lookup;
        question->hints.ai_family = families[i];
        question->hints.ai_socktype = socktype;
        /* By their canonical names the families are seen to be one host's. */
        question->hints.ai_flags = i == LOOKUP_WHOLE ? 0 : AI_CANONNAME;
    }
    atomic_init(&lookup->owners, 1);
    lookup->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->event >= 0)
        return lookup;
    free(lookup);
    return NULL;
}

/* Leaves a look-up, which the last owner frees. Threads that still wait for an answer end by themselves, and delay
 * nobody's exit. */
static void lookup_leave(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    for (size_t i = 0; i < LOOKUP_PARTS; i++)
        if (lookup->questions[i].answer.found)
            freeaddrinfo(lookup->questions[i].answer.found);
    close(lookup->event);
    free(lookup);
}

static void *lookup_thread(void *argument)
{
    struct lookup_question *question = argument;
    struct lookup *lookup = question->lookup;
    struct lookup_answer answer = {.found = NULL};
    answer.code = hostname_look_up(lookup->host, NULL, &question->hints, &answer.found);
    answer.errnum = errno;
    if (!atomic_exchange(&question->claimed, true)) {
        question->answer = answer;
        atomic_store(&question->ready, true);
        if (eventfd_write(lookup->event, 1) < 0)
            memory_impossible("eventfd_write failed");
    } else if (!answer.code) {
        freeaddrinfo(answer.found);
    }
    lookup_leave(lookup);
    return NULL;
}

/* Starts a thread that asks for `part`. A part may be asked for again; its first answer counts.
 * Returns 0, or the errno of a thread that could not be started. Every signal is the loop's. */
static int lookup_ask(struct lookup *lookup, enum lookup_part part)
{
    pthread_t thread;
    sigset_t all, before;
    atomic_fetch_add(&lookup->owners, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, lookup_thread, &lookup->questions[part]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failure)
        pthread_detach(thread);
    else
        atomic_fetch_sub(&lookup->owners, 1);
    return failure;
}

/* Returns the answer for a part, which lasts as long as the look-up; NULL: there is none yet. */
static const struct lookup_answer *lookup_answer(const struct lookup *lookup, enum lookup_part part)
{
    const struct lookup_question *question = &lookup->questions[part];
    return atomic_load(&question->ready) ? &question->answer : NULL;
}

/* The resolver */

struct resolver {
    struct loop *loop;
    struct watch watch;
    struct timer now;   /* for an answer that is there at once */
    struct timer again; /* until the families, or all of it once more, are asked for */
    struct timer delay; /* until one family's names are enough */
    struct lookup *lookup;
    const struct lookup_answer *first; /* of the family whose names were delivered first */
    char host[ADDRESS_HOST_MAX + 1];
    int family;
    int tries; /* at a name in one family, or at the families of a name */
    int64_t timeout_ms;
    bool complete;
    unsigned port;
    short protocol; /* of the names */
    int result;
    struct resolved resolved;
    struct kept_error failure;
    void (*done)(void *context, struct resolved *resolved, const struct error *err);
    void (*late)(void *context, struct resolved *resolved);
    void *context;
};

void resolver_cancel(struct resolver *resolver)
{
    if (!resolver)
        return;
    loop_unwatch(resolver->loop, &resolver->watch);
    loop_timer_cancel(resolver->loop, &resolver->now);
    loop_timer_cancel(resolver->loop, &resolver->again);
    loop_timer_cancel(resolver->loop, &resolver->delay);
    if (resolver->lookup)
        lookup_leave(resolver->lookup);
    resolved_release(&resolver->resolved);
    error_forget(&resolver->failure);
    free(resolver);
}

/* Hands over what is known. The callee may cancel a resolver that goes on. */
static void resolver_deliver(struct resolver *resolver, bool goes_on)
{
    const struct resolver own = *resolver;
    struct resolved resolved = own.resolved;
    struct error err;
    error_restore(&own.failure, &err);
    resolver->resolved = (struct resolved){0};
    if (!goes_on)
        resolver_cancel(resolver);
    own.done(own.context, own.result < 0 ? NULL : &resolved, &err);
}

static void resolver_now_timeout(struct timer *timer)
{
    resolver_deliver(LOOP_OWNER(timer, struct resolver, now), false);
}

/* The answers */

static struct sockname addrinfo_name(const struct addrinfo *found, unsigned port)
{
    struct sockname name = {.length = found->ai_addrlen};
    memcpy(&name.storage, found->ai_addr, found->ai_addrlen);
    sockname_set_port(&name, port);
    return name;
}

static bool answer_has_names(const struct lookup_answer *answer)
{
    return answer && answer->found;
}

/* Adds the names of an answer, if there is one and it has any. */
static void resolver_add_names(struct resolver *resolver, const struct lookup_answer *answer)
{
    for (const struct addrinfo *at = answer ? answer->found : NULL; at; at = at->ai_next) {
        struct sockname name = addrinfo_name(at, resolver->port);
        name.protocol = resolver->protocol;
        resolved_add(&resolver->resolved, &name);
    }
}

/* Tells whether both families have names of the same host: the search list may have led them to different ones. */
static bool answers_have_one_host(const struct lookup_answer *one,
                                  const struct lookup_answer *other)
{
    const char *name = one->found->ai_canonname, *other_name = other->found->ai_canonname;
    return !name || !other_name || strcasecmp(name, other_name) == 0;
}

/* Returns how much a code of getaddrinfo(3) says, to compare those for the families of one name: that there is no
 * answer for now says more than a failure, and that more than that there is nothing. */
static int failure_gravity(int code)
{
    switch (code) {
    case EAI_NONAME:
        return 0;
    case EAI_NODATA: /* the name is there */
    case EAI_ADDRFAMILY:
        return 1;
    case EAI_AGAIN:
        return 3;
    default:
        return 2;
    }
}

/* Delivers everything that a look-up found, which is over. */
static void resolver_deliver_all(struct resolver *resolver, const struct lookup_answer *whole,
                                 const struct lookup_answer *v4, const struct lookup_answer *v6)
{
    if (answer_has_names(whole)) {
        resolver_add_names(resolver, whole);
    } else if (answer_has_names(v4) && answer_has_names(v6)) {
        /* In a race the families take turns: which of them has the better best name is all that has to be known. */
        const struct sockname v4_name = addrinfo_name(v4->found, 0);
        const struct sockname v6_name = addrinfo_name(v6->found, 0);
        struct address_order v4_order, v6_order;
        address_order_find(&v6_order, &v6_name);
        address_order_find(&v4_order, &v4_name);
        const bool v6_first = address_order_rule(&v6_order, &v4_order) != NULL;
        const bool one_host = answers_have_one_host(v4, v6);
        resolver_add_names(resolver, one_host && v6_first ? v6 : v4);
        if (one_host)
            resolver_add_names(resolver, v6_first ? v4 : v6);
    } else if (answer_has_names(v4) || answer_has_names(v6)) {
        resolver_add_names(resolver, answer_has_names(v4) ? v4 : v6);
    } else {
        const struct lookup_answer *answer = whole ? whole : v6;
        if (!whole && failure_gravity(v4->code) > failure_gravity(v6->code))
            answer = v4;
        struct error err;
        resolver->result = hostname_fail(
            resolver->host, hostname_failure(answer->code, answer->errnum, resolver->family), &err);
        hostname_add_socket_hint(resolver->host, &err);
        error_keep(&resolver->failure, &err);
    }
    resolver_deliver(resolver, false);
}

/* Delivers one family's names, while the other's are still to come. */
static void resolver_deliver_one(struct resolver *resolver, const struct lookup_answer *answer)
{
    const bool goes_on = resolver->late != NULL;
    loop_timer_cancel(resolver->loop, &resolver->delay);
    resolver_add_names(resolver, answer);
    resolver->resolved.partial = true;
    resolver->first = answer;
    resolver_deliver(resolver, goes_on);
}

static void resolver_delay_timeout(struct timer *timer)
{
    struct resolver *resolver = LOOP_OWNER(timer, struct resolver, delay);
    resolver_deliver_one(resolver, lookup_answer(resolver->lookup, LOOKUP_IPV4));
}

/* Looks at what has been answered: there is another answer. What has come with the first family's names delivered is
 * the other family's. */
static void resolver_look_up_ready(struct watch *watch, uint32_t events)
{
    struct resolver *resolver = LOOP_OWNER(watch, struct resolver, watch);
    const struct resolver own = *resolver;
    eventfd_t count;
    (void)events;
    if (eventfd_read(watch->fd, &count)) /* orders what the thread wrote before what we read */
        return;
    const struct lookup_answer *whole = lookup_answer(resolver->lookup, LOOKUP_WHOLE);
    const struct lookup_answer *v4 = lookup_answer(resolver->lookup, LOOKUP_IPV4);
    const struct lookup_answer *v6 = lookup_answer(resolver->lookup, LOOKUP_IPV6);
    if ((whole || (v4 && v6)) && !own.first) {
        resolver_deliver_all(resolver, whole, v4, v6);
    } else if (whole || (v4 && v6)) {
        const struct lookup_answer *other = own.first->found->ai_family == AF_INET ? v6 : v4;
        if (answer_has_names(whole))
            resolver_add_names(resolver, whole);
        else if (answer_has_names(other) && answers_have_one_host(own.first, other))
            resolver_add_names(resolver, other);
        struct resolved resolved = resolver->resolved;
        resolver->resolved = (struct resolved){0};
        resolver_cancel(resolver);
        own.late(own.context, resolved.count ? &resolved : NULL);
    } else if (own.first || own.complete) {
        return;
    } else if (answer_has_names(v6)) {
        resolver_deliver_one(resolver, v6);
    } else if (answer_has_names(v4) && !loop_timer_is_set(&resolver->delay)) {
        loop_timer_set(resolver->loop, &resolver->delay, DELAY_MS);
    }
}

/* Asking */

/* Returns after how long to ask again, if the first datagram of a try was lost; -1: libc does. */
static int64_t resolver_try_ms(const struct resolver *resolver)
{
    const int64_t limit_ms = resolver->timeout_ms;
    if (limit_ms < 0 || limit_ms >= TRIES * (int64_t)LIBC_TRY_MS || resolver->tries >= TRIES)
        return -1;
    return limit_ms / TRIES < TRY_MIN_MS ? TRY_MIN_MS : limit_ms / TRIES;
}

/* Asks once more. That a thread cannot be started is no failure: there is one already. */
static void resolver_ask_again(struct timer *timer)
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
    const int64_t after_ms = resolver_try_ms(resolver);
    if (after_ms >= 0)
        loop_timer_set(resolver->loop, timer, after_ms);
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
                                  .now.fired = resolver_now_timeout,
                                  .again.fired = resolver_ask_again,
                                  .delay.fired = resolver_delay_timeout,
                                  .family = address->family,
                                  .timeout_ms = options->timeout_ms,
                                  .complete = options->complete,
                                  .done = done,
                                  .late = options->late,
                                  .context = context};
    struct error err;
    int known = resolve_at_once(address, options, &resolver->port, &resolver->resolved, &err);
    resolver->result = known < 0 ? -1 : 0;
    if (known < 0)
        error_keep(&resolver->failure, &err);
    if (known) {
        loop_timer_set(loop, &resolver->now, 0);
        return resolver;
    }
    resolver->protocol = names_protocol(address, resolver->port);
    snprintf(resolver->host, sizeof resolver->host, "%s", host_of(address));
    resolver->lookup = lookup_new(resolver->host, resolver->family, address->socktype);
    int failure = resolver->lookup ? lookup_ask(resolver->lookup, LOOKUP_WHOLE) : errno;
    if (!resolver->lookup || failure) {
        resolver->result = error_system(&err, STATUS_RESOLVE, failure,
                                        "resolve %.100s: start the look-up", resolver->host);
        error_keep(&resolver->failure, &err);
        loop_timer_set(loop, &resolver->now, 0);
        return resolver;
    }
    resolver->watch = (struct watch){.fd = resolver->lookup->event,
                                     .ready = resolver_look_up_ready};
    loop_watch(loop, &resolver->watch, EPOLLIN);
    resolver->tries = resolver->family == AF_UNSPEC ? 0 : 1;
    const int64_t after_ms = resolver->tries ? resolver_try_ms(resolver) : HEAD_START_MS;
    if (after_ms >= 0)
        loop_timer_set(loop, &resolver->again, after_ms);
    return resolver;
}

/* In the foreground */

struct resolver_wait {
    struct loop *loop;
    struct resolved *resolved;
    struct error *err;
    bool answered;
};

static void resolver_wait_done(void *context, struct resolved *resolved, const struct error *err)
{
    struct resolver_wait *wait = context;
    wait->answered = true;
    if (resolved)
        *wait->resolved = *resolved;
    else
        *wait->err = *err;
    loop_stop(wait->loop, resolved ? 0 : -1);
}

int resolver_look_up(struct loop *loop, const struct address *address,
                     const struct resolver_options *options, struct resolved *resolved,
                     struct error *err)
{
    struct resolver_wait wait = {.loop = loop, .resolved = resolved, .err = err};
    unsigned port = 0;
    bool timed_out;
    *resolved = (struct resolved){0};
    int known = resolve_at_once(address, options, &port, resolved, err);
    if (known > 0)
        return 0;
    if (known < 0) {
        resolved_release(resolved);
        return -1;
    }
    struct resolver *resolver = resolver_start(loop, address, options, resolver_wait_done, &wait);
    int result = loop_await(loop, options->timeout_ms, &timed_out);
    if (wait.answered)
        return result || !resolved->count ? -1 : 0;
    resolver_cancel(resolver);
    if (timed_out)
        error_set(err, STATUS_TIMEOUT, "resolve %.100s: no answer within the time limit",
                  host_of(address));
    return -1;
}
