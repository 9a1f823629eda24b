/*
 * Each function stands for itself. None allocates, and none depends on the locale.
 */
#include "base/text.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

size_t text_escape(char *out, size_t room, const char *bytes, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte < 0x7f) {
            if (room - used < 1)
                break;
            out[used++] = (char)byte;
        } else {
            if (room - used < 4)
                break;
            out[used++] = '\\';
            out[used++] = 'x';
            out[used++] = hex[byte >> 4];
            out[used++] = hex[byte & 15];
        }
    }
    return used;
}

int text_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Reads up to `max` digits of `base` at *at, which it moves on. */
static int read_number(const char **at, int base, int max)
{
    int value = 0;
    for (int i = 0; i < max; i++, (*at)++) {
        int digit = text_hex_digit(**at);
        if (digit < 0 || digit >= base)
            break;
        value = value * base + digit;
    }
    return value;
}

/* Reads the byte that the escape after a backslash stands for; -1 if there is no such escape. */
static int read_escape(const char **at)
{
    static const char names[] = "nrtabefv\\\"'";
    static const char bytes[] = "\n\r\t\a\b\033\f\v\\\"'";
    char c = **at;
    if (c >= '0' && c <= '7')
        return read_number(at, 8, 3);
    (*at)++;
    if (c == 'x')
        return text_hex_digit(**at) < 0 ? -1 : read_number(at, 16, 2);
    const char *name = c ? strchr(names, c) : NULL;
    return name ? bytes[name - names] : -1;
}

const char *text_unescape(char *text, size_t *length)
{
    char *out = text;
    for (const char *in = text; *in;) {
        if (*in != '\\') {
            *out++ = *in++;
            continue;
        }
        in++;
        int byte = read_escape(&in);
        if (byte < 0)
            return "has an unknown escape";
        if (byte > UINT8_MAX)
            return "has an octal escape over \\377";
        *out++ = (char)byte;
    }
    *length = (size_t)(out - text);
    return NULL;
}

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(const char *one, const char *other)
{
    enum { WORD_MAX = 63 };
    size_t rows = strlen(one), columns = strlen(other);
    /* Of turning the first `i` bytes of one into the first `j` of other, from that for fewer bytes. */
    size_t cost[WORD_MAX + 1][WORD_MAX + 1];
    if (rows > WORD_MAX || columns > WORD_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= rows; i++)
        for (size_t j = 0; j <= columns; j++) {
            size_t best = i + j;
            if (i && j) {
                best = cost[i - 1][j - 1] + (one[i - 1] != other[j - 1]);
                best = min_of(best, min_of(cost[i - 1][j], cost[i][j - 1]) + 1);
            }
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                best = min_of(best, cost[i - 2][j - 2] + 1);
            cost[i][j] = best;
        }
    return cost[rows][columns];
}

size_t text_code_point(const char *bytes, size_t length, uint32_t *point)
{
    static const uint32_t min_of_size[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char first = (unsigned char)*bytes;
    const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || length < size)
        return 0;
    *point = size == 1 ? first : first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (bytes[i] & 0x3f);
    }
    bool is_surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return *point < min_of_size[size] || *point > 0x10ffff || is_surrogate ? 0 : size;
}

char *text_put_number(char *out, unsigned number)
{
    char digits[3 * sizeof number];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count)
        *out++ = digits[--count];
    *out = '\0';
    return out;
}

void text_base64(FILE *out, const char *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < length; at += 3) {
        size_t count = length - at < 3 ? length - at : 3;
        unsigned group = 0;
        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < count ? (unsigned char)bytes[at + i] : 0);
        for (size_t i = 0; i < 4; i++)
            putc(i <= count ? digits[group >> (18 - 6 * i) & 63] : '=', out);
    }
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_is_digits(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return length > 0;
}

bool text_number(const char *digits, size_t length, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(digits[i] - '0');
        if (digit > 9 || *number > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return length > 0;
}

bool text_is_word(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}
