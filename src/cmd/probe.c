#include "cmd/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/json.h"
#include "net/address_text.h"
#include "net/knock.h"
#include "net/resolver.h"
#include "net/sockname.h"
#include "net/source.h"

enum { STREAM_MS = 3000, DATAGRAM_MS = 1000 }; /* for an answer, without -w */

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

const struct opt_type opt_hex = {"HEX", read_hex};

int probe_take_list(const char **words, int count, char *word, struct ports *ports,
                    struct error *err)
{
    const char *last = words[count - 1];
    const char *colon = count == 1 ? strrchr(last, ':') : NULL;
    const char *list = colon ? colon + 1 : last;
    *ports = (struct ports){0};
    if (!ports_is_list(list) || strlen(last) >= PROBE_WORD_MAX / 2)
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
    enum knock_answer answer;
    int64_t took_us;
    char *reason; /* the finding's; NULL: none */
};

struct prober {
    const struct probing *probing;
    struct loop *loop;
    struct source source;
    struct resolved resolved;
    struct finding *findings;
    size_t count;
    size_t *order;  /* in which the ports are probed */
    size_t started; /* of `order` */
    size_t running;
    bool is_starting; /* a probe that is over at once does not start the next */
};

struct slot {
    struct knock knock;
    struct prober *prober;
    struct finding *finding;
};

static bool is_open(const struct finding *finding)
{
    return finding->known && finding->answer == KNOCK_OPEN;
}

/* "Connection refused", "Connection refused, says 192.0.2.1" */
static char *reason_of(const struct knock *knock)
{
    char text[256], by[SOCKNAME_TEXT_MAX];
    if (knock->answer != KNOCK_CLOSED)
        return NULL;
    snprintf(text, sizeof text, "%s%s%s", knock->reason, knock->by.length ? ", says " : "",
             knock->by.length ? sockname_host(&knock->by, by) : "");
    return memory_copy(text, strlen(text));
}

static void start_more(struct prober *prober);

static void settled(struct knock *knock)
{
    struct slot *slot = LOOP_OWNER(knock, struct slot, knock);
    struct prober *prober = slot->prober;
    struct finding *finding = slot->finding;
    finding->known = true;
    finding->answer = knock->answer;
    finding->took_us = knock->took_us;
    finding->reason = reason_of(knock);
    free(slot);
    prober->running--;
    if (!prober->is_starting)
        start_more(prober);
}

static void start_one(struct prober *prober, struct finding *finding)
{
    const struct probing *probing = prober->probing;
    bool is_datagram = probing->address->socktype == SOCK_DGRAM;
    struct slot *slot = memory_new(1, sizeof *slot);
    int64_t limit_ms = probing->dial->timeout_ms;
    if (limit_ms < 0)
        limit_ms = is_datagram ? DATAGRAM_MS : STREAM_MS;
    slot->prober = prober;
    slot->finding = finding;
    slot->knock = (struct knock){.loop = prober->loop,
                                 .names = &prober->resolved,
                                 .port = finding->port,
                                 .socktype = probing->address->socktype,
                                 .source = &prober->source,
                                 .sockopt = probing->dial->sockopt,
                                 .payload = probing->options->payload.bytes,
                                 .payload_length = probing->options->payload.length,
                                 .limit_ms = limit_ms,
                                 .distrusts = probing->reach->wait_ms >= 0,
                                 .settled = settled};
    prober->running++;
    knock_start(&slot->knock);
}

static void start_more(struct prober *prober)
{
    size_t parallel = (size_t)prober->probing->options->parallel;
    prober->is_starting = true;
    while (prober->started < prober->count && prober->running < parallel) {
        struct finding *finding = &prober->findings[prober->order[prober->started++]];
        if (!is_open(finding))
            start_one(prober, finding);
    }
    prober->is_starting = false;
    if (!prober->running)
        loop_stop(prober->loop, 0);
}

/* Rounds */

static void forget_reasons(struct prober *prober)
{
    for (size_t i = 0; i < prober->count; i++) {
        free(prober->findings[i].reason);
        prober->findings[i].reason = NULL;
    }
}

static void start_round(struct timer *timer);

struct round {
    struct timer timer;
    struct prober *prober;
};

static void start_round(struct timer *timer)
{
    start_more(LOOP_OWNER(timer, struct round, timer)->prober);
}

static size_t count_open(const struct prober *prober)
{
    size_t open = 0;
    for (size_t i = 0; i < prober->count; i++)
        open += is_open(&prober->findings[i]);
    return open;
}

/* What one port, or all of them, are to an error. */
static int complain(const struct prober *prober, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    const struct finding *only = &prober->findings[0];
    const struct address *address = prober->probing->address;
    size_t closed = prober->count - count_open(prober);
    address_text(address, false, text);
    if (prober->count == 1)
        return error_set(err, STATUS_CONNECT, "connect to %s: %s", text,
                         only->answer == KNOCK_SILENT ? "no answer" : only->reason);
    return error_set(err, STATUS_CONNECT, "connect to %s: %zu of %zu ports are not open",
                     address->host, closed, prober->count);
}

static int probe_once(struct prober *prober, struct error *err)
{
    struct round round = {.timer.fired = start_round, .prober = prober};
    struct resolver_options how = {.numeric = prober->probing->dial->numeric,
                                   .timeout_ms = prober->probing->dial->timeout_ms};
    resolved_release(&prober->resolved);
    if (resolver_look_up(prober->loop, prober->probing->address, &how, &prober->resolved, err))
        return -1;
    forget_reasons(prober);
    prober->started = 0;
    loop_timer_set(prober->loop, &round.timer, 0);
    if (loop_run(prober->loop))
        return -1;
    return count_open(prober) == prober->count ? 0 : complain(prober, err);
}

static int probe_with_patience(struct prober *prober, struct error *err)
{
    struct patience patience;
    patience_init(&patience, prober->probing->reach, prober->loop);
    for (;;) {
        struct error failure = {.status = STATUS_OK};
        if (probe_once(prober, &failure) == 0)
            return 0;
        if (failure.status == STATUS_OK || patience_pause(&patience, &failure, err))
            return -1;
    }
}

/* What was found */

static const char *word_of(const struct finding *finding)
{
    static const char *const words[] = {
        [KNOCK_OPEN] = "open", [KNOCK_CLOSED] = "closed", [KNOCK_SILENT] = "no answer"};
    return words[finding->answer];
}

static unsigned port_of(const struct prober *prober, const struct finding *finding)
{
    return finding->port ? finding->port : sockname_port(&prober->resolved.names[0]);
}

static void show_line(const struct prober *prober, const struct finding *finding)
{
    const struct address *address = prober->probing->address;
    char text[ADDRESS_TEXT_MAX];
    if (address->kind == ADDRESS_INET)
        printf("%s %u %s", *address->host ? address->host : "localhost", port_of(prober, finding),
               word_of(finding));
    else
        printf("%s %s", address_text(address, false, text), word_of(finding));
    if (prober->probing->is_detailed)
        printf(" %.2f ms%s%s", (double)finding->took_us / 1000, finding->reason ? ": " : "",
               finding->reason ? finding->reason : "");
    putchar('\n');
}

static void show_object(const struct prober *prober, const struct finding *finding)
{
    const struct address *address = prober->probing->address;
    char text[ADDRESS_TEXT_MAX];
    const char *host = address->kind == ADDRESS_INET ? address->host
                                                     : address_text(address, false, text);
    fputs("{\"host\": ", stdout);
    json_string(stdout, host, strlen(host));
    if (address->kind == ADDRESS_INET)
        printf(", \"port\": %u", port_of(prober, finding));
    printf(", \"state\": \"%s\", \"ms\": %.3f", word_of(finding), (double)finding->took_us / 1000);
    if (finding->reason) {
        fputs(", \"reason\": ", stdout);
        json_string(stdout, finding->reason, strlen(finding->reason));
    }
    putchar('}');
}

static int show(const struct prober *prober, struct error *err)
{
    bool json = prober->probing->options->json;
    const char *before = "[";
    for (size_t i = 0; i < prober->count; i++) {
        const struct finding *finding = &prober->findings[i];
        if (!finding->known)
            continue;
        if (json) {
            fputs(before, stdout);
            show_object(prober, finding);
            before = ",\n ";
        } else if (is_open(finding) || prober->probing->is_detailed) {
            show_line(prober, finding);
        }
    }
    if (json)
        puts(*before == '[' ? "[]" : "]");
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return errno == EPIPE ? error_silent(err, STATUS_LOCAL_IO)
                          : error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}

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

static void prepare(struct prober *prober)
{
    const struct probing *probing = prober->probing;
    prober->count = probing->ports->count ? probing->ports->count : 1;
    prober->findings = memory_new(prober->count, sizeof *prober->findings);
    prober->order = memory_new(prober->count, sizeof *prober->order);
    for (size_t i = 0; i < prober->count; i++) {
        prober->order[i] = i;
        if (probing->ports->count)
            prober->findings[i].port = probing->ports->numbers[i];
    }
    if (probing->options->random)
        shuffle(prober->order, prober->count);
}

int probe(struct loop *loop, const struct probing *probing, struct error *err)
{
    struct prober prober = {.probing = probing, .loop = loop};
    struct error unshown;
    prepare(&prober);
    int result = source_read(&prober.source, loop, probing->address, probing->dial, err);
    if (result == 0)
        result = probe_with_patience(&prober, err);
    /* What is open is said even where something else is not. */
    if (prober.resolved.count && !probing->is_quiet && show(&prober, result ? &unshown : err))
        result = -1;
    forget_reasons(&prober);
    resolved_release(&prober.resolved);
    free(prober.findings);
    free(prober.order);
    return result;
}
