/*
 * See probe.h. A round looks the name up and probes every port that was not found open, several at a time; rounds are
 * repeated as connect_retry.h says.
 */
#include "cmd/connect/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/common/limit.h"
#include "cmd/connect/probe_show.h"
#include "net/address.h"
#include "net/port_probe.h"
#include "net/resolver.h"
#include "sys/sockname.h"

enum {
    STREAM_MS = 3000, /* for an answer, without -w */
    DATAGRAM_MS = 1000,
    TURN = 64,         /* probes that are started in a row */
    LAST_WORDS_MS = 80 /* for stdout, when a limit is over */
};

/* Options */

static const char *read_hex(char *text, void *field)
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

const struct opt_type opt_hex = {.metavar = "HEX", .read = read_hex};

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

struct prober {
    const struct probing *probing;
    struct loop *loop;
    struct source source;
    struct resolved resolved;
    struct retry_rounds grace;
    struct finding *findings;
    size_t count;
    size_t *order;  /* in which the ports are probed */
    size_t started; /* of `order`: what is before it may be overwritten */
    size_t running;
    size_t most;      /* that may be running */
    bool is_starting; /* a probe that is over at once does not start the next */
    struct timer turn;
};

struct slot {
    struct port_probe probe;
    struct prober *prober;
    struct finding *finding;
};

/* "Connection refused", "Connection refused, says 192.0.2.1" */
static char *reason_of(const struct port_probe *probe)
{
    char text[ATTEMPT_REASON_MAX + SOCKNAME_TEXT_MAX + 8], by[SOCKNAME_TEXT_MAX];
    if (probe->answer == PORT_PROBE_OPEN || probe->answer == PORT_PROBE_SILENT)
        return NULL;
    snprintf(text, sizeof text, "%s%s%s", probe->reason, probe->by.length ? ", says " : "",
             probe->by.length ? sockname_host(&probe->by, by) : "");
    return memory_copy(text, strlen(text));
}

static void start_more(struct prober *prober);

/* No socket was to be had while others had theirs: it is put off until one of those is over, and
 * from now on there are no more at a time than could be had. */
static bool put_off(struct prober *prober, const struct finding *finding)
{
    if (!prober->running)
        return false;
    prober->order[--prober->started] = (size_t)(finding - prober->findings);
    prober->most = prober->running;
    return true;
}

static void note(struct finding *finding, const struct port_probe *probe)
{
    finding->known = true;
    finding->answer = probe->answer;
    finding->took_us = probe->took_us;
    finding->reason = reason_of(probe);
}

static void settled(struct port_probe *probe)
{
    struct slot *slot = LOOP_OWNER(probe, struct slot, probe);
    struct prober *prober = slot->prober;
    prober->running--;
    if (!probe->is_short || probe->answer == PORT_PROBE_OPEN || !put_off(prober, slot->finding))
        note(slot->finding, probe);
    free(slot);
    if (!prober->is_starting)
        start_more(prober);
}

static int64_t limit_of_one(const struct prober *prober)
{
    const struct probing *probing = prober->probing;
    int64_t limit_ms = probing->dial->timeout_ms;
    if (limit_ms < 0)
        limit_ms = probing->address->socktype == SOCK_DGRAM ? DATAGRAM_MS : STREAM_MS;
    return retry_rounds_limit(&prober->grace, limit_ms);
}

static void start_one(struct prober *prober, struct finding *finding)
{
    const struct probing *probing = prober->probing;
    struct slot *slot = memory_new(1, sizeof *slot);
    slot->prober = prober;
    slot->finding = finding;
    slot->probe = (struct port_probe){.loop = prober->loop,
                                      .names = &prober->resolved,
                                      .port = finding->port,
                                      .socktype = probing->address->socktype,
                                      .source = &prober->source,
                                      .sockopt = probing->dial->sockopt,
                                      .payload = probing->options->payload.bytes,
                                      .payload_length = probing->options->payload.length,
                                      .limit_ms = limit_of_one(prober),
                                      .verify_open = probing->reach->wait_ms >= 0 ||
                                                     probing->reach->retries,
                                      .settled = settled};
    prober->running++;
    port_probe_start(&slot->probe);
}

static bool may_start(const struct prober *prober)
{
    return prober->started < prober->count && prober->running < prober->most;
}

/* Those that are answered at once, as on this machine, leave signals and limits their turn. */
static void start_more(struct prober *prober)
{
    prober->is_starting = true;
    for (int i = 0; i < TURN && may_start(prober); i++) {
        struct finding *finding = &prober->findings[prober->order[prober->started++]];
        if (!finding_is_open(finding))
            start_one(prober, finding);
    }
    prober->is_starting = false;
    if (may_start(prober))
        loop_timer_set(prober->loop, &prober->turn, 0);
    else if (!prober->running)
        loop_stop(prober->loop, 0);
}

static void turn_came(struct timer *timer)
{
    start_more(LOOP_OWNER(timer, struct prober, turn));
}

/* Rounds */

/* Fisher and Yates */
static void shuffle(size_t *order, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        uint32_t random = 0;
        if (getrandom(&random, sizeof random, 0) < 0)
            return;
        size_t other = random % i, kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static void order(struct prober *prober)
{
    for (size_t i = 0; i < prober->count; i++)
        prober->order[i] = i;
    if (prober->probing->options->random)
        shuffle(prober->order, prober->count);
}

static void forget_reasons(struct prober *prober)
{
    for (size_t i = 0; i < prober->count; i++) {
        free(prober->findings[i].reason);
        prober->findings[i].reason = NULL;
    }
}

static size_t count(const struct prober *prober, enum port_probe_answer answer)
{
    size_t found = 0;
    for (size_t i = 0; i < prober->count; i++)
        found += prober->findings[i].known && prober->findings[i].answer == answer;
    return found;
}

/* One that nobody was asked about, if there is one: what is wrong is wrong with us. Else the first. */
static const struct finding *find_worst(const struct prober *prober)
{
    for (size_t i = 0; i < prober->count; i++)
        if (prober->findings[i].known && prober->findings[i].answer == PORT_PROBE_UNASKED)
            return &prober->findings[i];
    return prober->findings;
}

/* What one port, or all of them, are to an error. */
static int complain(const struct prober *prober, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    const struct finding *worst = find_worst(prober);
    const struct address *address = prober->probing->address;
    size_t closed = prober->count - count(prober, PORT_PROBE_OPEN);
    if (prober->count == 1)
        address_text(address, false, text);
    else
        snprintf(text, sizeof text, "%s", finding_host(address, text));
    if (worst->answer == PORT_PROBE_UNASKED || (prober->count == 1 && worst->reason))
        return error_set(err, STATUS_CONNECT, "connect to %s: %s", text, worst->reason);
    /* Where there was an answer in an earlier round, that is the reason. */
    bool is_silent = count(prober, PORT_PROBE_SILENT) == closed && prober->grace.deadline_ms >= 0;
    int status = is_silent ? STATUS_TIMEOUT : STATUS_CONNECT;
    if (prober->count == 1)
        return error_set(err, status, "connect to %s: no answer", text);
    return error_set(err, status, "connect to %s: %zu of %zu ports are not open", text, closed,
                     prober->count);
}

static int look_up(struct prober *prober, int64_t limit_ms, bool complete, struct error *err)
{
    const struct resolver_options how = {.numeric = prober->probing->dial->numeric,
                                         .complete = complete,
                                         .timeout_ms = limit_ms};
    resolved_release(&prober->resolved);
    return resolver_look_up(prober->loop, prober->probing->address, &how, &prober->resolved, err);
}

/* Every port that was not found open. */
static int probe_names(struct prober *prober)
{
    forget_reasons(prober);
    prober->started = 0;
    prober->most = (size_t)prober->probing->options->parallel;
    order(prober);
    loop_timer_set(prober->loop, &prober->turn, 0);
    return loop_run(prober->loop);
}

/* The names of one family were probed, and some port is open at none of them. The other family's are
 * waited for as long as an answer to a probe is; without them, what is known stands. */
static int probe_late_names(struct prober *prober)
{
    struct error ignored = {.status = STATUS_OK};
    struct resolved known = prober->resolved;
    prober->resolved = (struct resolved){0};
    if (look_up(prober, limit_of_one(prober), true, &ignored) == 0) {
        resolved_release(&known);
        return probe_names(prober);
    }
    prober->resolved = known;
    return ignored.status == STATUS_OK ? -1 : 0;
}

static int probe_once(struct prober *prober, struct error *err)
{
    const int64_t limit_ms = retry_rounds_limit(&prober->grace, prober->probing->dial->timeout_ms);
    if (look_up(prober, limit_ms, false, err) || probe_names(prober))
        return -1;
    if (count(prober, PORT_PROBE_OPEN) < prober->count && prober->resolved.partial &&
        probe_late_names(prober))
        return -1;
    return count(prober, PORT_PROBE_OPEN) == prober->count ? 0 : complain(prober, err);
}

static int probe_with_patience(struct prober *prober, struct error *err)
{
    retry_rounds_init(&prober->grace, prober->probing->reach, prober->loop);
    for (;;) {
        struct error failure = {.status = STATUS_OK};
        if (probe_once(prober, &failure) == 0)
            return 0;
        if (failure.status == STATUS_OK || retry_rounds_pause(&prober->grace, &failure, err))
            return -1;
    }
}

static void prepare(struct prober *prober)
{
    const struct probing *probing = prober->probing;
    prober->count = probing->ports->count ? probing->ports->count : 1;
    prober->findings = memory_new(prober->count, sizeof *prober->findings);
    prober->order = memory_new(prober->count, sizeof *prober->order);
    for (size_t i = 0; i < probing->ports->count; i++)
        prober->findings[i].port = probing->ports->numbers[i];
}

static int show(const struct prober *prober, struct error *err)
{
    const struct probing *probing = prober->probing;
    const struct findings findings = {.each = prober->findings,
                                      .count = prober->count,
                                      .address = probing->address,
                                      .port = sockname_port(&prober->resolved.names[0])};
    return findings_show(&findings, prober->loop, probing->options->json, probing->is_detailed,
                         err);
}

/* What is open is said even where something else is not: also when a limit is over, if stdout takes it. */
static void show_rest(const struct prober *prober, const struct error *err)
{
    struct limit limit = {.timer.fired = NULL};
    struct error unshown;
    limit_start(&limit, prober->loop, err->status == STATUS_TIMEOUT ? LAST_WORDS_MS : -1, &unshown);
    show(prober, &unshown);
    limit_cancel(&limit);
}

int probe(struct loop *loop, const struct probing *probing, struct error *err)
{
    struct prober prober = {.probing = probing, .loop = loop, .turn.fired = turn_came};
    prepare(&prober);
    int result = dial_read_source(&prober.source, probing->address, probing->dial, err);
    if (result == 0)
        result = probe_with_patience(&prober, err);
    bool shows = prober.resolved.count && !probing->is_quiet;
    if (shows && result)
        show_rest(&prober, err);
    else if (shows)
        result = show(&prober, err);
    forget_reasons(&prober);
    resolved_release(&prober.resolved);
    free(prober.findings);
    free(prober.order);
    return result;
}
