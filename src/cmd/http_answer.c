#include "cmd/http_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/report.h"
#include "proto/http_fields.h"
#include "proto/http_range.h"

enum { SHOWN_MAX = 80, PARTIAL = 206, FIRST_REFUSAL = 400 };

static int shown(size_t length)
{
    return (int)(length < SHOWN_MAX ? length : SHOWN_MAX);
}

static const char *field(const struct http_exchange *exchange, const char *name, size_t *length)
{
    *length = 0;
    return http_head_field(&exchange->head, exchange->bytes, name, length);
}

/* Whether the number is in a list that ends with 0. */
static bool is_one_of(const int *list, int number)
{
    while (*list && *list != number)
        list++;
    return *list;
}

/* Refusals */

bool http_answer_is_refusal(const struct http_exchange *exchange)
{
    return exchange->head.status >= FIRST_REFUSAL;
}

int http_answer_refuse(const struct http_exchange *exchange, struct error *err)
{
    size_t length;
    const char *status = http_head_status(&exchange->head, exchange->bytes, &length);
    return error_set(err, STATUS_REFUSED, "%s: %.*s", exchange->name, shown(length), status);
}

bool http_answer_may_pass(const struct http_exchange *exchange)
{
    static const int passing[] = {408, 429, 500, 502, 503, 504, 0};
    return is_one_of(passing, exchange->head.status);
}

int64_t http_answer_retry_after_ms(const struct http_exchange *exchange)
{
    enum { A_DAY_S = 86400 };
    uint64_t seconds;
    size_t length;
    const char *value = field(exchange, "Retry-After", &length);
    if (!value || !http_number(value, length, &seconds))
        return 0;
    return (int64_t)(seconds < A_DAY_S ? seconds : A_DAY_S) * 1000;
}

/* Redirects */

/* Of two that say the same, one is enough. */
static int find_location(const struct http_exchange *exchange, const char **found, size_t *length,
                         struct error *err)
{
    size_t other_length = 0;
    *found = field(exchange, "Location", length);
    const char *other = *found;
    while (other && (other = http_head_next(&exchange->head, exchange->bytes, "Location", other,
                                            &other_length)))
        if (other_length != *length || memcmp(other, *found, *length) != 0)
            return error_set(err, STATUS_MALFORMED, "%s: malformed answer: two different Locations",
                             exchange->name);
    return 0;
}

int http_answer_location(const struct http_exchange *exchange, const struct url *base,
                         char **location, struct error *err)
{
    static const int redirects[] = {301, 302, 303, 307, 308, 0};
    const char *found = NULL, *wrong = NULL;
    size_t length = 0;
    struct url url = {.unix_socket = false};
    *location = NULL;
    if (!is_one_of(redirects, exchange->head.status))
        return 0;
    if (find_location(exchange, &found, &length, err))
        return -1;
    if (!length)
        return 0;
    char *text = url_refer(base, found, length, &wrong);
    if (text)
        wrong = url_parse(&url, text);
    if (!wrong && url.unix_socket && !base->unix_socket)
        wrong = "is a UNIX socket";
    *location = text;
    if (!wrong)
        return 0;
    free(text);
    *location = NULL;
    const char *at_sign = memrchr(found, '@', length);
    size_t hidden = at_sign ? (size_t)(at_sign - found) : 0;
    return error_set(err, STATUS_REFUSED, "%s: redirected to '%.*s', which %s", exchange->name,
                     shown(length - hidden), found + hidden, wrong);
}

/* Parts */

void http_answer_validator(const struct http_exchange *exchange, char *out, size_t room)
{
    size_t length;
    const char *value = field(exchange, "ETag", &length);
    if (value && (length < 2 || *value != '"'))
        length = 0; /* a weak one, or none at all */
    if (!value)
        value = field(exchange, "Last-Modified", &length);
    if (!value || length >= room || memchr(value, '\0', length))
        length = 0;
    memcpy(out, value ? value : "", length);
    out[length] = '\0';
}

static int part_is_wrong(const struct http_exchange *exchange, const char *what, struct error *err)
{
    return error_set(err, STATUS_MALFORMED, "%s: the rest cannot be added: %s", exchange->name,
                     what);
}

static const char *find_fault(const struct http_exchange *exchange, const struct http_range *range,
                              uint64_t there)
{
    uint64_t length = range->last - range->first + 1;
    if (!range->is_part || range->first != there)
        return "it starts at another byte";
    if (range->has_total && range->last + 1 != range->total)
        return "it does not go on to the end";
    if (exchange->head.has_length && exchange->head.content_length != length)
        return "its length and its range differ";
    return NULL;
}

int http_answer_check_part(const struct http_exchange *exchange, uint64_t there,
                           const char *validator, uint64_t *length, struct error *err)
{
    struct http_range range;
    char now[SHOWN_MAX * 4];
    size_t value_length;
    const char *value = field(exchange, "Content-Range", &value_length);
    if (!value || !http_range_read(&range, value, value_length))
        return part_is_wrong(exchange, "there is no valid Content-Range", err);
    http_answer_validator(exchange, now, sizeof now);
    if (*validator && *now && strcmp(validator, now) != 0)
        return part_is_wrong(exchange, "the file has changed", err);
    const char *fault = find_fault(exchange, &range, there);
    *length = range.last - range.first + 1;
    return fault ? part_is_wrong(exchange, fault, err) : 0;
}

bool http_answer_is_whole(const struct http_exchange *exchange, uint64_t there)
{
    struct http_range range;
    size_t length;
    const char *value = field(exchange, "Content-Range", &length);
    return value && http_range_read(&range, value, length) && !range.is_part &&
           range.total == there;
}

/* Warnings */

void http_answer_warn(const struct http_exchange *exchange, bool range)
{
    size_t length;
    const char *coding = field(exchange, "Content-Encoding", &length);
    if (coding && !(length == 8 && strncasecmp(coding, "identity", length) == 0))
        report_warning("%s: the body is encoded (%.*s) and stays as it is", exchange->name,
                       shown(length), coding);
    if (range && exchange->head.status != PARTIAL)
        report_warning("%s: the server ignores the range", exchange->name);
}
