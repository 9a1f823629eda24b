#include "cmd/http_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "proto/http_request.h"
#include "proto/url.h"

/* The options */

static int check_value(const char *name, const char *value, struct error *err)
{
    const char *wrong = value ? http_request_check_value(value) : NULL;
    return wrong ? error_set(err, STATUS_USAGE, "option --%s: its value %s", name, wrong) : 0;
}

static int check_range(const char *range, struct error *err)
{
    if (!range || (*range && strspn(range, "0123456789,-") == strlen(range)))
        return 0;
    return error_set(err, STATUS_USAGE, "option --range: '%.100s' is not a range (0-99, 100-, -50)",
                     range);
}

int http_target_check(const struct http_target_options *options, struct error *err)
{
    if (check_value("user-agent", options->user_agent, err) ||
        check_value("referer", options->referer, err) || check_value("user", options->user, err) ||
        check_value("cookie", options->cookie, err) || check_range(options->range, err))
        return -1;
    for (size_t i = 0; i < options->fields.count; i++) {
        const char *wrong = http_request_check_field(options->fields.items[i]);
        if (wrong)
            return error_set(err, STATUS_USAGE, "option --header: '%.100s' %s",
                             options->fields.items[i], wrong);
    }
    if (options->http09 && (options->head || options->http10))
        return error_set(err, STATUS_USAGE, "--http0.9 knows neither --head nor --http1.0");
    return 0;
}

/* The URL */

/* "NAME:PASS" as the user or the URL gives it, the caller's to free; NULL: neither does. Returns
 * NULL, or what is wrong with the URL. */
static const char *find_credentials(const struct http_target_options *options,
                                    const struct url *url, char **credentials)
{
    *credentials = NULL;
    if (options->user) {
        *credentials = memory_new(strlen(options->user) + 2, 1);
        stpcpy(stpcpy(*credentials, options->user), strchr(options->user, ':') ? "" : ":");
        return NULL;
    }
    if (!url->userinfo.length)
        return NULL;
    *credentials = memory_new(url->userinfo.length + 2, 1);
    return url_credentials(url, *credentials);
}

static void write_request(struct http_target *target, const struct http_target_options *options,
                          const struct url *url, const char *credentials)
{
    const struct http_request request = {
        .method = options->head ? "HEAD" : "GET",
        .url = url,
        .version = options->http09   ? HTTP_09
                   : options->http10 ? HTTP_10
                                     : HTTP_11,
        .user_agent = *options->user_agent ? options->user_agent : NULL,
        .referer = options->referer,
        .cookie = options->cookie,
        .range = options->range,
        .credentials = credentials,
        .fields = options->fields.items,
        .field_count = options->fields.count,
    };
    target->request = http_request_text(&request, &target->request_length);
}

/* Room is left for the reason in an error of 300 bytes. */
static void write_name(struct http_target *target, const char *method, const struct url *url)
{
    enum { SHOWN = 80 };
    char authority[URL_AUTHORITY_MAX];
    int length = url->target.length < SHOWN ? (int)url->target.length : SHOWN;
    const char *slash = length && *url->target.start == '/' ? "" : "/";
    snprintf(target->name, sizeof target->name, "%s http://%.*s%s%.*s%s", method, SHOWN,
             url_authority(url, authority), slash, length, url->target.start,
             url->target.length > SHOWN ? "..." : "");
}

static int find_address(struct http_target *target, const struct http_target_options *options,
                        const struct url *url, struct error *err)
{
    const struct address_use use = {.unix_socket = true, .family = AF_UNSPEC};
    if (options->unix_path)
        return address_parse(&target->address, &options->unix_path, 1, &use, err);
    target->address = (struct address){.kind = ADDRESS_INET,
                                       .socktype = SOCK_STREAM,
                                       .family = options->family.family};
    url_host(url, target->address.host);
    snprintf(target->address.port, sizeof target->address.port, "%u", url->port);
    return 0;
}

void http_target_release(struct http_target *target)
{
    free(target->request);
    target->request = NULL;
}

int http_target_init(struct http_target *target, const struct http_target_options *options,
                     const char *text, struct error *err)
{
    struct url url;
    char *credentials = NULL;
    *target = (struct http_target){.request = NULL};
    const char *wrong = url_parse(&url, text);
    if (!wrong)
        wrong = find_credentials(options, &url, &credentials);
    int result = -1;
    if (wrong) {
        error_set(err, STATUS_USAGE, "URL '%.100s' %s", url_harmless(text), wrong);
    } else {
        write_name(target, options->head ? "HEAD" : "GET", &url);
        write_request(target, options, &url, credentials);
        result = find_address(target, options, &url, err);
    }
    free(credentials);
    if (result)
        http_target_release(target);
    return result;
}
