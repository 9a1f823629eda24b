#include "cmd/http/http_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "proto/http_request.h"
#include "proto/idna.h"

/* "NAME:PASS" of the URL; NULL: it has none, or they are bad: then *wrong says what is. */
static char *decode_credentials(const struct url *url, const char **wrong)
{
    *wrong = NULL;
    if (!url->userinfo.length)
        return NULL;
    char *credentials = memory_new(url->userinfo.length + 2, 1);
    *wrong = url_credentials(url, credentials);
    if (!*wrong)
        return credentials;
    free(credentials);
    return NULL;
}

static char *users_credentials(const char *user)
{
    char *credentials = memory_new(strlen(user) + 2, 1);
    stpcpy(stpcpy(credentials, user), strchr(user, ':') ? "" : ":");
    return credentials;
}

/* Those of the options and of the first URL are for its host alone. Returns what is wrong. */
static const char *find_credentials(struct http_target *target, const struct http_options *options,
                                    const struct http_target *origin)
{
    const char *wrong = NULL;
    if (options->user && !target->foreign)
        target->credentials = users_credentials(options->user);
    else
        target->credentials = decode_credentials(&target->url, &wrong);
    if (!wrong && !target->credentials && origin && !target->foreign && origin->credentials)
        target->credentials = memory_copy(origin->credentials, strlen(origin->credentials));
    return wrong;
}

/* Whom a host that is not ASCII means is asked for, and named, by its A-labels alone (RFC 5891), whether
 * the resolver is asked, the server or a proxy. Returns what is wrong. */
static const char *encode_host(struct http_target *target, const char *text)
{
    const struct url_span host = target->url.host;
    char given[URL_HOST_MAX + 1], encoded[IDNA_NAME_MAX + 1];
    if (target->url.unix_socket || host.length > URL_HOST_MAX)
        return NULL;
    snprintf(given, sizeof given, "%.*s", (int)host.length, host.start);
    if (idna_is_ascii(given))
        return NULL;
    const char *wrong = idna_encode(given, encoded);
    if (wrong)
        return wrong;
    size_t before = (size_t)(host.start - text), length = strlen(encoded);
    const char *behind = host.start + host.length;
    target->encoded = memory_new(before + length + strlen(behind) + 1, 1);
    memcpy(target->encoded, text, before);
    stpcpy(stpcpy(target->encoded + before, encoded), behind);
    return url_parse(&target->url, target->encoded);
}

/* Room is left for the reason in an error of 300 bytes. */
static void write_name(struct http_target *target, const char *method)
{
    enum { SHOWN = 80 };
    const struct url *url = &target->url;
    char authority[URL_AUTHORITY_MAX];
    int length = url->target.length < SHOWN ? (int)url->target.length : SHOWN;
    const char *slash = length && *url->target.start == '/' ? "" : "/";
    if (url->unix_socket)
        snprintf(authority, sizeof authority, "%.*s", (int)url->host.length, url->host.start);
    else
        url_authority(url, authority);
    snprintf(target->name, sizeof target->name, "%s http%s://%.*s%s%.*s%s", method,
             url->unix_socket ? "+unix" : "", SHOWN, authority, slash, length, url->target.start,
             url->target.length > SHOWN ? "..." : "");
}

void http_target_release(struct http_target *target)
{
    memory_wipe(target->credentials);
    free(target->encoded);
    target->credentials = target->encoded = NULL;
    http_route_release(&target->route);
}

int http_target_init(struct http_target *target, const struct http_options *options,
                     const char *text, const struct http_target *origin, struct error *err)
{
    *target = (struct http_target){.credentials = NULL};
    const char *wrong = url_parse(&target->url, text);
    if (!wrong)
        wrong = encode_host(target, text);
    target->foreign = !wrong && origin && !url_is_same_origin(&target->url, &origin->url);
    if (!wrong)
        wrong = find_credentials(target, options, origin);
    int result = 0;
    if (wrong)
        result = error_set(err, STATUS_USAGE, "URL '%.100s' %s", url_harmless(text), wrong);
    else
        write_name(target, options->head ? "HEAD" : "GET");
    if (!result)
        result = http_route_find(&target->route, options, &target->url, err);
    if (result)
        http_target_release(target);
    return result;
}

char *http_target_request(const struct http_target *target, const struct http_options *options,
                          const struct http_wish *wish, size_t *length)
{
    const struct http_request request = {
        .method = options->head ? "HEAD" : "GET",
        .url = &target->url,
        .version = options->http09   ? HTTP_09
                   : options->http10 ? HTTP_10
                                     : HTTP_11,
        .absolute = target->route.proxied,
        .persistent = wish->persistent,
        .foreign = target->foreign,
        .user_agent = *options->user_agent ? options->user_agent : NULL,
        .referer = options->referer,
        .cookies = options->cookies.items,
        .cookie_count = options->cookies.count,
        .range = wish->range ? wish->range : options->range,
        .if_range = wish->if_range,
        .credentials = target->credentials,
        .proxy_credentials = target->route.credentials,
        .fields = options->fields.items,
        .field_count = options->fields.count,
    };
    return http_request_text(&request, length);
}
