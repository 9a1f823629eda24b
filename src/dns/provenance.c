#include "dns/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "net/hostname.h"
#include "proto/dns.h"

struct origins {
    const struct names *names;
    const char *host;
    struct provenance *found; /* for each address */
};

/* Ports do not count. */
static void add(const struct origins *origins, const struct sockname *address, const char *text)
{
    const struct resolved *addresses = &origins->names->addresses;
    for (size_t i = 0; i < addresses->count; i++) {
        struct sockname name = *address;
        sockname_set_port(&name, sockname_port(&addresses->names[i]));
        if (sockname_is_same(&addresses->names[i], &name) && !*origins->found[i].text)
            snprintf(origins->found[i].text, PROVENANCE_TEXT_MAX, "%s", text);
    }
}

static void read_hosts_line(const struct origins *origins, char *line, unsigned number)
{
    struct sockname address;
    struct error ignored;
    char text[PROVENANCE_TEXT_MAX], *rest = NULL;
    static const char blanks[] = " \t\r\n";
    line[strcspn(line, "#")] = '\0';
    const char *word = strtok_r(line, blanks, &rest);
    if (!word || hostname_read_literal(word, &address, &ignored) != 1)
        return;
    snprintf(text, sizeof text, "hosts file, line %u", number);
    while ((word = strtok_r(NULL, blanks, &rest)))
        if (strcasecmp(word, origins->host) == 0)
            add(origins, &address, text);
}

static void read_hosts(const struct origins *origins)
{
    FILE *file = fopen("/etc/hosts", "re");
    char *line = NULL;
    size_t room = 0;
    if (!file)
        return;
    for (unsigned number = 1; getline(&line, &room, file) >= 0; number++)
        read_hosts_line(origins, line, number);
    free(line);
    fclose(file);
}

static void add_record(const struct origins *origins, const struct dns_lines *found,
                       const struct dns_line *line)
{
    char text[PROVENANCE_TEXT_MAX], server[SOCKNAME_TEXT_MAX];
    struct sockname address;
    struct error ignored;
    if (hostname_read_literal(line->data, &address, &ignored) != 1)
        return;
    snprintf(text, sizeof text, "DNS server %s, TTL %lu", sockname_text(&found->server, server),
             (unsigned long)line->ttl);
    add(origins, &address, text);
}

static void ask_dns(const struct origins *origins, const struct dns_options *options, uint16_t type)
{
    struct dns_lines found;
    struct error ignored;
    if (dns_find(options, origins->host, type, &found, &ignored) == 0)
        for (size_t i = 0; i < found.count; i++)
            add_record(origins, &found, &found.lines[i]);
    dns_release(&found);
}

/* Whether an address of the family is still without an origin. */
static bool is_open(const struct origins *origins, int family)
{
    const struct resolved *addresses = &origins->names->addresses;
    for (size_t i = 0; i < addresses->count; i++)
        if (!*origins->found[i].text && addresses->names[i].storage.ss_family == family)
            return true;
    return false;
}

struct provenance *provenance_find(const struct names *names, const char *host,
                                   const struct dns_options *options)
{
    const size_t count = names->addresses.count;
    struct origins origins = {names, host, NULL};
    origins.found = memory_new(count + 1, sizeof *origins.found);
    read_hosts(&origins);
    if (is_open(&origins, AF_INET))
        ask_dns(&origins, options, DNS_A);
    if (is_open(&origins, AF_INET6))
        ask_dns(&origins, options, DNS_AAAA);
    for (size_t i = 0; i < count; i++)
        if (!*origins.found[i].text)
            snprintf(origins.found[i].text, PROVENANCE_TEXT_MAX,
                     "another source than the hosts file and DNS");
    return origins.found;
}
