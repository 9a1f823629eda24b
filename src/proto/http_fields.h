/*
 * HTTP/1 messages (RFC 9112) are read incrementally: however the bytes are split, the result is
 * the same. Anything ambiguous is refused rather than guessed at. The parsers are pure and
 * allocate nothing; each starts as {0}.
 *
 * A line ends with CR LF or with LF alone; a CR anywhere else is an error.
 *
 * Here: what the three parsers say, and the field lines of a head or a trailer.
 */
#ifndef PROTO_HTTP_FIELDS_H
#define PROTO_HTTP_FIELDS_H

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

#endif
