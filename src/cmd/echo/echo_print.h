/*
 * echo-server --print: what arrives goes to stdout as well, each read of it whole. While stdout
 * cannot take more, nobody is served.
 */
#ifndef CMD_ECHO_ECHO_PRINT_H
#define CMD_ECHO_ECHO_PRINT_H

#include <stdbool.h>

#include "base/error.h"
#include "cmd/echo/echo.h"
#include "cmd/echo/echo_datagrams.h"
#include "stream/filter.h"
#include "stream/write_queue.h"
#include "sys/drain.h"

struct echo_print {
    struct loop *loop; /* NULL: not asked for */
    struct tap tap;
    struct write_queue queue;
    struct echo *echo; /* who is held */
    struct echo_datagrams *datagrams;
    struct error *err;
    struct drain drain; /* of a reader that is slow, at the end */
    bool finishing;
    bool given_up; /* it takes nothing */
};

/* loop, echo, datagrams and err are set by the owner before. A stdout that fails stops the loop. */
void echo_print_start(struct echo_print *print);
/* What arrives is to be shown to this; NULL where nothing is printed. */
struct tap *echo_print_tap(struct echo_print *print);
/* The server is to end: from now on stdout is waited for by the rules of sys/drain. */
void echo_print_stop(struct echo_print *print);
/* Stops the loop with 0 as soon as everything is written, or stdout is given up. */
void echo_print_finish(struct echo_print *print);
/* Returns `result`, or -1 if what was written did not reach stdout. */
int echo_print_close(struct echo_print *print, int result);

#endif
