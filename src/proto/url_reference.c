/*
 * Paths and references: RFC 3986, 5.2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "proto/url.h"

static bool is_dots(const char *segment, size_t length)
{
    return (length == 2 && memcmp(segment, "/.", 2) == 0) ||
           (length == 3 && memcmp(segment, "/..", 3) == 0);
}

/* Without the last segment and its '/'. */
static size_t parent_length(const char *path, size_t length)
{
    const char *slash = memrchr(path, '/', length);
    return slash ? (size_t)(slash - path) : 0;
}

/* Of a path that begins with '/'. */
static size_t remove_dots(const char *path, const char *end, char *out)
{
    size_t used = 0;
    while (path < end) {
        const char *next = memchr(path + 1, '/', (size_t)(end - path - 1));
        size_t length = (size_t)((next ? next : end) - path);
        if (!is_dots(path, length)) {
            memcpy(out + used, path, length);
            used += length;
        } else {
            if (length == 3)
                used = parent_length(out, used);
            if (!next)
                out[used++] = '/';
        }
        path += length;
    }
    return used;
}

/* What precedes the query. */
static size_t path_length(struct url_span target)
{
    const char *query = memchr(target.start, '?', target.length);
    return query ? (size_t)(query - target.start) : target.length;
}

size_t url_target(const struct url *url, char *out)
{
    struct url_span target = url->target;
    size_t path = path_length(target), used = 1;
    if (path)
        used = remove_dots(target.start, target.start + path, out);
    else
        *out = '/';
    memcpy(out + used, target.start + path, target.length - path);
    used += target.length - path;
    out[used] = '\0';
    return used;
}

/* Of a reference: the entries before its ':', if that comes before any '/', '?' and '#'. */
static size_t scheme_length(const char *reference, size_t length)
{
    for (size_t i = 0; i < length && !strchr("/?#", reference[i]); i++)
        if (reference[i] == ':')
            return i;
    return 0;
}

/* How much of a reference is before its path, where it names a host. */
static size_t authority_end(const char *reference, size_t length)
{
    size_t at = scheme_length(reference, length);
    at += at ? 1 : 0;
    if (length < at + 2 || memcmp(reference + at, "//", 2) != 0)
        return 0;
    at += 2;
    while (at < length && !strchr("/?#", reference[at]))
        at++;
    return at;
}

/* A host's bytes that are not ASCII stay: it has an encoding of its own (IDNA). */
static void put_encoded(FILE *out, const char *bytes, size_t length)
{
    size_t authority = authority_end(bytes, length);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        bool stays = i < authority && byte >= 0x80;
        fprintf(out, stays || (byte > ' ' && byte < 0x7f) ? "%c" : "%%%02X", byte);
    }
}

/* What the reference leaves out comes from the base: how much of the base's target. */
static size_t inherited_length(struct url_span target, int first)
{
    size_t path = path_length(target);
    switch (first) {
    case '\0':
    case '#':
        return target.length;
    case '?':
        return path;
    case '/':
        return 0;
    default:
        while (path && target.start[path - 1] != '/')
            path--;
        return path;
    }
}

static void put_base(FILE *out, const struct url *base, int first)
{
    const char *scheme = base->unix_socket ? "http+unix" : "http";
    struct url_span host = base->host, target = base->target;
    size_t inherited = inherited_length(target, first);
    fprintf(out, base->literal_ipv6 ? "%s://[%.*s]" : "%s://%.*s", scheme, (int)host.length,
            host.start);
    if (base->has_port)
        fprintf(out, ":%u", base->port);
    fwrite(target.start, 1, inherited, out);
    if (!inherited && first && !strchr("/?#", first))
        putc('/', out);
}

static const char *check_reference(const char *reference, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)reference[i] < ' ' || reference[i] == 0x7f)
            return "has a control character in it";
    size_t scheme = scheme_length(reference, length);
    if (scheme && (length < scheme + 3 || memcmp(reference + scheme, "://", 3) != 0))
        return "has a scheme other than http";
    return NULL;
}

/* So that what follows can be a base. The fragment is dropped. */
static char *normalise(char *text)
{
    struct url url;
    if (url_parse(&url, text))
        return text; /* for the caller to find out */
    size_t before = (size_t)(url.target.start - text);
    char *normal = memory_new(before + url.target.length + 2, 1);
    memcpy(normal, text, before);
    url_target(&url, normal + before);
    free(text);
    return normal;
}

char *url_refer(const struct url *base, const char *reference, size_t length, const char **wrong)
{
    char *text = NULL;
    size_t size;
    *wrong = check_reference(reference, length);
    if (*wrong)
        return NULL;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        memory_impossible("out of memory");
    if (length >= 2 && memcmp(reference, "//", 2) == 0)
        fputs("http:", out);
    else if (!scheme_length(reference, length))
        put_base(out, base, length ? *reference : '\0');
    put_encoded(out, reference, length);
    if (ferror(out) || fclose(out))
        memory_impossible("out of memory");
    return normalise(text);
}
