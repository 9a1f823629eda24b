/*
 * Where the system's resolver has an address from, found by asking the same sources once more.
 */
#ifndef NET_ORIGIN_H
#define NET_ORIGIN_H

#include "net/dns.h"
#include "net/names.h"

enum { ORIGIN_TEXT_MAX = SOCKNAME_TEXT_MAX + 32 };

struct origin {
    char text[ORIGIN_TEXT_MAX];
};

/* Where each of the addresses of what was found as `host` is from: "hosts file, line 3", "DNS server
 * 127.0.0.1:53, TTL 60", "another source than the hosts file and DNS". One for each
 * address, the caller's to free. May block. */
struct origin *origin_find(const struct names *names, const char *host,
                           const struct dns_options *options);

#endif
