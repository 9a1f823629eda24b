#include "cmd/http/http_answer.h"

#include <inttypes.h>
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

int http_answer_unasked(const struct http_exchange *exchange, struct error *err)
{
    size_t length;
    const char *status = http_head_status(&exchange->head, exchange->bytes, &length);
    return error_set(err, STATUS_MALFORMED, "%s: %.*s, which was not asked for", exchange->name,
                     shown(length), status);
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
    if (!found)
        return 0;
    if (!length)
        return error_set(err, STATUS_MALFORMED, "%s: malformed answer: a Location without a value",
                         exchange->name);
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

/* Whether the answer says that it is of another version. One that says nothing is believed to have
 * looked at If-Range. */
static bool is_other_version(const struct http_exchange *exchange, const char *validator)
{
    bool is_tag = *validator == '"';
    size_t length;
    const char *now = field(exchange, is_tag ? "ETag" : "Last-Modified", &length);
    if (!*validator || !now)
        return false;
    if (is_tag && length > 2 && memcmp(now, "W/", 2) == 0) {
        now += 2;
        length -= 2;
    }
    return length != strlen(validator) || memcmp(now, validator, length) != 0;
}

/* Of a 206: NULL, or what is wrong. */
static const char *read_part(const struct http_exchange *exchange, struct http_range *range)
{
    static const char several[] = "multipart/byteranges";
    size_t length;
    const char *value = field(exchange, "Content-Range", &length);
    const char *type = value ? NULL : field(exchange, "Content-Type", &length);
    if (type && length >= strlen(several) && strncasecmp(type, several, strlen(several)) == 0)
        return "it is in several parts (multipart/byteranges)";
    if (!value || !http_range_read(range, value, length) || !range->is_part)
        return "there is no valid Content-Range";
    if (exchange->head.has_length &&
        exchange->head.content_length != range->last - range->first + 1)
        return "its length and its range differ";
    return NULL;
}

int http_answer_check_rest(const struct http_exchange *exchange, const struct http_present *present,
                           uint64_t *length, struct error *err)
{
    struct http_range range;
    const char *wrong = read_part(exchange, &range);
    if (!wrong && (is_other_version(exchange, present->validator) ||
                   (present->total && range.has_total && range.total != present->total)))
        wrong = "the file has changed";
    if (!wrong && range.first != present->bytes)
        wrong = "it starts at another byte";
    if (!wrong && range.has_total && range.last + 1 != range.total)
        wrong = "it does not go on to the end";
    if (wrong)
        return error_set(err, STATUS_MALFORMED, "%s: the rest cannot be added: %s", exchange->name,
                         wrong);
    *length = range.last - range.first + 1;
    return 0;
}

int http_answer_check_range(const struct http_exchange *exchange, const char *wish,
                            uint64_t *length, struct error *err)
{
    struct http_range range;
    if (!wish)
        return http_answer_unasked(exchange, err);
    const char *wrong = read_part(exchange, &range);
    if (wrong)
        return error_set(err, STATUS_MALFORMED, "%s: this is not the range asked for: %s",
                         exchange->name, wrong);
    if (!http_range_grants(&range, wish))
        return error_set(err, STATUS_MALFORMED,
                         "%s: this is not the range asked for (%.60s): bytes %" PRIu64 "-%" PRIu64,
                         exchange->name, wish, range.first, range.last);
    *length = range.last - range.first + 1;
    return 0;
}

bool http_answer_is_whole(const struct http_exchange *exchange, uint64_t there, bool presumed)
{
    struct http_range range;
    size_t length;
    const char *value = field(exchange, "Content-Range", &length);
    if (!value)
        return presumed;
    return http_range_read(&range, value, length) && !range.is_part && range.total == there;
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
