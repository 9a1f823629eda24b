/*
 * An answer, head and chunked body, read whole and in parts as long as the first byte says: both
 * ways have to come to the same end.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/http_message.h"
#include "proto/http_range.h"

static void require(int truth)
{
    if (!truth)
        abort();
}

static enum http_step read_head(struct http_head *head, const char *bytes, size_t length, size_t by)
{
    enum http_step step = HTTP_MORE;
    for (size_t end = by < length ? by : length; step == HTTP_MORE; end += by) {
        end = end < length ? end : length;
        /* A copy of exactly this size, so that a look beyond it is seen. */
        char *part = malloc(end ? end : 1);
        require(part != NULL);
        memcpy(part, bytes, end);
        step = http_head_read(head, part, end);
        free(part);
        if (end == length)
            break;
    }
    return step;
}

struct outcome {
    enum http_step step;
    size_t used;
    size_t data;
    const char *wrong;
};

static struct outcome read_chunks(const char *bytes, size_t length, size_t by)
{
    struct http_chunks chunks = {0};
    struct outcome outcome = {.step = HTTP_MORE};
    while (outcome.used < length && (outcome.step == HTTP_MORE || outcome.step == HTTP_DATA)) {
        size_t part = length - outcome.used < by ? length - outcome.used : by, used;
        outcome.step = http_chunks_read(&chunks, bytes + outcome.used, part, &used);
        require(used <= part);
        outcome.used += used;
        if (outcome.step != HTTP_DATA)
            continue;
        require(chunks.size > 0 && chunks.size < UINT64_C(1) << 60);
        part = chunks.size < length - outcome.used ? (size_t)chunks.size : length - outcome.used;
        outcome.data += part;
        outcome.used += part;
    }
    outcome.wrong = chunks.wrong;
    return outcome;
}

static void check_parts(const struct http_head *head, const char *bytes)
{
    static const char *const names[] = {"Location", "Content-Length", "Content-Range", "a", ""};
    struct http_range range;
    size_t length;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = http_head_field(head, bytes, names[i], &length);
        require(!value || (value > bytes && value + length < bytes + head->length));
        if (value && http_range_read(&range, value, length) && range.is_part)
            require(range.first <= range.last && (!range.has_total || range.last < range.total));
    }
    http_head_is_persistent(head, bytes);
    const char *status = http_head_status(head, bytes, &length);
    require(status + length < bytes + head->length && length >= 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t by = data[0] ? data[0] : 1, length = size - 1;
    char *bytes = malloc(length ? length : 1);
    require(bytes != NULL);
    memcpy(bytes, data + 1, length);
    struct http_head whole = {0}, parts = {0};
    enum http_step step = read_head(&whole, bytes, length, length ? length : 1);
    require(read_head(&parts, bytes, length, by) == step);
    require(parts.length == whole.length && parts.wrong == whole.wrong);
    require(parts.status == whole.status && parts.content_length == whole.content_length);
    if (step == HTTP_DONE) {
        size_t before = length;
        length = http_head_unfold(&whole, bytes, length);
        require(length <= before && whole.length <= length && whole.length > 0);
        check_parts(&whole, bytes);
    }
    size_t start = step == HTTP_DONE ? whole.length : 0;
    struct outcome one = read_chunks(bytes + start, length - start, length + 1);
    struct outcome other = read_chunks(bytes + start, length - start, by);
    require(one.step == other.step && one.used == other.used);
    require(one.data == other.data && one.wrong == other.wrong);
    free(bytes);
    return 0;
}
