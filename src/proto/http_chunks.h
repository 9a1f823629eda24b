/*
 * What is around the data of a chunked body (RFC 9112, 7.1): sizes, extensions, the trailer.
 * Extensions and trailer fields are checked and ignored.
 */
#ifndef PROTO_HTTP_CHUNKS_H
#define PROTO_HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/http_head.h"

enum { HTTP_EXTENSION_MAX = 4096, HTTP_TRAILER_MAX = 262144 };

struct http_chunks {
    uint64_t size; /* after HTTP_DATA: of the data that follows, below 2^60 */
    const char *wrong;
    enum {
        CHUNKS_SIZE,
        CHUNKS_BLANK,
        CHUNKS_EXTENSION,
        CHUNKS_SIZE_CR,
        CHUNKS_DATA_END,
        CHUNKS_DATA_CR,
        CHUNKS_TRAILER
    } state;
    size_t digits; /* the parser's: of the size so far */
    size_t line;   /* the parser's: bytes of blanks and extension, or of the trailer */
    struct http_fields trailer;
};

/* Reads up to the data of the next chunk or the end of the body; *used is how many bytes that
 * were. After HTTP_DATA the next call starts behind the data. */
enum http_step http_chunks_read(struct http_chunks *chunks, const char *bytes, size_t length,
                                size_t *used);

#endif
