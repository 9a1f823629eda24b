/*
 * A request is printed line by line: the request line, the fields that are ours unless the user has given one of that
 * name, and then the user's own.
 */
#include "proto/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "proto/http_message.h"

/* What the user gives */

const char *http_request_check_value(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
            return "has a control character in it";
    return NULL;
}

size_t http_request_name_length(const char *field)
{
    size_t length = 0;
    while (http_is_token(field[length]))
        length++;
    return length;
}

const char *http_request_check_field(const char *field)
{
    const char *end = field + http_request_name_length(field);
    if (end == field || (*end != ':' && strcmp(end, ";") != 0))
        return "is not a field (Name: value)";
    return http_request_check_value(end);
}

static bool field_is(const char *field, const char *name)
{
    return text_is_word(field, http_request_name_length(field), name);
}

/* Returns the value of a field; NULL: it has none. */
static const char *field_value(const char *field)
{
    const char *colon = field + http_request_name_length(field);
    const char *value = *colon == ':' ? colon + 1 + strspn(colon + 1, " \t") : "";
    return *value ? value : NULL;
}

const char *http_request_users_value(const char *const *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (field_is(fields[i], name) && field_value(fields[i]))
            return field_value(fields[i]);
    return NULL;
}

/* Writing it */

/* Says whether the user's field is meant for whom we are asking: this host, or a proxy. */
static bool is_sent(const struct http_request *request, const char *field)
{
    if (field_is(field, "Proxy-Authorization"))
        return request->absolute;
    return !request->foreign || (!field_is(field, "Authorization") && !field_is(field, "Cookie") &&
                                 !field_is(field, "Host"));
}

/* Says whether the user's fields leave this one to us. */
static bool is_ours(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (field_is(request->fields[i], name) && is_sent(request, request->fields[i]))
            return false;
    return true;
}

static void print_field(FILE *out, const struct http_request *request, const char *name,
                        const char *value)
{
    if (value && is_ours(request, name))
        fprintf(out, "%s: %s\r\n", name, value);
}

static void print_credentials(FILE *out, const struct http_request *request, const char *name,
                              const char *credentials)
{
    if (!credentials || !is_ours(request, name))
        return;
    fprintf(out, "%s: Basic ", name);
    text_base64(out, credentials, strlen(credentials));
    fputs("\r\n", out);
}

static void print_users_fields(FILE *out, const struct http_request *request)
{
    const char *host = http_request_users_value(request->fields, request->field_count, "Host");
    for (size_t i = 0; i < request->field_count; i++) {
        const char *field = request->fields[i];
        /* RFC 9112, 3.2: a request with two hosts is refused. */
        bool is_another_host = host && field_is(field, "Host") && field_value(field) != host;
        if (!is_sent(request, field) || is_another_host)
            continue;
        size_t length = http_request_name_length(field);
        if (field[length] == ';')
            fprintf(out, "%.*s:\r\n", (int)length, field);
        else if (field_value(field))
            fprintf(out, "%s\r\n", field);
    }
}

static void print_fields(FILE *out, const struct http_request *request)
{
    char authority[URL_AUTHORITY_MAX];
    bool closes = request->version == HTTP_11 && !request->persistent;
    const char *before_cookie = "Cookie: ";
    print_field(out, request, "Host", url_authority(request->url, authority));
    print_credentials(out, request, "Proxy-Authorization", request->proxy_credentials);
    print_credentials(out, request, "Authorization", request->credentials);
    print_field(out, request, "User-Agent", request->user_agent);
    print_field(out, request, "Accept", "*/*");
    if (request->range && is_ours(request, "Range"))
        fprintf(out, "Range: bytes=%s\r\n", request->range);
    print_field(out, request, "If-Range", request->if_range);
    print_field(out, request, "Referer", request->referer);
    for (size_t i = 0; i < request->cookie_count; i++) {
        if (!*request->cookies[i] || request->foreign || !is_ours(request, "Cookie"))
            continue;
        fprintf(out, "%s%s", before_cookie, request->cookies[i]);
        before_cookie = "; ";
    }
    if (*before_cookie == ';')
        fputs("\r\n", out);
    print_field(out, request, "Connection", closes ? "close" : NULL);
    print_users_fields(out, request);
}

char *http_request_text(const struct http_request *request, size_t *length)
{
    static const char *const versions[] = {" HTTP/1.1", " HTTP/1.0", ""};
    char *text = NULL, *target = memory_new(request->url->target.length + 2, 1);
    char authority[URL_AUTHORITY_MAX];
    FILE *out = memory_stream(&text, length);
    url_target(request->url, target);
    fprintf(out, "%s %s%s%s%s\r\n", request->method, request->absolute ? "http://" : "",
            request->absolute ? url_authority(request->url, authority) : "", target,
            versions[request->version]);
    free(target);
    if (request->version != HTTP_09) {
        print_fields(out, request);
        fputs("\r\n", out);
    }
    memory_stream_close(out);
    return text;
}

const char *http_request_redacted(const char *line, size_t *length)
{
    static const char *const hidden[] = {"Authorization", "Proxy-Authorization"};
    static const char *const shown[] = {"Authorization: ...", "Proxy-Authorization: ..."};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        if (!field_is(line, hidden[i]))
            continue;
        *length = strlen(shown[i]);
        return shown[i];
    }
    return line;
}
