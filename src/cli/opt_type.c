/*
 * See opt_type.h. A reader each, the plain kinds first, then those of socket options and those with a secret in them;
 * the table of all of them is at the end.
 */
#include "cli/opt_type.h"

#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/budget.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"

static const char *read_flag(char *text, void *field)
{
    (void)text;
    *(bool *)field = true;
    return NULL;
}

static const char *read_count(char *text, void *field)
{
    (void)text;
    *(int *)field += 1;
    return NULL;
}

static const char *read_topic(char *text, void *field)
{
    *(const char **)field = text ? text : "";
    return NULL;
}

#define IP_EXCLUSION "options --ipv4 and --ipv6 exclude each other"

static const char *read_ipv4(char *text, void *field)
{
    (void)text;
    if (*(const int *)field == AF_INET6)
        return IP_EXCLUSION;
    *(int *)field = AF_INET;
    return NULL;
}

static const char *read_ipv6(char *text, void *field)
{
    (void)text;
    if (*(const int *)field == AF_INET)
        return IP_EXCLUSION;
    *(int *)field = AF_INET6;
    return NULL;
}

static const char *read_text(char *text, void *field)
{
    *(const char **)field = text;
    return NULL;
}

static const char *read_word(char *text, void *field)
{
    *(const char **)field = text;
    return *text ? NULL : "is empty";
}

static const char *read_port(char *text, void *field)
{
    int64_t number;
    *(const char **)field = text;
    if (!*text)
        return "is empty";
    if (!text_is_digits(text, strlen(text)))
        return NULL; /* a service name, looked up later */
    return units_number(text, 0, UINT16_MAX, &number) ? "is not a port (0-65535)" : NULL;
}

static const char *read_list(char *text, void *field)
{
    struct opt_list *list = field;
    list->items = memory_grow(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = text;
    return NULL;
}

static const char *read_entries(char *text, void *field)
{
    read_list(text, field);
    return *text ? NULL : "is empty";
}

static const char *read_bytes(char *text, void *field)
{
    struct opt_bytes *bytes = field;
    bytes->bytes = text;
    return text_unescape(text, &bytes->length);
}

static const char *read_duration(char *text, void *field)
{
    return units_duration(text, field);
}

/* 0 is no limit, as with curl(1), wget(1) and timeout(1). */
static const char *read_limit(char *text, void *field)
{
    int64_t *ms = field;
    const char *wrong = read_duration(text, field);
    if (!wrong && *ms == 0)
        *ms = -1;
    return wrong;
}

static const char *read_size(char *text, void *field)
{
    return units_size(text, field);
}

static const char *read_memory(char *text, void *field)
{
    const char *wrong = units_size(text, field);
    return wrong || *(uint64_t *)field >= BUDGET_MIN ? wrong : "is too small (64k at least)";
}

static const char *read_percent(char *text, void *field)
{
    return units_percent(text, field);
}

static const char *read_mode(char *text, void *field)
{
    int mode = 0;
    size_t length = strlen(text);
    if (length < 1 || length > 4 || strspn(text, "01234567") != length)
        return "is not an octal mode (0600)";
    for (; *text; text++)
        mode = mode * 8 + (*text - '0');
    if (mode > 0777)
        return "is not an octal mode (0600)";
    *(int *)field = mode;
    return NULL;
}

static const char *read_descriptor(char *text, void *field)
{
    int64_t number;
    if (units_number(text, 0, INT_MAX, &number))
        return "is not a descriptor (0, 1, 2 ...)";
    *(int *)field = (int)number;
    return NULL;
}

static const char *read_log(char *text, void *field)
{
    *(bool *)field = true;
    return strcmp(text, "json") == 0 ? NULL : "is not a format (json)";
}

static const char *read_timing(char *text, void *field)
{
    *(int *)field = text ? OPT_TIMING_JSON : OPT_TIMING_CHART;
    return !text || strcmp(text, "json") == 0 ? NULL : "is not a format (json)";
}

/* setsockopt(2) would take a longer one as the name of its first 15 bytes. */
static const char *read_interface(char *text, void *field)
{
    *(const char **)field = text;
    return *text && strlen(text) < IF_NAMESIZE ? NULL : "is not the name of an interface";
}

static const char *read_proxy_version(char *text, void *field)
{
    int *version = field;
    *version = text && *text == '1' ? 1 : 2;
    return !text || (strspn(text, "12") == 1 && !text[1]) ? NULL : "is not a version: 1 or 2";
}

static const char *read_keepalive(char *text, void *field)
{
    enum { LONGEST_MS = 32767 * 1000 }; /* tcp(7), TCP_KEEPIDLE */
    int64_t *ms = field;
    *ms = 0;
    const char *wrong = text ? units_duration(text, ms) : NULL;
    if (!wrong && text && (*ms == 0 || *ms > LONGEST_MS))
        return "is not between 1 and 32767 seconds";
    return wrong;
}

static const char *read_byte(char *text, void *field)
{
    size_t length;
    const char *wrong = text_unescape(text, &length);
    if (!wrong && length != 1)
        return "is not one byte";
    *(int64_t *)field = (unsigned char)*text;
    return wrong;
}

/* Returns the type of service that the word stands for; -1: none. */
static int service_of(const char *word)
{
    /* The words of nc -T: RFC 3246, RFC 8622, RFC 791 and RFC 1349. */
    static const struct {
        char word[13];
        unsigned char tos;
    } words[] = {{"ef", 0xb8},          {"le", 0x04},          {"lowdelay", 0x10},
                 {"throughput", 0x08},  {"reliability", 0x04}, {"critical", 0xa0},
                 {"inetcontrol", 0xc0}, {"netcontrol", 0xe0}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(word, words[i].word) == 0)
            return words[i].tos;
    /* csN and afNM, by how their bits are made up (RFC 2474, RFC 2597). */
    size_t length = strlen(word);
    if (length == 3 && strncasecmp(word, "cs", 2) == 0 && word[2] >= '0' && word[2] <= '7')
        return (word[2] - '0') << 5;
    if (length == 4 && strncasecmp(word, "af", 2) == 0 && word[2] >= '1' && word[2] <= '4' &&
        word[3] >= '1' && word[3] <= '3')
        return (word[2] - '0') << 5 | (word[3] - '0') << 3;
    return -1;
}

static const char *read_tos(char *text, void *field)
{
    int64_t *tos = field;
    *tos = service_of(text);
    if (*tos < 0 && text[0] == '0' && text[1] == 'x' && text[2] && strlen(text) <= 4 &&
        strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text) - 2)
        *tos = strtol(text, NULL, 16);
    if (*tos >= 0 || !units_number(text, 0, 255, tos))
        return NULL;
    return "is not a type of service (0-255, cs0-cs7, af11-af43, ef, lowdelay)";
}

char *opt_copy_url(char *word)
{
    char *copy = memory_copy(word, strlen(word));
    size_t scheme = strcspn(word, ":/?#@");
    /* The user alone may be a token. A scheme may be missing. */
    char *start = strncmp(word + scheme, "://", 3) == 0 ? word + scheme + 3 : word;
    char *sign = memrchr(start, '@', strcspn(start, "/?#"));
    if (sign)
        memset(start, '*', (size_t)(sign - start));
    return copy;
}

/* Puts the copy in the field; of several, the last one counts. */
static const char *put_secret(char *copy, char **field)
{
    memory_wipe(*field);
    *field = copy;
    return NULL;
}

static const char *read_secret(char *text, void *field)
{
    size_t length = strlen(text);
    char *copy = memory_copy(text, length);
    if (*text != '@') /* that names a file, and stays */
        memset(text, '*', length);
    return put_secret(copy, field);
}

static const char *read_proxy(char *text, void *field)
{
    return put_secret(opt_copy_url(text), field);
}

/* Of "Name: value" and "NAME=VALUE" the name stays. */
static const char *read_fields(char *text, void *field)
{
    size_t length = strlen(text), name = strcspn(text, ":=");
    char *copy = memory_copy(text, length);
    if (name < length)
        memset(text + name + 1, '*', length - name - 1);
    return read_list(copy, field);
}

const struct opt_type opt_flag = {.read = read_flag};
const struct opt_type opt_count = {.read = read_count};
const struct opt_type opt_topic = {.metavar = "GROUP", .read = read_topic};
const struct opt_type opt_ipv4 = {.read = read_ipv4};
const struct opt_type opt_ipv6 = {.read = read_ipv6};
const struct opt_type opt_text = {.metavar = "TEXT", .read = read_text};
const struct opt_type opt_file = {.metavar = "FILE", .read = read_word};
const struct opt_type opt_program = {.metavar = "PROGRAM", .read = read_word};
const struct opt_type opt_command = {.metavar = "COMMAND", .read = read_word};
const struct opt_type opt_host = {.metavar = "ADDR", .read = read_word};
const struct opt_type opt_address = {.metavar = "ADDRESS", .read = read_word};
const struct opt_type opt_port = {.metavar = "PORT", .read = read_port};
const struct opt_type opt_record = {.metavar = "TYPE", .read = read_entries};
const struct opt_type opt_list = {.metavar = "TEXT", .read = read_list};
const struct opt_type opt_entries = {.metavar = "LIST", .read = read_entries};
const struct opt_type opt_bytes = {.metavar = "TEXT", .read = read_bytes};
const struct opt_type opt_duration = {.metavar = "TIME", .read = read_duration};
const struct opt_type opt_limit = {.metavar = "TIME", .read = read_limit};
const struct opt_type opt_size = {.metavar = "SIZE", .read = read_size};
const struct opt_type opt_memory = {.metavar = "SIZE", .read = read_memory};
const struct opt_type opt_number = {.metavar = "N", .min = 1, .max = INT_MAX};
const struct opt_type opt_service = {.metavar = "SERVICE", .read = read_text};
const struct opt_type opt_percent = {.metavar = "PERCENT", .read = read_percent};
const struct opt_type opt_seed = {.metavar = "N", .min = 0, .max = INT64_MAX};
const struct opt_type opt_amount = {.metavar = "N", .min = 0, .max = INT_MAX};
const struct opt_type opt_mode = {.metavar = "OCTAL", .read = read_mode};
const struct opt_type opt_descriptor = {.metavar = "FD", .read = read_descriptor};
const struct opt_type opt_log = {.metavar = "FORMAT", .read = read_log};
const struct opt_type opt_timing = {.metavar = "FORMAT", .read = read_timing};
const struct opt_type opt_ttl = {.metavar = "N", .min = 1, .max = 255};
const struct opt_type opt_mark = {.metavar = "N", .min = 0, .max = UINT32_MAX};
const struct opt_type opt_interface = {.metavar = "NAME", .read = read_interface};
const struct opt_type opt_proxy_version = {.metavar = "VERSION", .read = read_proxy_version};
const struct opt_type opt_keepalive = {.metavar = "TIME", .read = read_keepalive};
const struct opt_type opt_byte = {.metavar = "BYTE", .read = read_byte};
const struct opt_type opt_tos = {.metavar = "VALUE", .read = read_tos};
const struct opt_type opt_fields = {.metavar = "TEXT", .read = read_fields};
const struct opt_type opt_secret = {.metavar = "TEXT", .read = read_secret};
const struct opt_type opt_proxy = {.metavar = "URL", .read = read_proxy};

static const char *read_hex(char *text, void *field)
{
    struct opt_bytes *bytes = field;
    size_t length = strlen(text) / 2;
    if (text[strspn(text, "0123456789abcdefABCDEF")])
        return "is not hexadecimal: \"hi\" is 6869";
    if (text[2 * length])
        return "is not hexadecimal: two digits make a byte";
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(text_hex_digit(text[2 * i]) << 4 | text_hex_digit(text[2 * i + 1]));
    *bytes = (struct opt_bytes){text, length};
    return NULL;
}

const struct opt_type opt_hex = {.metavar = "HEX", .read = read_hex};
