/*
 * Where the system's resolver has an address from: it does not tell, so that its sources are asked once more, the hosts
 * file first, then DNS for the families in which an address is still open.
 */
#include "dns/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "net/hostname.h"
#include "proto/dns.h"

struct finding {
    const struct names *names;
    const char *host;
    struct provenance *found; /* for each address */
};

/* Ports do not count. */
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

static void read_hosts_line(const struct finding *finding, char *line, unsigned number)
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
        if (strcasecmp(word, finding->host) == 0)
            add_provenance(finding, &address, text);
}

static void read_hosts(const struct finding *finding)
{
    FILE *file = fopen("/etc/hosts", "re");
    char *line = NULL;
    size_t room = 0;
    if (!file)
        return;
    for (unsigned number = 1; getline(&line, &room, file) >= 0; number++)
        read_hosts_line(finding, line, number);
    free(line);
    fclose(file);
}

static void add_record(const struct finding *finding, const struct dns_lines *found,
                       const struct dns_line *line)
{
    char text[PROVENANCE_TEXT_MAX], server[SOCKNAME_TEXT_MAX];
    struct sockname address;
    struct error ignored;
    if (hostname_read_literal(line->data, &address, &ignored) != 1)
        return;
    snprintf(text, sizeof text, "DNS server %s, TTL %lu", sockname_text(&found->server, server),
             (unsigned long)line->ttl);
    add_provenance(finding, &address, text);
}

static void ask_dns(const struct finding *finding, const struct dns_options *options, uint16_t type)
{
    struct dns_lines found;
    struct error ignored;
    if (dns_find(options, finding->host, type, &found, &ignored) == 0)
        for (size_t i = 0; i < found.count; i++)
            add_record(finding, &found, &found.lines[i]);
    dns_release(&found);
}

/* Whether an address of the family is still without a provenance. */
static bool is_open(const struct finding *finding, int family)
{
    const struct resolved *addresses = &finding->names->addresses;
    for (size_t i = 0; i < addresses->count; i++)
        if (!*finding->found[i].text && addresses->names[i].storage.ss_family == family)
            return true;
    return false;
}

struct provenance *provenance_find(const struct names *names, const char *host,
                                   const struct dns_options *options)
{
    const size_t count = names->addresses.count;
    struct finding finding = {names, host, NULL};
    finding.found = memory_new(count + 1, sizeof *finding.found);
    read_hosts(&finding);
    if (is_open(&finding, AF_INET))
        ask_dns(&finding, options, DNS_A);
    if (is_open(&finding, AF_INET6))
        ask_dns(&finding, options, DNS_AAAA);
    for (size_t i = 0; i < count; i++)
        if (!*finding.found[i].text)
            snprintf(finding.found[i].text, PROVENANCE_TEXT_MAX,
                     "another source than the hosts file and DNS");
    return finding.found;
}
