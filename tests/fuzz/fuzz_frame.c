/*
 * Frames of any framing, fed in pieces and fed whole: the same messages come out, each of them,
 * when sent, gives the very bytes that it was read from, and memory follows what was fed.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/frame.h"

enum { LIMIT = 100 };

static void require(int truth)
{
    if (!truth)
        abort();
}

/* What came out, as one block: each message in its frame again. */
struct outcome {
    char *bytes;
    size_t length;
    bool malformed;
};

static void put(struct outcome *outcome, const char *bytes, size_t length)
{
    if (length)
        memcpy(outcome->bytes + outcome->length, bytes, length);
    outcome->length += length;
}

static void put_frame(struct outcome *outcome, const struct framing *framing,
                      const struct frame *frame)
{
    struct frame_ends ends;
    require(frame->length <= LIMIT);
    require(!frame_wrap(&ends, framing, frame->message, frame->length));
    put(outcome, ends.head, ends.head_length);
    put(outcome, frame->message, frame->length);
    put(outcome, ends.tail, ends.tail_length);
}

static struct outcome read_pieces(const struct framing *framing, const char *bytes, size_t size,
                                  size_t by)
{
    struct outcome outcome = {.bytes = malloc(size + 1)};
    struct frame_reader reader;
    struct frame frame;
    require(outcome.bytes != NULL);
    frame_reader_init(&reader, framing, LIMIT);
    for (size_t at = 0; at < size && !outcome.malformed; at += by) {
        enum frame_step step;
        frame_reader_feed(&reader, bytes + at, size - at < by ? size - at : by);
        while ((step = frame_reader_next(&reader, &frame)) == FRAME_MESSAGE)
            put_frame(&outcome, framing, &frame);
        outcome.malformed = step == FRAME_MALFORMED;
        require(outcome.malformed == (reader.wrong[0] != '\0'));
        require(reader.room <= 2 * LIMIT + by);
    }
    frame = frame_reader_rest(&reader);
    require(outcome.malformed || outcome.length + frame.length == size);
    frame_reader_release(&reader);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"native", "u32be", "line", "netstring"};
    if (size < 2)
        return 0;
    const struct framing *framing = framing_find(names[data[0] % 4]);
    const char *bytes = (const char *)data + 2;
    size -= 2;
    struct outcome whole = read_pieces(framing, bytes, size, size + 1);
    struct outcome pieces = read_pieces(framing, bytes, size, 1 + data[1] % 40);
    require(whole.length == pieces.length && whole.malformed == pieces.malformed);
    require(memcmp(whole.bytes, pieces.bytes, whole.length) == 0);
    require(memcmp(whole.bytes, bytes, whole.length) == 0);
    free(whole.bytes);
    free(pieces.bytes);
    return 0;
}
