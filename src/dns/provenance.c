/*
 * Where the system's resolver has an address from: it does not say, so its sources are asked once more, the hosts
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

/* Asks for the records of `type` if an address of the family is still without a provenance. */
static void ask_dns(const struct finding *finding, const struct dns_options *options, int family,
                    uint16_t type)
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

struct provenance *provenance_find(const struct names *names, const char *host,
                                   const struct dns_options *options)
{
    const size_t count = names->addresses.count;
    struct finding finding = {names, host, NULL};
    finding.found = memory_new(count + 1, sizeof *finding.found);
    read_hosts(&finding);
    ask_dns(&finding, options, AF_INET, DNS_A);
    ask_dns(&finding, options, AF_INET6, DNS_AAAA);
    for (size_t i = 0; i < count; i++)
        if (!*finding.found[i].text)
            snprintf(finding.found[i].text, PROVENANCE_TEXT_MAX,
                     "another source than the hosts file and DNS");
    return finding.found;
}
