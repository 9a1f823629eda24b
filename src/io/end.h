/*
 * One end of a flow of bytes: a descriptor and its kind. It owns how descriptors are read and
 * written so that one that is shared with other processes (stdin, stdout) never blocks us and is
 * never made non-blocking under them.
 */
#ifndef IO_END_H
#define IO_END_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

enum end_kind {
    END_PIPE,
    END_FILE, /* regular: always ready */
    END_SOCKET,
    END_TERMINAL,
    END_NULL, /* /dev/null */
    END_OTHER
};

struct end {
    int fd;
    enum end_kind kind;
    bool shared; /* other processes may have it: it may block, and it stays as it is */
};

/* The kind of `fd`, asked of the kernel. */
struct end end_of(int fd);
/* The same of one that we have opened: no other process has it, and it does not block from now on. */
struct end end_of_own(int fd);
/* A socket, or a pipe, of our own: non-blocking, nothing to ask. */
struct end end_of_socket(int fd);
struct end end_of_pipe(int fd);

/* Call after the loop said that it is ready. 0 at its end; -1 and errno (EAGAIN: not now). */
ssize_t end_read(struct end end, void *buffer, size_t room);
/* May be short. -1 and errno (EAGAIN: not now). */
ssize_t end_write(struct end end, const void *bytes, size_t length);
/* Before a socket is closed in order: tells its peer the end, and takes what it has sent, a bounded
 * amount. Unread, that would make close(2) reset the connection, and lose what we sent last. */
void end_discard(int fd);

/* stdin (fd 0) and stdout (fd 1) as ends. stdout, if it is a pipe or a terminal, gets an open file
 * description of our own (through /proc), which can be non-blocking without anybody else noticing;
 * where that fails, writes are kept to PIPE_BUF bytes, and poll(2) is asked before each. */
struct end end_stdin(void);
struct end end_stdout(void);
/* stderr, for what is no message, in the same way. */
struct end end_stderr(void);
/* The same input, of which as much can be read as there is, also where others read it, too: a pipe by
 * an open file description of our own, the caller's. The loop watches `in` itself, which alone is told
 * when a named pipe loses its last writer. */
struct end end_ahead(struct end in);
/* Whether it can be read without asking the loop first: EAGAIN will say that there is no more. */
bool end_reads_on(struct end end);
/* Whether what is written there is gone: /dev/null, open for writing. */
bool end_swallows(struct end end);
/* Whether each write to stdout is a message of its own: to a datagram socket, or to a pipe in packet
 * mode (O_DIRECT, see pipe(2)), in which our description of it is from then on, too. */
bool end_keep_messages(struct end stdout_end);
/* Closes stdout for good, so that its reader sees the end; /dev/null takes its place, and that of
 * `stdout_end`. -1 and errno when what was written did not reach it. */
int end_close_stdout(struct end *stdout_end);
/* The same, of a regular file, when all is written: a file system may say only now that it has no
 * room (a quota), or is gone (a server). Status 8. */
int end_finish_stdout(struct end *stdout_end, struct error *err);

#endif
