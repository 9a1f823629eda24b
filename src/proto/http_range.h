/*
 * Range and Content-Range (RFC 9110, 14): which bytes of the whole are asked for, and which an answer has. Pure.
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

/* Reads the value of Content-Range: "bytes FIRST-LAST/TOTAL", with a star in place of a TOTAL that is not known, or of
 * FIRST-LAST in a refusal. False: it is malformed or in another unit. */
bool http_range_read(struct http_range *range, const char *value, size_t length);

/* Says whether the text is a list of ranges as Range has them behind its unit, "0-99", "100-" or "-50", with commas
 * between. */
bool http_range_is_wish(const char *text);

/* Says whether the range is what `wish`, one range, asks for: exactly that, or less where the file ends sooner. */
bool http_range_grants(const struct http_range *range, const char *wish);

#endif
