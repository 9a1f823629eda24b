/*
 * A descriptor and its kind: how it is read and written so that one that is shared with other processes (stdin, stdout)
 * never blocks us and is never made non-blocking under them.
 */
#ifndef SYS_FD_H
#define SYS_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum fd_kind {
    FD_PIPE,
    FD_FILE, /* regular: always ready */
    FD_SOCKET,
    FD_TERMINAL,
    FD_NULL, /* /dev/null */
    FD_OTHER
};

struct fd {
    int fd;
    enum fd_kind kind;
    bool shared; /* other processes may have it: it may block, and it stays as it is */
};

/* Asks the kernel for the kind of `fd`. */
struct fd fd_of(int fd);

/* Does what fd_of does for a descriptor that we have opened: no other process has it, and it does not block from now
 * on. */
struct fd fd_of_own(int fd);

/* Makes one of a socket, or of a pipe, of our own: it does not block, and there is nothing to ask the kernel. */
struct fd fd_of_socket(int fd);
struct fd fd_of_pipe(int fd);

/* Closes what is open, one of ours, and leaves -1 in its place. */
void fd_close(int *fd);

/* Reads, after the loop said that it is ready. Returns 0 at its end, or -1 and errno (EAGAIN: not now). */
ssize_t fd_read(struct fd end, void *buffer, size_t room);

/* Writes some of the bytes. Returns how many, or -1 and errno (EAGAIN: not now). */
ssize_t fd_write(struct fd end, const void *bytes, size_t length);

/* Shuts a socket down before it is closed in order, and takes what its peer has sent, a bounded amount. Unread, that would
 * make close(2) reset the connection, and lose what we sent last. */
void fd_discard(int fd);

/* Returns stdout (fd 1), or stderr (fd 2) for what is no message. A pipe or a terminal gets an open file description of our own
 * (through /proc), which can be non-blocking without anybody else noticing; where that fails, writes are kept to PIPE_BUF
 * bytes, and poll(2) is asked before each. */
struct fd fd_output(int fd);

/* Returns the same input, of which as much can be read as there is, also where others read it, too: a pipe by an open file
 * description of our own, the caller's. The loop watches `in` itself, which alone reports when a named pipe loses its last
 * writer. */
struct fd fd_reopened(struct fd in);

/* Returns how many bytes a regular file still holds behind what has been read of it; 0 of anything else. */
uint64_t fd_unread_size(struct fd in);

/* Says whether each write to stdout is a message of its own: to a datagram socket, or to a pipe in packet mode (O_DIRECT,
 * see pipe(2)), in which our description of it is from then on, too. */
bool fd_keeps_messages(struct fd stdout_end);

/* Closes stdout for good, so that its reader sees the end; /dev/null takes its place, and that of `stdout_end`. -1 and
 * errno when what was written did not reach it. */
int fd_close_stdout(struct fd *stdout_end);

/* Closes stdout if it is a regular file, when all is written: a file system may say only now that it has no room (a
 * quota), or is gone (a server). It fails with status 8. */
int fd_finish_stdout(struct fd *stdout_end, struct error *err);

#endif
