/*
 * Getting a connected socket: a race of all the addresses that a name has.
 *
 * A dialer looks the name up (dialer_look_up; the answer comes to dialer_looked_up, a slower family's
 * to dialer_looked_up_late), puts an attempt for each address in line, the families in turn (dialer_line_up),
 * and starts them one after the other (dialer_start_next): whenever one has failed, and else when its head start is
 * over. The first that is connected is the connection (dialer_win); when none is left, dialer_fail says what became
 * of each. Both end in dialer_conclude, which frees the dialer and calls `done`. Inherited sockets are connected
 * already, and only adopted. dial() does the same for a caller that has nothing else to do: it runs the loop
 * meanwhile.
 */
#include "net/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/hostname.h"
#include "net/inherited.h"
#include "sys/sock.h"

/* RFC 8305, 5: the Connection Attempt Delay, and the minimum of it: where one address has not
 * answered for the first, the host's others are not made to wait for each other as long again. */
enum { STAGGER_MS = 250, STAGGER_MIN_MS = 10 };
enum { LATE_MS = 1000 }; /* for names that are not known yet, where there will be another round */

struct dialer {
    struct loop *loop;
    struct address address;
    struct source source;
    const struct sockopt *sockopt;
    bool any_sender;
    const struct resolved *refused;
    struct resolver *resolver; /* while the look-up goes on */
    struct resolved resolved;
    struct resolved late;   /* the family that was known later */
    struct resolved *known; /* the caller's, where it is a name that was asked for; else NULL */
    bool was_known;         /* `resolved` is from there */
    bool numeric;
    bool is_retried;
    int64_t timeout_ms;
    struct attempt **attempts; /* the dialer's, in the order of the race */
    size_t count;
    size_t started;
    size_t running;
    struct timer stagger;    /* until the next attempt */
    struct timer limit;      /* of all of it */
    struct timer late_limit; /* of the wait for names that are not known yet */
    struct timer conclude;   /* `done` for what was known at once */
    struct via_program *via; /* while a program connects */
    struct connection connection;
    struct kept_error failure; /* if it is known at once that there is none */
    void (*done)(void *context, const struct connection *connection, const struct error *err);
    void *context;
};

/* The source */

int dial_read_source(struct source *source, const struct address *address,
                     const struct dial_options *options, struct error *err)
{
    const char *host = options->source, *port = options->source_port;
    *source = (struct source){.family = AF_UNSPEC};
    if (!host && !port)
        return 0;
    if (address->kind == ADDRESS_UNIX && !port) {
        struct address own;
        const struct address_use use = {.unix_socket = true};
        if (address_parse(&own, &host, 1, &use, err))
            return -1;
        source->family = AF_UNIX;
        sockname_of_unix(&source->name, &own);
        return 0;
    }
    if (address->kind != ADDRESS_INET && (port || address->kind != ADDRESS_RAW)) {
        char text[ADDRESS_TEXT_MAX];
        return error_set(err, STATUS_USAGE, "a source %s cannot be chosen for %s",
                         port ? "port" : "address", address_text(address, false, text));
    }
    if (host && hostname_read_literal(host, &source->name, err) != 1)
        return error_set(err, STATUS_USAGE, "source address '%.100s' is not an IP address%s", host,
                         strchr(host, ':') ? " (its port is given by -p PORT)" : "");
    if (host)
        source->family = source->name.storage.ss_family;
    if (port) {
        /* A number or a service, as where a server listens on any host. */
        struct address any = {.kind = ADDRESS_INET, .socktype = SOCK_STREAM, .family = AF_UNSPEC};
        snprintf(any.port, sizeof any.port, "%s", port);
        if (strlen(port) > ADDRESS_PORT_MAX ||
            resolver_port(&any, options->numeric, &source->port, err))
            return error_set(err, STATUS_USAGE, "source port '%.100s' is not a port", port);
        sockname_set_port(&source->name, source->port);
    }
    return 0;
}

/* The end */

static void dialer_release_race(struct dialer *dialer)
{
    for (size_t i = 0; i < dialer->count; i++) {
        if (i < dialer->started)
            attempt_drop(dialer->attempts[i]);
        free(dialer->attempts[i]);
    }
    free(dialer->attempts);
    dialer->attempts = NULL;
    dialer->count = dialer->started = dialer->running = 0;
    resolved_release(&dialer->resolved);
    resolved_release(&dialer->late);
}

static void dialer_free(struct dialer *dialer)
{
    if (dialer->via)
        via_leave(dialer->via);
    if (dialer->resolver)
        resolver_cancel(dialer->resolver);
    loop_timer_cancel(dialer->loop, &dialer->stagger);
    loop_timer_cancel(dialer->loop, &dialer->limit);
    loop_timer_cancel(dialer->loop, &dialer->late_limit);
    loop_timer_cancel(dialer->loop, &dialer->conclude);
    dialer_release_race(dialer);
    error_forget(&dialer->failure);
    free(dialer);
}

void connection_close(struct connection *connection)
{
    if (connection->fd >= 0)
        sock_close(connection->fd);
    connection->fd = -1;
    socket_file_remove(&connection->file);
    if (connection->via)
        via_leave(connection->via);
    connection->via = NULL;
}

int connection_end(struct connection *connection, bool received, int result, struct error *err)
{
    struct via_program *via = connection->via;
    const int fd = connection->fd;
    if (via) {
        connection->via = NULL;
        connection->fd = -1;
        return via_end(via, fd, received, result, err);
    }
    connection_close(connection);
    return result;
}

void dial_cancel(struct dialer *dialer)
{
    connection_close(&dialer->connection);
    dialer_free(dialer);
}

/* Hands over the connection, or, where there is none, *err. */
static void dialer_conclude(struct dialer *dialer, const struct error *err)
{
    struct connection connection = dialer->connection;
    void *context = dialer->context;
    void (*done)(void *, const struct connection *, const struct error *) = dialer->done;
    dialer_free(dialer);
    if (connection.fd >= 0)
        done(context, &connection, NULL);
    else
        done(context, NULL, err);
}

static void dialer_conclude_timeout(struct timer *timer)
{
    struct dialer *dialer = LOOP_OWNER(timer, struct dialer, conclude);
    struct error err;
    error_restore(&dialer->failure, &err);
    dialer_conclude(dialer, &err);
}

static void dialer_look_up(struct dialer *dialer);

/* Ends with "connect to localhost:81: [::1]:81: Connection refused; 127.0.0.1:81: timed out", and without
 * the address where it is the only one and written as the user wrote it. */
static void dialer_fail(struct dialer *dialer, int status)
{
    char asked[ADDRESS_TEXT_MAX];
    char tried[SOCKNAME_TEXT_MAX];
    char reason[ATTEMPT_REASON_MAX];
    struct error error;
    if (dialer->was_known) {
        /* What was known is forgotten: the name may be somewhere else by now. */
        resolved_release(dialer->known);
        dialer->was_known = false;
        if (status == STATUS_CONNECT) {
            dialer_release_race(dialer);
            dialer_look_up(dialer);
            return;
        }
    }
    address_text(&dialer->address, false, asked);
    error_set(&error, status, "connect to %s", asked);
    for (size_t i = 0; i < dialer->started; i++) {
        const struct attempt *attempt = dialer->attempts[i];
        if (dialer->started > 1 || !address_says(&dialer->address, false, attempt->peer))
            error_add(&error, "%s %s", i ? ";" : ":", sockname_text(attempt->peer, tried));
        error_add(&error, ": %s", attempt_reason(attempt, reason));
        error.errnum = attempt->no_socket ? attempt->no_socket : attempt->no_port;
    }
    if (dialer->resolver && dialer->started)
        error_add(&error, "; no answer to the look-up of its %s addresses",
                  dialer->attempts[0]->peer->storage.ss_family == AF_INET ? "IPv6" : "IPv4");
    dialer_conclude(dialer, &error);
}

static void dialer_limit_timeout(struct timer *timer)
{
    struct dialer *dialer = LOOP_OWNER(timer, struct dialer, limit);
    char asked[ADDRESS_TEXT_MAX];
    struct error err;
    if (dialer->started) {
        dialer_fail(dialer, STATUS_TIMEOUT);
        return;
    }
    error_set(&err, STATUS_TIMEOUT, "connect to %s: timed out%s",
              address_text(&dialer->address, false, asked),
              dialer->via ? "" : " while the name was looked up");
    dialer_conclude(dialer, &err);
}

/* The race */

static void dialer_win(struct attempt *attempt)
{
    struct dialer *dialer = attempt->context;
    struct connection *connection = &dialer->connection;
    connection->fd = attempt_take(attempt, &connection->file);
    connection->socktype = attempt->socktype;
    connection->is_group = attempt->is_group;
    connection->peer = *attempt->peer;
    connection->local = attempt->local;
    dialer_conclude(dialer, NULL);
}

/* Starts attempts until one is under way. Where none is, nor is there another to be started, it waits for names that
 * come late. */
static void dialer_start_next(struct dialer *dialer)
{
    loop_timer_cancel(dialer->loop, &dialer->stagger);
    while (dialer->started < dialer->count) {
        struct attempt *attempt = dialer->attempts[dialer->started++];
        switch (attempt_start(attempt)) {
        case ATTEMPT_UP:
            dialer_win(attempt);
            return;
        case ATTEMPT_UNDER_WAY:
            dialer->running++;
            loop_timer_set(dialer->loop, &dialer->stagger,
                           dialer->running == 1 ? STAGGER_MS : STAGGER_MIN_MS);
            return;
        case ATTEMPT_FAILED:
            break;
        }
    }
    if (dialer->running)
        return;
    if (!dialer->resolver)
        dialer_fail(dialer, STATUS_CONNECT);
    else if (dialer->is_retried)
        loop_timer_set(dialer->loop, &dialer->late_limit, LATE_MS);
}

static void dialer_late_timeout(struct timer *timer)
{
    dialer_fail(LOOP_OWNER(timer, struct dialer, late_limit), STATUS_CONNECT);
}

static void dialer_stagger_timeout(struct timer *timer)
{
    dialer_start_next(LOOP_OWNER(timer, struct dialer, stagger));
}

static void dialer_attempt_settled(struct attempt *attempt)
{
    struct dialer *dialer = attempt->context;
    dialer->running--;
    if (attempt->state == ATTEMPT_UP)
        dialer_win(attempt);
    else
        dialer_start_next(dialer);
}

/* Tells whether an address is to be left out. */
static bool dialer_leaves_out(const struct dialer *dialer, const struct sockname *name)
{
    const struct resolved *refused = dialer->refused;
    for (size_t i = 0; refused && i < refused->count; i++)
        if (sockname_is_same(&refused->names[i], name))
            return true;
    return false;
}

/* Adds an attempt for each of the names that has none yet. */
static void dialer_add_attempts(struct dialer *dialer, const struct resolved *names)
{
    const size_t before = dialer->count;
    dialer->attempts = memory_grow(dialer->attempts, before + names->count,
                                   sizeof(struct attempt *));
    for (size_t i = 0; i < names->count; i++) {
        const struct sockname *name = &names->names[i];
        size_t same = 0;
        while (same < before && !sockname_is_same(dialer->attempts[same]->peer, name))
            same++;
        if (same < before || dialer_leaves_out(dialer, name))
            continue;
        struct attempt *attempt = memory_new(1, sizeof *attempt);
        *attempt = (struct attempt){.loop = dialer->loop,
                                    .peer = name,
                                    .socktype = dialer->address.socktype,
                                    .source = &dialer->source,
                                    .sockopt = dialer->sockopt,
                                    .any_sender = dialer->any_sender,
                                    .settled = dialer_attempt_settled,
                                    .context = dialer};
        dialer->attempts[dialer->count++] = attempt;
    }
}

/* Returns the place of the next attempt from `from` on whose peer is of the family, or is not. */
static size_t find_attempt(struct attempt *const *attempts, size_t from, int family, bool of_it)
{
    while (attempts[from] && (attempts[from]->peer->storage.ss_family == family) != of_it)
        from++;
    return from;
}

/* Sorts the attempts that have not started: the families in turn, beginning with this one (RFC 8305, 4). */
static void dialer_line_up(struct dialer *dialer, int family)
{
    const size_t count = dialer->count - dialer->started;
    struct attempt **line = dialer->attempts + dialer->started;
    struct attempt **all = memory_new(count + 1, sizeof(struct attempt *)); /* NULL ends them */
    memcpy(all, line, count * sizeof(struct attempt *));
    size_t next[2] = {find_attempt(all, 0, family, true), find_attempt(all, 0, family, false)};
    for (size_t i = 0; i < count; i++) {
        size_t turn = all[next[i % 2]] ? i % 2 : 1 - i % 2;
        line[i] = all[next[turn]];
        next[turn] = find_attempt(all, next[turn] + 1, family, turn == 0);
    }
    free(all);
}

static void dialer_line_up_resolved(struct dialer *dialer)
{
    dialer_add_attempts(dialer, &dialer->resolved);
    if (dialer->count > 1)
        dialer_line_up(dialer, dialer->attempts[0]->peer->storage.ss_family);
}

static void dialer_looked_up(void *context, struct resolved *resolved, const struct error *err)
{
    struct dialer *dialer = context;
    if (!resolved || !resolved->partial)
        dialer->resolver = NULL;
    if (!resolved) {
        dialer_conclude(dialer, err);
        return;
    }
    dialer->resolved = *resolved;
    if (dialer->known && !dialer->known->count)
        resolved_copy(dialer->known, resolved);
    dialer->connection.looked_up_us = loop_now_us();
    dialer_line_up_resolved(dialer);
    dialer_start_next(dialer);
}

/* The other family's names take the next turn. */
static void dialer_looked_up_late(void *context, struct resolved *resolved)
{
    struct dialer *dialer = context;
    dialer->resolver = NULL;
    loop_timer_cancel(dialer->loop, &dialer->late_limit);
    if (resolved) {
        const int family = dialer->started
                               ? dialer->attempts[dialer->started - 1]->peer->storage.ss_family
                               : AF_UNSPEC;
        dialer->late = *resolved;
        dialer_add_attempts(dialer, &dialer->late);
        dialer_line_up(dialer, family == AF_INET ? AF_INET6 : AF_INET);
    }
    if (!loop_timer_is_set(&dialer->stagger))
        dialer_start_next(dialer);
}

static void dialer_look_up(struct dialer *dialer)
{
    const struct resolver_options how = {.numeric = dialer->numeric,
                                         .timeout_ms = dialer->timeout_ms,
                                         .late = dialer_looked_up_late};
    dialer->resolver = resolver_start(dialer->loop, &dialer->address, &how, dialer_looked_up,
                                      dialer);
}

/* A program */

static void dialer_via_done(void *context, int fd, const struct error *err)
{
    struct dialer *dialer = context;
    struct connection *connection = &dialer->connection;
    struct via_program *via = dialer->via;
    dialer->via = NULL;
    connection->fd = fd;
    if (fd >= 0) {
        char text[ADDRESS_TEXT_MAX];
        connection->via = via;
        connection->socktype = SOCK_STREAM;
        sockname_of_text(&connection->peer, address_text(&dialer->address, false, text));
        connection->looked_up_us = loop_now_us();
    }
    dialer_conclude(dialer, err);
}

/* Starting */

/* Takes an inherited socket (fd:, systemd:), which is connected already. */
static int dialer_adopt(struct dialer *dialer, struct error *err)
{
    struct connection *connection = &dialer->connection;
    const struct address *address = &dialer->address;
    char text[ADDRESS_TEXT_MAX];
    struct inherited inherited;
    if (inherited_find(&inherited, address, err))
        return -1;
    int fd = inherited.fds[0];
    if (sock_peer(fd, &connection->peer) || sock_name(fd, &connection->local)) {
        return error_system(err, STATUS_CONNECT, errno, "connect to %s",
                            address_text(address, false, text));
    }
    const char *refused = sockopt_apply(dialer->sockopt, fd, connection->local.storage.ss_family,
                                        SOCKOPT_CONNECT);
    if (refused)
        return error_system(err, STATUS_CONNECT, errno, "connect to %s: %s",
                            address_text(address, false, text), refused);
    connection->fd = fd;
    connection->inherited = true;
    connection->socktype = inherited.socktype;
    return 0;
}

struct dialer *dial_start(struct loop *loop, const struct address *address,
                          const struct dial_options *options,
                          void (*done)(void *context, const struct connection *connection,
                                       const struct error *err),
                          void *context)
{
    struct dialer *dialer = memory_new(1, sizeof *dialer);
    struct sockname literal;
    struct error err, ignored;
    *dialer = (struct dialer){.loop = loop,
                              .address = *address,
                              .sockopt = options->sockopt,
                              .any_sender = options->any_sender,
                              .refused = options->refused,
                              .numeric = options->numeric,
                              .is_retried = options->is_retried,
                              .timeout_ms = options->timeout_ms,
                              .late_limit.fired = dialer_late_timeout,
                              .stagger.fired = dialer_stagger_timeout,
                              .limit.fired = dialer_limit_timeout,
                              .conclude.fired = dialer_conclude_timeout,
                              .connection.fd = -1,
                              .done = done,
                              .context = context};
    if (options->timeout_ms >= 0)
        loop_timer_set(loop, &dialer->limit, options->timeout_ms);
    if (options->via) {
        dialer->via = via_start(loop, options->via, address, dialer_via_done, dialer);
        return dialer;
    }
    int result = dial_read_source(&dialer->source, address, options, &err);
    if (result == 0 && (address->kind == ADDRESS_FD || address->kind == ADDRESS_SYSTEMD))
        result = dialer_adopt(dialer, &err);
    if (result)
        error_keep(&dialer->failure, &err);
    if (result || dialer->connection.fd >= 0) {
        loop_timer_set(loop, &dialer->conclude, 0);
        return dialer;
    }
    /* Only what a look-up found is worth keeping. */
    if (options->known && address->kind == ADDRESS_INET &&
        hostname_read_literal(address->host, &literal, &ignored) != 1)
        dialer->known = options->known;
    if (dialer->known && dialer->known->count) {
        dialer->was_known = true;
        resolved_copy(&dialer->resolved, dialer->known);
        dialer_line_up_resolved(dialer);
        loop_timer_set(loop, &dialer->stagger, 0);
    } else {
        dialer_look_up(dialer);
    }
    return dialer;
}

/* In the foreground */

struct dial_wait {
    struct loop *loop;
    struct dialer *dialer; /* NULL: it has concluded */
    struct connection *connection;
    struct error *err;
};

static void dial_wait_done(void *context, const struct connection *connection,
                           const struct error *err)
{
    struct dial_wait *wait = context;
    wait->dialer = NULL;
    if (connection)
        *wait->connection = *connection;
    else
        *wait->err = *err;
    loop_stop(wait->loop, connection ? 0 : -1);
}

int dial(struct loop *loop, const struct address *address, const struct dial_options *options,
         struct connection *connection, struct error *err)
{
    struct dial_wait wait = {.loop = loop, .connection = connection, .err = err};
    *connection = (struct connection){.fd = -1};
    wait.dialer = dial_start(loop, address, options, dial_wait_done, &wait);
    int result = loop_await(loop, -1, NULL);
    if (!wait.dialer)
        return result;
    dial_cancel(wait.dialer);
    return -1;
}
