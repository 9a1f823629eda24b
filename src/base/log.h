/*
 * The one writer of lines to stderr: "sockctl: …". A line is bounded, every byte in it that is not printable ASCII is
 * escaped as \xNN, and it leaves in one write(2), so that lines of several processes do not mix. With --log json each
 * message is an object instead. No call waits for stderr: what it does not take now is dropped, and how many were is
 * written when it takes one again. Any thread may call these.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct trace;

struct log_message {
    const char *event; /* "error", "warning", "note" (-v) or "trace" (-vv, -vvv) */
    const char *text;  /* bytes from outside as they came */
    int status;        /* of an error; else 0 */
};

/* The escapes of a terminal around a line; NULL: none. */
struct log_colours {
    const char *error;
    const char *note; /* and a hint */
    const char *end;
};

/* What is logged, and how. It is the program's only mutable global. It is set before anything runs, except for `live`,
 * which is log_live's, `in_line`, which is log_terminal_wrote's, and the last three, which are this module's. */
struct log_setting {
    int verbosity; /* 0 errors and warnings, 1 (-v) the life of each connection, 2 (-vv) the calls of a
                      lecture on sockets, 3 (-vvv) all others too */
    struct trace *trace; /* what is shown beside the calls of -vv (sys/trace); NULL: nothing */
    void (*as_object)(const struct log_message *message); /* --log json (cli/report); NULL: text */
    struct log_colours colours;                           /* of stderr (cli/colour) */
    atomic_bool in_line; /* the terminal shows data, whose last line has not ended */
    bool live;           /* the terminal shows a live line: the next message takes its place */
    atomic_int fd;       /* what is written to; negative: not without asking; 0: not known yet */
    atomic_uint dropped; /* messages, since the last one that was written */
    atomic_bool is_cut;  /* of one of them, the beginning was written */
};
extern struct log_setting log_setting;

enum { LOG_LEVEL_INFO = 1, LOG_LEVEL_TRACE = 2, LOG_LEVEL_DETAIL = 3 };

/* Opens stderr anew, if that is to be done, which the first message does else: for those who can open nothing later. */
void log_open(void);

/* Writes a warning. */
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a note, if the verbosity is at least `level`. It leaves errno as it was. */
void log_note(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes a note whatever the verbosity is, without a colour, and, as they are, the lines that belong below it, in one
 * write(2). */
void log_note_with(const char *text, const char *below, size_t length);

/* Writes what the program ends with: stderr is given a moment to take it. */
void log_error(int status, const char *text);

/* Writes what a person may do next, as it is, without a newline at its end. */
void log_hint(const char *text);

/* Writes a line as it is, in one write(2). Where the terminal shows a line that has not ended, it begins on one of
 * its own. */
void log_write(const char *line, size_t length);

/* Remembers of what has been written to a terminal, or typed there, whether it ends its line. Messages on other terminals do
 * not mind. */
void log_terminal_wrote(int fd, bool ends_line);

/* Says whether stderr is the terminal that `fd` is, so that data and messages meet there. */
bool log_is_on_terminal(int fd);

/* Says whether stderr is a terminal in whose background we are, so that others write to it. */
bool log_is_in_background(void);

/* Returns the columns of the terminal that stderr is, at present; 0 where it is none. */
unsigned log_columns(void);

/* Draws (or with `live` false, takes away) a line that is to be drawn anew in its place: `text` moves the cursor by itself,
 * and leaves it at the start of the line. It never waits for a terminal that has been stopped: false, and nothing is
 * drawn. */
bool log_live(bool live, const char *text, size_t length);

#endif
