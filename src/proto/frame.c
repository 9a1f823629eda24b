/*
 * Each framing says how its head is read and written, or which byte ends a message. A reader keeps what has come and was
 * not yet taken. Messages with a length are found by next_by_length, those with an end by next_by_end.
 */
#include "proto/frame.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PREFIX = 4, DIGITS_MAX = 10 };

/* What the head of a frame says. */
struct head {
    size_t size;      /* of the head itself */
    uint64_t message; /* of the message: a claim, not yet compared with any limit */
};

struct framing {
    const char *name;
    /* Reads the head at reader->bytes. NULL: there is none, the tail alone ends a message. */
    enum frame_step (*read_head)(struct frame_reader *reader, struct head *head);
    /* Returns how many bytes it wrote. */
    size_t (*write_head)(char *out, uint32_t message);
    const char *tail;
    size_t tail_length;    /* 0 or 1 */
    const char *tail_name; /* for complaints, where there is a head too */
};

__attribute__((format(printf, 2, 3))) static enum frame_step
set_malformed(struct frame_reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reader->wrong, sizeof reader->wrong, format, args);
    va_end(args);
    return FRAME_MALFORMED;
}

/* native: its length counts the NUL */

static enum frame_step read_native(struct frame_reader *reader, struct head *head)
{
    int32_t length;
    if (reader->length < PREFIX)
        return FRAME_MORE;
    memcpy(&length, reader->bytes, PREFIX);
    if (length <= 0)
        return set_malformed(reader, "a length of %" PRId32, length);
    *head = (struct head){PREFIX, (uint64_t)length - 1};
    return FRAME_MESSAGE;
}

static size_t write_native(char *out, uint32_t message)
{
    int32_t length = (int32_t)message + 1;
    memcpy(out, &length, PREFIX);
    return PREFIX;
}

/* u32be */

static enum frame_step read_u32be(struct frame_reader *reader, struct head *head)
{
    *head = (struct head){PREFIX, 0};
    if (reader->length < PREFIX)
        return FRAME_MORE;
    for (size_t i = 0; i < PREFIX; i++)
        head->message = head->message << 8 | (unsigned char)reader->bytes[i];
    return FRAME_MESSAGE;
}

static size_t write_u32be(char *out, uint32_t message)
{
    for (size_t i = 0; i < PREFIX; i++)
        out[i] = (char)(unsigned char)(message >> (24 - 8 * i));
    return PREFIX;
}

/* netstring */

static enum frame_step read_netstring(struct frame_reader *reader, struct head *head)
{
    *head = (struct head){0, 0};
    for (size_t i = 0; i < reader->length; i++) {
        unsigned digit = (unsigned)((unsigned char)reader->bytes[i] - '0');
        if (reader->bytes[i] == ':' && i > 0) {
            head->size = i + 1;
            return FRAME_MESSAGE;
        }
        if (digit > 9)
            return set_malformed(reader, "no digits and a colon before the message");
        if (i > 0 && reader->bytes[0] == '0')
            return set_malformed(reader, "a length that starts with 0");
        if (i == DIGITS_MAX)
            return set_malformed(reader, "a length of more than %d digits", DIGITS_MAX);
        head->message = 10 * head->message + digit;
    }
    return FRAME_MORE;
}

static size_t write_netstring(char *out, uint32_t message)
{
    return (size_t)snprintf(out, FRAME_HEAD_MAX, "%" PRIu32 ":", message);
}

static size_t write_nothing(char *out, uint32_t message)
{
    (void)out;
    (void)message;
    return 0;
}

const struct framing framing_native = {
    .name = "native",
    .read_head = read_native,
    .write_head = write_native,
    .tail = "",
    .tail_length = 1,
    .tail_name = "NUL",
};
static const struct framing framing_u32be = {
    .name = "u32be",
    .read_head = read_u32be,
    .write_head = write_u32be,
    .tail = "",
};
const struct framing framing_line = {
    .name = "line",
    .write_head = write_nothing,
    .tail = "\n",
    .tail_length = 1,
};
static const struct framing framing_netstring = {
    .name = "netstring",
    .read_head = read_netstring,
    .write_head = write_netstring,
    .tail = ",",
    .tail_length = 1,
    .tail_name = "comma",
};
const struct framing framing_nul = {
    .write_head = write_nothing,
    .tail = "",
    .tail_length = 1,
};

const struct framing *framing_find(const char *name)
{
    static const struct framing *const framings[] = {
        &framing_native, &framing_u32be, &framing_line, &framing_netstring, NULL,
    };
    const struct framing *const *at = framings;
    while (*at && strcmp((*at)->name, name) != 0)
        at++;
    return *at;
}

const char *frame_wrap(struct frame_ends *ends, const struct framing *framing, const char *message,
                       size_t length)
{
    if (length > FRAME_MESSAGE_MAX)
        return "is longer than a frame can be";
    if (!framing->read_head && memchr(message, *framing->tail, length))
        return "contains the byte that ends a message";
    ends->head_length = framing->write_head(ends->head, (uint32_t)length);
    ends->tail = framing->tail;
    ends->tail_length = framing->tail_length;
    return NULL;
}

/* Receiving */

void frame_reader_init(struct frame_reader *reader, const struct framing *framing,
                       size_t max_message)
{
    if (max_message > FRAME_MESSAGE_MAX)
        max_message = FRAME_MESSAGE_MAX;
    *reader = (struct frame_reader){.framing = framing, .max_message = max_message};
}

void frame_reader_release(struct frame_reader *reader)
{
    free(reader->kept);
    frame_reader_init(reader, reader->framing, reader->max_message);
}

void frame_reader_feed(struct frame_reader *reader, const char *bytes, size_t length)
{
    if (!reader->length) {
        reader->bytes = bytes;
        reader->length = length;
        return;
    }
    const size_t whole = reader->length + length;
    const size_t longest = FRAME_HEAD_MAX + reader->max_message + reader->framing->tail_length;
    if (whole > reader->room) {
        /* Doubled each time, so that a message in many pieces is not copied for each, but not beyond the longest. */
        reader->room = 2 * reader->room < longest ? 2 * reader->room : longest;
        if (reader->room < whole)
            reader->room = whole;
        reader->kept = memory_grow(reader->kept, reader->room, 1);
    }
    memcpy(reader->kept + reader->length, bytes, length);
    reader->bytes = reader->kept;
    reader->length = whole;
}

/* Keeps what is left. While a message is still arriving, nothing moves; after one, the room that it took is
 * given back. */
void frame_reader_keep(struct frame_reader *reader)
{
    char *before = reader->kept;
    if (before && reader->bytes == before)
        return;
    reader->kept = reader->length ? memory_copy(reader->bytes, reader->length) : NULL;
    reader->room = reader->length;
    reader->bytes = reader->kept;
    free(before);
}

size_t frame_reader_return(struct frame_reader *reader)
{
    const size_t rest = reader->length;
    reader->length = 0;
    frame_reader_keep(reader);
    return rest;
}

static enum frame_step take_frame(struct frame_reader *reader, struct frame *frame, size_t head,
                                  size_t message)
{
    const size_t whole = head + message + reader->framing->tail_length;
    *frame = (struct frame){reader->bytes + head, message};
    reader->bytes += whole;
    reader->length -= whole;
    reader->searched = 0;
    return FRAME_MESSAGE;
}

/* Adds which framing the client may have, by the four bytes that were taken for a length. */
static void add_hint(struct frame_reader *reader)
{
    const bool is_native = reader->framing == &framing_native;
    const unsigned char *head = (const unsigned char *)reader->bytes;
    const size_t length = strlen(reader->wrong);
    char *out = reader->wrong + length;
    const size_t room = sizeof reader->wrong - length;
    uint32_t big = 0, native;
    if (!is_native && reader->framing != &framing_u32be)
        return;
    memcpy(&native, head, PREFIX);
    bool is_text = true;
    for (size_t i = 0; i < PREFIX; i++) {
        big = big << 8 | head[i];
        is_text = is_text && head[i] >= ' ' && head[i] < 0x7f;
    }
    const uint32_t other = is_native ? big : native;
    if (is_text)
        snprintf(out, room, " (\"%.4s\" in letters: does the client use --framing line?)",
                 reader->bytes);
    else if (other <= reader->max_message)
        snprintf(out, room,
                 " (%" PRIu32 " in the other byte order: does the client use --framing %s?)", other,
                 is_native ? "u32be" : "native");
}

static enum frame_step next_by_length(struct frame_reader *reader, struct frame *frame)
{
    const struct framing *framing = reader->framing;
    struct head head;
    enum frame_step step = framing->read_head(reader, &head);
    if (step != FRAME_MESSAGE)
        return step;
    if (head.message > reader->max_message) {
        set_malformed(reader, "a message of %" PRIu64 " bytes, where at most %zu are taken",
                      head.message, reader->max_message);
        add_hint(reader);
        return FRAME_MALFORMED;
    }
    size_t end = head.size + (size_t)head.message;
    if (reader->length < end + framing->tail_length)
        return FRAME_MORE;
    if (memcmp(reader->bytes + end, framing->tail, framing->tail_length) != 0)
        return set_malformed(reader, "no %s at the end", framing->tail_name);
    return take_frame(reader, frame, head.size, (size_t)head.message);
}

static enum frame_step next_by_end(struct frame_reader *reader, struct frame *frame)
{
    const char *end = memchr(reader->bytes + reader->searched, *reader->framing->tail,
                             reader->length - reader->searched);
    size_t message = end ? (size_t)(end - reader->bytes) : reader->length;
    if (message > reader->max_message)
        return set_malformed(reader, "a message of more than %zu bytes", reader->max_message);
    if (end)
        return take_frame(reader, frame, 0, message);
    reader->searched = reader->length;
    return FRAME_MORE;
}

enum frame_step frame_reader_next(struct frame_reader *reader, struct frame *frame)
{
    enum frame_step step = FRAME_MORE;
    if (reader->length)
        step = reader->framing->read_head ? next_by_length(reader, frame)
                                          : next_by_end(reader, frame);
    if (step == FRAME_MORE)
        frame_reader_keep(reader);
    return step;
}

struct frame frame_reader_rest(const struct frame_reader *reader)
{
    return (struct frame){reader->bytes, reader->length};
}
