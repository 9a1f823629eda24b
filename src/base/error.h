/*
 * What went wrong, carried from the function that has found it up to main, which alone prints it.
 *
 * A function that can fail takes `struct error *err` last, fills it and returns -1; everyone above returns -1 unchanged.
 * The text says what was tried, on what, and why. It may hold bytes from outside: base/log escapes them.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

enum {
    STATUS_OK = 0,
    STATUS_TRANSFER = 1,    /* the transfer failed: reset, refused in mid-stream */
    STATUS_USAGE = 2,       /* the command line is wrong */
    STATUS_RESOLVE = 3,     /* the name did not resolve */
    STATUS_CONNECT = 4,     /* could not connect, or could not bind or listen */
    STATUS_TIMEOUT = 5,     /* a time limit ran out */
    STATUS_REFUSED = 6,     /* the peer said no: HTTP 400 and up, a proxy, no such record */
    STATUS_MALFORMED = 7,   /* incomplete or malformed data */
    STATUS_LOCAL_IO = 8,    /* stdin, stdout or a file could not be read or written */
    STATUS_EXPECT = 9,      /* --expect not met */
    STATUS_IMPOSSIBLE = 70, /* out of memory, or of descriptors that every command needs */
    STATUS_CANNOT_RUN = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_SIGNAL = 128 /* plus the signal's number */
};

struct error {
    int status;
    int signal_number; /* not 0: main raises this signal again in place of exiting */
    int errnum;        /* what error_system was given; 0: the system said nothing */
    char text[2048];   /* empty: end with the status and say nothing (a reader that went away) */
};

/* Fills *err and returns -1, so that a caller can `return error_set(…)`. The text is cut at 300 bytes. */
int error_set(struct error *err, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Does what error_set does, and adds ": " and what the system calls errnum. */
int error_system(struct error *err, int status, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds to the text, such as one more of a list of attempts; it may go on to the end of the array. Returns -1. */
int error_add(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fills *err with an end that has no message. Returns -1. */
int error_silent(struct error *err, int status);

/* Fills *err with an end by that signal, once everything is cleaned up. Returns -1. */
int error_signal(struct error *err, int signal_number);

/* A failure that is kept until it can be reported: what a client or a connection holds, of which there are many. All zero
 * is none. */
struct kept_error {
    int status, signal_number, errnum;
    char *text; /* allocated, the keeper's until error_forget; NULL: it is empty */
};

/* Keeps a copy of *err in place of what was kept. */
void error_keep(struct kept_error *kept, const struct error *err);

/* Fills *err as it was when it was kept. Returns -1. */
int error_restore(const struct kept_error *kept, struct error *err);

/* Frees what is kept; that may be nothing. */
void error_forget(struct kept_error *kept);

#endif
