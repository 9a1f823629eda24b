/*
 * The kinds of value that socket options have.
 */
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "cli/opt.h"

static const char *read_ttl(char *text, void *field)
{
    return units_number(text, 1, 255, field);
}

static const char *read_mark(char *text, void *field)
{
    return units_number(text, 0, UINT32_MAX, field);
}

/* setsockopt(2) would take a longer one as the name of its first 15 bytes. */
static const char *read_interface(char *text, void *field)
{
    *(const char **)field = text;
    return *text && strlen(text) < IF_NAMESIZE ? NULL : "is not the name of an interface";
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

/* csN and afNM, by how their bits are made up (RFC 2474, RFC 2597); -1: neither. */
static int read_class(const char *word)
{
    size_t length = strlen(word);
    if (length == 3 && strncmp(word, "cs", 2) == 0 && word[2] >= '0' && word[2] <= '7')
        return (word[2] - '0') << 5;
    if (length == 4 && strncmp(word, "af", 2) == 0 && word[2] >= '1' && word[2] <= '4' &&
        word[3] >= '1' && word[3] <= '3')
        return (word[2] - '0') << 5 | (word[3] - '0') << 3;
    return -1;
}

/* The words of nc -T: RFC 3246, RFC 8622, RFC 791 and RFC 1349. */
static int read_service(const char *word)
{
    static const struct {
        char word[13];
        unsigned char tos;
    } words[] = {{"ef", 0xb8},          {"le", 0x04},          {"lowdelay", 0x10},
                 {"throughput", 0x08},  {"reliability", 0x04}, {"critical", 0xa0},
                 {"inetcontrol", 0xc0}, {"netcontrol", 0xe0}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].tos;
    return read_class(word);
}

static const char *read_tos(char *text, void *field)
{
    int64_t *tos = field;
    *tos = read_service(text);
    if (*tos < 0 && text[0] == '0' && text[1] == 'x' && text[2] && strlen(text) <= 4 &&
        strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text) - 2)
        *tos = strtol(text, NULL, 16);
    if (*tos >= 0 || !units_number(text, 0, 255, tos))
        return NULL;
    return "is not a type of service (0-255, cs0-cs7, af11-af43, ef, lowdelay)";
}

const struct opt_type opt_ttl = {"N", read_ttl};
const struct opt_type opt_mark = {"N", read_mark};
const struct opt_type opt_interface = {"NAME", read_interface};
const struct opt_type opt_keepalive = {"TIME", read_keepalive};
const struct opt_type opt_byte = {"BYTE", read_byte};
const struct opt_type opt_tos = {"VALUE", read_tos};
