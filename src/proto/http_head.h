/*
 * HTTP/1 messages (RFC 9112) are read incrementally: however the bytes are split, the result is
 * the same. Anything ambiguous is refused rather than guessed at. The parsers are pure and
 * allocate nothing; each starts as {0}.
 *
 * A line ends with CR LF or with LF alone; a CR anywhere else is an error.
 *
 * Here: the field lines of a head or a trailer, and the head of an answer: status line and fields, and what they
 * say about the body.
 */
#ifndef PROTO_HTTP_HEAD_H
#define PROTO_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_step {
    HTTP_MORE,     /* all bytes used, more needed */
    HTTP_FIELD,    /* http_fields_read alone: a field line has ended */
    HTTP_FOLD,     /* http_fields_read alone: a line has begun that goes on with the field before */
    HTTP_DATA,     /* http_chunks_read alone: bytes of the body follow */
    HTTP_DONE,     /* this was the end; what follows it was not looked at */
    HTTP_MALFORMED /* see `wrong`: what was met, as words: "a field without a colon" */
};

enum { HTTP_FIELDS_MAX = 1000 };

/* Field lines and the empty line after them. */
struct http_fields {
    enum { FIELDS_LINE, FIELDS_NAME, FIELDS_VALUE, FIELDS_VALUE_CR, FIELDS_END_CR } state;
    size_t count;
    const char *wrong;
};

/* Takes the next byte. A line that begins with a blank goes on with the field before it (RFC 9112,
 * 5.2): HTTP_FOLD at its first byte, and HTTP_FIELD at its end as of any line. */
enum http_step http_fields_read(struct http_fields *fields, char byte);

/* Sets *wrong and returns HTTP_MALFORMED. */
enum http_step http_malformed(const char **wrong, const char *what);

/* A whole number of at most INT64_MAX, and nothing else. */
bool http_number(const char *digits, size_t length, uint64_t *number);

/* The next element, without the blanks around it, of a list that goes on at *at, which moves on; NULL
 * at its end. Empty elements are skipped (RFC 9110, 5.6.1.2), and quotes have no meaning. */
const char *http_list_next(const char **at, const char *end, size_t *length);

/* A space or a tab: RFC 9110, 5.6.3. */
bool http_is_blank(char c);

/* Of a field name: RFC 9110, 5.6.2. */
bool http_is_token(char c);

/* Bytes of a head, and interim answers (1xx) before the one that counts. */
enum { HTTP_HEAD_MAX = 262144, HTTP_INTERIM_MAX = 16 };

struct http_head {
    bool
        answers_connect; /* the owner's: what a 2xx says of a body is not looked at (RFC 9110, 9.3.6) */
    int minor;           /* of the version: 0, or 1 for all later ones */
    int status;          /* 100 to 999 */
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

/* `bytes` is everything since the start of the head, `length` bytes so far. */
enum http_step http_head_read(struct http_head *head, const char *bytes, size_t length);

/* Joins the lines of each folded field of a head that is done by one space (RFC 9112, 5.2). `bytes` is
 * the head and what has come behind it, `length` bytes: returns how many that is now. */
size_t http_head_unfold(struct http_head *head, char *bytes, size_t length);

/* Of a head that is done, and unfolded, and starts at `bytes`: the value of the first field `name`, NULL if there
 * is none; and the status line from the status on, "404 Not Found". Neither ends with NUL. */
const char *http_head_field(const struct http_head *head, const char *bytes, const char *name,
                            size_t *length);
const char *http_head_status(const struct http_head *head, const char *bytes, size_t *length);

/* The same of the next one behind `after`, a value that was returned; NULL: of the first one. */
const char *http_head_next(const struct http_head *head, const char *bytes, const char *name,
                           const char *after, size_t *length);
/* Whether the server keeps the connection open after the body: RFC 9112, 9.3. */
bool http_head_is_persistent(const struct http_head *head, const char *bytes);

/* How the end of the body is known: RFC 9112, 6.3. */
enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };
enum http_body_kind http_head_body(const struct http_head *head, bool answers_head_request);

#endif
