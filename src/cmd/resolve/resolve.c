/*
 * sockctl resolve: what the system's resolver makes of names and addresses, and what DNS has of them.
 *
 * `run` makes a plan of the options (what is asked, and whom), has each name looked up (resolve_answer), one
 * by itself or many at the same time (resolve_queue), and shows the answers in the order of the names: as
 * blocks, short or in JSON on stdout, with --explain, --timing and failures on stderr.
 */
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cmd/resolve/explanation.h"
#include "cmd/resolve/resolve_queue.h"
#include "command.h"
#include "dns/names.h"
#include "net/hostname.h"
#include "proto/dns_data.h"
#include "sys/sandbox.h"

static const struct opt options[] = {
    OPT_GROUP("lookup", "Look-up"),
    FAMILY_ROWS(struct resolve_options, family),
    OPT('x', "reverse", flag, struct resolve_options, reverse, "reverse look-ups only"),
    OPT('P', "service", port, struct resolve_options, service,
        "show port and socket types for service PORT"),
    OPT('w', "timeout", limit, struct resolve_options, timeout_ms, "limit for each name"),
    OPT_GROUP("dns", "DNS"),
    OPT('t', "type", record, struct resolve_options, types,
        "ask DNS for such records (A, MX, TXT, TYPE257...); several -t: for each"),
    OPT(0, "server", host, struct resolve_options, server, "DNS: ask ADDR or ADDR:PORT"),
    OPT(0, "tcp", flag, struct resolve_options, tcp, "DNS: ask over TCP"),
    GROUP_OUTPUT,
    OPT('s', "short", flag, struct resolve_options, brief, "the addresses or data alone"),
    OPT('j', "json", flag, struct resolve_options, json,
        "an array of objects, one a name (and type)"),
    OPT(0, "explain", flag, struct resolve_options, explain,
        "tell where each address is from, and why it is in its place"),
    OPT(0, "timing", flag, struct resolve_options, timing, "tell how long each look-up took"),
    OPT_END,
};

static const struct resolve_options defaults = {.family = FAMILY_DEFAULTS, .timeout_ms = -1};

/* Prints what a server says, of which a terminal is to obey nothing. */
static void put_escaped(const char *text)
{
    char shown[4];
    for (; *text; text++) {
        size_t length = text_escape(shown, sizeof shown, text, 1);
        fwrite(shown, 1, length, stdout);
    }
}

static const char *family_name(const struct sockname *address)
{
    return address->storage.ss_family == AF_INET ? "IPv4" : "IPv6";
}

/* The types of sockets that a service has. */
static const struct {
    int type;
    const char *name;
} socktypes[] = {{SOCK_STREAM, "stream"}, {SOCK_DGRAM, "dgram"}, {SOCK_RAW, "raw"}};

/* Prints their names, in quotes where `form` is not empty. */
static void put_socktypes(unsigned types, const char *form, const char *separator)
{
    const char *before = "";
    for (size_t i = 0; i < sizeof socktypes / sizeof *socktypes; i++) {
        if (!(types >> socktypes[i].type & 1))
            continue;
        fputs(before, stdout);
        printf(*form ? "\"%s\"" : "%s", socktypes[i].name);
        before = separator;
    }
}

static void show_name(const char *key, const char *name)
{
    printf("%-10s", key);
    put_escaped(name);
    putchar('\n');
}

/* Prints the records, or, where no type was asked for, the name and its addresses. */
static void show_block(const struct resolve_answer *answer, const struct resolve_plan *plan)
{
    const struct names *names = &answer->names;
    char text[SOCKNAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    for (size_t i = 0; i < answer->lines.count; i++) {
        const struct dns_line *line = &answer->lines.lines[i];
        printf("%-10s%s   %lu   %s   %s\n", "record", line->name, (unsigned long)line->ttl,
               dns_type_text(line->type, type), line->data);
    }
    if (answer->type)
        return;
    show_name("name", names->name);
    for (size_t i = 0; i < names->alias_count; i++)
        show_name("alias", names->aliases[i]);
    for (size_t i = 0; i < names->addresses.count; i++) {
        const struct sockname *address = &names->addresses.names[i];
        printf("%-10s%s   %s", "address", explanation_host(address, text), family_name(address));
        if (plan->given.service) {
            printf("   port %u   ", sockname_port(address));
            put_socktypes(names->socktypes[i], "", " ");
        }
        putchar('\n');
    }
}

/* Prints the data, or the addresses, alone; where an address's name was asked for, that. */
static void show_short(const struct resolve_answer *answer, const struct resolve_plan *plan)
{
    const struct names *names = &answer->names;
    char text[SOCKNAME_TEXT_MAX];
    for (size_t i = 0; i < answer->lines.count; i++)
        if (answer->lines.lines[i].type == answer->type)
            puts(answer->lines.lines[i].data);
    if (plan->given.reverse && names->name) {
        put_escaped(names->name);
        putchar('\n');
        return;
    }
    for (size_t i = 0; i < names->addresses.count; i++) {
        const struct sockname *address = &names->addresses.names[i];
        const bool brackets = plan->given.service && address->storage.ss_family == AF_INET6;
        printf(brackets ? "[%s]" : "%s", explanation_host(address, text));
        if (plan->given.service)
            printf(":%u", sockname_port(address));
        putchar('\n');
    }
}

static void put_json(const char *text)
{
    if (text)
        json_string(stdout, text, strlen(text));
    else
        fputs("null", stdout);
}

static void put_member(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    put_json(text);
}

static void put_json_address(const struct resolve_answer *answer, size_t i, bool with_service)
{
    char text[SOCKNAME_TEXT_MAX];
    const struct sockname *address = &answer->names.addresses.names[i];
    printf("%s{\"address\": \"%s\", \"family\": \"%s\", \"length\": %d", i ? ", " : "",
           explanation_host(address, text), family_name(address),
           address->storage.ss_family == AF_INET ? 4 : 16);
    if (with_service) {
        printf(", \"port\": %u, \"types\": [", sockname_port(address));
        put_socktypes(answer->names.socktypes[i], "\"", ", ");
        putchar(']');
    }
    if (answer->origins) {
        char place[EXPLANATION_MAX];
        put_member("origin", answer->origins[i].text);
        put_member("place", explanation_place(answer, i, place));
    }
    putchar('}');
}

static void put_json_remarks(const struct dns_lines *found)
{
    fputs(", \"extended_errors\": [", stdout);
    for (size_t i = 0; i < found->remark_count; i++) {
        const struct dns_remark *remark = &found->remarks[i];
        printf("%s{\"code\": %u", i ? ", " : "", remark->code);
        put_member("name", remark->name);
        put_member("text", remark->text);
        putchar('}');
    }
    putchar(']');
}

static void show_json(const struct resolve_answer *answer, const struct resolve_plan *plan)
{
    const struct names *names = &answer->names;
    const struct dns_lines *records = &answer->lines;
    fputs("\n  {\"query\": ", stdout);
    json_string(stdout, answer->query, answer->length);
    if (answer->type) {
        char type[DNS_TYPE_TEXT_MAX];
        put_member("type", dns_type_text(answer->type, type));
    }
    fputs(", \"name\": ", stdout);
    if (records->count) {
        /* What the last of the records belongs to, without the dot at its end. */
        const char *name = records->lines[records->count - 1].name;
        json_string(stdout, name, strlen(name) - (strlen(name) > 1));
    } else
        put_json(names->name); /* the canonical one */
    fputs(", \"aliases\": [", stdout);
    for (size_t i = 0; i < names->alias_count; i++) {
        fputs(i ? ", " : "", stdout);
        put_json(names->aliases[i]);
    }
    fputs("], \"addresses\": [", stdout);
    for (size_t i = 0; i < names->addresses.count; i++)
        put_json_address(answer, i, plan->given.service);
    if (answer->type)
        fputs("], \"records\": [", stdout);
    for (size_t i = 0; i < records->count; i++) {
        const struct dns_line *line = &records->lines[i];
        char type[DNS_TYPE_TEXT_MAX];
        fputs(i ? ", {\"name\": " : "{\"name\": ", stdout);
        put_json(line->name);
        printf(", \"ttl\": %lu", (unsigned long)line->ttl);
        put_member("type", dns_type_text(line->type, type));
        put_member("data", line->data);
        putchar('}');
    }
    putchar(']');
    if (answer->type)
        put_json_remarks(records);
    if (plan->given.timing)
        printf(", \"ms\": %.3f", (double)answer->took_us / 1000);
    put_member("error", answer->found ? NULL : answer->failure.text);
    putchar('}');
}

/* Writes what was asked, as messages have it, into `out`: the name, with the type where there are several. */
static void write_question(char *out, size_t room, const struct resolve_answer *answer,
                           const struct resolve_plan *plan)
{
    if (plan->type_count > 1) {
        char type[DNS_TYPE_TEXT_MAX];
        snprintf(out, room, "%.100s %s", answer->query, dns_type_text(answer->type, type));
        return;
    }
    snprintf(out, room, "%.100s", answer->query);
}

/* Shows the failure, --explain and --timing on stderr. */
static void show_on_stderr(const struct resolve_answer *answer, const struct resolve_plan *plan)
{
    char question[128], server[SOCKNAME_TEXT_MAX];
    if (!answer->found)
        report_warning("%s", answer->failure.text);
    if (plan->given.json)
        return;
    explanation_show(answer);
    write_question(question, sizeof question, answer, plan);
    if (answer->lines.server.length)
        sockname_text(&answer->lines.server, server);
    if (plan->given.explain && answer->lines.server.length)
        log_warning("%s: from DNS server %s", question, server);
    if (answer->found && answer->lines.remark_count) {
        char remarks[DNS_REMARKS_MAX];
        log_warning("%s: DNS server %s says: %s", question, server,
                    dns_remarks_text(&answer->lines, remarks));
    }
    if (plan->given.timing)
        log_warning("%s: %.3f ms", question, (double)answer->took_us / 1000);
}

/* What one run of the command has come to. */
struct resolving {
    struct resolve_plan plan;
    size_t shown; /* answers on stdout */
    int status;   /* of the failures: not found before time limits before records */
    bool left;    /* some look-ups go on, and use the plan */
};

/* Refuses what is no name in any sense, before anything is asked. */
static int check_words(const struct operands *operands, struct error *err)
{
    enum { LONGEST = 1024, PORT_DIGITS = 5 };
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
        /* HOST PORT; of HOST:PORT, hostname_check says it. */
        if (i > 0 && length <= PORT_DIGITS && text_is_digits(word, length))
            return error_set(err, STATUS_USAGE, "'%s' is a port, which is no name (with it: -P %s)",
                             word, word);
    }
    return 0;
}

/* host(1) and nslookup(1) take a second word for the server, dig(1) for the type. */
static void hint_at_server(const struct operands *operands, const struct resolve_options *given)
{
    struct sockname literal;
    struct error ignored;
    /* In capitals it is refused, as dig's. */
    for (int i = 1; i < operands->count && !given->types.count && !given->json; i++)
        if (dns_type_read(operands->words[i]))
            report_warning("%s is looked up, too; to ask for such records, type -t %s",
                           operands->words[i], operands->words[i]);
    if (operands->count == 2 && !given->reverse && !given->server && !given->json &&
        hostname_read_literal(operands->words[0], &literal, &ignored) == 0 &&
        hostname_read_literal(operands->words[1], &literal, &ignored) == 1)
        report_warning("%s is looked up, too; to ask it as a server, type --server %s",
                       operands->words[1], operands->words[1]);
}

/* Reads one TYPE of --type. Returns 0 where it is none, and *err says why. */
static uint16_t read_type(const char *text, struct error *err)
{
    const uint16_t type = dns_type_read(text);
    const bool is_transfer = type == DNS_AXFR || type == DNS_IXFR;
    if (type && type != DNS_ANY && !is_transfer)
        return type;
    error_set(err, STATUS_USAGE, "option --type: '%.100s' ", text);
    if (type == DNS_ANY)
        error_add(err, "is what servers no longer answer (RFC 8482); name the types: -t A -t AAAA "
                       "-t MX ...");
    else if (is_transfer)
        error_add(err, "is a whole zone, which sockctl does not ask for: dig AXFR NAME @SERVER");
    else if (strchr(text, ','))
        error_add(err, "is not a type of DNS records; several are given as -t A -t AAAA");
    else
        error_add(err, "is not a type of DNS records (A, AAAA, MX, TXT, TYPE257 ...)");
    return 0;
}

static bool plan_has_type(const struct resolve_plan *plan, uint16_t type)
{
    for (size_t i = 0; i < plan->type_count; i++)
        if (plan->types[i] == type)
            return true;
    return false;
}

/* Decides on the types: those that were given, each once; where DNS is meant without one, that of addresses; else 0. */
static int plan_types(struct resolve_plan *plan, const struct resolve_options *given,
                      struct error *err)
{
    plan->types = memory_new(given->types.count + 1, sizeof *plan->types);
    for (size_t i = 0; i < given->types.count; i++) {
        const uint16_t type = read_type(given->types.items[i], err);
        if (!type)
            return -1;
        if (!plan_has_type(plan, type))
            plan->types[plan->type_count++] = type;
    }
    if (plan->type_count)
        return 0;
    plan->type_count = 1;
    if (!given->server && !given->tcp)
        return 0;
    /* With a server, or TCP, it is DNS that is meant: addresses then, as dig(1) has it. */
    plan->types[0] = given->family.family == AF_INET6 ? DNS_AAAA : DNS_A;
    if (given->reverse)
        plan->types[0] = DNS_PTR;
    return 0;
}

/* Writes what nsswitch.conf(5) has for hosts, "files dns", into `out`. */
static void read_sources(char *out, size_t room)
{
    snprintf(out, room,
             "the hosts file, DNS"); /* without that file, and in other libcs than glibc */
#ifdef __GLIBC__
    FILE *file = fopen("/etc/nsswitch.conf", "re");
    char *line = NULL, *sources = NULL;
    size_t line_room = 0;
    while (file && !sources && getline(&line, &line_room, file) >= 0) {
        line[strcspn(line, "#\n")] = '\0';
        sources = line + strspn(line, " \t");
        sources = text_starts_with(sources, "hosts:") ? sources + strlen("hosts:") : NULL;
    }
    if (sources) {
        sources += strspn(sources, " \t");
        size_t length = strlen(sources);
        while (length && isspace((unsigned char)sources[length - 1]))
            length--;
        snprintf(out, room, "%.*s (nsswitch.conf)", (int)(length > 100 ? 100 : length), sources);
    }
    free(line);
    if (file)
        fclose(file);
#endif
}

/* Says, at -v, where the system's resolver looks. */
static void note_sources(const struct resolv_conf *conf)
{
    char sources[160], servers[RESOLV_SERVERS_MAX * (SOCKNAME_TEXT_MAX + 1)] = "";
    read_sources(sources, sizeof sources);
    for (size_t i = 0; i < conf->server_count; i++) {
        char text[SOCKNAME_TEXT_MAX];
        const size_t used = strlen(servers);
        snprintf(servers + used, sizeof servers - used, " %s",
                 sockname_text(&conf->servers[i], text));
    }
    log_note(LOG_LEVEL_INFO, "names are looked up in: %s; DNS servers:%s", sources, servers);
}

/* Decides on what is asked, and whom. */
static int make_plan(struct resolve_plan *plan, const struct resolve_options *given,
                     struct error *err)
{
    plan->given = *given;
    if (plan_types(plan, given, err))
        return -1;
    const bool asks_dns = plan->types[0];
    if (given->brief && given->json)
        return error_set(err, STATUS_USAGE, "options --short and --json exclude each other");
    if (given->types.count && given->family.family != AF_UNSPEC)
        return error_set(err, STATUS_USAGE,
                         "option --%s: the records are those of --type: A for IPv4, AAAA for IPv6",
                         given->family.family == AF_INET ? "ipv4" : "ipv6");
    if (given->types.count && given->reverse && !plan_has_type(plan, DNS_PTR))
        return error_set(err, STATUS_USAGE, "option --reverse: with --type, PTR alone");
    if (asks_dns && given->service)
        return error_set(err, STATUS_USAGE, "option --service: DNS records have no service");
    if (asks_dns && given->family.numeric)
        return error_set(err, STATUS_USAGE, "option --numeric forbids to ask DNS");
    if (given->service && names_lack_service(given->service))
        return error_set(err, STATUS_USAGE, "unknown service '%.100s'", given->service);
    const bool has_note = log_setting.verbosity >= LOG_LEVEL_INFO && !asks_dns &&
                          !given->family.numeric;
    if (!asks_dns && !given->explain && !has_note)
        return 0;
    plan->dns.tcp = given->tcp;
    plan->dns.limit_ms = given->timeout_ms;
    resolv_conf_read(&plan->dns.conf);
    if (has_note)
        note_sources(&plan->dns.conf);
    if (!given->server)
        return 0;
    /* dig(1) has an '@' before it. */
    return dns_set_server(&plan->dns.conf, given->server + (*given->server == '@'),
                          given->timeout_ms, err);
}

/* Shows the answer, and frees it. */
static int show_answer(struct resolving *resolving, struct resolve_answer *answer,
                       struct error *err)
{
    const struct resolve_plan *plan = &resolving->plan;
    const int status = answer->found ? STATUS_OK : answer->failure.status;
    const bool is_first = resolving->shown == 0, is_json = plan->given.json;
    if (is_json || answer->found || answer->lines.count) {
        resolving->shown++;
        if (is_json) {
            fputs(is_first ? "" : ",", stdout);
            show_json(answer, plan);
        } else if (plan->given.brief) {
            show_short(answer, plan);
        } else {
            fputs(is_first ? "" : "\n", stdout);
            show_block(answer, plan);
        }
    }
    int result = report_flush_stdout(err); /* before the next one is waited for */
    if (!result)
        show_on_stderr(answer, plan);
    if (status && (!resolving->status || status < resolving->status))
        resolving->status = status;
    resolve_answer_free(answer);
    return result;
}

static int resolve_all(struct resolving *resolving, const struct operands *operands,
                       struct error *err)
{
    const struct resolve_plan *plan = &resolving->plan;
    const bool is_limited = plan->given.timeout_ms >= 0 && !plan->types[0];
    bool has_stdin = false;
    struct resolve_answer *answer;
    int errnum;
    for (int i = 0; i < operands->count; i++)
        has_stdin = has_stdin || strcmp(operands->words[i], "-") == 0;
    if (operands->count == 1 && plan->type_count == 1 && !is_limited &&
        !has_stdin) { /* it needs no thread */
        answer = resolve_answer_new(operands->words[0], strlen(operands->words[0]), plan->types[0]);
        resolve_answer_find(answer, plan);
        return show_answer(resolving, answer, err);
    }
    struct resolve_queue *queue = resolve_queue_new(plan, operands->words);
    resolving->left = true;
    if (resolve_queue_start(queue, has_stdin ? 0 : (size_t)operands->count * plan->type_count, err))
        return -1;
    while ((answer = resolve_queue_next(queue, &errnum)))
        if (show_answer(resolving, answer, err))
            return -1;
    resolving->left = !resolve_queue_free(queue);
    return errnum ? error_system(err, STATUS_LOCAL_IO, errnum, "read stdin") : 0;
}

/* What asks DNS alone, or nobody, has no need of the system's resolver. */
static void enter_sandbox(const struct resolve_plan *plan, const struct operands *operands)
{
    const bool is_own = plan->types[0] || (plan->given.family.numeric && !plan->given.service);
    struct sandbox sandbox;
    if (operands->no_sandbox)
        return;
    if (plan->types[0])
        tzset(); /* gmtime(3) would do it, and read a file, for the times of an RRSIG */
    sandbox_init(&sandbox, is_own ? SANDBOX_SOCKETS | SANDBOX_THREADS : SANDBOX_LOOKUP);
    sandbox_enter(&sandbox);
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    struct resolving resolving = {.shown = 0};
    const bool json = ((const struct resolve_options *)chosen)->json;
    if (check_words(operands, err))
        return -1;
    hint_at_server(operands, chosen);
    int result = make_plan(&resolving.plan, chosen, err);
    if (!result) {
        enter_sandbox(&resolving.plan, operands);
        if (json)
            putchar('[');
        result = resolve_all(&resolving, operands, err);
        if (json)
            puts(resolving.shown ? "\n]" : "]");
    }
    if (!resolving.left) {
        resolv_conf_release(&resolving.plan.dns.conf);
        free(resolving.plan.types);
    }
    if (result || report_flush_stdout(err))
        return -1;
    return resolving.status ? error_silent(err, resolving.status) : 0;
}

const struct command resolve_command = {
    .name = "resolve",
    .operands = "NAME...",
    .summary = "Show the names and addresses that a name or an address stands for",
    .operand_forms =
        "a host name, or an IP address, which is looked up in reverse; - for the lines of stdin",
    .used_most = "ipv4 ipv6 type server short json explain timing",
    .examples = "sockctl resolve example.com\n"
                "sockctl resolve -s -t MX example.com",
    .min_operands = 1,
    .max_operands = -1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
