/*
 * A name is read label by label: each is decoded from UTF-8 into code points, in lower case, and, where one of those is
 * not ASCII, written as "xn--" and its Punycode. What Unicode's tables alone could tell (which characters IDNA2008
 * allows, and how composed ones are written) is left to the registries, save for what is never right: characters that
 * nobody sees, and combining marks of European letters, whose composed form is another name.
 */
#include "proto/idna.h"

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wctype.h>

#include "base/text.h"

enum { LABEL_MAX = 63, CODE_POINT_MAX = 0x10ffff };

static bool is_never_right(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x80, 0xb6},     /* controls, signs */
        {0xb8, 0xbf},     /* more of them */
        {0x300, 0x36f},   /* combining marks */
        {0x2000, 0x206f}, /* spaces, what is not seen, what turns the direction */
        {0x3000, 0x3001}, /* a space, a comma */
        {0xe000, 0xf8ff}, /* private use */
        {0xfe00, 0xfe0f}, /* variants */
        {0xfeff, 0xffff}, /* the same letters, wider or narrower */
        {0xe0000, CODE_POINT_MAX},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

/* Punycode: RFC 3492, 6. */

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, BIAS_START = 72 };

static unsigned adapt_bias(unsigned delta, unsigned points, bool is_first)
{
    unsigned k = 0;
    delta = is_first ? delta / DAMP : delta / 2;
    for (delta += delta / points; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* Writes a delta as digits. Returns false: there is no more room in the label. */
static bool put_digits(char *label, size_t *used, unsigned delta, unsigned bias)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (unsigned k = BASE;; k += BASE) {
        unsigned t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        bool is_last = delta < t;
        if (*used == LABEL_MAX)
            return false;
        label[(*used)++] = digits[is_last ? delta : t + (delta - t) % (BASE - t)];
        if (is_last)
            return true;
        delta = (delta - t) / (BASE - t);
    }
}

/* Encodes at most LABEL_MAX points, some of them not ASCII. Returns the label's length; 0: it is too long. */
static size_t put_punycode(char *label, const uint32_t *points, size_t count)
{
    static const char prefix[] = "xn--";
    size_t used = sizeof prefix - 1, handled = 0;
    unsigned bias = BIAS_START, delta = 0;
    memcpy(label, prefix, used);
    for (size_t i = 0; i < count; i++)
        if (points[i] < 0x80 && used < LABEL_MAX)
            label[used++] = (char)points[i];
    const size_t basic = handled = used - (sizeof prefix - 1);
    if (basic && used < LABEL_MAX)
        label[used++] = '-';
    for (uint32_t next = 0x80; handled < count; next++, delta++) {
        uint32_t point = CODE_POINT_MAX; /* the least that is not below `next` */
        for (size_t i = 0; i < count; i++)
            if (points[i] >= next && points[i] < point)
                point = points[i];
        delta += (point - next) * (unsigned)(handled + 1);
        next = point;
        for (size_t i = 0; i < count; i++) {
            delta += points[i] < point;
            if (points[i] != point)
                continue;
            if (!put_digits(label, &used, delta, bias))
                return 0;
            bias = adapt_bias(delta, (unsigned)handled + 1, handled == basic);
            delta = 0;
            handled++;
        }
    }
    return used;
}

/* The name */

/* What a name is written into. */
struct name {
    char *out;
    size_t length;
    locale_t locale; /* of UTF-8, for the letters' case; 0: there is none */
};

/* Encodes one label; *at is then behind it, and behind the dot that has ended it, if one has. */
static const char *encode_label(struct name *name, const char **at, bool *has_dot)
{
    uint32_t points[LABEL_MAX], point;
    char label[LABEL_MAX];
    size_t count = 0;
    bool is_ascii = true;
    *has_dot = false;
    while (**at) {
        size_t size = text_code_point(*at, strlen(*at), &point);
        if (!size)
            return "is not UTF-8";
        *at += size;
        /* RFC 3490, 3.1: what people type for a dot. */
        *has_dot = point == '.' || point == 0x3002 || point == 0xff0e || point == 0xff61;
        if (*has_dot)
            break;
        if (name->locale)
            point = (uint32_t)towlower_l((wint_t)point, name->locale);
        if (is_never_right(point))
            return "has a character that no host name has";
        if (count == LABEL_MAX)
            return "has a label of more than 63 characters";
        points[count++] = point;
        is_ascii = is_ascii && point < 0x80;
    }
    const size_t length = is_ascii ? count : put_punycode(label, points, count);
    if (!length)
        return count ? "has a label that is too long once it is encoded (63 bytes)"
                     : "has an empty label";
    for (size_t i = 0; i < count && is_ascii; i++)
        label[i] = (char)points[i];
    if (name->length + length > IDNA_NAME_MAX)
        return "is longer than 253 bytes once it is encoded";
    memcpy(name->out + name->length, label, length);
    name->length += length;
    return NULL;
}

bool idna_is_ascii(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name >= 0x80)
            return false;
    return true;
}

const char *idna_encode(const char *name, char *out)
{
    struct name encoded = {.out = out, .locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL)};
    const char *wrong = NULL;
    while (*name && !wrong) {
        bool has_dot;
        wrong = encode_label(&encoded, &name, &has_dot);
        if (!wrong && has_dot && encoded.length == IDNA_NAME_MAX)
            wrong = "is longer than 253 bytes once it is encoded";
        else if (!wrong && has_dot)
            out[encoded.length++] = '.';
    }
    out[encoded.length] = '\0';
    if (encoded.locale)
        freelocale(encoded.locale);
    return wrong;
}
