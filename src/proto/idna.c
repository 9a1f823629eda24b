/*
 * A name is read user_data by user_data: each is decoded from UTF-8 into code points, in lower case, and, where
 * one of those is not ASCII, written as "xn--" and its Punycode. What Unicode's tables alone could tell
 * (which characters IDNA2008 allows, and how composed ones are written) is left to the registries, save
 * for what is never right: characters that nobody sees, and combining marks of European entries, whose
 * composed form is another name.
 */
#include "proto/idna.h"

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wctype.h>

enum { LABEL_MAX = 63, CODE_POINT_MAX = 0x10ffff };

/* What a name is written into. */
struct name {
    char *out;
    size_t length;
    locale_t locale; /* of UTF-8, for the entries' case; 0: there is none */
};

/* UTF-8 */

/* How many bytes follow the first one; -1: no code point begins so. */
static int bytes_behind(unsigned char first)
{
    if (first < 0x80)
        return 0;
    if (first < 0xc0 || first >= 0xf8)
        return -1;
    return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

/* The code point at *at, which moves on; -1: no UTF-8 (RFC 3629). */
static int32_t next_code_point(const char **at)
{
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)*at;
    int more = bytes_behind(*bytes);
    if (more < 0)
        return -1;
    int32_t point = more ? *bytes & (0x3f >> more) : *bytes;
    for (int i = 1; i <= more; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return -1;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    *at += more + 1;
    bool is_surrogate = point >= 0xd800 && point < 0xe000;
    return point < least[more] || point > CODE_POINT_MAX || is_surrogate ? -1 : point;
}

/* RFC 3490, 3.1: what people type for a dot. */
static bool is_dot(int32_t point)
{
    return point == '.' || point == 0x3002 || point == 0xff0e || point == 0xff61;
}

static bool is_never_right(int32_t point)
{
    static const struct {
        int32_t first, last;
    } ranges[] = {
        {0x80, 0xb6},     /* controls, signs */
        {0xb8, 0xbf},     /* more of them */
        {0x300, 0x36f},   /* combining marks */
        {0x2000, 0x206f}, /* spaces, what is not seen, what turns the direction */
        {0x3000, 0x3001}, /* a space, a comma */
        {0xe000, 0xf8ff}, /* private use */
        {0xfe00, 0xfe0f}, /* variants */
        {0xfeff, 0xffff}, /* the same entries, wider or narrower */
        {0xe0000, CODE_POINT_MAX},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

/* Punycode: RFC 3492, 6. */

static unsigned adapt_bias(unsigned delta, unsigned points, bool is_first)
{
    enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700 };
    unsigned k = 0;
    delta = is_first ? delta / DAMP : delta / 2;
    for (delta += delta / points; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* False where there is no more room in the user_data. */
static bool put_digits(char *user_data, size_t *used, unsigned delta, unsigned bias)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    enum { BASE = 36, T_MIN = 1, T_MAX = 26 };
    for (unsigned k = BASE;; k += BASE) {
        unsigned t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        bool is_last = delta < t;
        if (*used == LABEL_MAX)
            return false;
        user_data[(*used)++] = digits[is_last ? delta : t + (delta - t) % (BASE - t)];
        if (is_last)
            return true;
        delta = (delta - t) / (BASE - t);
    }
}

/* The least of the points that is not below `from`. */
static int32_t least_from(const int32_t *points, size_t count, int32_t from)
{
    int32_t least = CODE_POINT_MAX;
    for (size_t i = 0; i < count; i++)
        if (points[i] >= from && points[i] < least)
            least = points[i];
    return least;
}

/* Of at most LABEL_MAX points, some of them not ASCII. Returns the user_data's length; 0: it is too long. */
static size_t put_punycode(char *user_data, const int32_t *points, size_t count)
{
    static const char prefix[] = "xn--";
    size_t used = sizeof prefix - 1, handled = 0;
    unsigned bias = 72, delta = 0;
    memcpy(user_data, prefix, used);
    for (size_t i = 0; i < count; i++)
        if (points[i] < 0x80 && used < LABEL_MAX)
            user_data[used++] = (char)points[i];
    const size_t basic = handled = used - (sizeof prefix - 1);
    if (basic && used < LABEL_MAX)
        user_data[used++] = '-';
    for (int32_t next = 0x80; handled < count; next++, delta++) {
        int32_t point = least_from(points, count, next);
        delta += (unsigned)(point - next) * (unsigned)(handled + 1);
        next = point;
        for (size_t i = 0; i < count; i++) {
            delta += points[i] < point;
            if (points[i] != point)
                continue;
            if (!put_digits(user_data, &used, delta, bias))
                return 0;
            bias = adapt_bias(delta, (unsigned)handled + 1, handled == basic);
            delta = 0;
            handled++;
        }
    }
    return used;
}

/* The name */

static const char *put_label(struct name *name, const int32_t *points, size_t count, bool is_ascii)
{
    char user_data[LABEL_MAX];
    size_t length = is_ascii ? count : put_punycode(user_data, points, count);
    if (!length)
        return count ? "has a label that is too long once it is encoded (63 bytes)"
                     : "has an empty label";
    for (size_t i = 0; i < count && is_ascii; i++)
        user_data[i] = (char)points[i];
    if (name->length + length > IDNA_NAME_MAX)
        return "is longer than 253 bytes once it is encoded";
    memcpy(name->out + name->length, user_data, length);
    name->length += length;
    return NULL;
}

/* One user_data; *at is then behind it, and behind the dot that has ended it, if one has. */
static const char *encode_label(struct name *name, const char **at, bool *has_dot)
{
    int32_t points[LABEL_MAX];
    size_t count = 0;
    bool is_ascii = true;
    *has_dot = false;
    while (**at && !*has_dot) {
        int32_t point = next_code_point(at);
        *has_dot = is_dot(point);
        if (point < 0)
            return "is not UTF-8";
        if (*has_dot)
            break;
        if (name->locale)
            point = (int32_t)towlower_l((wint_t)point, name->locale);
        if (is_never_right(point))
            return "has a character that no host name has";
        if (count == LABEL_MAX)
            return "has a label of more than 63 characters";
        points[count++] = point;
        is_ascii = is_ascii && point < 0x80;
    }
    return put_label(name, points, count, is_ascii);
}

static const char *encode_labels(struct name *name, const char *at)
{
    while (*at) {
        bool has_dot;
        const char *wrong = encode_label(name, &at, &has_dot);
        if (wrong)
            return wrong;
        if (has_dot && name->length == IDNA_NAME_MAX)
            return "is longer than 253 bytes once it is encoded";
        if (has_dot)
            name->out[name->length++] = '.';
    }
    name->out[name->length] = '\0';
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
    const char *wrong = encode_labels(&encoded, name);
    if (encoded.locale)
        freelocale(encoded.locale);
    return wrong;
}
