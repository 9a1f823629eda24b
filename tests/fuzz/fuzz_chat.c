/*
 * A chat's lines, in pieces and whole: the same lines. What is shown holds no control character, and
 * shown again it stays as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/chat.h"

static void require(int truth)
{
    if (!truth)
        abort();
}

struct lines {
    char *bytes; /* each with a LF */
    size_t length;
};

static void add(struct lines *lines, const struct chat_text *line)
{
    char *out = lines->bytes + lines->length;
    require(line->length <= CHAT_LINE_MAX);
    size_t length = chat_show(out, line->bytes, line->length);
    char *again = malloc(4 * length + 1);
    require(again != NULL && length <= 4 * line->length && length <= CHAT_SHOWN_MAX);
    for (size_t i = 0; i < length; i++)
        require(((unsigned char)out[i] >= ' ' || out[i] == '\t') && out[i] != 127);
    require(chat_show(again, out, length) == length && memcmp(again, out, length) == 0);
    out[length] = '\n';
    lines->length += length + 1;
    free(again);
}

static struct lines read_lines(const uint8_t *data, size_t size, size_t by)
{
    struct lines lines = {.bytes = malloc(4 * size + size + 1)};
    struct chat_reader reader = {.held = NULL};
    struct chat_text line;
    require(lines.bytes != NULL);
    for (size_t at = 0; at < size; at += by) {
        struct chat_text text = {(const char *)data + at, size - at < by ? size - at : by};
        while (chat_next(&reader, &text, &line))
            add(&lines, &line);
        require(text.length == 0);
    }
    if (chat_rest(&reader, &line))
        add(&lines, &line);
    chat_release(&reader);
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct lines whole = read_lines(data + 1, size - 1, size);
    struct lines pieces = read_lines(data + 1, size - 1, 1 + data[0]);
    require(whole.length == pieces.length && !memcmp(whole.bytes, pieces.bytes, whole.length));
    free(whole.bytes);
    free(pieces.bytes);
    return 0;
}
