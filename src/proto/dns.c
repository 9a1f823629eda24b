/*
 * Names are written as labels with their lengths and read with their pointers followed, only ever backwards
 * (expand_name). A query is one question; a reader goes through the records of a message that answers it. The data of
 * a record is printed by the letters that `types` has for its type, one a field, of which print_field knows the meaning;
 * what has no letters is shown as RFC 3597 says.
 */
#include "proto/dns.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/units.h"

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

/* Prints a byte, with a backslash before one of `special`. */
static void print_byte(FILE *out, unsigned char byte, const char *special)
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
                print_byte(out, name->bytes[at], "\"$().;@\\");
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

/* Reads the name at *place, which moves on behind it. What is compressed points back and only back, so that it ends.
 * Returns 0; -1: it is malformed. */
static int expand_name(const struct dns_reader *reader, size_t *place, struct dns_name *name)
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
    if (expand_name(reader, &reader->place, &name) || reader->length - reader->place < 4)
        return false;
    const unsigned char *rest = reader->bytes + reader->place;
    reader->place += 4;
    return is_same_name(&name, &question->name) && read_u16(rest) == question->type &&
           read_u16(rest + 2) == CLASS_IN;
}

const char *dns_code_name(unsigned code)
{
    static const char *const names[] = {
        [1] = "FORMERR",  [2] = "SERVFAIL",  [3] = "NXDOMAIN",   [4] = "NOTIMP",   [5] = "REFUSED",
        [6] = "YXDOMAIN", [7] = "YXRRSET",   [8] = "NXRRSET",    [9] = "NOTAUTH",  [10] = "NOTZONE",
        [16] = "BADVERS", [17] = "BADKEY",   [18] = "BADTIME",   [19] = "BADMODE", [20] = "BADNAME",
        [21] = "BADALG",  [22] = "BADTRUNC", [23] = "BADCOOKIE",
    };
    return code < sizeof names / sizeof *names ? names[code] : NULL;
}

/* Returns the upper bits of the code, which are in the OPT record behind the answer: the first byte of what is the TTL in
 * others. `records` are those of all sections. */
static unsigned extended_code(struct dns_reader reader, size_t records)
{
    struct dns_record record;
    reader.left = records;
    while (dns_next(&reader, &record) > 0)
        if (record.type == OPT_TYPE)
            return record.ttl >> 24 << 4;
    return 0;
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
    head->code |= extended_code(*reader,
                                head->answers + read_u16(bytes + 8) + read_u16(bytes + 10));
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
    if (expand_name(reader, &reader->place, &record->name) ||
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

/* A type and the fields of its data. */
static const struct {
    uint16_t type;
    const char *name;
    const char *fields; /* a letter each, see print_field */
} types[] = {
    {DNS_A, "A", "a"},       {2, "NS", "n"},         {DNS_CNAME, "CNAME", "n"},
    {6, "SOA", "nn44444"},   {DNS_PTR, "PTR", "n"},  {13, "HINFO", "ss"},
    {15, "MX", "2n"},        {16, "TXT", "S"},       {17, "RP", "nn"},
    {DNS_AAAA, "AAAA", "A"}, {33, "SRV", "222n"},    {35, "NAPTR", "22sssn"},
    {39, "DNAME", "n"},      {43, "DS", "211x"},     {44, "SSHFP", "11x"},
    {48, "DNSKEY", "211b"},  {52, "TLSA", "111x"},   {64, "SVCB", "2np"},
    {65, "HTTPS", "2np"},    {DNS_ANY, "ANY", NULL}, {256, "URI", "22q"},
    {257, "CAA", "1tq"},
};
enum { TYPES = sizeof types / sizeof *types };

uint16_t dns_type_read(const char *text)
{
    int64_t number;
    for (size_t i = 0; i < TYPES; i++)
        if (strcasecmp(types[i].name, text) == 0)
            return types[i].type;
    if (strncasecmp(text, "TYPE", 4) != 0 || units_number(text + 4, 1, UINT16_MAX, &number))
        return 0;
    return (uint16_t)number;
}

static const char *find_fields(uint16_t type, const char **name)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].type == type) {
            *name = types[i].name;
            return types[i].fields;
        }
    return *name = NULL;
}

char *dns_type_text(uint16_t type, char *out)
{
    const char *name;
    find_fields(type, &name);
    if (name)
        snprintf(out, DNS_TYPE_TEXT_MAX, "%s", name);
    else
        snprintf(out, DNS_TYPE_TEXT_MAX, "TYPE%u", type);
    return out;
}

/* What is left of the data of a record. Each printer moves `at` behind what it has printed; -1: that is malformed. */
struct field {
    FILE *out;
    const struct dns_reader *reader;
    size_t at;
    size_t end;
};

static const unsigned char *take_bytes(struct field *field, size_t length)
{
    if (field->end - field->at < length)
        return NULL;
    field->at += length;
    return field->reader->bytes + field->at - length;
}

/* Takes a number of `length` bytes. */
static int take_number(struct field *field, size_t length, uint32_t *value)
{
    const unsigned char *bytes = take_bytes(field, length);
    *value = 0;
    for (size_t i = 0; bytes && i < length; i++)
        *value = *value << 8 | bytes[i];
    return bytes ? 0 : -1;
}

static int print_number(struct field *field, size_t length)
{
    uint32_t value;
    if (take_number(field, length, &value))
        return -1;
    fprintf(field->out, "%lu", (unsigned long)value);
    return 0;
}

/* Prints bytes, with a backslash before those of `special`. */
static int print_text(struct field *field, size_t length, const char *special)
{
    const unsigned char *bytes = take_bytes(field, length);
    for (size_t i = 0; bytes && i < length; i++)
        print_byte(field->out, bytes[i], special);
    return bytes ? 0 : -1;
}

static int print_quoted(struct field *field, size_t length)
{
    putc('"', field->out);
    int result = print_text(field, length, "\"\\");
    putc('"', field->out);
    return result;
}

static int print_string(struct field *field)
{
    uint32_t length;
    return take_number(field, 1, &length) ? -1 : print_quoted(field, length);
}

static int print_address(struct field *field, int family, size_t length)
{
    char text[INET6_ADDRSTRLEN];
    const unsigned char *bytes = take_bytes(field, length);
    if (!bytes)
        return -1;
    fputs(inet_ntop(family, bytes, text, sizeof text), field->out);
    return 0;
}

static int print_hex(struct field *field)
{
    while (field->at < field->end)
        fprintf(field->out, "%02X", field->reader->bytes[field->at++]);
    return 0;
}

static int print_base64(struct field *field)
{
    size_t length = field->end - field->at;
    text_base64(field->out, (const char *)take_bytes(field, length), length);
    return 0;
}

/* Parameters of services (RFC 9460) */

static const char *const keys[] = {"mandatory", "alpn", "no-default-alpn", "port",
                                   "ipv4hint",  "ech",  "ipv6hint",        "dohpath"};
enum { KEYS = sizeof keys / sizeof *keys };
enum {
    KEY_MANDATORY,
    KEY_ALPN,
    KEY_NO_DEFAULT_ALPN,
    KEY_PORT,
    KEY_IPV4HINT,
    KEY_ECH,
    KEY_IPV6HINT,
    KEY_DOHPATH
};

static void print_key(FILE *out, uint32_t key)
{
    if (key < KEYS)
        fputs(keys[key], out);
    else
        fprintf(out, "key%lu", (unsigned long)key);
}

/* Prints the name of a protocol. A comma in it would end it: it is escaped once for the list, and then once more as the
 * text of a value. */
static int print_protocol(struct field *field)
{
    uint32_t length;
    if (take_number(field, 1, &length) || !length || length > field->end - field->at)
        return -1;
    for (; length; length--) {
        unsigned char byte = field->reader->bytes[field->at];
        fputs(byte == ',' || byte == '\\' ? "\\\\" : "", field->out);
        if (print_text(field, 1, "\"\\"))
            return -1;
    }
    return 0;
}

/* Prints the next item of a value. */
static int print_item(struct field *field, uint32_t key)
{
    uint32_t number;
    switch (key) {
    case KEY_MANDATORY:
        if (take_number(field, 2, &number))
            return -1;
        print_key(field->out, number);
        return 0;
    case KEY_ALPN:
        return print_protocol(field);
    case KEY_PORT:
        return print_number(field, 2);
    case KEY_IPV4HINT:
        return print_address(field, AF_INET, 4);
    case KEY_ECH:
        return print_base64(field);
    case KEY_IPV6HINT:
        return print_address(field, AF_INET6, 16);
    default:
        return print_text(field, field->end - field->at, "\"\\");
    }
}

/* Takes a key and its value. */
static int take_parameter(struct field *field, uint32_t *key, struct field *value)
{
    uint32_t length;
    if (take_number(field, 2, key) || take_number(field, 2, &length) ||
        length > field->end - field->at)
        return -1;
    *value = (struct field){field->out, field->reader, field->at, field->at + length};
    field->at = value->end;
    return 0;
}

static bool has_key(struct field parameters, uint32_t wanted)
{
    uint32_t key;
    struct field value;
    while (parameters.at < parameters.end && take_parameter(&parameters, &key, &value) == 0)
        if (key == wanted)
            return true;
    return false;
}

/* Says whether a value can be of its key as far as its length and its list of keys go. */
static bool fits_key(uint32_t key, struct field value, const struct field *parameters)
{
    const size_t length = value.end - value.at;
    uint32_t before = KEY_MANDATORY;
    switch (key) {
    case KEY_MANDATORY:
        /* The keys that a client has to know are in strictly increasing order, which is above 0, as this one itself is
         * mandatory anyway, and all of them are there (RFC 9460, 8). */
        for (uint32_t each; value.at < value.end; before = each)
            if (take_number(&value, 2, &each) || each <= before || !has_key(*parameters, each))
                return false;
        return length;
    case KEY_NO_DEFAULT_ALPN:
        return !length;
    case KEY_PORT:
        return length == 2;
    default:
        return length || key >= KEYS;
    }
}

/* Prints the next of the parameters, which are `all`; its key is above *before (RFC 9460, 2.2). */
static int print_parameter(struct field *field, const struct field *all, int64_t *before)
{
    uint32_t key;
    struct field value;
    if (take_parameter(field, &key, &value) || key <= *before || !fits_key(key, value, all))
        return -1;
    const bool quoted = key == KEY_ALPN || key >= KEY_DOHPATH;
    *before = key;
    print_key(field->out, key);
    if (value.at == value.end)
        return 0;
    fputs(quoted ? "=\"" : "=", field->out);
    do
        if (print_item(&value, key))
            return -1;
    while (value.at < value.end && putc(',', field->out) != EOF);
    fputs(quoted ? "\"" : "", field->out);
    return 0;
}

static int print_field(struct field *field, char kind)
{
    const struct field all = *field;
    struct dns_name name;
    int64_t before = -1;
    uint32_t length;
    switch (kind) {
    case 'a':
        return print_address(field, AF_INET, 4);
    case 'A':
        return print_address(field, AF_INET6, 16);
    case 'b':
        return print_base64(field);
    case 'n':
        if (expand_name(field->reader, &field->at, &name) || field->at > field->end)
            return -1;
        dns_name_print(field->out, &name);
        return 0;
    case 'p': /* parameters */
        while (field->at < field->end)
            if (putc(' ', field->out) == EOF || print_parameter(field, &all, &before))
                return -1;
        return 0;
    case 'q':
        return print_quoted(field, field->end - field->at);
    case 's':
        return print_string(field);
    case 'S': /* strings, one at least */
        do
            if (print_string(field))
                return -1;
        while (field->at < field->end && putc(' ', field->out) != EOF);
        return 0;
    case 't': /* a tag: a string without quotes */
        return take_number(field, 1, &length) ? -1 : print_text(field, length, " \"\\");
    case 'x':
        return print_hex(field);
    default: /* '1', '2', '4': so many bytes */
        return print_number(field, (size_t)(kind - '0'));
    }
}

int dns_data_print(FILE *out, const struct dns_reader *reader, const struct dns_record *record)
{
    const char *name;
    const char *fields = find_fields(record->type, &name);
    struct field field = {out, reader, record->data, record->end};
    if (!fields) {
        fprintf(out, "\\# %zu%s", field.end - field.at, field.end > field.at ? " " : "");
        return print_hex(&field);
    }
    for (const char *kind = fields; *kind; kind++) {
        if (kind > fields && *kind != 'p')
            putc(' ', out);
        if (print_field(&field, *kind))
            return -1;
    }
    return field.at == field.end ? 0 : -1;
}
