/*
 * Where the system's resolver has an address from, found by asking the same sources once more.
 */
#ifndef DNS_PROVENANCE_H
#define DNS_PROVENANCE_H

#include "dns/dns_client.h"
#include "dns/names.h"

enum { PROVENANCE_TEXT_MAX = SOCKNAME_TEXT_MAX + 32 };

struct provenance {
    char text[PROVENANCE_TEXT_MAX];
};

/* Finds where each of the addresses of what was found as `host` is from: "hosts file, line 3", "DNS server 127.0.0.1:53,
 * TTL 60", "another source than the hosts file and DNS". Returns an array of one for each address, the caller's to free.
 * The call may block. */
struct provenance *provenance_find(const struct names *names, const char *host,
                                   const struct dns_options *options);

#endif
