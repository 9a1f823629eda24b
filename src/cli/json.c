/*
 * See json.h. Character by character: what is UTF-8 goes as it is, the rest escaped.
 */
#include "cli/json.h"

#include <stdbool.h>

/* The bytes of the character that begins here; 0 if it is not UTF-8 (RFC 3629, 4): cut, longer
 * than need be, a surrogate, or beyond U+10FFFF. */
static size_t utf8_length(const unsigned char *bytes, size_t left)
{
    static const struct {
        unsigned char first, last; /* of the first byte */
        unsigned char low, high;   /* of the second */
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t form = 0;
    while (form < sizeof forms / sizeof *forms && bytes[0] > forms[form].last)
        form++;
    if (form == sizeof forms / sizeof *forms || bytes[0] < forms[form].first ||
        left < forms[form].length)
        return 0;
    if (forms[form].length > 1 && (bytes[1] < forms[form].low || bytes[1] > forms[form].high))
        return 0;
    for (size_t i = 2; i < forms[form].length; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return 0;
    return forms[form].length;
}

void json_string(FILE *out, const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    putc('"', out);
    while (length) {
        size_t character = utf8_length(at, length);
        size_t taken = character ? character : 1;
        /* C0, DEL and C1: a terminal would obey them. */
        bool is_control = (character == 1 && (at[0] < 0x20 || at[0] == 0x7f)) ||
                          (character == 2 && at[0] == 0xc2 && at[1] < 0xa0);
        if (!character)
            fprintf(out, "\\\\x%02x", at[0]);
        else if (is_control)
            fprintf(out, "\\u%04x", (unsigned)at[character - 1]);
        else if (at[0] == '"' || at[0] == '\\')
            fprintf(out, "\\%c", at[0]);
        else
            fwrite(at, 1, character, out);
        at += taken;
        length -= taken;
    }
    putc('"', out);
}
