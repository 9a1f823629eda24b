/*
 * Messages in a stream of bytes: where the next one ends, and what goes around one that is sent.
 *
 *     native      a 4-byte length in the machine's byte order, then so many bytes, the last a NUL
 *     u32be       a 4-byte length in network order, then so many bytes
 *     line        any bytes but LF, then LF
 *     netstring   the length in decimal digits, ':', so many bytes, ',' (cr.yp.to/proto/netstrings)
 *
 * A NUL, LF or ',' at the end is not part of the message.
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    FRAME_MESSAGE_MAX = INT_MAX - 1, /* no message is longer, whatever the framing */
    FRAME_HEAD_MAX = 16,
    FRAME_WRONG_MAX = 160
};

struct framing;
extern const struct framing framing_native;
extern const struct framing framing_line;
extern const struct framing framing_nul; /* ended by NUL; has no name, so that nobody finds it */

/* Returns the framing of that name, or NULL: there is none. */
const struct framing *framing_find(const char *name);

/* What goes before and after a message that is sent; `tail` is static. */
struct frame_ends {
    char head[FRAME_HEAD_MAX];
    size_t head_length;
    const char *tail;
    size_t tail_length;
};

/* Fills *ends. Returns NULL, or why such a message cannot be sent, as words that follow it. */
const char *frame_wrap(struct frame_ends *ends, const struct framing *framing, const char *message,
                       size_t length);

/* The reader of what is received. Bytes are fed as they arrive, in pieces of any size; what a reader holds between two
 * pieces is the part of a frame that has come, whatever length that frame claims to have. */
struct frame_reader {
    const struct framing *framing;
    size_t max_message;
    const char *bytes; /* not yet taken: those that were fed, or `kept` */
    size_t length;
    size_t searched; /* so many of them hold no end */
    char *kept;      /* the reader's own */
    size_t room;
    char wrong[FRAME_WRONG_MAX]; /* of FRAME_MALFORMED: "a length of -5" */
};

/* A message, which points into the bytes that were fed or are kept. */
struct frame {
    const char *message;
    size_t length;
};

enum frame_step {
    FRAME_MORE,     /* all that is complete has been taken; the rest, if any, is kept */
    FRAME_MESSAGE,  /* *frame is the next message, until the next call */
    FRAME_MALFORMED /* and so is all that follows: `wrong` says why */
};

/* Starts a reader to which a message of more than `max_message` bytes is malformed. */
void frame_reader_init(struct frame_reader *reader, const struct framing *framing,
                       size_t max_message);

/* Frees what is kept; the reader may be fed anew. */
void frame_reader_release(struct frame_reader *reader);

/* Hands bytes to the reader. They have to stay until frame_reader_next returns FRAME_MORE, or until frame_reader_keep.
 * Only then may the next ones be fed. */
void frame_reader_feed(struct frame_reader *reader, const char *bytes, size_t length);

/* Takes the next message. */
enum frame_step frame_reader_next(struct frame_reader *reader, struct frame *frame);

/* Copies what was fed and is not yet taken. */
void frame_reader_keep(struct frame_reader *reader);

/* Forgets what was fed and is not yet taken, to be fed again, and returns how many bytes that is. */
size_t frame_reader_return(struct frame_reader *reader);

/* Returns the start of the frame that was cut, if any, at the end of the stream, after FRAME_MORE. */
struct frame frame_reader_rest(const struct frame_reader *reader);

#endif
