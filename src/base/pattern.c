/*
 * Escapes such as \x41 are decoded first, into bytes that regcomp(3) takes literally. The bytes that are searched are
 * searched piece by piece between their NUL bytes, for to regexec(3) a NUL is the end.
 */
#include "base/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Returns the end of an escape that starts at the backslash `in`; NULL: the backslash is the expression's own. */
static const char *end_of_escape(const char *in)
{
    size_t hex = in[1] == 'x' ? strspn(in + 2, "0123456789abcdefABCDEF") : 0;
    size_t octal = in[1] == '0' ? strspn(in + 1, "01234567") : 0;
    if (in[1] == 'x')
        return in + 2 + (hex < 2 ? hex : 2);
    if (in[1] == '0')
        return in + 1 + (octal < 3 ? octal : 3);
    return in[1] && strchr("nrtfvae", in[1]) ? in + 2 : NULL;
}

struct decoder {
    const char *in;
    char *out;         /* room for twice the text */
    const char *first; /* in brackets: where a ']' does not end them; else NULL */
};

static void copy_plain(struct decoder *decoder, size_t length)
{
    memcpy(decoder->out, decoder->in, length);
    decoder->in += length;
    decoder->out += length;
}

/* Decodes the escape up to `end` into a byte that stands for itself, whatever it means in an expression. */
static const char *decode_escape(struct decoder *decoder, const char *end)
{
    char escape[8] = "";
    size_t length;
    memcpy(escape, decoder->in, (size_t)(end - decoder->in));
    decoder->in = end;
    const char *wrong = text_unescape(escape, &length);
    if (wrong)
        return wrong;
    if (!*escape)
        return "has a NUL, which no expression can match";
    if (decoder->first && strchr("]^-[", *escape))
        return "has an escape for ], [, ^ or - between brackets";
    if (!decoder->first && strchr(".[]{}()*+?|^$\\", *escape))
        *decoder->out++ = '\\';
    *decoder->out++ = *escape;
    return NULL;
}

/* Copies what is no escape: a byte, the start of a bracket expression, or, in one, [:alpha:] and the like. */
static void decode_plain(struct decoder *decoder)
{
    const char *in = decoder->in;
    if (decoder->first) {
        const char end[] = {in[1], ']', '\0'};
        bool is_class = *in == '[' && in[1] && strchr(":.=", in[1]);
        const char *close = is_class ? strstr(in + 2, end) : NULL;
        if (*in == ']' && in != decoder->first)
            decoder->first = NULL;
        copy_plain(decoder, close ? (size_t)(close + 2 - in) : 1);
    } else if (*in == '[') {
        copy_plain(decoder, in[1] == '^' ? 2 : 1);
        decoder->first = decoder->in;
    } else {
        copy_plain(decoder, *in == '\\' && in[1] ? 2 : 1);
    }
}

bool pattern_compile(struct pattern *pattern, const char *text, char *why)
{
    char *decoded = memory_new(2 * strlen(text) + 1, 1);
    struct decoder decoder = {text, decoded, NULL};
    const char *wrong = NULL;
    while (!wrong && *decoder.in) {
        const char *end = *decoder.in == '\\' ? end_of_escape(decoder.in) : NULL;
        if (end)
            wrong = decode_escape(&decoder, end);
        else
            decode_plain(&decoder);
    }
    *decoder.out = '\0';
    int code = wrong ? 0 : regcomp(&pattern->regex, decoded, REG_EXTENDED | REG_NEWLINE);
    free(decoded);
    if (wrong)
        snprintf(why, PATTERN_WHY_MAX, "%s", wrong);
    else if (code)
        regerror(code, &pattern->regex, why, PATTERN_WHY_MAX);
    return !wrong && code == 0;
}

void pattern_release(struct pattern *pattern)
{
    regfree(&pattern->regex);
}

ptrdiff_t pattern_find(const struct pattern *pattern, char *bytes, size_t length,
                       struct pattern_place *place)
{
    regmatch_t match;
    bytes[length] = '\0';
    for (size_t start = place->searched; start <= length; start += strlen(bytes + start) + 1) {
        bool in_line = start || place->in_line;
        place->searched = start;
        /* What matches nothing at all has matched where the search began. */
        if (start && !bytes[start])
            continue;
        if (regexec(&pattern->regex, bytes + start, 1, &match, in_line ? REG_NOTBOL : 0) == 0)
            return (ptrdiff_t)start + match.rm_eo;
    }
    return -1;
}
