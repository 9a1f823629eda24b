#include "proto/http_range.h"

#include <string.h>
#include <strings.h>

#include "proto/http_fields.h"

static bool is_star(const char *text, size_t length)
{
    return length == 1 && *text == '*';
}

static bool read_part(struct http_range *range, const char *text, size_t length)
{
    const char *dash = memchr(text, '-', length);
    if (is_star(text, length))
        return true;
    if (!dash)
        return false;
    size_t first = (size_t)(dash - text);
    range->is_part = true;
    return http_number(text, first, &range->first) &&
           http_number(dash + 1, length - first - 1, &range->last) && range->first <= range->last;
}

bool http_range_read(struct http_range *range, const char *value, size_t length)
{
    static const char unit[] = "bytes ";
    enum { UNIT = sizeof unit - 1 };
    *range = (struct http_range){.is_part = false};
    const char *slash = memchr(value, '/', length);
    if (!slash || length < UNIT || strncasecmp(value, unit, UNIT) != 0 || slash < value + UNIT)
        return false;
    size_t total = length - (size_t)(slash + 1 - value);
    if (!read_part(range, value + UNIT, (size_t)(slash - value) - UNIT))
        return false;
    range->has_total = !is_star(slash + 1, total);
    if (!range->has_total)
        return range->is_part;
    return http_number(slash + 1, total, &range->total) &&
           (!range->is_part || range->last < range->total);
}
