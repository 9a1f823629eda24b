#include "net/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/hostname.h"
#include "net/literal.h"

/* What the thread works on. It belongs to the thread and to the resolver; whoever is done with it
 * last frees it. */
struct job {
    char host[ADDRESS_HOST_MAX + 1];
    struct addrinfo hints;
    int ready; /* eventfd(2) */
    int code;  /* of getaddrinfo */
    int errnum;
    struct addrinfo *found;
    atomic_int owners;
};

struct resolver {
    struct loop *loop;
    struct watch watch;
    struct timer now; /* for an answer that is there at once */
    struct job *job;
    unsigned port;
    int result;
    struct resolved resolved;
    struct error error;
    void (*done)(void *context, struct resolved *resolved, const struct error *err);
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

/* The thread */

static void job_leave(struct job *job)
{
    if (atomic_fetch_sub(&job->owners, 1) > 1)
        return;
    if (job->found)
        freeaddrinfo(job->found);
    if (job->ready >= 0)
        close(job->ready);
    free(job);
}

static void *look_up(void *argument)
{
    struct job *job = argument;
    job->code = hostname_look_up(job->host, NULL, &job->hints, &job->found);
    job->errnum = errno;
    if (eventfd_write(job->ready, 1) < 0)
        memory_impossible("eventfd_write failed");
    job_leave(job);
    return NULL;
}

/* Every signal is the loop's. */
static int start_thread(struct job *job)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, look_up, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failure)
        pthread_detach(thread);
    return failure;
}

static struct job *job_new(const struct address *address)
{
    struct job *job = memory_new(1, sizeof *job);
    const char *host = *address->host ? address->host : "localhost";
    memcpy(job->host, host, strlen(host));
    job->hints.ai_family = address->family;
    job->hints.ai_socktype = address->socktype;
    job->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&job->owners, 2);
    return job;
}

/* The answer */

static void free_resolver(struct resolver *resolver)
{
    loop_unwatch(resolver->loop, &resolver->watch);
    loop_timer_cancel(resolver->loop, &resolver->now);
    if (resolver->job)
        job_leave(resolver->job);
    resolved_release(&resolver->resolved);
    free(resolver);
}

void resolver_cancel(struct resolver *resolver)
{
    if (resolver)
        free_resolver(resolver);
}

static void deliver(struct resolver *resolver)
{
    struct resolved resolved = resolver->resolved;
    resolver->resolved = (struct resolved){0};
    resolver->done(resolver->context, resolver->result < 0 ? NULL : &resolved, &resolver->error);
    free_resolver(resolver);
}

static void deliver_now(struct timer *timer)
{
    deliver(LOOP_OWNER(timer, struct resolver, now));
}

static int take_found(struct resolver *resolver)
{
    const struct job *job = resolver->job;
    if (job->code)
        return hostname_fail(job->host,
                             hostname_failure(job->code, job->errnum, job->hints.ai_family),
                             &resolver->error);
    for (const struct addrinfo *at = job->found; at; at = at->ai_next) {
        struct sockname name = {.length = at->ai_addrlen};
        memcpy(&name.storage, at->ai_addr, at->ai_addrlen);
        sockname_set_port(&name, resolver->port);
        resolved_add(&resolver->resolved, &name);
    }
    return 0;
}

static void look_up_ready(struct watch *watch, uint32_t events)
{
    struct resolver *resolver = LOOP_OWNER(watch, struct resolver, watch);
    eventfd_t count;
    (void)events;
    if (eventfd_read(watch->fd, &count)) /* orders what the thread wrote before what we read */
        return;
    loop_unwatch(resolver->loop, watch);
    resolver->result = take_found(resolver);
    deliver(resolver);
}

static void start_look_up(struct resolver *resolver, const struct address *address)
{
    struct job *job = job_new(address);
    int failure = job->ready < 0 ? errno : start_thread(job);
    resolver->job = job;
    if (failure) {
        job_leave(job); /* in place of the thread */
        resolver->result = error_system(&resolver->error, STATUS_RESOLVE, failure,
                                        "resolve %.100s: start the look-up", job->host);
        loop_timer_set(resolver->loop, &resolver->now, 0);
        return;
    }
    resolver->watch = (struct watch){.fd = job->ready, .ready = look_up_ready};
    loop_watch(resolver->loop, &resolver->watch, EPOLLIN);
}

struct resolver *resolver_start(
    struct loop *loop, const struct address *address, const struct resolver_options *options,
    void (*done)(void *context, struct resolved *resolved, const struct error *err), void *context)
{
    struct resolver *resolver = memory_new(1, sizeof *resolver);
    *resolver = (struct resolver){.loop = loop,
                                  .now.fired = deliver_now,
                                  .done = done,
                                  .context = context};
    int taken = literal_take(address, options, &resolver->port, &resolver->resolved,
                             &resolver->error);
    resolver->result = taken < 0 ? -1 : 0;
    if (taken)
        loop_timer_set(loop, &resolver->now, 0);
    else
        start_look_up(resolver, address);
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
                              .host = *address->host ? address->host : "localhost"};
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
