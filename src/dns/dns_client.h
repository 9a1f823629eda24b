/*
 * Asking DNS servers for records: over UDP, over TCP where the answer does not fit, each server in turn, the search list
 * for short names. Calls block; several threads may ask at once.
 */
#ifndef DNS_DNS_CLIENT_H
#define DNS_DNS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "dns/resolv_conf.h"

struct dns_options {
    struct resolv_conf conf;
    bool tcp;         /* from the start */
    int64_t limit_ms; /* for each name; -1: none but those of `conf` */
};

/* One record as received; the texts as in zone files, with nothing but printable ASCII. */
struct dns_line {
    char *name;
    char *data;
    uint32_t ttl;
    uint16_t type;
};

/* An extended error (RFC 8914). */
struct dns_remark {
    unsigned code;
    const char *name; /* "DNSSEC Bogus"; NULL: it has none */
    char *text;       /* what the server adds, with any bytes but NUL; may be empty */
};

struct dns_lines {
    struct dns_line *lines; /* the owner's: dns_release */
    size_t count;
    struct dns_remark
        *remarks; /* the same; of the server that was asked last, whatever came of it */
    size_t remark_count;
    struct sockname server; /* that answered; length 0: none */
};

/* Puts the servers at "ADDR", "ADDR:PORT" or "[ADDR]:PORT" in place of those in *conf; ADDR may be a name. It fails with
 * status 2, or, for the name, 3, or 5 when limit_ms (-1: none) is over. */
int dns_set_server(struct resolv_conf *conf, const char *text, int64_t limit_ms, struct error *err);

/* Asks for the records of `type` that `name` has; with a last dot, it is not searched for. It fails with status 3 where
 * there is no such name, its CNAME records lead in a circle, or nobody knew; with 6 where there is no such record;
 * with 5 when limit_ms is over. Whatever came of it, *found holds what was answered, such as a CNAME that leads nowhere;
 * dns_release gives it back. */
int dns_find(const struct dns_options *options, const char *name, uint16_t type,
             struct dns_lines *found, struct error *err);

/* Writes the extended errors as words, "DNSSEC Bogus (no signature), Cached Error", to `out`, which holds DNS_REMARKS_MAX
 * bytes; where they are too long they are cut, and where there are none it is empty. Returns out. */
enum { DNS_REMARKS_MAX = 512 };
char *dns_remarks_text(const struct dns_lines *found, char *out);

/* Frees the records and the extended errors. */
void dns_release(struct dns_lines *found);

/* Writes "1.2.0.192.in-addr.arpa.", the name under which `address` has its PTR record, into `out`, which holds
 * DNS_REVERSE_MAX bytes. Returns out. */
enum { DNS_REVERSE_MAX = 80 };
char *dns_reverse_name(const struct sockname *address, char *out);

#endif
