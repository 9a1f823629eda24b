/*
 * One name, or address, is looked up: by the system's resolver (find_address, find_name), or by DNS where a type of
 * records is asked for (find_records). With --explain each address is given its provenance and its place in the order
 * of RFC 6724. Everything lies in the answer, so that several threads can do this at once.
 */
#include "cmd/resolve/resolve_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "net/hostname.h"
#include "proto/dns_data.h"
#include "proto/idna.h"
#include "sys/loop.h"

struct resolve_answer *resolve_answer_new(const char *query, size_t length, uint16_t type)
{
    struct resolve_answer *answer = memory_new(1, sizeof *answer);
    answer->query = memory_copy(query, length);
    answer->length = length;
    answer->type = type;
    return answer;
}

void resolve_answer_free(struct resolve_answer *answer)
{
    names_release(&answer->names);
    dns_release(&answer->lines);
    free(answer->origins);
    free(answer->reasons);
    free(answer->query);
    error_forget(&answer->failure);
    free(answer);
}

/* Asks the system's resolver about an address. */
static int find_address(struct resolve_answer *answer, const struct sockname *address,
                        const struct resolve_options *given, struct error *err)
{
    const int family = given->family.family;
    const bool alone = given->brief && !given->json && !given->explain;
    if (family != AF_UNSPEC && family != address->storage.ss_family)
        return hostname_fail(answer->query,
                             family == AF_INET ? "not an IPv4 address" : "not an IPv6 address",
                             err);
    if (given->reverse || !(given->family.numeric || alone))
        return names_find_address(&answer->names, answer->query, address, given->service, err);
    /* The address alone is asked for, and there it is. */
    return names_find(&answer->names, answer->query, family, given->service, err);
}

/* Says of a word that is no name what it may be meant for. Returns -1. */
static int add_word_hint(const char *word, struct error *err)
{
    static const struct {
        char words[72];
        char hint[64];
    } hints[] = {
        {" hosts ahosts ahostsv4 ahostsv6 ", " (a name stands alone: sockctl resolve NAME)"},
        {" passwd group services protocols networks shadow netgroup ",
         " (getent(1) has this database)"},
        {" server ", " (a server is given with --server ADDR)"},
        {" http https ssh smtp domain ftp imap ", " (a service is given with -P SERVICE)"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        const char *found = strstr(hints[i].words, word);
        if (found > hints[i].words && found[-1] == ' ' && found[strlen(word)] == ' ')
            return error_add(err, "%s", hints[i].hint);
    }
    return -1;
}

/* Asks the system's resolver for a name. */
static int find_name(struct resolve_answer *answer, const struct resolve_options *given,
                     struct error *err)
{
    const char *wrong = hostname_check(answer->query);
    if (given->reverse)
        wrong = "not an IPv4 or IPv6 address";
    else if (given->family.numeric)
        wrong = "not a numeric address (-n forbids look-ups)";
    if (wrong)
        return hostname_fail(answer->query, wrong, err);
    if (names_find(&answer->names, answer->query, given->family.family, given->service, err))
        return add_word_hint(answer->query, err);
    if (!given->brief || given->json)
        names_add_aliases(&answer->names, answer->query);
    return 0;
}

/* Asks DNS. */
static int find_records(struct resolve_answer *answer, const struct resolve_plan *plan,
                        struct error *err)
{
    struct sockname address;
    const char *name = answer->query;
    const bool reverse = plan->given.reverse;
    const bool is_type_ours = !plan->given.types.count;
    int literal = 0;
    if (answer->type == DNS_PTR || reverse || is_type_ours)
        literal = hostname_read_literal(name, &address, err);
    if (literal < 0)
        return -1;
    if (literal) {
        char reverse_name[DNS_REVERSE_MAX];
        if (is_type_ours)
            answer->type = DNS_PTR;
        return dns_find(&plan->dns, dns_reverse_name(&address, reverse_name), answer->type,
                        &answer->lines, err);
    }
    if (reverse || !idna_is_ascii(name))
        return hostname_fail(name,
                             reverse ? "not an IPv4 or IPv6 address"
                                     : "with -t a name has to be in its encoded form (xn--...)",
                             err);
    return dns_find(&plan->dns, name, answer->type, &answer->lines, err);
}

/* Where an address is from: the system's resolver does not say, so its sources are asked once more, the hosts file first,
 * then DNS for the families in which an address is still open. */

struct finding {
    const struct names *names;
    const char *host;
    struct provenance *found; /* for each address */
};

/* Notes where an address is from, unless that is known. Ports do not count. */
static void add_provenance(const struct finding *finding, const struct sockname *address,
                           const char *text)
{
    const struct resolved *addresses = &finding->names->addresses;
    for (size_t i = 0; i < addresses->count; i++) {
        struct sockname name = *address;
        sockname_set_port(&name, sockname_port(&addresses->names[i]));
        if (sockname_is_same(&addresses->names[i], &name) && !*finding->found[i].text)
            snprintf(finding->found[i].text, PROVENANCE_TEXT_MAX, "%s", text);
    }
}

static bool finding_visit_hosts(void *context, const char *name, const struct sockname *address,
                                unsigned line)
{
    const struct finding *finding = context;
    char text[PROVENANCE_TEXT_MAX];
    snprintf(text, sizeof text, "hosts file, line %u", line);
    if (strcasecmp(name, finding->host) == 0)
        add_provenance(finding, address, text);
    return false;
}

/* Asks for the records of `type` if an address of the family is still without a provenance. */
static void finding_ask_dns(const struct finding *finding, const struct dns_options *options,
                            int family, uint16_t type)
{
    const struct resolved *addresses = &finding->names->addresses;
    char text[PROVENANCE_TEXT_MAX], server[SOCKNAME_TEXT_MAX];
    struct dns_lines found;
    struct sockname address;
    struct error ignored;
    size_t open = 0;
    while (open < addresses->count &&
           (*finding->found[open].text || addresses->names[open].storage.ss_family != family))
        open++;
    if (open == addresses->count)
        return;
    int result = dns_find(options, finding->host, type, &found, &ignored);
    for (size_t i = 0; i < found.count && !result; i++) {
        if (hostname_read_literal(found.lines[i].data, &address, &ignored) != 1)
            continue;
        snprintf(text, sizeof text, "DNS server %s, TTL %lu", sockname_text(&found.server, server),
                 (unsigned long)found.lines[i].ttl);
        add_provenance(finding, &address, text);
    }
    dns_release(&found);
}

/* Finds where each of the addresses of what was found as `host` is from: "hosts file, line 3", "DNS server 127.0.0.1:53,
 * TTL 60", "another source than the hosts file and DNS". Returns an array of one for each address, to be given to free(). */
static struct provenance *find_provenance(const struct names *names, const char *host,
                                          const struct dns_options *options)
{
    const size_t count = names->addresses.count;
    struct finding finding = {names, hostname_to_ask(host), NULL};
    const struct hosts_visitor visitor = {finding_visit_hosts, &finding};
    finding.found = memory_new(count + 1, sizeof *finding.found);
    hostname_read_hosts(&visitor);
    finding_ask_dns(&finding, options, AF_INET, DNS_A);
    finding_ask_dns(&finding, options, AF_INET6, DNS_AAAA);
    for (size_t i = 0; i < count; i++)
        if (!*finding.found[i].text)
            snprintf(finding.found[i].text, PROVENANCE_TEXT_MAX,
                     "another source than the hosts file and DNS");
    return finding.found;
}

/* --explain: says of each address where it is from, and why it is in its place. */
static void explain_addresses(struct resolve_answer *answer, const struct resolve_plan *plan,
                              bool is_literal)
{
    const struct resolved *addresses = &answer->names.addresses;
    struct address_order before, own;
    const char *host = idna_is_ascii(answer->query) ? answer->query : answer->names.name;
    if (is_literal)
        answer->origins = memory_new(addresses->count + 1, sizeof *answer->origins);
    else
        answer->origins = find_provenance(&answer->names, host, &plan->dns);
    answer->reasons = memory_new(addresses->count + 1, sizeof *answer->reasons);
    for (size_t i = 0; i < addresses->count; i++) {
        struct resolve_reason *reason = &answer->reasons[i];
        if (is_literal)
            snprintf(answer->origins[i].text, PROVENANCE_TEXT_MAX, "the address given");
        address_order_find(&own, &addresses->names[i]);
        strcpy(reason->source, "none");
        if (own.reachable)
            sockname_host(&own.source, reason->source);
        reason->precedence = own.precedence;
        reason->label = own.label;
        reason->scope = own.scope;
        reason->rule = i ? address_order_rule(&before, &own) : NULL;
        before = own;
    }
}

void resolve_answer_find(struct resolve_answer *answer, const struct resolve_plan *plan)
{
    const int64_t began = loop_now_us();
    struct sockname address;
    struct error err;
    int is_literal = 0, result;
    if (strlen(answer->query) != answer->length)
        result = hostname_fail(answer->query, "a NUL follows", &err);
    else if (answer->type)
        result = find_records(answer, plan, &err);
    else if ((is_literal = hostname_read_literal(answer->query, &address, &err)) < 0)
        result = -1;
    else
        result = is_literal ? find_address(answer, &address, &plan->given, &err)
                            : find_name(answer, &plan->given, &err);
    if (!result && !answer->type && plan->given.explain)
        explain_addresses(answer, plan, is_literal);
    answer->found = result == 0;
    if (!answer->found)
        error_keep(&answer->failure, &err);
    answer->took_us = loop_now_us() - began;
}
