#include "cmd/resolve/resolve_show.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/json.h"
#include "cli/report.h"
#include "proto/dns_data.h"

/* What a server says goes to a terminal: nothing there is to be obeyed by it. */
static void put_escaped(const char *text)
{
    char shown[4];
    for (; *text; text++) {
        size_t length = text_escape(shown, sizeof shown, text, 1);
        fwrite(shown, 1, length, stdout);
    }
}

/* With its zone, and an IPv4-mapped address as the IPv6 address that it is. */
static const char *host_and_zone_text(const struct sockname *address, char *out)
{
    if (getnameinfo((const struct sockaddr *)(const void *)&address->storage, address->length, out,
                    SOCKNAME_TEXT_MAX, NULL, 0, NI_NUMERICHOST))
        memcpy(out, "?", 2);
    return out;
}

static const char *family_of(const struct sockname *address)
{
    return address->storage.ss_family == AF_INET ? "IPv4" : "IPv6";
}

/* The types of sockets that a service has. */
static const struct {
    int type;
    const char *name;
} socktypes[] = {{SOCK_STREAM, "stream"}, {SOCK_DGRAM, "dgram"}, {SOCK_RAW, "raw"}};

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

/* Blocks */

static void show_name(const char *key, const char *name)
{
    printf("%-10s", key);
    put_escaped(name);
    putchar('\n');
}

static void show_lines(const struct dns_lines *lines)
{
    char type[DNS_TYPE_TEXT_MAX];
    for (size_t i = 0; i < lines->count; i++) {
        const struct dns_line *line = &lines->lines[i];
        printf("%-10s%s   %lu   %s   %s\n", "record", line->name, (unsigned long)line->ttl,
               dns_type_text(line->type, type), line->data);
    }
}

static void show_block(const struct resolve_answer *answer, const struct resolve_plan *plan)
{
    const struct names *names = &answer->names;
    char text[SOCKNAME_TEXT_MAX];
    show_name("name", names->name);
    for (size_t i = 0; i < names->alias_count; i++)
        show_name("alias", names->aliases[i]);
    for (size_t i = 0; i < names->addresses.count; i++) {
        const struct sockname *address = &names->addresses.names[i];
        printf("%-10s%s   %s", "address", host_and_zone_text(address, text), family_of(address));
        if (plan->given.service) {
            printf("   port %u   ", sockname_port(address));
            put_socktypes(names->socktypes[i], "", " ");
        }
        putchar('\n');
    }
}

/* The data, or the addresses, alone; where an address's name was asked for, that. */
static void show_short(const struct resolve_answer *answer, const struct resolve_plan *plan)
{
    const struct names *names = &answer->names;
    char text[SOCKNAME_TEXT_MAX];
    for (size_t i = 0; i < answer->lines.count; i++)
        if (answer->lines.lines[i].type == plan->type || plan->type == DNS_ANY)
            puts(answer->lines.lines[i].data);
    if (plan->given.reverse && names->name) {
        put_escaped(names->name);
        putchar('\n');
        return;
    }
    for (size_t i = 0; i < names->addresses.count; i++) {
        const struct sockname *address = &names->addresses.names[i];
        const bool brackets = plan->given.service && address->storage.ss_family == AF_INET6;
        printf(brackets ? "[%s]" : "%s", host_and_zone_text(address, text));
        if (plan->given.service)
            printf(":%u", sockname_port(address));
        putchar('\n');
    }
}

/* JSON */

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
           host_and_zone_text(address, text), family_of(address),
           address->storage.ss_family == AF_INET ? 4 : 16);
    if (with_service) {
        printf(", \"port\": %u, \"types\": [", sockname_port(address));
        put_socktypes(answer->names.socktypes[i], "\"", ", ");
        putchar(']');
    }
    if (answer->origins) {
        put_member("origin", answer->origins[i].text);
        put_member("place", answer->reasons[i].text);
    }
    putchar('}');
}

static void put_json_lines(const struct dns_lines *lines)
{
    char type[DNS_TYPE_TEXT_MAX];
    for (size_t i = 0; i < lines->count; i++) {
        const struct dns_line *line = &lines->lines[i];
        fputs(i ? ", {\"name\": " : "{\"name\": ", stdout);
        put_json(line->name);
        printf(", \"ttl\": %lu", (unsigned long)line->ttl);
        put_member("type", dns_type_text(line->type, type));
        put_member("data", line->data);
        putchar('}');
    }
}

/* The canonical name; of records, what the last of them belongs to. */
static void put_json_name(const struct resolve_answer *answer)
{
    const struct dns_lines *lines = &answer->lines;
    fputs(", \"name\": ", stdout);
    if (!lines->count) {
        put_json(answer->names.name);
        return;
    }
    const char *name = lines->lines[lines->count - 1].name;
    json_string(stdout, name, strlen(name) - (strlen(name) > 1));
}

static void show_json(const struct resolve_answer *answer, const struct resolve_plan *plan)
{
    const struct names *names = &answer->names;
    fputs("\n  {\"query\": ", stdout);
    json_string(stdout, answer->query, answer->length);
    put_json_name(answer);
    fputs(", \"aliases\": [", stdout);
    for (size_t i = 0; i < names->alias_count; i++) {
        fputs(i ? ", " : "", stdout);
        put_json(names->aliases[i]);
    }
    fputs("], \"addresses\": [", stdout);
    for (size_t i = 0; i < names->addresses.count; i++)
        put_json_address(answer, i, plan->given.service);
    if (plan->type) {
        fputs("], \"records\": [", stdout);
        put_json_lines(&answer->lines);
    }
    putchar(']');
    if (plan->given.timing)
        printf(", \"ms\": %.3f", (double)answer->took_us / 1000);
    put_member("error", answer->found ? NULL : answer->error.text);
    putchar('}');
}

bool resolve_show(const struct resolve_answer *answer, const struct resolve_plan *plan, bool first)
{
    const struct resolve_options *given = &plan->given;
    if (given->json) {
        fputs(first ? "" : ",", stdout);
        show_json(answer, plan);
    } else if (!answer->found && !answer->lines.count) {
        return false;
    } else if (given->brief) {
        show_short(answer, plan);
    } else {
        fputs(first ? "" : "\n", stdout);
        show_lines(&answer->lines);
        if (!plan->type)
            show_block(answer, plan);
    }
    return true;
}

/* What is told */

void resolve_tell(const struct resolve_answer *answer, const struct resolve_plan *plan)
{
    const struct resolved *addresses = &answer->names.addresses;
    char text[SOCKNAME_TEXT_MAX];
    if (!answer->found)
        report_warning("%s", answer->error.text);
    if (plan->given.json)
        return;
    for (size_t i = 0; answer->origins && i < addresses->count; i++)
        log_warning("%s: from %s; %s", host_and_zone_text(&addresses->names[i], text),
                    answer->origins[i].text, answer->reasons[i].text);
    if (plan->given.explain && answer->lines.server.length)
        log_warning("%.100s: from DNS server %s", answer->query,
                    sockname_text(&answer->lines.server, text));
    if (plan->given.timing)
        log_warning("%.100s: %.3f ms", answer->query, (double)answer->took_us / 1000);
}
