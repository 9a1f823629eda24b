/*
 * See probe.h. A round looks the name up and probes every port that was not found open, several at a time; rounds are
 * repeated as connect_retry.h says. What was found is put together in memory and written from the loop, since stdout may
 * block.
 */
#include "cmd/connect/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/colour.h"
#include "cli/json.h"
#include "cmd/common/limit.h"
#include "cmd/connect/port_probe.h"
#include "net/address.h"
#include "net/resolver.h"
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

/* Options */

static const char *probe_read_hex(char *text, void *field)
{
    struct opt_bytes *bytes = field;
    size_t length = strlen(text) / 2;
    for (size_t i = 0; i < length; i++) {
        int high = text_hex_digit(text[2 * i]), low = text_hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return "is not hexadecimal";
        text[i] = (char)(high << 4 | low);
    }
    if (text[2 * length])
        return "is not hexadecimal: two digits make a byte";
    *bytes = (struct opt_bytes){text, length};
    return NULL;
}

const struct opt_type opt_hex = {.metavar = "HEX", .read = probe_read_hex};

int probe_take_list(const char **words, int count, char *word, struct ports *ports,
                    struct error *err)
{
    const char *last = words[count - 1];
    const char *colon = count == 1 ? strrchr(last, ':') : NULL;
    const char *list = colon ? colon + 1 : last;
    *ports = (struct ports){0};
    if (!ports_is_list(list) || list - last >= PROBE_WORD_MAX / 2)
        return 0;
    const char *wrong = ports_parse(ports, list);
    if (wrong)
        return error_set(err, STATUS_USAGE, "port '%.100s' %s", list, wrong);
    snprintf(word, PROBE_WORD_MAX, "%.*s%u", (int)(list - last), last, ports->numbers[0]);
    words[count - 1] = word;
    return 0;
}

/* One run */

struct finding {
    uint16_t port; /* 0: that of the address, which need not have one */
    bool known;
    enum port_probe_answer answer;
    int64_t took_us;
    char *reason; /* the finding's; NULL: none */
};

struct prober {
    const struct probing *probing;
    struct loop *loop;
    struct source source;
    struct resolved resolved;
    struct retry_rounds rounds;
    struct finding *findings;
    size_t count;
    size_t *order;  /* in which the ports are probed */
    size_t started; /* of `order`: what is before it may be overwritten */
    size_t running;
    size_t max_running;
    bool is_starting; /* a probe that is over at once does not start the next */
    struct timer turn;
};

/* A probe that is running: by a socket of ours, or by a program (net/via.h). */
struct slot {
    struct port_probe probe;
    struct prober *prober;
    struct finding *finding;
    struct connection connection; /* a program's */
    struct watch watch;           /* of its socket */
    struct timer limit;
};

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
    prober->running--;
    if (probe->is_short && probe->answer != PORT_PROBE_OPEN && prober->running) {
        /* No socket was to be had while others had theirs: it is put off until one of those is over, and
         * from now on there are no more at a time than could be had. */
        prober->order[--prober->started] = (size_t)(finding - prober->findings);
        prober->max_running = prober->running;
    } else {
        finding->known = true;
        finding->answer = probe->answer;
        finding->took_us = probe->took_us;
        finding->reason = NULL;
        if (probe->answer != PORT_PROBE_OPEN && probe->answer != PORT_PROBE_SILENT) {
            /* "Connection refused", "Connection refused, says 192.0.2.1" */
            char text[ATTEMPT_REASON_MAX + SOCKNAME_TEXT_MAX + 8], by[SOCKNAME_TEXT_MAX];
            snprintf(text, sizeof text, "%s%s%s", probe->reason, probe->by.length ? ", says " : "",
                     probe->by.length ? sockname_host(&probe->by, by) : "");
            finding->reason = memory_copy(text, strlen(text));
        }
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
        limit_ms = probing->address->socktype == SOCK_DGRAM ? DATAGRAM_MS : STREAM_MS;
    return retry_rounds_limit(&prober->rounds, limit_ms);
}

/* A program's connection is open or not. The reason is written where slot_settled looks for it. */
static void slot_via_settled(struct slot *slot, enum port_probe_answer answer, const char *reason)
{
    loop_timer_cancel(slot->prober->loop, &slot->limit);
    if (slot->watch.fd >= 0)
        loop_unwatch(slot->prober->loop, &slot->watch);
    connection_close(&slot->connection);
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
    const struct dial_options *dial = slot->prober->probing->dial;
    if (!connection) {
        const char *before = dial->via->command ? "': " : ": ", *reason = strstr(err->text, before);
        slot_via_settled(slot, PORT_PROBE_CLOSED, reason ? reason + strlen(before) : err->text);
        return;
    }
    slot->connection = *connection;
    if (!dial->via->command) {
        slot_via_settled(slot, PORT_PROBE_OPEN, "");
        return;
    }
    slot->watch.fd = connection->fd;
    loop_watch(slot->prober->loop, &slot->watch, EPOLLIN);
    loop_timer_set(slot->prober->loop, &slot->limit,
                   dial->timeout_ms < 0 ? DATAGRAM_MS : prober_limit_ms(slot->prober));
}

static void prober_start_one(struct prober *prober, struct finding *finding)
{
    const struct probing *probing = prober->probing;
    struct slot *slot = memory_new(1, sizeof *slot);
    slot->prober = prober;
    slot->finding = finding;
    if (probing->dial->via) {
        struct dial_options how = *probing->dial;
        struct address address = *probing->address;
        how.timeout_ms = prober_limit_ms(prober);
        if (finding->port)
            snprintf(address.port, sizeof address.port, "%u", finding->port);
        slot->probe = (struct port_probe){.loop = prober->loop, .began_us = loop_now_us()};
        slot->connection.fd = slot->watch.fd = -1;
        slot->watch.ready = slot_via_ready;
        slot->limit.fired = slot_via_timeout;
        prober->running++;
        dial_start(prober->loop, &address, &how, slot_via_dialed, slot);
        return;
    }
    slot->probe = (struct port_probe){.loop = prober->loop,
                                      .names = &prober->resolved,
                                      .port = finding->port,
                                      .socktype = probing->address->socktype,
                                      .source = &prober->source,
                                      .sockopt = probing->dial->sockopt,
                                      .payload = probing->options->payload.bytes,
                                      .payload_length = probing->options->payload.length,
                                      .limit_ms = prober_limit_ms(prober),
                                      .verify_open = probing->retry->wait_ms >= 0 ||
                                                     probing->retry->retries,
                                      .settled = slot_settled};
    prober->running++;
    port_probe_start(&slot->probe);
}

static bool prober_may_start(const struct prober *prober)
{
    return prober->started < prober->count && prober->running < prober->max_running;
}

/* Those that are answered at once, as on this machine, leave signals and limits their turn. */
static void prober_start_more(struct prober *prober)
{
    prober->is_starting = true;
    for (int i = 0; i < TURN && prober_may_start(prober); i++) {
        struct finding *finding = &prober->findings[prober->order[prober->started++]];
        if (!finding_is_open(finding))
            prober_start_one(prober, finding);
    }
    prober->is_starting = false;
    if (prober_may_start(prober))
        loop_timer_set(prober->loop, &prober->turn, 0);
    else if (!prober->running)
        loop_stop(prober->loop, 0);
}

static void prober_turn_came(struct timer *timer)
{
    prober_start_more(LOOP_OWNER(timer, struct prober, turn));
}

/* Rounds */

static void prober_forget_reasons(struct prober *prober)
{
    for (size_t i = 0; i < prober->count; i++) {
        free(prober->findings[i].reason);
        prober->findings[i].reason = NULL;
    }
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
static const char *prober_host(const struct prober *prober, char *out)
{
    const struct address *address = prober->probing->address;
    if (address->kind != ADDRESS_INET)
        return address_text(address, false, out);
    return *address->host ? address->host : "localhost";
}

static unsigned prober_port(const struct prober *prober, const struct finding *finding)
{
    return finding->port ? finding->port : sockname_port(&prober->resolved.names[0]);
}

/* What one port, or all of them, are to an error. */
static int prober_complain(const struct prober *prober, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    const struct finding *worst = prober->findings;
    const size_t closed = prober->count - prober_count(prober, PORT_PROBE_OPEN);
    const bool is_one = prober->count == 1;
    const char *name = is_one ? address_text(prober->probing->address, false, text)
                              : prober_host(prober, text);
    /* One that nobody was asked about, if there is one: what is wrong is wrong with us. Else the first. */
    for (size_t i = prober->count; i--;)
        if (prober->findings[i].known && prober->findings[i].answer == PORT_PROBE_UNASKED)
            worst = &prober->findings[i];
    if (worst->answer == PORT_PROBE_UNASKED || (is_one && worst->reason))
        return error_set(err, STATUS_CONNECT, "connect to %s: %s", name, worst->reason);
    /* Where there was an answer in an earlier round, that is the reason. */
    bool is_silent = prober_count(prober, PORT_PROBE_SILENT) == closed &&
                     prober->rounds.deadline_ms >= 0;
    int status = is_silent ? STATUS_TIMEOUT : STATUS_CONNECT;
    if (is_one)
        return error_set(err, status, "connect to %s: no answer%s", name,
                         prober->probing->address->socktype == SOCK_DGRAM &&
                                 !prober->probing->options->payload.length
                             ? " (to an empty datagram; --payload HEX sends a real question)"
                             : "");
    return error_set(err, status, "connect to %s: %zu of %zu ports are not open", name, closed,
                     prober->count);
}

static int prober_look_up(struct prober *prober, int64_t limit_ms, bool complete, struct error *err)
{
    const struct resolver_options how = {.numeric = prober->probing->dial->numeric,
                                         .complete = complete,
                                         .timeout_ms = limit_ms};
    resolved_release(&prober->resolved);
    if (prober->probing->dial->via) {
        /* The program looks the name up; for us the port is enough. */
        struct sockname name = {.storage.ss_family = AF_INET, .length = sizeof(struct sockaddr_in)};
        unsigned port;
        if (resolver_port(prober->probing->address, how.numeric, &port, err))
            return -1;
        sockname_set_port(&name, port);
        resolved_add(&prober->resolved, &name);
        return 0;
    }
    return resolver_look_up(prober->loop, prober->probing->address, &how, &prober->resolved, err);
}

/* Probes every port that was not found open at the names. */
static int prober_probe_names(struct prober *prober)
{
    size_t *order = prober->order;
    prober_forget_reasons(prober);
    prober->started = 0;
    prober->max_running = (size_t)prober->probing->options->parallel;
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
    return loop_run(prober->loop);
}

/* The names of one family were probed, and some port is open at none of them. The other family's are
 * waited for as long as an answer to a probe is; without them, what is known stands. */
static int prober_probe_late_names(struct prober *prober)
{
    struct error ignored = {.status = STATUS_OK};
    struct resolved known = prober->resolved;
    prober->resolved = (struct resolved){0};
    if (prober_look_up(prober, prober_limit_ms(prober), true, &ignored) == 0) {
        resolved_release(&known);
        return prober_probe_names(prober);
    }
    prober->resolved = known;
    return ignored.status == STATUS_OK ? -1 : 0;
}

/* One round. */
static int prober_probe_once(struct prober *prober, struct error *err)
{
    const int64_t limit_ms = retry_rounds_limit(&prober->rounds, prober->probing->dial->timeout_ms);
    if (prober_look_up(prober, limit_ms, false, err) || prober_probe_names(prober))
        return -1;
    if (prober_count(prober, PORT_PROBE_OPEN) < prober->count && prober->resolved.partial &&
        prober_probe_late_names(prober))
        return -1;
    return prober_count(prober, PORT_PROBE_OPEN) == prober->count ? 0
                                                                  : prober_complain(prober, err);
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
    const char *protocol = prober->probing->address->socktype == SOCK_DGRAM ? "udp" : "tcp";
    const struct servent *service = NULL;
    if (!prober->probing->dial->numeric && port)
        service = getservbyport(htons((uint16_t)port), protocol);
    snprintf(out, SERVICE_MAX, service ? "  %s" : "", service ? service->s_name : "");
    return out;
}

/* How wide the columns are on a terminal. */
struct columns {
    int port;
    int state;
    int time; /* 0: there is none */
};

/* Writes what is shown of a port behind the host, in columns, for a person. */
static void prober_show_columns(const struct prober *prober, FILE *out,
                                const struct finding *finding, const struct columns *columns)
{
    const bool has_port = prober->probing->address->kind == ADDRESS_INET;
    const bool coloured = colour_is_wanted(STDOUT_FILENO);
    const enum colour colour = finding_is_open(finding) ? COLOUR_OPEN : COLOUR_CLOSED;
    const unsigned port = prober_port(prober, finding);
    char service[SERVICE_MAX];
    if (has_port)
        fprintf(out, "  %*u", columns->port, port);
    const char *state = states[finding->answer];
    fprintf(out, "  %s%s%s", colour_begin(coloured, colour), state, colour_end(coloured));
    fprintf(out, "%*s", columns->state - (int)strlen(state), "");
    if (columns->time)
        fprintf(out, "  %*.2f ms", columns->time, (double)finding->took_us / 1000);
    if (finding->reason)
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
    for (size_t i = 0; i < prober->count; i++) {
        const struct finding *finding = &prober->findings[i];
        if (!prober_shows(prober, finding))
            continue;
        const int port = snprintf(NULL, 0, "%u", prober_port(prober, finding));
        const int time = snprintf(NULL, 0, "%.2f", (double)finding->took_us / 1000);
        const int state = (int)strlen(states[finding->answer]);
        columns.port = port > columns.port ? port : columns.port;
        columns.time = time > columns.time ? time : columns.time;
        columns.state = state > columns.state ? state : columns.state;
    }
    if (!prober->probing->is_detailed || (width && width < WIDTH_FOR_TIME))
        columns.time = 0;
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
    const bool has_port = prober->probing->address->kind == ADDRESS_INET;
    const bool in_columns = fd_of(STDOUT_FILENO).kind == FD_TERMINAL;
    const struct columns columns = prober_columns(prober);
    char text[ADDRESS_TEXT_MAX];
    const char *host = prober_host(prober, text);
    for (size_t i = 0; i < prober->count; i++) {
        const struct finding *finding = &prober->findings[i];
        if (!prober_shows(prober, finding))
            continue;
        fputs(host, out);
        if (in_columns) {
            prober_show_columns(prober, out, finding, &columns);
            continue;
        }
        if (has_port)
            fprintf(out, " %u", prober_port(prober, finding));
        finding_show_line(out, finding, prober->probing->is_detailed);
    }
}

/* All that are known, as an array. */
static void prober_print_objects(const struct prober *prober, FILE *out)
{
    const bool has_port = prober->probing->address->kind == ADDRESS_INET;
    char text[ADDRESS_TEXT_MAX];
    const char *host = prober_host(prober, text), *before = "[";
    for (size_t i = 0; i < prober->count; i++) {
        const struct finding *finding = &prober->findings[i];
        if (!prober_shows(prober, finding))
            continue;
        fprintf(out, "%s{\"host\": ", before);
        json_string(out, host, strlen(host));
        if (has_port)
            fprintf(out, ", \"port\": %u", prober_port(prober, finding));
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
    int result = unblocked_write(prober->loop, fd_output(STDOUT_FILENO), text, length);
    int failure = errno;
    free(text);
    if (result == 0 || failure == ECANCELED)
        return result;
    return failure == EPIPE ? error_silent(err, STATUS_LOCAL_IO)
                            : error_system(err, STATUS_LOCAL_IO, failure, "write to stdout");
}

int probe(struct loop *loop, const struct probing *probing, struct error *err)
{
    const struct ports *ports = probing->ports;
    struct prober prober = {.probing = probing, .loop = loop, .turn.fired = prober_turn_came};
    prober.count = ports->count ? ports->count : 1;
    prober.findings = memory_new(prober.count, sizeof *prober.findings);
    prober.order = memory_new(prober.count, sizeof *prober.order);
    for (size_t i = 0; i < ports->count; i++)
        prober.findings[i].port = ports->numbers[i];
    int result = dial_read_source(&prober.source, probing->address, probing->dial, err);
    if (result == 0)
        result = prober_probe(&prober, err);
    bool shows = prober.resolved.count && !probing->is_quiet;
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
    prober_forget_reasons(&prober);
    resolved_release(&prober.resolved);
    free(prober.findings);
    free(prober.order);
    return result;
}
