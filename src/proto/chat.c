/*
 * What comes without its end is held back until that comes; of a line longer than CHAT_LINE_MAX the rest is left out. A
 * line that comes in one piece is not copied. What is shown has each character that could do something to a
 * terminal escaped.
 */
#include "proto/chat.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Lines */

bool chat_next(struct chat_reader *reader, struct chat_text *text, struct chat_text *line)
{
    const char *start = text->bytes;
    const char *end = text->length ? memchr(start, '\n', text->length) : NULL;
    size_t length = end ? (size_t)(end - start) : text->length;
    size_t taken = end ? length + 1 : length;
    text->bytes += taken;
    text->length -= taken;
    if (end && !reader->length && length <= CHAT_LINE_MAX) {
        *line = (struct chat_text){start, length}; /* as a rule: all of it, in one piece */
    } else if (taken) {
        if (!reader->held)
            reader->held = memory_new(CHAT_LINE_MAX, 1);
        if (length > CHAT_LINE_MAX - reader->length) {
            length = CHAT_LINE_MAX - reader->length;
            reader->cut = true;
        }
        memcpy(reader->held + reader->length, start, length);
        reader->length += length;
        *line = (struct chat_text){reader->held, reader->length};
    }
    if (!end)
        return false;
    reader->length = 0;
    if (line->length && line->bytes[line->length - 1] == '\r')
        line->length--;
    return true;
}

bool chat_rest(struct chat_reader *reader, struct chat_text *line)
{
    *line = (struct chat_text){reader->held, reader->length};
    reader->length = 0;
    return line->length > 0;
}

void chat_release(struct chat_reader *reader)
{
    free(reader->held);
    *reader = (struct chat_reader){.held = NULL};
}

/* Showing */

/* Tells whether a terminal is not to see the character: C1 controls (ECMA-48), line and paragraph ends, what turns the
 * direction of the text (UAX #9) and what is not seen at all: Unicode's Default_Ignorable_Code_Point and the annotation
 * characters, but not the variation selectors FE00-FE0F, which say how the emoji before them looks. */
static bool is_hidden(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {{0x80, 0x9f},       {0xad, 0xad},     {0x34f, 0x34f},     {0x61c, 0x61c},
                  {0x115f, 0x1160},   {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},
                  {0x2028, 0x202e},   {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfeff, 0xfeff},
                  {0xffa0, 0xffa0},   {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
                  {0xe0000, 0xe0fff}, {UINT32_MAX, 0}};
    size_t i = 0;
    while (character > hidden[i].last && hidden[i].last)
        i++;
    return character >= hidden[i].first;
}

size_t chat_show(char *out, const char *line, size_t length)
{
    size_t used = 0;
    for (size_t at = 0, size; at < length; at += size) {
        uint32_t character = 0;
        size = text_code_point(line + at, length - at, &character);
        if ((size > 1 && !is_hidden(character)) || line[at] == '\t') {
            memcpy(out + used, line + at, size);
            used += size;
        } else {
            size = 1;
            used += text_escape(out + used, 4, line + at, size);
        }
    }
    return used;
}
