#include "proto/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* The end of an escape that starts at the backslash `in`; NULL: it is the expression's own. */
static const char *end_of_escape(const char *in)
{
    if (in[1] == 'x')
        return in + 2 + strspn(in + 2, "0123456789abcdefABCDEF") > in + 4
                   ? in + 4
                   : in + 2 + strspn(in + 2, "0123456789abcdefABCDEF");
    if (in[1] == '0')
        return in + 1 + (strspn(in + 1, "01234567") < 3 ? strspn(in + 1, "01234567") : 3);
    return in[1] && strchr("nrtfvae", in[1]) ? in + 2 : NULL;
}

/* The byte stands for itself, whatever it means in an expression. */
static char *put_literal(char *out, char byte)
{
    if (strchr(".[]{}()*+?|^$\\", byte))
        *out++ = '\\';
    *out++ = byte;
    return out;
}

/* `out` holds twice the text. NULL, or what is wrong with it. */
static const char *decode(const char *in, char *out)
{
    while (*in) {
        const char *end = *in == '\\' ? end_of_escape(in) : NULL;
        if (!end) {
            if (*in == '\\' && in[1])
                *out++ = *in++;
            *out++ = *in++;
            continue;
        }
        char escape[8] = "";
        size_t length;
        memcpy(escape, in, (size_t)(end - in));
        const char *wrong = text_unescape(escape, &length);
        if (wrong)
            return wrong;
        if (!*escape)
            return "has a NUL, which no expression can match";
        out = put_literal(out, *escape);
        in = end;
    }
    *out = '\0';
    return NULL;
}

bool pattern_compile(struct pattern *pattern, const char *text, char *why)
{
    char *decoded = memory_new(2 * strlen(text) + 1, 1);
    const char *wrong = decode(text, decoded);
    int code = wrong ? 0 : regcomp(&pattern->regex, decoded, REG_EXTENDED);
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

ptrdiff_t pattern_find(const struct pattern *pattern, char *bytes, size_t length, size_t *searched)
{
    regmatch_t match;
    bytes[length] = '\0';
    for (size_t start = *searched; start <= length; start += strlen(bytes + start) + 1) {
        *searched = start;
        /* What matches nothing at all has matched where the search began. */
        if (start && !bytes[start])
            continue;
        if (regexec(&pattern->regex, bytes + start, 1, &match, start ? REG_NOTBOL : 0) == 0)
            return (ptrdiff_t)start + match.rm_eo;
    }
    return -1;
}
