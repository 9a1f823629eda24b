/*
 * HTTP/1 messages (RFC 9112) are read incrementally: the head of an answer, and what is around the data of a chunked
 * body. However the bytes are split, the result is the same. Anything ambiguous is refused rather than guessed at. The
 * parsers are pure and allocate nothing; each starts as {0}.
 *
 * A line ends with CR LF or with LF alone; a CR anywhere else is an error.
 */
#ifndef PROTO_HTTP_MESSAGE_H
#define PROTO_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_step {
    HTTP_MORE,  /* all bytes used, more needed */
    HTTP_FIELD, /* inside the parsers alone: a field line has ended */
    HTTP_FOLD,  /* inside the parsers alone: a line has begun that goes on with the field before */
    HTTP_DATA,  /* http_chunks_read alone: bytes of the body follow */
    HTTP_DONE,  /* this was the end; what follows it was not looked at */
    HTTP_MALFORMED /* see `wrong`: what was found, as words: "a field without a colon" */
};

enum {
    HTTP_FIELDS_MAX = 1000,
    HTTP_HEAD_MAX = 262144, /* bytes */
    HTTP_INTERIM_MAX = 16,  /* interim answers (1xx) before the one that counts */
    HTTP_EXTENSION_MAX = 4096,
    HTTP_TRAILER_MAX = 262144
};

/* Field lines and the empty line after them, in a head or a trailer; all of it is the parsers'. */
struct http_fields {
    enum { FIELDS_LINE, FIELDS_NAME, FIELDS_VALUE, FIELDS_VALUE_CR, FIELDS_END_CR } state;
    size_t count;
    const char *wrong;
};

struct http_head {
    bool answers_connect; /* the owner's: what a 2xx says of a body is ignored (RFC 9110, 9.3.6) */
    int minor;            /* of the version: 0, or 1 for all later ones */
    int status;           /* 100 to 999 */
    bool has_length;
    uint64_t content_length; /* at most INT64_MAX */
    bool chunked;
    size_t length; /* of the head, once it is done */
    const char *wrong;
    size_t used;    /* the parser's: bytes looked at */
    size_t line;    /* the parser's: where the current line starts */
    bool in_fields; /* the parser's */
    bool framing;   /* the parser's: the field that was read last says how long the body is */
    bool folded;    /* some field is: see http_head_unfold */
    struct http_fields fields;
};

/* Reads on. `bytes` is everything since the start of the head, `length` bytes so far. */
enum http_step http_head_read(struct http_head *head, const char *bytes, size_t length);

/* Joins the lines of each folded field of a head that is done by one space (RFC 9112, 5.2). `bytes` is the head and
 * what has come behind it, `length` bytes. Returns how many that is now. */
size_t http_head_unfold(struct http_head *head, char *bytes, size_t length);

/* Returns the value of the first field `name`, or NULL: there is none. This and the next three look into a head that
 * is done, unfolded, and starts at `bytes`; what they return does not end with NUL. */
const char *http_head_field(const struct http_head *head, const char *bytes, const char *name,
                            size_t *length);

/* Returns the value of the next field `name` behind `after`, a value that was returned; NULL: of the first one. */
const char *http_head_next(const struct http_head *head, const char *bytes, const char *name,
                           const char *after, size_t *length);

/* Returns the status line from the status on, "404 Not Found". */
const char *http_head_status(const struct http_head *head, const char *bytes, size_t *length);

/* Says whether the server keeps the connection open after the body: RFC 9112, 9.3. */
bool http_head_is_persistent(const struct http_head *head, const char *bytes);

/* Says how the end of the body is known: RFC 9112, 6.3. */
enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };
enum http_body_kind http_head_body(const struct http_head *head, bool answers_head_request);

/* What is around the data of a chunked body (RFC 9112, 7.1): sizes, extensions and the trailer. Extensions and trailer
 * fields are checked and ignored. */
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

/* Reads up to the data of the next chunk or the end of the body; *used is how many bytes that were. After HTTP_DATA
 * the next call starts behind the data. */
enum http_step http_chunks_read(struct http_chunks *chunks, const char *bytes, size_t length,
                                size_t *used);

/* Says whether the byte may be in a token, such as the name of a field: RFC 9110, 5.6.2. */
bool http_is_token(char c);

#endif
