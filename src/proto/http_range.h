/*
 * Content-Range: which bytes of the whole an answer has (RFC 9110, 14.4). Pure.
 */
#ifndef PROTO_HTTP_RANGE_H
#define PROTO_HTTP_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_range {
    bool is_part;   /* first and last are set; else none of the bytes are there: "*" */
    uint64_t first; /* at most last */
    uint64_t last;
    bool has_total;
    uint64_t total; /* of the whole; above last */
};

/* Reads the value of the field: "bytes FIRST-LAST/TOTAL", with a star in place of a TOTAL that is not
 * known, or of FIRST-LAST in a refusal. False where it is malformed or in another unit. */
bool http_range_read(struct http_range *range, const char *value, size_t length);

#endif
