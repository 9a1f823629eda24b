/*
 * The messages that a person wants to send: the words of the command line, or else what comes on
 * stdin, cut at newlines or NULs.
 */
#ifndef CMD_UNIX_MESSAGE_SOURCE_H
#define CMD_UNIX_MESSAGE_SOURCE_H

#include <stdbool.h>

#include "base/error.h"
#include "proto/frame.h"
#include "sys/fd.h"

struct message_source {
    const char *const *words; /* the next one; NULL: stdin is read */
    struct fd in;
    struct fd ahead; /* the same, to be read: see fd_reopened */
    struct frame_reader reader;
    char *buffer; /* the source's own */
    bool ended;   /* no more comes from stdin */
};

/* `words`, or stdin where there is none; `by_nul`: a NUL ends a message on stdin, not a newline. */
void message_source_init(struct message_source *source, const char *const *words, bool by_nul);
void message_source_release(struct message_source *source);

enum source_step {
    SOURCE_MESSAGE, /* *message, until the next call */
    SOURCE_WAIT,    /* for stdin: message_source_read when it is ready */
    SOURCE_END,
    SOURCE_FAILED /* and *err says why */
};
enum source_step message_source_next(struct message_source *source, struct frame *message,
                                     struct error *err);
int message_source_read(struct message_source *source, struct error *err);

#endif
