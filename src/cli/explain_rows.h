/*
 * The rows that --explain puts below a call: sentences, bytes and what they are, the fields of an address, packets. They
 * are gathered in one block, which goes out with the line of the call.
 */
#ifndef CLI_EXPLAIN_ROWS_H
#define CLI_EXPLAIN_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/sentences.h"
#include "sys/sockname.h"

enum { EXPLAIN_BLOCK_MAX = 12000, EXPLAIN_PHRASE_MAX = 1024 };

struct explain_rows {
    enum language language;
    bool has_colour;
    bool is_ascii;        /* the terminal's charset has neither arrows nor accents */
    bool said[SAY_COUNT]; /* sentences that were said once */
    size_t length;        /* of the block; what it has no room for is left out */
    char block[EXPLAIN_BLOCK_MAX];
};

/* Begins a row with its margin, puts text into it as it is, and ends it. */
void rows_begin(struct explain_rows *rows);
void rows_put(struct explain_rows *rows, const char *text);
void rows_end(struct explain_rows *rows);

/* Puts a text as rows, broken between words. */
void rows_put_wrapped(struct explain_rows *rows, const char *text);

/* Says a sentence, whose arguments are strings, unless it was said before. Of these, bytes that are not printable ASCII
 * are escaped. */
void rows_say(struct explain_rows *rows, enum sentence sentence, ...);

/* Writes the sentence into `out`, which holds EXPLAIN_PHRASE_MAX bytes, and returns it. */
const char *rows_phrase(const struct explain_rows *rows, char *out, enum sentence sentence, ...);

/* Is a number as an argument of these two. */
#define NUMBER(n) rows_number((char[24]){""}, (long)(n))
const char *rows_number(char *out, long number);

/* Puts one thing that goes over the wire: ">SYN" is sent, "<SYN" is received. */
void rows_put_arrow(struct explain_rows *rows, const char *packet, size_t length);

/* Puts a row of bytes, at most eight, and what they mean: "  05 00 00 00    length 5". */
void rows_put_meaning(struct explain_rows *rows, const unsigned char *bytes, size_t count,
                      const char *meaning);

/* Puts text by rows of eight bytes, of which the first ones alone, and the text itself beside them. */
void rows_put_characters(struct explain_rows *rows, const unsigned char *bytes, size_t length);

/* Put a struct sockaddr_in, sockaddr_in6 or sockaddr_un, field by field. */
void rows_put_ipv4(struct explain_rows *rows, const struct sockname *name);
void rows_put_ipv6(struct explain_rows *rows, const struct sockname *name);
void rows_put_unix(struct explain_rows *rows, const struct sockname *name);

/* Says how the network has a port, and this machine. */
void rows_say_byte_order(struct explain_rows *rows, unsigned port);

#endif
