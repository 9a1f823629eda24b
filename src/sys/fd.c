/*
 * A descriptor that other processes share (stdin, stdout) is never made non-blocking: a pipe or terminal is
 * opened anew through /proc/self/fd, and where that cannot be done poll(2) is asked before each PIPE_BUF bytes.
 */
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "sys/sock.h"
#include "sys/trace.h"

enum { DISCARD_ROUNDS = 16 };

struct fd fd_of(int fd)
{
    struct stat status;
    enum fd_kind kind = FD_OTHER;
    if (fstat(fd, &status) < 0)
        kind = FD_OTHER;
    else if (S_ISFIFO(status.st_mode))
        kind = FD_PIPE;
    else if (S_ISREG(status.st_mode))
        kind = FD_FILE;
    else if (S_ISSOCK(status.st_mode))
        kind = FD_SOCKET;
    else if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)) /* null(4) */
        kind = FD_NULL;
    else if (S_ISCHR(status.st_mode) && isatty(fd))
        kind = FD_TERMINAL;
    return (struct fd){fd, kind, true};
}

struct fd fd_of_own(int fd)
{
    struct fd end = fd_of(fd);
    int flags = end.kind == FD_FILE || end.kind == FD_SOCKET ? -1 : fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0))
        end.shared = false;
    return end;
}

struct fd fd_of_socket(int fd)
{
    return (struct fd){fd, FD_SOCKET, false};
}

struct fd fd_of_pipe(int fd)
{
    return (struct fd){fd, FD_PIPE, false};
}

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

ssize_t fd_read(struct fd end, void *buffer, size_t room)
{
    if (end.kind == FD_SOCKET)
        return sock_recv(end.fd, buffer, room);
    ssize_t got;
    do
        got = read(end.fd, buffer, room);
    while (got < 0 && errno == EINTR);
    TRACE_DETAIL(got, "read(%d, %s, %zu)", end.fd, DATA_OF(buffer, got), room);
    /* A terminal that hangs up is at its end. */
    if (got < 0 && errno == EIO && end.kind == FD_TERMINAL)
        return 0;
    /* The terminal has shown what was typed. */
    if (got > 0 && end.kind == FD_TERMINAL)
        log_terminal_wrote(end.fd, ((const char *)buffer)[got - 1] == '\n');
    return got;
}

ssize_t fd_write(struct fd end, const void *bytes, size_t length)
{
    if (end.kind == FD_SOCKET)
        return sock_send(end.fd, bytes, length);
    if (end.shared && end.kind != FD_FILE && end.kind != FD_NULL) {
        struct pollfd now = {.fd = end.fd, .events = POLLOUT};
        if (poll(&now, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        length = length > PIPE_BUF ? PIPE_BUF : length;
    }
    ssize_t wrote;
    do
        wrote = write(end.fd, bytes, length);
    while (wrote < 0 && errno == EINTR);
    TRACE_DETAIL(wrote, "write(%d, %s, %zu)", end.fd, DATA_OF(bytes, (ssize_t)length), length);
    if (wrote > 0 && end.kind == FD_TERMINAL)
        log_terminal_wrote(end.fd, ((const char *)bytes)[wrote - 1] == '\n');
    return wrote;
}

void fd_discard(int fd)
{
    char ignored[4096];
    sock_shutdown(fd, SHUT_WR);
    for (int round = 0; round < DISCARD_ROUNDS; round++)
        if (sock_recv(fd, ignored, sizeof ignored) <= 0)
            return;
}

/* Gives *end an open file description of our own, if one can be had. */
static void fd_reopen(struct fd *end, int access)
{
    char path[sizeof "/proc/self/fd/" + 3 * sizeof end->fd] = "/proc/self/fd/";
    text_put_number(path + strlen(path), (unsigned)end->fd);
    int own = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0)
        return;
    end->fd = own;
    end->shared = false;
}

struct fd fd_output(int fd)
{
    struct fd end = fd_of(fd);
    if (end.kind == FD_PIPE || end.kind == FD_TERMINAL)
        fd_reopen(&end, O_WRONLY);
    return end;
}

struct fd fd_reopened(struct fd in)
{
    if (in.fd >= 0 && in.kind == FD_PIPE)
        fd_reopen(&in, O_RDONLY);
    return in;
}

bool fd_keeps_messages(struct fd stdout_end)
{
    if (stdout_end.kind != FD_PIPE)
        return stdout_end.kind == FD_SOCKET || stdout_end.kind == FD_OTHER;
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || !(flags & O_DIRECT))
        return false;
    if (!stdout_end.shared)
        fcntl(stdout_end.fd, F_SETFL, O_NONBLOCK | O_DIRECT);
    return true;
}

uint64_t fd_unread_size(struct fd in)
{
    struct stat status;
    if (in.kind != FD_FILE || fstat(in.fd, &status) < 0)
        return 0;
    off_t at = lseek(in.fd, 0, SEEK_CUR);
    return at >= 0 && at < status.st_size ? (uint64_t)(status.st_size - at) : 0;
}

int fd_close_stdout(struct fd *stdout_end)
{
    /* A pipe that nobody reads holds the number: whoever is in a sandbox opens no /dev/null. */
    int held[2] = {-1, -1};
    int result = 0;
    if (pipe2(held, O_CLOEXEC) == 0)
        close(held[0]);
    if (stdout_end->fd != STDOUT_FILENO)
        result |= close(stdout_end->fd);
    result |= close(STDOUT_FILENO);
    int failure = errno;
    if (held[1] >= 0) {
        dup2(held[1], STDOUT_FILENO);
        close(held[1]);
    }
    *stdout_end = (struct fd){STDOUT_FILENO, FD_NULL, true};
    errno = failure;
    return result;
}

int fd_finish_stdout(struct fd *stdout_end, struct error *err)
{
    if (stdout_end->kind != FD_FILE || fd_close_stdout(stdout_end) == 0)
        return 0;
    return error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}
