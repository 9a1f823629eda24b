/*
 * See probe.h. A round looks the name up and probes every port that was not found open, several at a time; rounds are
 * repeated as connect_retry.h says. What was found is put together in memory and written from the loop, since stdout may
 * block.
 */
#include "cmd/connect/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/colour.h"
#include "cli/json.h"
#include "cmd/common/limit.h"
#include "cmd/connect/port_probe.h"
#include "net/address.h"
#include "net/resolver.h"
#include "sys/sandbox.h"
#include "sys/sock.h"
#include "sys/sockname.h"
#include "sys/unblocked.h"

enum {
    STREAM_MS = 3000, /* for an answer, without -w */
    DATAGRAM_MS = 1000,
    SERVICE_MAX = 40,    /* bytes of a service's name that are shown */
    WIDTH_FOR_TIME = 60, /* columns of a terminal that has room for how long a probe took */
    TURN = 64,           /* probes that are started in a row */
    SHOW_REST_MS = 80    /* for stdout, when a limit is over */
};

/* Says whether the word is a list of ports, of which some may be the names of services. */
static bool is_list(const char *word)
{
    return ports_is_list(word) ||
           (strchr(word, ',') && strspn(word, "0123456789,-_abcdefghijklmnopqrstuvwxyz"
                                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(word));
}

/* Returns a copy of the list, the caller's, with numbers for the names of services. NULL: *err says which is none. */
static char *list_of_numbers(const char *list, bool numeric, struct error *err)
{
    char *numbers, *copy = memory_copy(list, strlen(list)), *rest = copy, *item;
    size_t length;
    FILE *out = memory_stream(&numbers, &length);
    bool is_known = true;
    while (is_known && (item = strsep(&rest, ","))) {
        struct address any = {.kind = ADDRESS_INET, .socktype = SOCK_STREAM, .host = "*"};
        unsigned port;
        const bool is_name = item[strspn(item, "0123456789-")] && strlen(item) <= ADDRESS_PORT_MAX;
        const char *comma = item > copy ? "," : "";
        snprintf(any.port, sizeof any.port, "%s", is_name ? item : "");
        if (!is_name)
            fprintf(out, "%s%s", comma, item);
        else if (resolver_port(&any, numeric, &port, err))
            is_known = false;
        else
            fprintf(out, "%s%u", comma, port);
    }
    memory_stream_close(out);
    free(copy);
    if (is_known)
        return numbers;
    free(numbers);
    return NULL;
}

int probe_take_list(const char **words, int count, bool numeric, struct probe_list *taken,
                    struct error *err)
{
    const char *last = words[count - 1];
    const char *colon = count == 1 ? strrchr(last, ':') : NULL;
    const char *list = colon ? colon + 1 : last;
    taken->ports = (struct ports){0};
    if (!is_list(list) || list - last >= PROBE_WORD_MAX / 2)
        return 0;
    char *numbers = list_of_numbers(list, numeric, err);
    if (!numbers)
        return -1;
    const char *wrong = ports_parse(&taken->ports, numbers);
    free(numbers);
    if (wrong)
        return error_set(err, STATUS_USAGE, "port '%.100s' %s", list, wrong);
    snprintf(taken->word, sizeof taken->word, "%.*s%u", (int)(list - last), last,
             taken->ports.numbers[0]);
    words[count - 1] = taken->word;
    return 0;
}

/* One run */

/* One of the addresses. */
struct target {
    const struct probe_target *given;
    struct source source;
    unsigned port; /* the address's */
    struct resolved resolved;
    char *why; /* there is no name of it, the target's; NULL: there is */
};

struct finding {
    struct target *target;
    uint16_t port; /* 0: that of the address, which need not have one */
    bool known;
    enum port_probe_answer answer;
    int64_t took_us;
    char *reason; /* the finding's; NULL: none */
};

struct prober {
    const struct probing *probing;
    struct loop *loop;
    struct fd out;          /* stdout, unless that is somebody else's */
    bool is_given_up;       /* what is not needed any more */
    struct target *targets; /* as many as probing has */
    struct retry_rounds rounds;
    struct finding *findings;
    size_t count;
    size_t *order;       /* in which the ports are probed */
    size_t started;      /* of `order`: what is before it may be overwritten */
    struct list running; /* slots */
    size_t max_running;
    bool has_enough;  /* --any: a port is open */
    bool is_starting; /* a probe that is over at once does not start the next */
    struct timer turn;
};

/* A probe that is running: by a socket of ours, or by a program (net/via.h). */
struct slot {
    struct port_probe probe;
    struct prober *prober;
    struct list_node node; /* of prober->running */
    struct finding *finding;
    struct dialer *dialer;        /* while a program connects; else NULL */
    struct connection connection; /* a program's */
    struct watch watch;           /* of its socket */
    struct timer limit;
};

static void finding_set_reason(struct finding *finding, const char *text)
{
    free(finding->reason);
    finding->reason = text ? memory_copy(text, strlen(text)) : NULL;
}

static bool finding_is_open(const struct finding *finding)
{
    return finding->known && finding->answer == PORT_PROBE_OPEN;
}

static void prober_start_more(struct prober *prober);

static void slot_settled(struct port_probe *probe)
{
    struct slot *slot = LOOP_OWNER(probe, struct slot, probe);
    struct prober *prober = slot->prober;
    struct finding *finding = slot->finding;
    list_remove(&prober->running, &slot->node);
    if (probe->is_short && probe->answer != PORT_PROBE_OPEN && prober->running.count) {
        /* No socket was to be had while others had theirs: it is put off until one of those is over, and
         * from now on there are no more at a time than could be had. */
        prober->order[--prober->started] = (size_t)(finding - prober->findings);
        prober->max_running = prober->running.count;
    } else {
        finding->known = true;
        finding->answer = probe->answer;
        finding->took_us = probe->took_us;
        finding_set_reason(finding, NULL);
        if (probe->answer != PORT_PROBE_OPEN && probe->answer != PORT_PROBE_SILENT) {
            /* "Connection refused", "Connection refused, says 192.0.2.1" */
            char text[ATTEMPT_REASON_MAX + SOCKNAME_TEXT_MAX + 8], by[SOCKNAME_TEXT_MAX];
            snprintf(text, sizeof text, "%s%s%s", probe->reason, probe->by.length ? ", says " : "",
                     probe->by.length ? sockname_host(&probe->by, by) : "");
            finding_set_reason(finding, text);
        }
        prober->has_enough |= prober->probing->options->any && finding_is_open(finding);
    }
    free(slot);
    if (!prober->is_starting)
        prober_start_more(prober);
}

/* How long one probe may take in this round. */
static int64_t prober_limit_ms(const struct prober *prober)
{
    const struct probing *probing = prober->probing;
    int64_t limit_ms = probing->dial->timeout_ms;
    if (limit_ms < 0)
        limit_ms = probing->targets->address.socktype == SOCK_DGRAM ? DATAGRAM_MS : STREAM_MS;
    return retry_rounds_limit(&prober->rounds, limit_ms);
}

/* Gives up what a probe by a program has. */
static void slot_via_release(struct slot *slot)
{
    loop_timer_cancel(slot->prober->loop, &slot->limit);
    if (slot->watch.fd >= 0)
        loop_unwatch(slot->prober->loop, &slot->watch);
    if (slot->dialer)
        dial_cancel(slot->dialer);
    connection_close(&slot->connection);
}

/* A program's connection is open or not. The reason is written where slot_settled looks for it. */
static void slot_via_settled(struct slot *slot, enum port_probe_answer answer, const char *reason)
{
    slot_via_release(slot);
    slot->probe.took_us = loop_now_us() - slot->probe.began_us;
    slot->probe.answer = answer;
    snprintf(slot->probe.reason, sizeof slot->probe.reason, "%s", reason);
    slot_settled(&slot->probe);
}

static void slot_via_ready(struct watch *watch, uint32_t events)
{
    struct slot *slot = LOOP_OWNER(watch, struct slot, watch);
    char byte;
    (void)events;
    if (sock_recv_flags(watch->fd, &byte, 1, MSG_PEEK) > 0)
        slot_via_settled(slot, PORT_PROBE_OPEN, "");
    else
        slot_via_settled(slot, PORT_PROBE_CLOSED, "it ended without a byte");
}

/* It has brought nothing, but it still runs. */
static void slot_via_timeout(struct timer *timer)
{
    slot_via_settled(LOOP_OWNER(timer, struct slot, limit), PORT_PROBE_OPEN, "");
}

/* TLS is up when openssl says so; of a command only what it brings, or that it goes on, says that it is. */
static void slot_via_dialed(void *context, const struct connection *connection,
                            const struct error *err)
{
    struct slot *slot = context;
    const struct dial_options *how = slot->prober->probing->dial;
    slot->dialer = NULL;
    if (!connection) {
        const char *before = how->via->command ? "': " : ": ", *reason = strstr(err->text, before);
        slot_via_settled(slot, PORT_PROBE_CLOSED, reason ? reason + strlen(before) : err->text);
        return;
    }
    slot->connection = *connection;
    if (!how->via->command) {
        slot_via_settled(slot, PORT_PROBE_OPEN, "");
        return;
    }
    slot->watch.fd = connection->fd;
    loop_watch(slot->prober->loop, &slot->watch, EPOLLIN);
    loop_timer_set(slot->prober->loop, &slot->limit,
                   how->timeout_ms < 0 ? DATAGRAM_MS : prober_limit_ms(slot->prober));
}

static void prober_start_one(struct prober *prober, struct finding *finding)
{
    const struct probing *probing = prober->probing;
    struct slot *slot = memory_new(1, sizeof *slot);
    slot->prober = prober;
    slot->finding = finding;
    list_append(&prober->running, &slot->node);
    if (probing->dial->via) {
        struct dial_options how = *probing->dial;
        struct address address = finding->target->given->address;
        how.timeout_ms = prober_limit_ms(prober);
        if (finding->port)
            snprintf(address.port, sizeof address.port, "%u", finding->port);
        slot->probe = (struct port_probe){.loop = prober->loop, .began_us = loop_now_us()};
        slot->connection.fd = slot->watch.fd = -1;
        slot->watch.ready = slot_via_ready;
        slot->limit.fired = slot_via_timeout;
        slot->dialer = dial_start(prober->loop, &address, &how, slot_via_dialed, slot);
        return;
    }
    slot->probe = (struct port_probe){.loop = prober->loop,
                                      .names = &finding->target->resolved,
                                      .port = finding->port,
                                      .socktype = finding->target->given->address.socktype,
                                      .source = &finding->target->source,
                                      .sockopt = probing->dial->sockopt,
                                      .payload = probing->options->payload.bytes,
                                      .payload_length = probing->options->payload.length,
                                      .limit_ms = prober_limit_ms(prober),
                                      .verify_open = probing->retry->wait_ms >= 0 ||
                                                     probing->retry->retries,
                                      .settled = slot_settled};
    port_probe_start(&slot->probe);
}

static bool prober_may_start(const struct prober *prober)
{
    return prober->started < prober->count && prober->running.count < prober->max_running &&
           !prober->has_enough;
}

/* Those that are answered at once, as on this machine, leave signals and limits their turn. */
static void prober_start_more(struct prober *prober)
{
    prober->is_starting = true;
    for (int i = 0; i < TURN && prober_may_start(prober); i++) {
        struct finding *finding = &prober->findings[prober->order[prober->started++]];
        if (finding_is_open(finding))
            continue;
        if (!finding->target->why) {
            prober_start_one(prober, finding);
            continue;
        }
        finding->known = true;
        finding->answer = PORT_PROBE_UNASKED;
        finding_set_reason(finding, finding->target->why);
    }
    prober->is_starting = false;
    if (prober_may_start(prober))
        loop_timer_set(prober->loop, &prober->turn, 0);
    else if (!prober->running.count || prober->has_enough)
        loop_stop(prober->loop, 0);
}

static void prober_turn_came(struct timer *timer)
{
    prober_start_more(LOOP_OWNER(timer, struct prober, turn));
}

/* Drops the probes that are under way: their ports stay as they were found before. */
static void prober_drop_running(struct prober *prober)
{
    LIST_EACH (struct slot, slot, &prober->running, node) {
        list_remove(&prober->running, &slot->node);
        if (prober->probing->dial->via)
            slot_via_release(slot);
        else
            port_probe_cancel(&slot->probe);
        free(slot);
    }
    loop_timer_cancel(prober->loop, &prober->turn);
}

/* Rounds */

static void prober_forget_reasons(struct prober *prober)
{
    for (size_t i = 0; i < prober->count; i++)
        finding_set_reason(&prober->findings[i], NULL);
}

static size_t prober_count(const struct prober *prober, enum port_probe_answer answer)
{
    size_t found = 0;
    for (size_t i = 0; i < prober->count; i++)
        found += prober->findings[i].known && prober->findings[i].answer == answer;
    return found;
}

/* The host, or the whole address where it has none, as it was typed; in `out` (ADDRESS_TEXT_MAX
 * bytes) where it has to be put together. */
static const char *target_host(const struct target *target, char *out)
{
    const struct address *address = &target->given->address;
    if (address->kind != ADDRESS_INET)
        return address_text(address, false, out);
    return *address->host ? address->host : "localhost";
}

static bool finding_has_port(const struct finding *finding)
{
    return finding->target->given->address.kind == ADDRESS_INET;
}

static unsigned finding_port(const struct finding *finding)
{
    return finding->port ? finding->port : finding->target->port;
}

/* Says whether what was wanted is so. */
static bool prober_is_content(const struct prober *prober)
{
    const size_t open = prober_count(prober, PORT_PROBE_OPEN);
    return open == prober->count || (open && prober->probing->options->any);
}

/* What one port, or all of them, are to an error. */
static int prober_complain(const struct prober *prober, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    const struct finding *worst = prober->findings;
    const size_t closed = prober->count - prober_count(prober, PORT_PROBE_OPEN);
    const size_t others = prober->probing->count - 1;
    const bool is_one = prober->count == 1;
    /* One that nobody was asked about, if there is one: what is wrong is wrong with us. Else the first. */
    for (size_t i = prober->count; i--;)
        if (prober->findings[i].known && prober->findings[i].answer == PORT_PROBE_UNASKED)
            worst = &prober->findings[i];
    const char *name = is_one ? address_text(&worst->target->given->address, false, text)
                              : target_host(worst->target, text);
    if (worst->answer == PORT_PROBE_UNASKED || (is_one && worst->reason))
        return error_set(err, STATUS_CONNECT, "connect to %s: %s", name, worst->reason);
    /* Where there was an answer in an earlier round, that is the reason. */
    bool is_silent = prober_count(prober, PORT_PROBE_SILENT) == closed &&
                     prober->rounds.deadline_ms >= 0;
    int status = is_silent ? STATUS_TIMEOUT : STATUS_CONNECT;
    if (is_one)
        return error_set(err, status, "connect to %s: no answer%s", name,
                         worst->target->given->address.socktype == SOCK_DGRAM &&
                                 !prober->probing->options->payload.length
                             ? " (to an empty datagram; --payload HEX sends a real question)"
                             : "");
    error_set(err, status, "connect to %s", name);
    if (others)
        error_add(err, " and %zu other%s", others, others == 1 ? "" : "s");
    return error_add(err, ": %zu of %zu ports are not open", closed, prober->count);
}

static int prober_look_up(const struct prober *prober, struct target *target, int64_t limit_ms,
                          bool complete, struct error *err)
{
    const struct address *address = &target->given->address;
    const struct resolver_options how = {.numeric = prober->probing->dial->numeric,
                                         .complete = complete,
                                         .timeout_ms = limit_ms};
    resolved_release(&target->resolved);
    if (prober->probing->dial->via) {
        /* The program looks the name up; for us the port is enough. */
        struct sockname name = {.storage.ss_family = AF_INET, .length = sizeof(struct sockaddr_in)};
        sockname_set_port(&name, target->port);
        resolved_add(&target->resolved, &name);
        return 0;
    }
    return resolver_look_up(prober->loop, address, &how, &target->resolved, err);
}

/* Looks all targets up, one after the other. Of several, one that has no name does not keep the others from being
 * probed. */
static int prober_look_all_up(const struct prober *prober, struct error *err)
{
    const struct probing *probing = prober->probing;
    for (size_t i = 0; i < probing->count; i++) {
        struct target *target = &prober->targets[i];
        const int64_t limit_ms = retry_rounds_limit(&prober->rounds, probing->dial->timeout_ms);
        free(target->why);
        target->why = NULL;
        if (prober_look_up(prober, target, limit_ms, false, err) == 0)
            continue;
        if (probing->count == 1 || err->status == STATUS_OK || err->status == STATUS_USAGE)
            return -1;
        /* The host is said beside it. */
        const char *why = strstr(err->text, ": ");
        why = why ? why + 2 : err->text;
        target->why = memory_copy(why, strlen(why));
        err->status = STATUS_OK;
    }
    return 0;
}

/* Probes every port that was not found open at the names. */
static int prober_probe_names(struct prober *prober)
{
    enum { PARALLEL = 64 };
    const int64_t parallel = prober->probing->options->parallel;
    size_t *order = prober->order;
    prober_forget_reasons(prober);
    prober->started = 0;
    prober->max_running = parallel ? (size_t)parallel : PARALLEL;
    for (size_t i = 0; i < prober->count; i++)
        order[i] = i;
    /* Fisher and Yates */
    for (size_t i = prober->probing->options->random ? prober->count : 0; i > 1; i--) {
        uint32_t random = 0;
        if (getrandom(&random, sizeof random, 0) < 0)
            break;
        size_t other = random % i, kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
    loop_timer_set(prober->loop, &prober->turn, 0);
    int result = loop_run(prober->loop);
    prober_drop_running(prober);
    return result;
}

/* Says whether some port of the target is not open, and names of its other family may still come. */
static bool prober_waits_for_names(const struct prober *prober, const struct target *target)
{
    size_t i = 0;
    while (i < prober->count &&
           (prober->findings[i].target != target || finding_is_open(&prober->findings[i])))
        i++;
    return target->resolved.partial && i < prober->count;
}

/* The names of one family were probed, and some port is open at none of them. The other family's are
 * waited for as long as an answer to a probe is; without them, what is known stands. */
static int prober_probe_late_names(struct prober *prober)
{
    bool came = false;
    for (size_t i = 0; i < prober->probing->count; i++) {
        struct target *target = &prober->targets[i];
        struct error ignored = {.status = STATUS_OK};
        struct resolved known = target->resolved;
        if (!prober_waits_for_names(prober, target))
            continue;
        target->resolved = (struct resolved){0};
        if (prober_look_up(prober, target, prober_limit_ms(prober), true, &ignored) == 0) {
            resolved_release(&known);
            came = true;
            continue;
        }
        target->resolved = known;
        if (ignored.status == STATUS_OK)
            return -1;
    }
    return came ? prober_probe_names(prober) : 0;
}

/* Gives up what the probes do not need: see sys/sandbox.h. */
static void prober_enter_sandbox(struct prober *prober)
{
    const struct probing *probing = prober->probing;
    const bool has_rounds = probing->retry->wait_ms >= 0 || probing->retry->retries;
    const bool shows_services = prober->out.kind == FD_TERMINAL && !probing->dial->numeric;
    bool looks_up = shows_services && !probing->options->json;
    struct sandbox sandbox;
    if (prober->is_given_up || probing->no_sandbox)
        return;
    prober->is_given_up = true;
    if (probing->is_quiet || probing->dial->via) {
        sandbox_skip("a program is started");
        return;
    }
    for (size_t i = 0; i < probing->count; i++) {
        const struct target *target = &prober->targets[i];
        looks_up |= (has_rounds && !resolver_is_numeric(&target->given->address)) ||
                    target->resolved.partial;
    }
    sandbox_init(&sandbox, SANDBOX_SOCKETS | (looks_up ? SANDBOX_LOOKUP : 0));
    sandbox_enter(&sandbox);
}

/* One round. */
static int prober_probe_once(struct prober *prober, struct error *err)
{
    if (prober_look_all_up(prober, err))
        return -1;
    prober_enter_sandbox(prober);
    if (prober_probe_names(prober))
        return -1;
    if (!prober_is_content(prober) && prober_probe_late_names(prober))
        return -1;
    return prober_is_content(prober) ? 0 : prober_complain(prober, err);
}

static int prober_probe(struct prober *prober, struct error *err)
{
    retry_rounds_init(&prober->rounds, prober->probing->retry, prober->loop);
    for (;;) {
        struct error failure = {.status = STATUS_OK};
        if (prober_probe_once(prober, &failure) == 0)
            return 0;
        if (failure.status == STATUS_OK || retry_rounds_pause(&prober->rounds, &failure, err))
            return -1;
    }
}

/* What was found, on stdout */

static const char *const states[] = {[PORT_PROBE_OPEN] = "open",
                                     [PORT_PROBE_CLOSED] = "closed",
                                     [PORT_PROBE_SILENT] = "no answer",
                                     [PORT_PROBE_UNASKED] = "not probed"};

static void finding_show_line(FILE *out, const struct finding *finding, bool detailed)
{
    fprintf(out, " %s", states[finding->answer]);
    if (detailed)
        fprintf(out, " %.2f ms%s%s", (double)finding->took_us / 1000, finding->reason ? ": " : "",
                finding->reason ? finding->reason : "");
    putc('\n', out);
}

/* Returns what the port is called in services(5), after a gap; empty: nothing, or names are not to be looked up. */
static const char *prober_service(const struct prober *prober, unsigned port, char *out)
{
    const char *protocol = prober->probing->targets->address.socktype == SOCK_DGRAM ? "udp" : "tcp";
    const struct servent *service = NULL;
    if (!prober->probing->dial->numeric && port)
        service = getservbyport(htons((uint16_t)port), protocol);
    snprintf(out, SERVICE_MAX, "%s%s", service ? "  " : "", service ? service->s_name : "");
    return out;
}

/* How wide the columns are on a terminal. */
struct columns {
    int host;
    int port;
    int state;
    int time; /* 0: there is none */
    int rest; /* of the line, for the reason, which is left out where it does not fit */
};

/* Writes what is shown of a port behind the host, in columns, for a person. */
static void prober_show_columns(const struct prober *prober, FILE *out,
                                const struct finding *finding, const struct columns *columns)
{
    const bool has_port = finding_has_port(finding);
    const bool coloured = colour_is_wanted(STDOUT_FILENO);
    const enum colour colour = finding_is_open(finding) ? COLOUR_OPEN : COLOUR_CLOSED;
    const unsigned port = finding_port(finding);
    char service[SERVICE_MAX];
    if (has_port)
        fprintf(out, "  %*u", columns->port, port);
    const char *state = states[finding->answer];
    fprintf(out, "  %s%s%s", colour_begin(coloured, colour), state, colour_end(coloured));
    fprintf(out, "%*s", columns->state - (int)strlen(state), "");
    if (columns->time && finding->answer == PORT_PROBE_UNASKED)
        fprintf(out, "  %*s   ", columns->time, "");
    else if (columns->time)
        fprintf(out, "  %*.2f ms", columns->time, (double)finding->took_us / 1000);
    if (finding->reason && strlen(finding->reason) <= (size_t)columns->rest)
        fprintf(out, "  %s", finding->reason);
    else if (has_port && finding_is_open(finding))
        fputs(prober_service(prober, port, service), out);
    putc('\n', out);
}

/* Whether it is shown: what is open, and with details or as JSON also the others. */
static bool prober_shows(const struct prober *prober, const struct finding *finding)
{
    return finding->known && (prober->probing->options->json || prober->probing->is_detailed ||
                              finding_is_open(finding));
}

static struct columns prober_columns(const struct prober *prober)
{
    struct columns columns = {.port = 0};
    const unsigned width = log_columns();
    char text[ADDRESS_TEXT_MAX];
    for (size_t i = 0; i < prober->count; i++) {
        const struct finding *finding = &prober->findings[i];
        if (!prober_shows(prober, finding))
            continue;
        const int port = snprintf(NULL, 0, "%u", finding_port(finding));
        const int time = snprintf(NULL, 0, "%.2f", (double)finding->took_us / 1000);
        const int state = (int)strlen(states[finding->answer]);
        const int host = (int)strlen(target_host(finding->target, text));
        columns.host = host > columns.host ? host : columns.host;
        columns.port = port > columns.port ? port : columns.port;
        columns.time = time > columns.time ? time : columns.time;
        columns.state = state > columns.state ? state : columns.state;
    }
    if (!prober->probing->is_detailed || (width && width < WIDTH_FOR_TIME))
        columns.time = 0;
    const int gap = 2, used = columns.host + gap + columns.port + gap + columns.state + gap +
                              (columns.time ? columns.time + (int)strlen(" ms") + gap : 0);
    columns.rest = !width ? INT_MAX : used < (int)width ? (int)width - used : 0;
    return columns;
}

static void finding_show_object(FILE *out, const struct finding *finding)
{
    fprintf(out, ", \"state\": \"%s\", \"ms\": %.3f", states[finding->answer],
            (double)finding->took_us / 1000);
    if (finding->reason) {
        fputs(", \"reason\": ", out);
        json_string(out, finding->reason, strlen(finding->reason));
    }
    putc('}', out);
}

/* A line for each that is open, with its details also for the others. Scripts rely on the lines as they are where stdout is
 * no terminal. */
static void prober_print_lines(const struct prober *prober, FILE *out)
{
    const bool in_columns = prober->out.kind == FD_TERMINAL;
    const struct columns columns = prober_columns(prober);
    char text[ADDRESS_TEXT_MAX];
    for (size_t i = 0; i < prober->count; i++) {
        const struct finding *finding = &prober->findings[i];
        if (!prober_shows(prober, finding))
            continue;
        const char *host = target_host(finding->target, text);
        fprintf(out, "%-*s", in_columns ? columns.host : 0, host);
        if (in_columns) {
            prober_show_columns(prober, out, finding, &columns);
            continue;
        }
        if (finding_has_port(finding))
            fprintf(out, " %u", finding_port(finding));
        finding_show_line(out, finding, prober->probing->is_detailed);
    }
}

/* All that are known, as an array. */
static void prober_print_objects(const struct prober *prober, FILE *out)
{
    char text[ADDRESS_TEXT_MAX];
    const char *before = "[";
    for (size_t i = 0; i < prober->count; i++) {
        const struct finding *finding = &prober->findings[i];
        if (!prober_shows(prober, finding))
            continue;
        const char *host = target_host(finding->target, text);
        fprintf(out, "%s{\"host\": ", before);
        json_string(out, host, strlen(host));
        if (finding_has_port(finding))
            fprintf(out, ", \"port\": %u", finding_port(finding));
        finding_show_object(out, finding);
        before = ",\n ";
    }
    fputs(*before == '[' ? "[]\n" : "]\n", out);
}

static int prober_show(const struct prober *prober, struct error *err)
{
    char *text = NULL;
    size_t length;
    FILE *out = memory_stream(&text, &length);
    if (prober->probing->options->json)
        prober_print_objects(prober, out);
    else
        prober_print_lines(prober, out);
    memory_stream_close(out);
    int result = unblocked_write(prober->loop, prober->out, text, length);
    int failure = errno;
    free(text);
    if (result == 0 || failure == ECANCELED)
        return result;
    return failure == EPIPE ? error_silent(err, STATUS_LOCAL_IO)
                            : error_system(err, STATUS_LOCAL_IO, failure, "write to stdout");
}

/* Makes the findings, one for each port of each target. Returns 0, or -1 with status 2. */
static int prober_init(struct prober *prober, struct error *err)
{
    const struct probing *probing = prober->probing;
    int result = 0;
    for (size_t i = 0; i < probing->count; i++)
        prober->count += probing->targets[i].ports.count ? probing->targets[i].ports.count : 1;
    prober->targets = memory_new(probing->count, sizeof *prober->targets);
    prober->findings = memory_new(prober->count, sizeof *prober->findings);
    prober->order = memory_new(prober->count, sizeof *prober->order);
    struct finding *finding = prober->findings;
    for (size_t i = 0; i < probing->count; i++) {
        struct target *target = &prober->targets[i];
        target->given = &probing->targets[i];
        const struct ports *ports = &target->given->ports;
        if (result == 0 && target->given->address.kind == ADDRESS_INET)
            result = resolver_port(&target->given->address, probing->dial->numeric, &target->port,
                                   err);
        if (result == 0)
            result = dial_read_source(&target->source, &target->given->address, probing->dial, err);
        for (size_t port = 0; port < (ports->count ? ports->count : 1); port++, finding++) {
            finding->target = target;
            finding->port = ports->count ? ports->numbers[port] : 0;
        }
    }
    return result;
}

static void prober_release(struct prober *prober)
{
    prober_forget_reasons(prober);
    for (size_t i = 0; i < prober->probing->count; i++) {
        resolved_release(&prober->targets[i].resolved);
        free(prober->targets[i].why);
    }
    free(prober->targets);
    free(prober->findings);
    free(prober->order);
}

int probe(struct loop *loop, const struct probing *probing, struct error *err)
{
    struct prober prober = {.probing = probing, .loop = loop, .turn.fired = prober_turn_came};
    if (!probing->is_quiet)
        prober.out = fd_output(STDOUT_FILENO);
    int result = prober_init(&prober, err) ? -1 : prober_probe(&prober, err);
    bool shows = !probing->is_quiet && (probing->count > 1 || prober.targets->resolved.count);
    if (shows && result) {
        /* What is open is said even where something else is not: also when a limit is over, if stdout takes it. */
        struct limit limit = {.timer.fired = NULL};
        struct error unshown;
        limit_start(&limit, loop, err->status == STATUS_TIMEOUT ? SHOW_REST_MS : -1, &unshown);
        prober_show(&prober, &unshown);
        limit_cancel(&limit);
    } else if (shows) {
        result = prober_show(&prober, err);
    }
    prober_release(&prober);
    return result;
}
