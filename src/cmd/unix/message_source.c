/*
 * See message_source.h. From operands, or from standard input: all of it as one message, or a message a line.
 */
#include "cmd/unix/message_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { READ_BYTES = 65536 };

void message_source_init(struct message_source *source, const char *const *words, bool by_nul)
{
    *source = (struct message_source){.words = *words ? words : NULL};
    frame_reader_init(&source->reader, by_nul ? &framing_nul : &framing_line, FRAME_MESSAGE_MAX);
    if (source->words)
        return;
    source->in = fd_stdin();
    source->ahead = fd_reopened(source->in);
    source->buffer = memory_grow(NULL, READ_BYTES, 1);
}

void message_source_release(struct message_source *source)
{
    frame_reader_release(&source->reader);
    free(source->buffer);
    source->buffer = NULL;
    if (source->ahead.fd != source->in.fd)
        close(source->ahead.fd);
    source->ahead = source->in;
}

static enum source_step next_word(struct message_source *source, struct frame *message)
{
    const char *word = *source->words;
    if (!word)
        return SOURCE_END;
    *message = (struct frame){word, strlen(word)};
    source->words++;
    return SOURCE_MESSAGE;
}

enum source_step message_source_next(struct message_source *source, struct frame *message,
                                     struct error *err)
{
    if (source->words)
        return next_word(source, message);
    switch (frame_reader_next(&source->reader, message)) {
    case FRAME_MESSAGE:
        return SOURCE_MESSAGE;
    case FRAME_MORE:
        return source->ended ? SOURCE_END : SOURCE_WAIT;
    case FRAME_MALFORMED:
        break;
    }
    error_set(err, STATUS_USAGE, "stdin: %s", source->reader.wrong);
    return SOURCE_FAILED;
}

/* What is left at the end counts as a message, though nothing ends it. */
static void end_input(struct message_source *source)
{
    struct frame_ends ends;
    source->ended = true;
    frame_wrap(&ends, source->reader.framing, "", 0);
    if (frame_reader_rest(&source->reader).length)
        frame_reader_feed(&source->reader, ends.tail, ends.tail_length);
}

int message_source_read(struct message_source *source, struct error *err)
{
    ssize_t got = fd_read(source->ahead, source->buffer, READ_BYTES);
    if (got < 0 && errno != EAGAIN)
        return error_system(err, STATUS_LOCAL_IO, errno, "read from stdin");
    if (got == 0)
        end_input(source);
    else if (got > 0)
        frame_reader_feed(&source->reader, source->buffer, (size_t)got);
    return 0;
}
