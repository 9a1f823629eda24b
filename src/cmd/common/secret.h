/*
 * A secret that the user may have put into a file, which nobody sees in the process list.
 */
#ifndef CMD_COMMON_SECRET_H
#define CMD_COMMON_SECRET_H

#include "base/error.h"
#include "sys/loop.h"

/* Returns what the option's value stands for: itself or, of "@FILE", the first line of FILE, without its end ("@-": of
 * stdin); it is the caller's to memory_wipe. Not a byte after the line is read. Runs the loop while FILE, a FIFO or a
 * terminal, has nothing yet. NULL: status 8 where the file cannot be read, 2 where its line is empty, too long or has a
 * NUL in it; or somebody else has stopped the loop, and filled *err. */
char *secret_read(struct loop *loop, const char *option, const char *value, struct error *err);

#endif
