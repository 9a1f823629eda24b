/*
 * The types of DNS records, and the data of a record as text, in the form that its RFC has for zone files and dig(1) shows.
 * Pure.
 */
#ifndef PROTO_DNS_DATA_H
#define PROTO_DNS_DATA_H

#include <stdint.h>
#include <stdio.h>

#include "proto/dns.h"

enum {
    DNS_A = 1,
    DNS_CNAME = 5,
    DNS_PTR = 12,
    DNS_AAAA = 28,
    DNS_IXFR = 251,
    DNS_AXFR = 252,
    DNS_ANY = 255
};
enum { DNS_TYPE_TEXT_MAX = 12 };

/* Reads a type: "MX", in any case, or "TYPE15" (RFC 3597). 0: there is no such type. */
uint16_t dns_type_read(const char *text);

/* Writes a type as text to `out`, which holds DNS_TYPE_TEXT_MAX bytes. Returns out. */
char *dns_type_text(uint16_t type, char *out);

/* Prints the data of a record. Every byte that is not printable ASCII is escaped as \DDD; what has no form of its own is
 * shown as RFC 3597 says. Returns 0; -1: the data is malformed, and what was printed is of no use. */
int dns_data_print(FILE *out, const struct dns_reader *reader, const struct dns_record *record);

#endif
