/*
 * JSON that is valid whatever the bytes are: RFC 8259.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stddef.h>
#include <stdio.h>

/* json_string prints a string with its quotes. UTF-8 goes as it is; a byte that is not part of it as the text \xNN; a
 * control character as \u00NN. */
void json_string(FILE *out, const char *bytes, size_t length);

#endif
