/*
 * DNS messages (RFC 1035): a query, and the records of the answer to it. A name is kept as it is on the wire: labels with
 * their lengths, up to the root's 0. As text it is escaped as in zone files. What the data of a record means is dns_data's to
 * know. Pure.
 */
#ifndef PROTO_DNS_H
#define PROTO_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    DNS_NAME_MAX = 255, /* on the wire */
    DNS_QUERY_MAX = 12 + DNS_NAME_MAX + 4 + 11,
    DNS_UDP_MAX = 1232, /* what a datagram may hold, by what we say in EDNS0 */
    DNS_MESSAGE_MAX = 65535
};

enum dns_code {
    DNS_NOERROR,
    DNS_FORMERR,
    DNS_SERVFAIL,
    DNS_NXDOMAIN,
    DNS_NOTIMP,
    DNS_REFUSED,
    DNS_BADVERS = 16
};

struct dns_name {
    unsigned char bytes[DNS_NAME_MAX];
    size_t length;
};

struct dns_question {
    struct dns_name name;
    uint16_t type;
    uint16_t id;
};

/* Goes through a message that was received; the bytes are the owner's. */
struct dns_reader {
    const unsigned char *bytes;
    size_t length;
    size_t place;
    size_t left; /* records of the answer */
};

/* What a message says of itself. */
struct dns_head {
    unsigned code; /* enum dns_code, or another, with the bits that EDNS0 adds (RFC 6891, 6.1.3) */
    bool truncated;
    bool authoritative;
    bool recursion; /* is available */
    size_t answers;
    struct dns_reader options; /* before the first option of EDNS0, for dns_next_extended */
};

/* An extended error (RFC 8914): why an answer is as it is. */
struct dns_extended {
    unsigned code;
    const char *text; /* in the message, with any bytes; not terminated */
    size_t length;
};

struct dns_record {
    struct dns_name name;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    size_t data; /* its place, and where it ends, both in the message */
    size_t end;
};

/* Reads "www.example.com", with or without the last dot; \DDD and \X stand for a byte. Returns NULL, or what is wrong with
 * it, in words of their own. */
const char *dns_name_read(struct dns_name *name, const char *text);

/* Prints a name with its last dot. */
void dns_name_print(FILE *out, const struct dns_name *name);

/* Prints a byte as a text of zone files has it: \DDD unless it is printable ASCII, with a backslash before one of
 * `special`. */
void dns_byte_print(FILE *out, unsigned char byte, const char *special);

/* Writes the query, which desires recursion, if wanted with EDNS0 (RFC 6891), into `out`, which holds DNS_QUERY_MAX bytes.
 * Returns its length. */
size_t dns_query(const struct dns_question *question, bool edns, unsigned char *out);

/* Returns the name of a code, "BADVERS"; NULL: it has none. */
const char *dns_code_name(unsigned code);

/* Says whether the message answers that question. If so, *head is what it says of itself, and *reader is before its first
 * record. A complaint may do without the question. */
bool dns_is_answer(struct dns_reader *reader, const unsigned char *bytes, size_t length,
                   const struct dns_question *question, struct dns_head *head);

/* Reads the next record of the answer. Returns 1; 0: there are no more; -1: the message is malformed. */
int dns_next(struct dns_reader *reader, struct dns_record *record);

/* Reads the next extended error among the options of EDNS0. False: there are no more; what is malformed ends them. */
bool dns_next_extended(struct dns_reader *options, struct dns_extended *extended);

/* Returns the purpose of an extended error, "DNSSEC Bogus"; NULL: it has no name. */
const char *dns_extended_name(unsigned code);

/* Reads the name at *place in the message, which may be compressed; *place moves on behind it. Returns 0; -1: it is
 * malformed. */
int dns_name_expand(const struct dns_reader *reader, size_t *place, struct dns_name *name);

#endif
