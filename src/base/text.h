/*
 * Strings: escaping for a terminal, C escapes from a person, UTF-8, numbers, and the distance between two words.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes `length` bytes as printable ASCII, each other byte as \xNN, and stops before `room` would be exceeded. Returns
 * the bytes written; adds no NUL. */
size_t text_escape(char *out, size_t room, const char *bytes, size_t length);

/* Decodes C escapes (\n \r \t \0 \a \b \e \f \v \\ \" \' \xH[H] \NNN) in place; *length is the number of bytes left,
 * which may contain NUL. Returns NULL, or what is wrong with the text, as words that follow it. */
const char *text_unescape(char *text, size_t *length);

/* Counts the edits (insert, delete, replace, swap of neighbours) that turn one word into the other; words longer than 63
 * bytes are infinitely far apart. */
size_t text_distance(const char *one, const char *other);

/* Returns the value of a hexadecimal digit, in either case; -1 if it is none. */
int text_hex_digit(char c);

/* Reads the code point that well-formed UTF-8 (RFC 3629) of `length` bytes, at least one, begins with. Returns how many
 * bytes it has, 1 to 4; 0: it is not well-formed. Nothing is read behind the first byte that does not belong to it. */
size_t text_code_point(const char *bytes, size_t length, uint32_t *point);

/* Writes a number in decimal and a NUL. Returns where the NUL is. It does without snprintf(3), which alone makes 130 KiB
 * of libc resident in a transfer that has nothing to report. */
char *text_put_number(char *out, unsigned number);

/* Prints bytes in Base64: RFC 4648, 4. */
void text_base64(FILE *out, const char *bytes, size_t length);

bool text_starts_with(const char *text, const char *prefix);

/* Says whether every byte is an ASCII digit, and there is at least one. */
bool text_is_digits(const char *text, size_t length);

/* Reads a whole number of at most INT64_MAX, decimal digits alone. False: there is something else. */
bool text_number(const char *digits, size_t length, uint64_t *number);

/* Says whether the text is that word, in whatever case. */
bool text_is_word(const char *text, size_t length, const char *word);

#endif
