/*
 * An expression and the bytes that it looks at, apart by a NUL: a match ends within them, the
 * search goes on from where it may, and bytes that come in two pieces are found as well. What comes
 * before the NUL is taken for a list of ports, too.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/pattern.h"
#include "fuzz.h"
#include "proto/ports.h"

enum { TEXT_MAX = 64, LOOP_GUARD_MAX = 3 };

/* The C library's time for some expressions grows exponentially with what repeats in them, and with
 * what refers back. They are the user's own; a fuzzer finds nothing else. */
static bool is_costly(const char *text)
{
    size_t repeats = 0;
    for (; *text; text++) {
        if (*text == '{' || (*text == '\\' && text[1] >= '1' && text[1] <= '9'))
            return true;
        repeats += strchr("*+?|", *text) != NULL;
    }
    return repeats > LOOP_GUARD_MAX;
}

static void list(const char *text)
{
    struct ports ports;
    if (!ports_parse(&ports, text)) {
        if (!ports.count || !ports.numbers[0] || !ports.numbers[ports.count - 1])
            abort();
    } else if (ports.numbers || ports.count) {
        abort();
    }
    free(ports.numbers);
}

/* The last byte of `bytes` is room. */
static void find(const struct pattern *pattern, char *bytes, size_t length)
{
    struct pattern_place place = {.in_line = length & 1}, again = place;
    size_t half = length / 2, before;
    char kept = bytes[half];
    ptrdiff_t end = pattern_find(pattern, bytes, half, &place);
    bytes[half] = kept;
    if (end > (ptrdiff_t)half || place.searched > half)
        abort();
    before = place.searched;
    end = pattern_find(pattern, bytes, length, &place);
    if (end > (ptrdiff_t)length || place.searched > length || place.searched < before)
        abort();
    if (end < 0 && half && pattern_find(pattern, bytes, length, &again) >= 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX], why[PATTERN_WHY_MAX];
    struct pattern pattern;
    const uint8_t *nul = memchr(data, 0, size < TEXT_MAX ? size : TEXT_MAX);
    if (!nul)
        return 0;
    memcpy(text, data, (size_t)(nul - data) + 1);
    list(text);
    size_t length = size - (size_t)(nul + 1 - data);
    if (length > 256 || is_costly(text) || !pattern_compile(&pattern, text, why))
        return 0;
    char *bytes = malloc(length + 1);
    if (bytes) {
        memcpy(bytes, nul + 1, length);
        find(&pattern, bytes, length);
    }
    free(bytes);
    pattern_release(&pattern);
    return 0;
}
