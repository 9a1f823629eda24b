/*
 * The range that an answer has is read from Content-Range. The range that is asked for (a wish: 0-99, 100- or -50) is
 * granted by one that has just these bytes, as far as the whole goes.
 */
#include "proto/http_range.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool is_star(const char *text, size_t length)
{
    return length == 1 && *text == '*';
}

bool http_range_read(struct http_range *range, const char *value, size_t length)
{
    static const char unit[] = "bytes ";
    enum { UNIT = sizeof unit - 1 };
    *range = (struct http_range){.is_part = false};
    const char *slash = memchr(value, '/', length);
    if (!slash || length < UNIT || strncasecmp(value, unit, UNIT) != 0 || slash < value + UNIT)
        return false;
    const char *part = value + UNIT, *total = slash + 1;
    const size_t part_length = (size_t)(slash - part),
                 total_length = length - (size_t)(total - value);
    range->is_part = !is_star(part, part_length);
    if (range->is_part) {
        const char *dash = memchr(part, '-', part_length);
        if (!dash || !text_number(part, (size_t)(dash - part), &range->first) ||
            !text_number(dash + 1, (size_t)(slash - dash - 1), &range->last) ||
            range->first > range->last)
            return false;
    }
    range->has_total = !is_star(total, total_length);
    if (!range->has_total)
        return range->is_part;
    return text_number(total, total_length, &range->total) &&
           (!range->is_part || range->last < range->total);
}

/* What is asked for */

enum wish_kind { WISH_FROM_TO, WISH_FROM, WISH_LAST };

struct wish {
    enum wish_kind kind;
    uint64_t first;
    uint64_t last; /* of WISH_LAST: how many */
};

static bool read_wish(struct wish *wish, const char *text, size_t length)
{
    const char *dash = memchr(text, '-', length);
    if (!dash)
        return false;
    size_t before = (size_t)(dash - text), behind = length - before - 1;
    wish->kind = !before ? WISH_LAST : !behind ? WISH_FROM : WISH_FROM_TO;
    if (before && !text_number(text, before, &wish->first))
        return false;
    if ((behind || !before) && !text_number(dash + 1, behind, &wish->last))
        return false;
    return wish->kind != WISH_FROM_TO || wish->first <= wish->last;
}

bool http_range_is_wish(const char *text)
{
    for (struct wish wish;; text++) {
        size_t length = strcspn(text, ",");
        if (!read_wish(&wish, text, length))
            return false;
        text += length;
        if (!*text)
            return true;
    }
}

bool http_range_grants(const struct http_range *range, const char *wish)
{
    struct wish asked;
    if (!range->is_part || !read_wish(&asked, wish, strlen(wish)))
        return false;
    bool to_end = range->has_total && range->last + 1 == range->total;
    switch (asked.kind) {
    case WISH_FROM_TO:
        return range->first == asked.first &&
               (range->last == asked.last || (range->last < asked.last && to_end));
    case WISH_FROM:
        return range->first == asked.first && (to_end || !range->has_total);
    case WISH_LAST:
        break;
    }
    bool all = range->first == 0 && range->last < asked.last;
    return (to_end || !range->has_total) && (all || range->last - range->first + 1 == asked.last);
}
