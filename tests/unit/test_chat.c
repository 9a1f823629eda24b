/*
 * What a client of a chat sends, given so many bytes at a time, from one to all: the same lines have
 * to come of it, as they may be shown.
 */
#include <stdio.h>
#include <string.h>

#include "proto/chat.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *name;
    const char *in;
    size_t length;
    const char *shown; /* a '|' after each line */
} cases[] = {
    {"nothing", BYTES(""), ""},
    {"a line", BYTES("hello\n"), "hello|"},
    {"two lines, and one without its end", BYTES("a\nb\nc"), "a|b|c|"},
    {"empty lines", BYTES("\n\r\n\n"), "|||"},
    {"CR LF", BYTES("a\r\nb\rc\r\r\n"), "a|b\\x0dc\\x0d|"},
    {"a tab", BYTES("a\tb\n"), "a\tb|"},
    {"what a terminal obeys", BYTES("\33[2J\a\b\177\0\n"), "\\x1b[2J\\x07\\x08\\x7f\\x00|"},
    {"UTF-8", BYTES("Gr\303\274\303\237 \342\202\254 \360\237\230\200\n"),
     "Gr\303\274\303\237 \342\202\254 \360\237\230\200|"},
    {"C1 in Latin-1 and in UTF-8", BYTES("\233m \302\233m \302\240\n"),
     "\\x9bm \\xc2\\x9bm \302\240|"},
    {"overlong, surrogate, too large",
     BYTES("\300\200 \340\200\212 \355\240\200 \364\220\200\200\n"),
     "\\xc0\\x80 \\xe0\\x80\\x8a \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80|"},
    {"cut characters", BYTES("\342\202\n\303x\303"), "\\xe2\\x82|\\xc3x\\xc3|"},
    {"what turns the direction", BYTES("\342\200\256abc\342\201\247\n"),
     "\\xe2\\x80\\xaeabc\\xe2\\x81\\xa7|"},
    {"12.2.9: marks of direction", BYTES("\342\200\216 \342\200\217 \330\234\n"),
     "\\xe2\\x80\\x8e \\xe2\\x80\\x8f \\xd8\\x9c|"},
    {"12.2.9: zero width",
     BYTES("\342\200\213\342\200\214\342\200\215 \342\201\240 \357\273\277\n"),
     "\\xe2\\x80\\x8b\\xe2\\x80\\x8c\\xe2\\x80\\x8d \\xe2\\x81\\xa0 \\xef\\xbb\\xbf|"},
    {"12.2.9: tags and their neighbours",
     BYTES("\363\240\200\200\363\240\201\277 \363\240\204\200 \363\237\277\277\n"),
     "\\xf3\\xa0\\x80\\x80\\xf3\\xa0\\x81\\xbf \\xf3\\xa0\\x84\\x80 \363\237\277\277|"},
    {"12.2.9: fillers and a soft hyphen",
     BYTES("\302\255 \315\217 \341\205\237 \343\205\244 \357\276\240\n"),
     "\\xc2\\xad \\xcd\\x8f \\xe1\\x85\\x9f \\xe3\\x85\\xa4 \\xef\\xbe\\xa0|"},
    {"what stands beside them is shown",
     BYTES("\342\200\212 \342\200\220 \342\201\237 \342\201\260 \357\273\276 "
           "\342\235\244\357\270\217\n"),
     "\342\200\212 \342\200\220 \342\201\237 \342\201\260 \357\273\276 \342\235\244\357\270\217|"},
};

static char shown[CHAT_SHOWN_MAX + 1];

static size_t show(char *out, const struct chat_text *line)
{
    size_t length = chat_show(out, line->bytes, line->length);
    out[length++] = '|';
    out[length] = '\0';
    return length;
}

static bool check(size_t number, size_t by)
{
    struct chat_reader reader = {.held = NULL};
    struct chat_text line;
    size_t used = 0, length = cases[number].length;
    shown[0] = '\0';
    for (size_t at = 0; at < length; at += by) {
        struct chat_text text = {cases[number].in + at, length - at < by ? length - at : by};
        while (chat_next(&reader, &text, &line))
            used += show(shown + used, &line);
    }
    if (chat_rest(&reader, &line))
        show(shown + used, &line);
    chat_release(&reader);
    if (strcmp(shown, cases[number].shown) == 0)
        return true;
    printf("%s, %zu at a time: '%s', not '%s'\n", cases[number].name, by, shown,
           cases[number].shown);
    return false;
}

/* A line of `length` bytes, and a short one. */
static bool check_long(size_t length, size_t by)
{
    static char in[3 * CHAT_LINE_MAX];
    struct chat_reader reader = {.held = NULL};
    struct chat_text line;
    size_t lengths[3] = {0}, lines = 0, most = length > CHAT_LINE_MAX ? CHAT_LINE_MAX : length;
    memset(in, 'x', length);
    memcpy(in + length, "\ny\n", 3);
    for (size_t at = 0; at < length + 3; at += by) {
        struct chat_text text = {in + at, length + 3 - at < by ? length + 3 - at : by};
        while (lines < 3 && chat_next(&reader, &text, &line))
            lengths[lines++] = line.length;
    }
    bool well = lines == 2 && lengths[0] == most && lengths[1] == 1;
    well = well && reader.cut == (length > most) && !chat_rest(&reader, &line);
    chat_release(&reader);
    if (!well)
        printf("a line of %zu bytes, %zu at a time: %zu, %zu, cut %d\n", length, by, lengths[0],
               lengths[1], reader.cut);
    return well;
}

int main(void)
{
    bool well = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t by = 1; by <= cases[i].length + 1; by++)
            well &= check(i, by);
    for (size_t length = CHAT_LINE_MAX - 1; length <= CHAT_LINE_MAX + 2; length++)
        well &= check_long(length, 1) && check_long(length, 7) && check_long(length, 9999);
    return well && check_long(9000, 1000) ? 0 : 1;
}
