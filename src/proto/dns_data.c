/*
 * The data of a record is printed by the letters that `types` has for its type, one a field, of which print_field knows the
 * meaning; what has no letters is shown as RFC 3597 says. Lengths are those of the record: each printer asks take_bytes for
 * what it prints.
 */
#include "proto/dns_data.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "base/units.h"

enum { TYPE_LOC = 29 };

/* Types */

/* A type and the fields of its data. */
static const struct {
    uint16_t type;
    char name[12];
    char fields[10]; /* a letter each, see print_field; none: it is shown as RFC 3597 says */
} types[] = {
    {DNS_A, "A", "a"},
    {2, "NS", "n"},
    {3, "MD", "n"},
    {4, "MF", "n"},
    {DNS_CNAME, "CNAME", "n"},
    {6, "SOA", "nn44444"},
    {7, "MB", "n"},
    {8, "MG", "n"},
    {9, "MR", "n"},
    {10, "NULL", ""},
    {11, "WKS", ""},
    {DNS_PTR, "PTR", "n"},
    {13, "HINFO", "ss"},
    {14, "MINFO", "nn"},
    {15, "MX", "2n"},
    {16, "TXT", "S"},
    {17, "RP", "nn"},
    {18, "AFSDB", "2n"},
    {19, "X25", "s"},
    {20, "ISDN", ""},
    {21, "RT", "2n"},
    {22, "NSAP", ""},
    {23, "NSAP-PTR", "n"},
    {24, "SIG", "T114DD2nb"},
    {25, "KEY", ""},
    {26, "PX", "2nn"},
    {27, "GPOS", ""},
    {DNS_AAAA, "AAAA", "A"},
    {TYPE_LOC, "LOC", "L"},
    {30, "NXT", ""},
    {31, "EID", ""},
    {32, "NIMLOC", ""},
    {33, "SRV", "222n"},
    {34, "ATMA", ""},
    {35, "NAPTR", "22sssn"},
    {36, "KX", "2n"},
    {37, "CERT", "c2Cb"},
    {38, "A6", ""},
    {39, "DNAME", "n"},
    {40, "SINK", ""},
    {41, "OPT", ""},
    {42, "APL", ""},
    {43, "DS", "211x"},
    {44, "SSHFP", "11x"},
    {45, "IPSECKEY", ""},
    {46, "RRSIG", "T114DD2nb"},
    {47, "NSEC", "nB"},
    {48, "DNSKEY", "211b"},
    {49, "DHCID", "b"},
    {50, "NSEC3", "112hHE"},
    {51, "NSEC3PARAM", "112h"},
    {52, "TLSA", "111x"},
    {53, "SMIMEA", "111x"},
    {55, "HIP", ""},
    {56, "NINFO", "S"},
    {57, "RKEY", ""},
    {58, "TALINK", "nn"},
    {59, "CDS", "211x"},
    {60, "CDNSKEY", "211b"},
    {61, "OPENPGPKEY", "b"},
    {62, "CSYNC", "42E"},
    {63, "ZONEMD", "411x"},
    {64, "SVCB", "2np"},
    {65, "HTTPS", "2np"},
    {66, "DSYNC", ""},
    {67, "HHIT", ""},
    {68, "BRID", ""},
    {99, "SPF", "S"},
    {100, "UINFO", ""},
    {101, "UID", ""},
    {102, "GID", ""},
    {103, "UNSPEC", ""},
    {104, "NID", "2i"},
    {105, "L32", "2a"},
    {106, "L64", "2i"},
    {107, "LP", "2n"},
    {108, "EUI48", "6"},
    {109, "EUI64", "8"},
    {249, "TKEY", ""},
    {250, "TSIG", ""},
    {DNS_IXFR, "IXFR", ""},
    {DNS_AXFR, "AXFR", ""},
    {253, "MAILB", ""},
    {254, "MAILA", ""},
    {DNS_ANY, "ANY", ""},
    {256, "URI", "22q"},
    {257, "CAA", "1tq"},
    {258, "AVC", "S"},
    {259, "DOA", ""},
    {260, "AMTRELAY", ""},
    {261, "RESINFO", "S"},
    {262, "WALLET", "S"},
    {32768, "TA", "211x"},
    {32769, "DLV", "211x"},
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

/* Fields of many types */

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
        dns_byte_print(field->out, bytes[i], special);
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

static int print_hex(struct field *field, size_t length)
{
    const unsigned char *bytes = take_bytes(field, length);
    for (size_t i = 0; bytes && i < length; i++)
        fprintf(field->out, "%02X", bytes[i]);
    return bytes ? 0 : -1;
}

/* Prints all that is left, which is at least a byte. */
static int print_base64(struct field *field)
{
    const size_t length = field->end - field->at;
    text_base64(field->out, (const char *)take_bytes(field, length), length);
    return length ? 0 : -1;
}

static int print_name(struct field *field)
{
    struct dns_name name;
    if (dns_name_expand(field->reader, &field->at, &name) || field->at > field->end)
        return -1;
    dns_name_print(field->out, &name);
    return 0;
}

/* Prints strings, of which there is at least one. */
static int print_strings(struct field *field)
{
    do
        if (print_string(field))
            return -1;
    while (field->at < field->end && putc(' ', field->out) != EOF);
    return 0;
}

/* Prints a string that is a word, without quotes. */
static int print_tag(struct field *field)
{
    uint32_t length;
    return take_number(field, 1, &length) || !length ? -1 : print_text(field, length, " \"\\");
}

/* Prints an address of the link layer: RFC 7043. */
static int print_eui(struct field *field, size_t length)
{
    const unsigned char *bytes = take_bytes(field, length);
    for (size_t i = 0; bytes && i < length; i++)
        fprintf(field->out, "%s%02x", i ? "-" : "", bytes[i]);
    return bytes ? 0 : -1;
}

/* Prints half an IPv6 address: RFC 6742. */
static int print_locator(struct field *field)
{
    const unsigned char *bytes = take_bytes(field, 8);
    for (size_t i = 0; bytes && i < 8; i += 2)
        fprintf(field->out, "%s%x", i ? ":" : "", (unsigned)bytes[i] << 8 | bytes[i + 1]);
    return bytes ? 0 : -1;
}

/* Fields of DNSSEC */

static int print_type(struct field *field)
{
    uint32_t type;
    char text[DNS_TYPE_TEXT_MAX];
    if (take_number(field, 2, &type))
        return -1;
    fputs(dns_type_text((uint16_t)type, text), field->out);
    return 0;
}

/* Prints a time, which is in seconds since 1970, in UTC: RFC 4034, 3.2. */
static int print_time(struct field *field)
{
    uint32_t seconds;
    struct tm parts;
    char text[sizeof "YYYYMMDDHHmmSS"];
    if (take_number(field, 4, &seconds))
        return -1;
    const time_t when = (time_t)seconds;
    if (!gmtime_r(&when, &parts) || !strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts))
        return -1;
    fputs(text, field->out);
    return 0;
}

/* Prints a salt, of which the length comes first: RFC 5155, 3.3. */
static int print_salt(struct field *field)
{
    uint32_t length;
    if (take_number(field, 1, &length))
        return -1;
    if (!length)
        putc('-', field->out);
    return print_hex(field, length);
}

/* Prints the hash of a name, of which the length comes first, in Base32 (RFC 4648, 7) without padding. */
static int print_hash(struct field *field)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    uint32_t length;
    if (take_number(field, 1, &length) || !length)
        return -1;
    const unsigned char *bytes = take_bytes(field, length);
    for (size_t bit = 0; bytes && bit < 8 * (size_t)length; bit += 5) {
        const size_t at = bit / 8;
        const unsigned pair = (unsigned)bytes[at] << 8 | (at + 1 < length ? bytes[at + 1] : 0);
        putc(digits[pair >> (11 - bit % 8) & 31], field->out);
    }
    return bytes ? 0 : -1;
}

/* Prints the types that a bitmap names, each behind a blank: RFC 4034, 4.1.2. */
static int print_bitmap(struct field *field)
{
    enum { WINDOW_MAX = 32 };
    int64_t before = -1;
    while (field->at < field->end) {
        uint32_t window, length;
        char text[DNS_TYPE_TEXT_MAX];
        if (take_number(field, 1, &window) || take_number(field, 1, &length) || window <= before ||
            !length || length > WINDOW_MAX)
            return -1;
        const unsigned char *bits = take_bytes(field, length);
        if (!bits || !bits[length - 1])
            return -1;
        for (size_t i = 0; i < 8 * (size_t)length; i++)
            if (bits[i / 8] & 0x80 >> i % 8)
                fprintf(field->out, " %s", dns_type_text((uint16_t)(window << 8 | i), text));
        before = window;
    }
    return 0;
}

/* Fields of certificates (RFC 4398) */

/* What a number is shown as, of its type or its algorithm; elsewhere than in CERT records algorithms are shown as
 * numbers. The table ends with 0. */
struct mnemonic {
    unsigned char number;
    char name[16];
};
static const struct mnemonic certificate_types[] = {{1, "PKIX"},   {2, "SPKI"},    {3, "PGP"},
                                                    {4, "IPKIX"},  {5, "ISPKI"},   {6, "IPGP"},
                                                    {7, "ACPKIX"}, {8, "IACPKIX"}, {253, "URI"},
                                                    {254, "OID"},  {0, ""}};
static const struct mnemonic algorithms[] = {{1, "RSAMD5"},
                                             {2, "DH"},
                                             {3, "DSA"},
                                             {5, "RSASHA1"},
                                             {6, "NSEC3DSA"},
                                             {7, "NSEC3RSASHA1"},
                                             {8, "RSASHA256"},
                                             {10, "RSASHA512"},
                                             {12, "ECCGOST"},
                                             {13, "ECDSAP256SHA256"},
                                             {14, "ECDSAP384SHA384"},
                                             {15, "ED25519"},
                                             {16, "ED448"},
                                             {252, "INDIRECT"},
                                             {253, "PRIVATEDNS"},
                                             {254, "PRIVATEOID"},
                                             {0, ""}};

/* Prints a number of `length` bytes by its name, if it has one. */
static int print_mnemonic(struct field *field, size_t length, const struct mnemonic *names)
{
    uint32_t number;
    if (take_number(field, length, &number))
        return -1;
    while (names->number && names->number != number)
        names++;
    if (names->number)
        fputs(names->name, field->out);
    else
        fprintf(field->out, "%lu", (unsigned long)number);
    return 0;
}

/* Places on earth (RFC 1876) */

/* Prints a latitude or longitude, which is in thousandths of a second from 2^31, the equator or the prime meridian. */
static int print_degrees(struct field *field, uint32_t max_degrees, const char *directions)
{
    enum { SECOND = 1000, MINUTE = 60 * SECOND, DEGREE = 60 * MINUTE };
    const uint32_t zero = (uint32_t)1 << 31;
    uint32_t number;
    if (take_number(field, 4, &number))
        return -1;
    const uint32_t distance = number < zero ? zero - number : number - zero;
    if (distance > max_degrees * DEGREE)
        return -1;
    fprintf(field->out, "%u %u %u.%03u %c ", distance / DEGREE, distance % DEGREE / MINUTE,
            distance % MINUTE / SECOND, distance % SECOND, directions[number < zero]);
    return 0;
}

/* Prints a height, which is in centimetres from 100 km below the sea. */
static int print_altitude(struct field *field)
{
    enum { SEA_LEVEL = 10000000 };
    uint32_t number;
    if (take_number(field, 4, &number))
        return -1;
    const int64_t height = (int64_t)number - SEA_LEVEL;
    const int64_t distance = height < 0 ? -height : height;
    fprintf(field->out, "%s%lld.%02lldm", height < 0 ? "-" : "", (long long)distance / 100,
            (long long)distance % 100);
    return 0;
}

/* Prints a length, of which the byte has a digit and the power of ten that it is multiplied by, in centimetres. */
static int print_extent(struct field *field)
{
    uint32_t number;
    if (take_number(field, 1, &number))
        return -1;
    const unsigned digit = number >> 4, power = number & 15;
    if (digit > 9 || power > 9 || (number && !digit))
        return -1;
    unsigned long factor = 1;
    for (unsigned i = power < 2 ? 0 : 2; i < power; i++)
        factor *= 10;
    if (power < 2)
        fprintf(field->out, " 0.%02um", digit * (power ? 10 : 1));
    else
        fprintf(field->out, " %lum", digit * factor);
    return 0;
}

/* Prints the data of a LOC record: the sizes come first, and are shown last. */
static int print_place(struct field *field)
{
    enum { SIZES = 3, BEFORE = 1 + SIZES };
    struct field sizes = *field;
    if (!take_bytes(&sizes, 1) || !take_bytes(field, BEFORE) || print_degrees(field, 90, "NS") ||
        print_degrees(field, 180, "EW") || print_altitude(field))
        return -1;
    for (size_t i = 0; i < SIZES; i++)
        if (print_extent(&sizes))
            return -1;
    return 0;
}

/* Parameters of services (RFC 9460) */

static const char *const keys[] = {"mandatory", "alpn",     "no-default-alpn", "port", "ipv4hint",
                                   "ech",       "ipv6hint", "dohpath",         "ohttp"};
enum { KEYS = sizeof keys / sizeof *keys };
enum {
    KEY_MANDATORY,
    KEY_ALPN,
    KEY_NO_DEFAULT_ALPN,
    KEY_PORT,
    KEY_IPV4HINT,
    KEY_ECH,
    KEY_IPV6HINT,
    KEY_DOHPATH, /* RFC 9461 */
    KEY_OHTTP    /* RFC 9540 */
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
    case KEY_OHTTP:
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

static int print_parameters(struct field *field)
{
    const struct field all = *field;
    int64_t before = -1;
    while (field->at < field->end)
        if (putc(' ', field->out) == EOF || print_parameter(field, &all, &before))
            return -1;
    return 0;
}

/* All fields */

static int print_field(struct field *field, char kind)
{
    const size_t left = field->end - field->at;
    switch (kind) {
    case 'a':
        return print_address(field, AF_INET, 4);
    case 'A':
        return print_address(field, AF_INET6, 16);
    case 'b':
        return print_base64(field);
    case 'B': /* a bitmap, one type at least */
        return left ? print_bitmap(field) : -1;
    case 'E': /* a bitmap that may be empty */
        return print_bitmap(field);
    case 'c':
        return print_mnemonic(field, 2, certificate_types);
    case 'C':
        return print_mnemonic(field, 1, algorithms);
    case 'D': /* a date */
        return print_time(field);
    case 'h':
        return print_salt(field);
    case 'H':
        return print_hash(field);
    case 'i':
        return print_locator(field);
    case 'L':
        return print_place(field);
    case 'n':
        return print_name(field);
    case 'p':
        return print_parameters(field);
    case 'q':
        return print_quoted(field, left);
    case 's':
        return print_string(field);
    case 'S':
        return print_strings(field);
    case 't':
        return print_tag(field);
    case 'T':
        return print_type(field);
    case 'x':
        return left ? print_hex(field, left) : -1;
    case '6':
    case '8':
        return print_eui(field, (size_t)(kind - '0'));
    default: /* '1', '2', '4': so many bytes */
        return print_number(field, (size_t)(kind - '0'));
    }
}

/* Says whether a LOC record is of another version than the one that there is. */
static bool is_unknown_version(const struct field *field, uint16_t type)
{
    return type == TYPE_LOC && field->at < field->end && field->reader->bytes[field->at];
}

int dns_data_print(FILE *out, const struct dns_reader *reader, const struct dns_record *record)
{
    const char *name;
    const char *fields = find_fields(record->type, &name);
    struct field field = {out, reader, record->data, record->end};
    const size_t length = field.end - field.at;
    if (!fields || !*fields || is_unknown_version(&field, record->type)) {
        fprintf(out, "\\# %zu%s", length, length ? " " : "");
        return print_hex(&field, length);
    }
    for (const char *kind = fields; *kind; kind++) {
        if (kind > fields &&
            !strchr("BEp", *kind)) /* those have a blank before each of their items */
            putc(' ', out);
        if (print_field(&field, *kind))
            return -1;
    }
    return field.at == field.end ? 0 : -1;
}
