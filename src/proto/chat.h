/*
 * The lines of a chat: what comes from a client in pieces of any size, and goes to the terminals of
 * others, who must not be harmed by it.
 */
#ifndef PROTO_CHAT_H
#define PROTO_CHAT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CHAT_LINE_MAX = 4096,              /* bytes of a line; the rest of a longer one is left out */
    CHAT_SHOWN_MAX = 4 * CHAT_LINE_MAX /* bytes of a line as it is shown */
};

struct chat_text {
    const char *bytes;
    size_t length;
};

/* What is held back of a line that is not complete. The owner zeroes it. */
struct chat_reader {
    char *held; /* CHAT_LINE_MAX bytes, the reader's; or NULL */
    size_t length;
    bool cut; /* since it was last set to false, the rest of a line has been left out */
};

/* Takes of *text up to the end of a line. True: *line is a line, without its LF or CR LF, until the next call. False:
 * all of *text is taken. */
bool chat_next(struct chat_reader *reader, struct chat_text *text, struct chat_text *line);

/* Says that nothing more comes. True: what came last, without an end, is a line. */
bool chat_rest(struct chat_reader *reader, struct chat_text *line);

/* Frees what is held. */
void chat_release(struct chat_reader *reader);

/* Writes a line as it may be shown: printable ASCII, tabs, and UTF-8 characters that can be seen and that neither control
 * a terminal nor turn the direction of the text; every other byte as \xNN. Returns how many bytes that is: at most
 * CHAT_SHOWN_MAX for a line of a reader, 4 for each byte of any other. */
size_t chat_show(char *out, const char *line, size_t length);

#endif
