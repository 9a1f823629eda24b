/*
 * The types of DNS records, and their data as text: as zone files have it and dig(1) shows it.
 */
#ifndef PROTO_DNS_DATA_H
#define PROTO_DNS_DATA_H

#include "proto/dns.h"

enum { DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_AAAA = 28, DNS_ANY = 255 };
enum { DNS_TYPE_TEXT_MAX = 12 };

/* "MX", in any case, or "TYPE15" (RFC 3597); 0: there is no such type. */
uint16_t dns_type_read(const char *text);
/* Returns out, which holds DNS_TYPE_TEXT_MAX bytes. */
char *dns_type_text(uint16_t type, char *out);

/* Every byte that is not printable ASCII is escaped as \DDD; what has no form of its own is shown
 * as RFC 3597 says. -1: the data is malformed, and what was printed is of no use. */
int dns_data_print(FILE *out, const struct dns_reader *reader, const struct dns_record *record);

#endif
