/*
 * A URL is cut into spans of its text, part after part from left to right: scheme, authority (credentials, host, port),
 * target. What is asked of it later (url_host, url_target, url_credentials) is made of those spans. A reference, as
 * a Location has it, is put together with the URL that it is relative to (RFC 3986, 5.2) and encoded, and then parsed
 * as any URL is.
 */
#include "proto/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Tells whether a byte would break the request line, or has no place in a URL. */
static bool is_forbidden(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte <= ' ' || byte == 0x7f;
}

/* Returns the port of a URL that names none. */
static uint16_t default_port(const struct url *url)
{
    return url->tls ? URL_PORT_HTTPS : URL_PORT_HTTP;
}

/* Moves *at past "http://". */
static const char *skip_scheme(struct url *url, const char **at)
{
    const char *start = *at;
    size_t length = strspn(start, LETTERS DIGITS "+-.");
    if (strncmp(start + length, "://", 3) != 0)
        return NULL;
    *at += length + 3;
    url->tls = text_is_word(start, length, "https");
    url->unix_socket = text_is_word(start, length, "http+unix");
    return url->tls || url->unix_socket || text_is_word(start, length, "http")
               ? NULL
               : "has a scheme other than http and https";
}

static const char *parse_port(struct url *url, const char *port, size_t length)
{
    uint64_t value;
    url->port = default_port(url);
    url->has_port = length > 0;
    if (length == 0)
        return NULL; /* "host:" is the default port: RFC 3986, 3.2.3 */
    if (length > 5 || !text_number(port, length, &value))
        return "has a port that is no number";
    if (value < 1 || value > UINT16_MAX)
        return "has a port out of range (1-65535)";
    url->port = (uint16_t)value;
    return NULL;
}

/* Says whether what was in brackets is an address, perhaps with a zone. */
static bool is_ipv6(struct url_span host)
{
    char literal[INET6_ADDRSTRLEN];
    struct in6_addr address;
    const char *end = host.start + host.length;
    const char *zone = memchr(host.start, '%', host.length);
    if (!zone)
        zone = end;
    if (zone < end && (end - zone == 1 || zone + strspn(zone, LETTERS DIGITS "._%-") < end))
        return false;
    size_t length = (size_t)(zone - host.start);
    if (length >= sizeof literal)
        return false;
    memcpy(literal, host.start, length);
    literal[length] = '\0';
    return inet_pton(AF_INET6, literal, &address) == 1;
}

static const char *parse_bracketed(struct url *url, const char *at, const char *end)
{
    const char *bracket = memchr(at, ']', (size_t)(end - at));
    if (!bracket)
        return "has a '[' without its ']'";
    url->host = (struct url_span){at + 1, (size_t)(bracket - at - 1)};
    url->literal_ipv6 = true;
    if (url->host.length > URL_HOST_MAX || !is_ipv6(url->host))
        return "has something other than an IPv6 address in its brackets";
    if (bracket + 1 == end)
        return parse_port(url, end, 0);
    if (bracket[1] != ':')
        return "has something other than a port after the ']'";
    return parse_port(url, bracket + 2, (size_t)(end - bracket - 2));
}

static const char *parse_named(struct url *url, const char *at, const char *end)
{
    const char *colon = memchr(at, ':', (size_t)(end - at));
    url->host = (struct url_span){at, (size_t)((colon ? colon : end) - at)};
    if (url->host.length == 0)
        return colon && memchr(colon + 1, ':', (size_t)(end - colon - 1))
                   ? "has an IPv6 address without brackets (http://[::1]/)"
                   : "has no host";
    if (url->host.length > URL_HOST_MAX)
        return "has a host of more than 255 bytes";
    /* Bytes that are not ASCII are left to idna_encode. */
    for (size_t i = 0; i < url->host.length; i++)
        if ((unsigned char)at[i] < 0x80 && !strchr(LETTERS DIGITS "._%-", at[i]))
            return "has a bad character in its host";
    if (!colon)
        return parse_port(url, end, 0);
    if (memchr(colon + 1, ':', (size_t)(end - colon - 1)))
        return "has too many colons in its host (IPv6 addresses go into brackets)";
    return parse_port(url, colon + 1, (size_t)(end - colon - 1));
}

const char *url_parse(struct url *url, const char *text)
{
    *url = (struct url){0};
    for (const char *at = text; *at; at++)
        if (is_forbidden(*at))
            return *at == ' ' ? "has a space or a control character in it (a space is %20)"
                              : "has a space or a control character in it";
    const char *wrong = skip_scheme(url, &text);
    if (wrong)
        return wrong;
    const char *end = text + strcspn(text, "/?#");
    url->target = (struct url_span){end, strcspn(end, "#")};
    const char *at_sign = memrchr(text, '@', (size_t)(end - text));
    url->userinfo = (struct url_span){text, at_sign ? (size_t)(at_sign - text) : 0};
    if (at_sign)
        text = at_sign + 1;
    if (url->unix_socket) {
        url->host = (struct url_span){text, (size_t)(end - text)};
        url->port = default_port(url);
        /* A path has a '/' in it, an abstract name an '@' at its start, and both have to be encoded. */
        if (!memchr(text, '%', url->host.length))
            return "has no socket in it (http+unix://%2Frun%2Fx.sock/)";
        return memmem(text, url->host.length, "%00", 3) ? "has a NUL in it" : NULL;
    }
    return *text == '[' ? parse_bracketed(url, text, end) : parse_named(url, text, end);
}

/* Returns the byte at *at, percent-decoded, and moves *at on. A '%' that starts nothing stands for itself. */
static char decode_byte(const char **at, const char *end)
{
    const char *start = (*at)++;
    if (*start != '%' || end - start < 3)
        return *start;
    int high = text_hex_digit(start[1]), low = text_hex_digit(start[2]);
    if (high < 0 || low < 0)
        return *start;
    *at = start + 3;
    return (char)(high * 16 + low);
}

const char *url_credentials(const struct url *url, char *out)
{
    const char *at = url->userinfo.start, *end = at + url->userinfo.length;
    bool has_password = memchr(at, ':', url->userinfo.length);
    while (at < end) {
        char c = decode_byte(&at, end);
        if (is_forbidden(c) && c != ' ')
            return "has a control character in its user name or password";
        *out++ = c;
    }
    if (!has_password)
        *out++ = ':';
    *out = '\0';
    return NULL;
}

/* Returns where the zone of a host starts: at its '%'; at the end where there is none. */
static size_t zone_place(const struct url *url)
{
    if (!url->literal_ipv6)
        return url->host.length;
    const char *zone = memchr(url->host.start, '%', url->host.length);
    return zone ? (size_t)(zone - url->host.start) : url->host.length;
}

char *url_host(const struct url *url, char *out)
{
    size_t before = zone_place(url), rest = url->host.length - before;
    const char *zone = url->host.start + before;
    /* In a URL the '%' of a zone is itself encoded (RFC 6874), but people paste what ip(8) says. */
    bool encoded = rest > 3 && strncmp(zone, "%25", 3) == 0;
    if (encoded) {
        zone += 3;
        rest -= 3;
    }
    snprintf(out, URL_HOST_MAX + 1, "%.*s%s%.*s", (int)before, url->host.start, encoded ? "%" : "",
             (int)rest, zone);
    return out;
}

char *url_authority(const struct url *url, char *out)
{
    if (url->unix_socket) {
        snprintf(out, URL_AUTHORITY_MAX, "localhost");
        return out;
    }
    int used = snprintf(out, URL_AUTHORITY_MAX, url->literal_ipv6 ? "[%.*s]" : "%.*s",
                        (int)zone_place(url), url->host.start);
    if (url->port != default_port(url))
        snprintf(out + used, URL_AUTHORITY_MAX - (size_t)used, ":%u", url->port);
    return out;
}

char *url_socket(const struct url *url, char *out)
{
    const char *at = url->host.start, *end = at + url->host.length;
    char *to = out;
    while (at < end)
        *to++ = decode_byte(&at, end);
    *to = '\0';
    return out;
}

bool url_is_same_origin(const struct url *one, const struct url *other)
{
    const char *at = one->host.start, *end = at + one->host.length;
    const char *other_at = other->host.start, *other_end = other_at + other->host.length;
    if (one->unix_socket && other->unix_socket) {
        /* The paths are compared however they are written; a path has no case to ignore. */
        while (at < end && other_at < other_end)
            if (decode_byte(&at, end) != decode_byte(&other_at, other_end))
                return false;
        return at == end && other_at == other_end;
    }
    return one->unix_socket == other->unix_socket && one->tls == other->tls &&
           one->port == other->port && one->host.length == other->host.length &&
           strncasecmp(one->host.start, other->host.start, one->host.length) == 0;
}

const char *url_redacted(const char *text)
{
    const char *at_sign = strrchr(text, '@');
    return at_sign ? at_sign : text;
}

/* Copies a path that begins with '/' without its segments "." and "..", and without what ".." takes back. */
static size_t remove_dots(const char *path, const char *end, char *out)
{
    size_t used = 0;
    while (path < end) {
        const char *next = memchr(path + 1, '/', (size_t)(end - path - 1));
        size_t length = (size_t)((next ? next : end) - path);
        bool is_dot = text_is_word(path, length, "/."),
             is_parent = text_is_word(path, length, "/..");
        if (!is_dot && !is_parent) {
            memcpy(out + used, path, length);
            used += length;
        }
        if (is_parent) {
            const char *slash = memrchr(out, '/', used);
            used = slash ? (size_t)(slash - out) : 0;
        }
        if ((is_dot || is_parent) && !next)
            out[used++] = '/';
        path += length;
    }
    return used;
}

/* Returns the length of what precedes the query. */
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

/* Returns how many letters are before the ':' of a reference, if that comes before any '/', '?' and '#'; else 0. */
static size_t scheme_length(const char *reference, size_t length)
{
    for (size_t i = 0; i < length && !strchr("/?#", reference[i]); i++)
        if (reference[i] == ':')
            return i;
    return 0;
}

/* Prints a reference. A host's bytes that are not ASCII stay: it has an encoding of its own (IDNA). */
static void put_encoded(FILE *out, const char *bytes, size_t length)
{
    const size_t scheme = scheme_length(bytes, length), slashes = scheme ? scheme + 1 : 0;
    size_t authority = 0; /* what is before the path, where a host is named */
    if (length >= slashes + 2 && memcmp(bytes + slashes, "//", 2) == 0)
        authority = slashes + 2;
    while (authority && authority < length && !strchr("/?#", bytes[authority]))
        authority++;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        bool stays = i < authority && byte >= 0x80;
        fprintf(out, stays || (byte > ' ' && byte < 0x7f) ? "%c" : "%%%02X", byte);
    }
}

/* Prints what a reference that begins with the byte `first`, 0 for an empty one, leaves to its base. */
static void put_base(FILE *out, const struct url *base, int first)
{
    const char *scheme = base->unix_socket ? "http+unix" : base->tls ? "https" : "http";
    struct url_span host = base->host, target = base->target;
    const bool is_relative = first && !strchr("/?#", first);
    size_t inherited = !first || first == '#' ? target.length
                       : first == '/'         ? 0
                                              : path_length(target);
    while (is_relative && inherited && target.start[inherited - 1] != '/')
        inherited--;
    fprintf(out, base->literal_ipv6 ? "%s://[%.*s]" : "%s://%.*s", scheme, (int)host.length,
            host.start);
    if (base->has_port)
        fprintf(out, ":%u", base->port);
    fwrite(target.start, 1, inherited, out);
    if (!inherited && is_relative)
        putc('/', out);
}

char *url_refer(const struct url *base, const char *reference, size_t length, const char **wrong)
{
    struct url url;
    char *text = NULL;
    size_t size;
    size_t scheme = scheme_length(reference, length);
    *wrong = NULL;
    for (size_t i = 0; i < length && !*wrong; i++)
        if ((unsigned char)reference[i] < ' ' || reference[i] == 0x7f)
            *wrong = "has a control character in it";
    if (!*wrong && scheme && (length < scheme + 3 || memcmp(reference + scheme, "://", 3) != 0))
        *wrong = "has a scheme other than http and https";
    if (*wrong)
        return NULL;
    FILE *out = memory_stream(&text, &size);
    if (length >= 2 && memcmp(reference, "//", 2) == 0)
        fputs(base->tls ? "https:" : "http:", out);
    else if (!scheme)
        put_base(out, base, length ? *reference : '\0');
    put_encoded(out, reference, length);
    memory_stream_close(out);
    if (url_parse(&url, text))
        return text; /* for the caller to find out */
    /* Without dots and fragment the URL can be a base. */
    const size_t before = (size_t)(url.target.start - text);
    char *normal = memory_new(before + url.target.length + 2, 1);
    memcpy(normal, text, before);
    url_target(&url, normal + before);
    free(text);
    return normal;
}
