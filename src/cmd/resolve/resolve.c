/*
 * sockctl resolve: what the system's resolver makes of names and addresses, and what DNS has of them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/resolve/resolve_queue.h"
#include "cmd/resolve/resolve_show.h"
#include "command.h"
#include "dns/names.h"
#include "proto/dns_data.h"

static const struct opt options[] = {
    FAMILY_ROWS(struct resolve_options, family),
    OPT('s', "short", flag, struct resolve_options, brief, "the addresses or data alone"),
    OPT('j', "json", flag, struct resolve_options, json, "an array of objects, one a name"),
    OPT('x', "reverse", flag, struct resolve_options, reverse,
        "the names of addresses; nothing else is taken"),
    OPT('P', "service", port, struct resolve_options, service, "with the port and socket types"),
    OPT('t', "type", record, struct resolve_options, type,
        "ask DNS for such records (A, MX, TXT, TYPE257...)"),
    OPT(0, "server", host, struct resolve_options, server, "DNS: ask ADDR or ADDR:PORT"),
    OPT(0, "tcp", flag, struct resolve_options, tcp, "DNS: ask over TCP"),
    OPT('w', "timeout", duration, struct resolve_options, timeout_ms, "limit for each name"),
    OPT(0, "explain", flag, struct resolve_options, explain,
        "tell where each address is from, and why it is in its place"),
    OPT(0, "timing", flag, struct resolve_options, timing, "tell how long each look-up took"),
    OPT_END,
};

static const struct resolve_options defaults = {.family = FAMILY_DEFAULTS, .timeout_ms = -1};

/* One run of the command. */
struct resolving {
    struct resolve_plan plan;
    size_t shown; /* answers on stdout */
    int status;   /* of the failures: not found before time limits before records */
    bool left;    /* some look-ups go on, and use the plan */
};

/* What is no name in any sense is refused before anything is asked. */
static int check_words(const struct operands *operands, struct error *err)
{
    enum { LONGEST = 1024 };
    for (int i = 0; i < operands->count; i++) {
        const char *word = operands->words[i];
        size_t length = strlen(word);
        if (!length)
            return error_set(err, STATUS_USAGE, "a name is empty");
        if (length > LONGEST)
            return error_set(err, STATUS_USAGE, "'%.60s...' is longer than any name", word);
        for (size_t at = 0; at < length; at++)
            if (iscntrl((unsigned char)word[at]))
                return error_set(err, STATUS_USAGE, "'%.60s' has a control character", word);
    }
    return 0;
}

/* With a server, or TCP, it is DNS that is meant: addresses then, as dig(1) has it. */
static int choose_type(struct resolve_plan *plan, struct error *err)
{
    const struct resolve_options *given = &plan->given;
    if (given->type) {
        plan->type = dns_type_read(given->type);
        if (!plan->type)
            return error_set(err, STATUS_USAGE,
                             "option --type: '%.100s' is not a type of DNS records (A, AAAA, MX, "
                             "TXT, TYPE257 ...)",
                             given->type);
    } else if (given->server || given->tcp) {
        plan->type = given->family.family == AF_INET6 ? DNS_AAAA : DNS_A;
        if (given->reverse)
            plan->type = DNS_PTR;
    }
    if (plan->type && given->service)
        return error_set(err, STATUS_USAGE, "option --service: DNS records have no service");
    if (plan->type && given->family.numeric)
        return error_set(err, STATUS_USAGE, "option --numeric forbids to ask DNS");
    return 0;
}

static int make_plan(struct resolve_plan *plan, const struct resolve_options *given,
                     struct error *err)
{
    plan->given = *given;
    if (choose_type(plan, err))
        return -1;
    if (given->service && names_lack_service(given->service))
        return error_set(err, STATUS_USAGE, "unknown service '%.100s'", given->service);
    if (!plan->type && !given->explain)
        return 0;
    plan->dns.tcp = given->tcp;
    plan->dns.limit_ms = given->timeout_ms;
    resolv_conf_read(&plan->dns.conf);
    if (!given->server)
        return 0;
    return dns_set_server(&plan->dns.conf, given->server, given->timeout_ms, err);
}

/* Each answer is on its way before the next is waited for. */
static int flush(struct error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    if (errno == EPIPE)
        return error_silent(err, STATUS_LOCAL_IO);
    return error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}

/* The answer is freed. */
static int show(struct resolving *resolving, struct resolve_answer *answer, struct error *err)
{
    const int status = answer->found ? STATUS_OK : answer->error.status;
    resolving->shown += resolve_show(answer, &resolving->plan, resolving->shown == 0);
    int result = flush(err);
    if (!result)
        resolve_tell(answer, &resolving->plan);
    if (status && (!resolving->status || status < resolving->status))
        resolving->status = status;
    resolve_answer_free(answer);
    return result;
}

/* One name needs no thread. */
static int resolve_one(struct resolving *resolving, const char *word, struct error *err)
{
    struct resolve_answer *answer = resolve_answer_new(word, strlen(word));
    resolve_answer_find(answer, &resolving->plan);
    return show(resolving, answer, err);
}

static int resolve_many(struct resolving *resolving, const struct operands *operands,
                        struct error *err)
{
    const struct resolve_input input = {.words = operands->words};
    struct resolve_queue *queue = resolve_queue_new(&resolving->plan, &input);
    size_t names = (size_t)operands->count;
    struct resolve_answer *answer;
    int errnum;
    for (int i = 0; i < operands->count; i++)
        if (strcmp(operands->words[i], "-") == 0)
            names = 0;
    resolving->left = true;
    if (resolve_queue_start(queue, names, err))
        return -1;
    while ((answer = resolve_queue_next(queue, &errnum)))
        if (show(resolving, answer, err))
            return -1;
    resolving->left = !resolve_queue_free(queue);
    return errnum ? error_system(err, STATUS_LOCAL_IO, errnum, "read stdin") : 0;
}

static int resolve_all(struct resolving *resolving, const struct operands *operands,
                       struct error *err)
{
    const struct resolve_plan *plan = &resolving->plan;
    const bool limited = plan->given.timeout_ms >= 0 && !plan->type;
    if (operands->count == 1 && !limited && strcmp(operands->words[0], "-") != 0)
        return resolve_one(resolving, operands->words[0], err);
    return resolve_many(resolving, operands, err);
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    struct resolving resolving = {.shown = 0};
    const bool json = ((const struct resolve_options *)chosen)->json;
    if (check_words(operands, err))
        return -1;
    int result = make_plan(&resolving.plan, chosen, err);
    if (!result) {
        if (json)
            putchar('[');
        result = resolve_all(&resolving, operands, err);
        if (json)
            puts(resolving.shown ? "\n]" : "]");
    }
    if (!resolving.left)
        resolv_conf_release(&resolving.plan.dns.conf);
    if (result || flush(err))
        return -1;
    return resolving.status ? error_silent(err, resolving.status) : 0;
}

const struct command resolve_command = {
    .name = "resolve",
    .operands = "NAME...",
    .summary = "Show the names and addresses that a name or an address stands for",
    .min_operands = 1,
    .max_operands = -1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
