/*
 * Names are written as labels with their lengths and read with their pointers followed, only ever backwards
 * (dns_name_expand). A query is one question; a reader goes through the records of a message that answers it.
 */
#include "proto/dns.h"

#include <string.h>

#include "base/text.h"

enum {
    HEADER = 12,
    LABEL_MAX = 63,
    POINTER = 0xc0, /* the first two bits of a compressed name's rest */
    OPT_TYPE = 41,
    CLASS_IN = 1
};

/* Names */

/* Reads the byte at *at, which moves on; -1: an escape that is none. */
static int read_byte(const char **at)
{
    if (**at != '\\')
        return (unsigned char)*(*at)++;
    const char *digits = ++*at;
    if (!text_is_digits(digits, strnlen(digits, 1)))
        return *digits ? (unsigned char)*(*at)++ : -1;
    if (!text_is_digits(digits, strnlen(digits, 3)) || strnlen(digits, 3) < 3)
        return -1;
    *at += 3;
    int byte = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + digits[2] - '0';
    return byte > UINT8_MAX ? -1 : byte;
}

/* Reads one label; *at moves behind its last byte. */
static const char *read_label(struct dns_name *name, const char **at)
{
    const size_t start = name->length++;
    while (**at && **at != '.') {
        int byte = read_byte(at);
        if (byte < 0)
            return "the name has an unknown escape";
        if (name->length - start > LABEL_MAX)
            return "a label of the name is longer than 63 bytes";
        if (name->length + 1 >= DNS_NAME_MAX)
            return "the name is longer than 253 bytes";
        name->bytes[name->length++] = (unsigned char)byte;
    }
    name->bytes[start] = (unsigned char)(name->length - start - 1);
    return name->length - start == 1 ? "a label of the name is empty" : NULL;
}

const char *dns_name_read(struct dns_name *name, const char *text)
{
    const char *wrong = NULL;
    name->length = 0;
    if (strcmp(text, ".") != 0)
        do
            wrong = name->length + 1 < DNS_NAME_MAX ? read_label(name, &text)
                                                    : "the name is longer than 253 bytes";
        while (!wrong && *text && *++text);
    if (!wrong)
        name->bytes[name->length++] = 0;
    return wrong;
}

void dns_byte_print(FILE *out, unsigned char byte, const char *special)
{
    if (byte < ' ' || byte >= 0x7f)
        fprintf(out, "\\%03u", byte);
    else
        fprintf(out, strchr(special, byte) ? "\\%c" : "%c", byte);
}

void dns_name_print(FILE *out, const struct dns_name *name)
{
    size_t at = 0;
    if (name->length < 2)
        putc('.', out);
    while (name->bytes[at]) {
        for (size_t left = name->bytes[at++]; left; left--, at++)
            if (name->bytes[at] == ' ')
                fputs("\\032", out);
            else
                dns_byte_print(out, name->bytes[at], "\"$().;@\\");
        putc('.', out);
    }
}

/* Adds the labels from *at on, which moves behind them. 1: the root's was the last; 0: the rest of the
 * name is elsewhere; -1: it is malformed. */
static int read_labels(const struct dns_reader *reader, size_t *at, struct dns_name *name)
{
    while (*at < reader->length) {
        const size_t length = (size_t)reader->bytes[*at] + 1;
        if (length > LABEL_MAX + 1)
            return 0;
        if (length > reader->length - *at || length > DNS_NAME_MAX - name->length)
            return -1;
        memcpy(name->bytes + name->length, reader->bytes + *at, length);
        name->length += length;
        *at += length;
        if (length == 1)
            return 1;
    }
    return -1;
}

/* What is compressed points back and only back, so that it ends. */
int dns_name_expand(const struct dns_reader *reader, size_t *place, struct dns_name *name)
{
    size_t at = *place, start = at, after = 0;
    int ended;
    name->length = 0;
    while (!(ended = read_labels(reader, &at, name))) {
        /* A pointer leads to what is before the labels that it ends. */
        if (reader->bytes[at] < POINTER || at + 1 >= reader->length)
            return -1;
        const size_t to = (size_t)(reader->bytes[at] & ~POINTER) << 8 | reader->bytes[at + 1];
        if (!to || to >= start)
            return -1;
        after = after ? after : at + 2;
        start = at = to;
    }
    *place = after ? after : at;
    return ended < 0 ? -1 : 0;
}

/* Compares names. Case does not count; the lengths of labels, at most 63, are no letters. */
static bool is_same_name(const struct dns_name *one, const struct dns_name *other)
{
    if (one->length != other->length)
        return false;
    for (size_t i = 0; i < one->length; i++) {
        const unsigned char byte = one->bytes[i], folded = byte & 0xdf; /* a letter in upper case */
        const bool is_letter = folded >= 'A' && folded <= 'Z';
        if (is_letter ? (other->bytes[i] & 0xdf) != folded : other->bytes[i] != byte)
            return false;
    }
    return true;
}

/* Messages */

static unsigned read_u16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static unsigned char *write_u16(unsigned char *out, unsigned value)
{
    *out++ = (unsigned char)(value >> 8);
    *out++ = (unsigned char)value;
    return out;
}

size_t dns_query(const struct dns_question *question, bool edns, unsigned char *out)
{
    enum { RECURSION_DESIRED = 0x0100 };
    const unsigned head[] = {question->id, RECURSION_DESIRED, 1, 0, 0, edns};
    unsigned char *at = out;
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        at = write_u16(at, head[i]);
    memcpy(at, question->name.bytes, question->name.length);
    at = write_u16(at + question->name.length, question->type);
    at = write_u16(at, CLASS_IN);
    if (!edns)
        return (size_t)(at - out);
    *at++ = 0; /* the root's name */
    at = write_u16(at, OPT_TYPE);
    at = write_u16(at, DNS_UDP_MAX);
    memset(at, 0, 6); /* flags, and no data */
    return (size_t)(at + 6 - out);
}

/* Reads the question of an answer. False: it is another than ours. */
static bool read_question(struct dns_reader *reader, const struct dns_question *question)
{
    struct dns_name name;
    if (dns_name_expand(reader, &reader->place, &name) || reader->length - reader->place < 4)
        return false;
    const unsigned char *rest = reader->bytes + reader->place;
    reader->place += 4;
    return is_same_name(&name, &question->name) && read_u16(rest) == question->type &&
           read_u16(rest + 2) == CLASS_IN;
}

const char *dns_code_name(unsigned code)
{
    static const char names[][12] = {
        [1] = "FORMERR",  [2] = "SERVFAIL",  [3] = "NXDOMAIN",   [4] = "NOTIMP",   [5] = "REFUSED",
        [6] = "YXDOMAIN", [7] = "YXRRSET",   [8] = "NXRRSET",    [9] = "NOTAUTH",  [10] = "NOTZONE",
        [16] = "BADVERS", [17] = "BADKEY",   [18] = "BADTIME",   [19] = "BADMODE", [20] = "BADNAME",
        [21] = "BADALG",  [22] = "BADTRUNC", [23] = "BADCOOKIE",
    };
    return code < sizeof names / sizeof *names && *names[code] ? names[code] : NULL;
}

/* Adds what the OPT record has, which is behind the answer: the upper bits of the code, in the first byte of what is the TTL in
 * others, and the options. `records` are those of all sections. */
static void read_opt(struct dns_reader reader, size_t records, struct dns_head *head)
{
    struct dns_record record;
    reader.left = records;
    while (dns_next(&reader, &record) > 0) {
        if (record.type != OPT_TYPE)
            continue;
        head->code |= record.ttl >> 24 << 4;
        head->options = (struct dns_reader){reader.bytes, record.end, record.data, 0};
        return;
    }
}

bool dns_is_answer(struct dns_reader *reader, const unsigned char *bytes, size_t length,
                   const struct dns_question *question, struct dns_head *head)
{
    enum { RESPONSE = 0x80, OPCODE = 0x78 };
    if (length < HEADER || read_u16(bytes) != question->id || (bytes[2] & OPCODE) ||
        !(bytes[2] & RESPONSE))
        return false;
    *head = (struct dns_head){.code = bytes[3] & 15,
                              .truncated = bytes[2] & 2,
                              .authoritative = bytes[2] & 4,
                              .recursion = bytes[3] & 0x80,
                              .answers = read_u16(bytes + 6)};
    *reader = (struct dns_reader){bytes, length, HEADER, head->answers};
    const unsigned questions = read_u16(bytes + 4);
    if (questions && (questions > 1 || !read_question(reader, question)))
        return false;
    read_opt(*reader, head->answers + read_u16(bytes + 8) + read_u16(bytes + 10), head);
    if (!questions)
        return head->code != DNS_NOERROR && head->code != DNS_NXDOMAIN;
    return true;
}

int dns_next(struct dns_reader *reader, struct dns_record *record)
{
    enum { FIXED = 10 };
    if (!reader->left)
        return 0;
    reader->left--;
    if (dns_name_expand(reader, &reader->place, &record->name) ||
        reader->length - reader->place < FIXED)
        return -1;
    const unsigned char *at = reader->bytes + reader->place;
    record->type = (uint16_t)read_u16(at);
    record->class = (uint16_t)read_u16(at + 2);
    record->ttl = (uint32_t)read_u16(at + 4) << 16 | read_u16(at + 6);
    record->data = reader->place + FIXED;
    record->end = record->data + read_u16(at + 8);
    reader->place = record->end;
    return record->end > reader->length ? -1 : 1;
}

bool dns_next_extended(struct dns_reader *options, struct dns_extended *extended)
{
    enum { FIXED = 4, CODE = 2, EXTENDED_ERROR = 15 };
    while (options->length - options->place >= FIXED) {
        const unsigned char *at = options->bytes + options->place;
        const size_t length = read_u16(at + 2);
        options->place += FIXED;
        if (length > options->length - options->place)
            return false;
        options->place += length;
        if (read_u16(at) != EXTENDED_ERROR || length < CODE)
            continue;
        *extended = (struct dns_extended){.code = read_u16(at + FIXED),
                                          .text = (const char *)at + FIXED + CODE,
                                          .length = length - CODE};
        return true;
    }
    return false;
}

const char *dns_extended_name(unsigned code)
{
    static const char names[][40] = {
        "Other Error",
        "Unsupported DNSKEY Algorithm",
        "Unsupported DS Digest Type",
        "Stale Answer",
        "Forged Answer",
        "DNSSEC Indeterminate",
        "DNSSEC Bogus",
        "Signature Expired",
        "Signature Not Yet Valid",
        "DNSKEY Missing",
        "RRSIGs Missing",
        "No Zone Key Bit Set",
        "NSEC Missing",
        "Cached Error",
        "Not Ready",
        "Blocked",
        "Censored",
        "Filtered",
        "Prohibited",
        "Stale NXDOMAIN Answer",
        "Not Authoritative",
        "Not Supported",
        "No Reachable Authority",
        "Network Error",
        "Invalid Data",
        "Signature Expired before Valid",
        "Too Early",
        "Unsupported NSEC3 Iterations Value",
        "Unable to conform to policy",
        "Synthesized",
        "Invalid Query Type",
    };
    return code < sizeof names / sizeof *names ? names[code] : NULL;
}
