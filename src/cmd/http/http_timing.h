/*
 * --timing: when each part of a request was over, and how that is shown.
 */
#ifndef CMD_HTTP_HTTP_TIMING_H
#define CMD_HTTP_HTTP_TIMING_H

#include <stdint.h>

/* Times are as loop_now_us says; a part that there was not ends with the one before. */
struct http_timing {
    int64_t began;
    int64_t looked_up;
    int64_t connected;
    int64_t first_byte;
    int64_t ended;
    const char *name; /* of the request; the owner's */
    int status;       /* of the answer */
    uint64_t bytes;   /* of the body */
};

/* http_timing_show shows it on stderr in `form`, an OPT_TIMING_…: as a chart, as wide as the terminal, or as an object. */
void http_timing_show(const struct http_timing *timing, int form);

#endif
