/*
 * A machine that takes byte after byte (next_byte): the line with the size and its extensions, then, once the caller has
 * taken the data, the line end behind it, and at last the trailer, which is read as the fields of a head are.
 */
#include "proto/http_chunks.h"

#include "base/text.h"

enum { SIZE_DIGITS_MAX = 15 };

static enum http_step size_line_ends(struct http_chunks *chunks)
{
    chunks->digits = chunks->line = 0;
    chunks->state = chunks->size ? CHUNKS_DATA_END : CHUNKS_TRAILER;
    return chunks->size ? HTTP_DATA : HTTP_MORE;
}

/* What follows the digits: blanks (RFC 9112, 7.1.1), then an extension or the end of the line. */
static enum http_step size_ends(struct http_chunks *chunks, char byte)
{
    if (byte == '\n')
        return size_line_ends(chunks);
    if (http_is_blank(byte) && ++chunks->line > HTTP_EXTENSION_MAX)
        return http_malformed(&chunks->wrong, "more than 4 KiB of blanks after a chunk size");
    if (http_is_blank(byte))
        chunks->state = CHUNKS_BLANK;
    else if (byte == ';')
        chunks->state = CHUNKS_EXTENSION;
    else if (byte == '\r')
        chunks->state = CHUNKS_SIZE_CR;
    else
        return http_malformed(&chunks->wrong, "a bad chunk size");
    return HTTP_MORE;
}

static enum http_step size_byte(struct http_chunks *chunks, char byte)
{
    int digit = text_hex_digit(byte);
    if (digit >= 0) {
        if (++chunks->digits > SIZE_DIGITS_MAX)
            return http_malformed(&chunks->wrong, "a chunk size of more than 15 digits");
        chunks->size = chunks->size * 16 + (unsigned)digit;
        return HTTP_MORE;
    }
    if (chunks->digits == 0)
        return http_malformed(&chunks->wrong, "a bad chunk size");
    return size_ends(chunks, byte);
}

static enum http_step extension_byte(struct http_chunks *chunks, char byte)
{
    if (byte == '\0')
        return http_malformed(&chunks->wrong, "a NUL byte in a chunk extension");
    if (byte == '\n')
        return size_line_ends(chunks);
    if (++chunks->line > HTTP_EXTENSION_MAX)
        return http_malformed(&chunks->wrong, "a chunk extension of more than 4 KiB");
    if (byte == '\r')
        chunks->state = CHUNKS_SIZE_CR;
    return HTTP_MORE;
}

static enum http_step data_end_byte(struct http_chunks *chunks, char byte)
{
    if (byte == '\r' && chunks->state == CHUNKS_DATA_END) {
        chunks->state = CHUNKS_DATA_CR;
        return HTTP_MORE;
    }
    if (byte != '\n')
        return http_malformed(&chunks->wrong, "a chunk longer than its size");
    chunks->state = CHUNKS_SIZE;
    chunks->size = 0;
    return HTTP_MORE;
}

static enum http_step trailer_byte(struct http_chunks *chunks, char byte)
{
    if (++chunks->line > HTTP_TRAILER_MAX)
        return http_malformed(&chunks->wrong, "a trailer of more than 256 KiB");
    enum http_step step = http_fields_read(&chunks->trailer, byte);
    if (step == HTTP_MALFORMED)
        chunks->wrong = chunks->trailer.wrong;
    return step == HTTP_FIELD || step == HTTP_FOLD ? HTTP_MORE : step;
}

static enum http_step next_byte(struct http_chunks *chunks, char byte)
{
    switch (chunks->state) {
    case CHUNKS_SIZE:
        return size_byte(chunks, byte);
    case CHUNKS_BLANK:
        return size_ends(chunks, byte);
    case CHUNKS_EXTENSION:
        return extension_byte(chunks, byte);
    case CHUNKS_SIZE_CR:
        if (byte != '\n')
            return http_malformed(&chunks->wrong, "a CR without its LF after a chunk size");
        return size_line_ends(chunks);
    case CHUNKS_DATA_END:
    case CHUNKS_DATA_CR:
        return data_end_byte(chunks, byte);
    case CHUNKS_TRAILER:
        break;
    }
    return trailer_byte(chunks, byte);
}

enum http_step http_chunks_read(struct http_chunks *chunks, const char *bytes, size_t length,
                                size_t *used)
{
    *used = 0;
    while (!chunks->wrong && *used < length) {
        enum http_step step = next_byte(chunks, bytes[(*used)++]);
        if (step != HTTP_MORE)
            return step;
    }
    return chunks->wrong ? HTTP_MALFORMED : HTTP_MORE;
}
