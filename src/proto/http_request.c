/*
 * A request is printed line by line: the request line, the fields that are ours unless the user has given one of that
 * name, and then the user's own.
 */
#include "proto/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "proto/http_head.h"

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

static bool is_named(const char *field, const char *name)
{
    size_t length = strlen(name);
    return http_request_name_length(field) == length && strncasecmp(field, name, length) == 0;
}

/* NULL: it has none. */
static const char *value_of(const char *field)
{
    const char *colon = field + http_request_name_length(field);
    const char *value = *colon == ':' ? colon + 1 + strspn(colon + 1, " \t") : "";
    return *value ? value : NULL;
}

const char *http_request_users_value(const char *const *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (is_named(fields[i], name) && value_of(fields[i]))
            return value_of(fields[i]);
    return NULL;
}

/* Writing it */

/* Whether the user's field is meant for whom we are asking: this host, or a proxy. */
static bool is_sent(const struct http_request *request, const char *field)
{
    if (is_named(field, "Proxy-Authorization"))
        return request->absolute;
    return !request->foreign || (!is_named(field, "Authorization") && !is_named(field, "Cookie") &&
                                 !is_named(field, "Host"));
}

/* Whether the user's fields leave this one to us. */
static bool is_ours(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (is_named(request->fields[i], name) && is_sent(request, request->fields[i]))
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

/* RFC 9112, 3.2: a request with two is refused. */
static bool is_another_host(const struct http_request *request, const char *field)
{
    const char *first = http_request_users_value(request->fields, request->field_count, "Host");
    return is_named(field, "Host") && first && value_of(field) != first;
}

static void print_cookies(FILE *out, const struct http_request *request)
{
    const char *before = "Cookie: ";
    for (size_t i = 0; i < request->cookie_count; i++) {
        if (!*request->cookies[i] || request->foreign || !is_ours(request, "Cookie"))
            continue;
        fprintf(out, "%s%s", before, request->cookies[i]);
        before = "; ";
    }
    if (*before == ';')
        fputs("\r\n", out);
}

static void print_users_field(FILE *out, const char *field)
{
    size_t length = http_request_name_length(field);
    if (field[length] == ';')
        fprintf(out, "%.*s:\r\n", (int)length, field);
    else if (value_of(field))
        fprintf(out, "%s\r\n", field);
}

static void print_fields(FILE *out, const struct http_request *request)
{
    char authority[URL_AUTHORITY_MAX];
    bool closes = request->version == HTTP_11 && !request->persistent;
    print_field(out, request, "Host", url_authority(request->url, authority));
    print_credentials(out, request, "Proxy-Authorization", request->proxy_credentials);
    print_credentials(out, request, "Authorization", request->credentials);
    print_field(out, request, "User-Agent", request->user_agent);
    print_field(out, request, "Accept", "*/*");
    if (request->range && is_ours(request, "Range"))
        fprintf(out, "Range: bytes=%s\r\n", request->range);
    print_field(out, request, "If-Range", request->if_range);
    print_field(out, request, "Referer", request->referer);
    print_cookies(out, request);
    print_field(out, request, "Connection", closes ? "close" : NULL);
    for (size_t i = 0; i < request->field_count; i++)
        if (is_sent(request, request->fields[i]) && !is_another_host(request, request->fields[i]))
            print_users_field(out, request->fields[i]);
}

static void print_target(FILE *out, const struct http_request *request)
{
    char *target = memory_new(request->url->target.length + 2, 1);
    size_t length = url_target(request->url, target);
    if (request->absolute) {
        char authority[URL_AUTHORITY_MAX];
        fprintf(out, "http://%s", url_authority(request->url, authority));
    }
    fwrite(target, 1, length, out);
    free(target);
}

static void print_request(FILE *out, const struct http_request *request)
{
    static const char *const versions[] = {" HTTP/1.1", " HTTP/1.0", ""};
    fprintf(out, "%s ", request->method);
    print_target(out, request);
    fprintf(out, "%s\r\n", versions[request->version]);
    if (request->version == HTTP_09)
        return;
    print_fields(out, request);
    fputs("\r\n", out);
}

char *http_request_text(const struct http_request *request, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    if (!out)
        memory_impossible("out of memory");
    print_request(out, request);
    if (ferror(out) || fclose(out))
        memory_impossible("out of memory");
    return text;
}

const char *http_request_redacted(const char *line, size_t *length)
{
    static const char *const hidden[] = {"Authorization", "Proxy-Authorization"};
    static const char *const shown[] = {"Authorization: ...", "Proxy-Authorization: ..."};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        if (!is_named(line, hidden[i]))
            continue;
        *length = strlen(shown[i]);
        return shown[i];
    }
    return line;
}
