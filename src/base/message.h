/*
 * The one writer of lines to stderr: "sockctl: …". A line is bounded, every byte in it that is not
 * printable ASCII is escaped as \xNN, and it leaves in one write(2), so that lines of several
 * processes do not mix.
 */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

/* How much is told: 0 errors and warnings, 1 (-v) the life of each connection, 2 (-vv) every
 * socket call. The program's only mutable global; main sets it before anything runs. */
extern int message_verbosity;

enum { MESSAGE_STORY = 1, MESSAGE_TRACE = 2 };

void message_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only if message_verbosity is at least `level`. Leaves errno as it was. */
void message_tell(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
