#include "io/end.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.h"
#include "net/sock.h"

enum { DISCARD_ROUNDS = 16 };

static enum end_kind kind_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return END_OTHER;
    if (S_ISFIFO(status.st_mode))
        return END_PIPE;
    if (S_ISREG(status.st_mode))
        return END_FILE;
    if (S_ISSOCK(status.st_mode))
        return END_SOCKET;
    if (!S_ISCHR(status.st_mode))
        return END_OTHER;
    if (status.st_rdev == makedev(1, 3)) /* null(4) */
        return END_NULL;
    return isatty(fd) ? END_TERMINAL : END_OTHER;
}

struct end end_of(int fd)
{
    return (struct end){fd, kind_of(fd), true};
}

struct end end_of_own(int fd)
{
    struct end end = end_of(fd);
    int flags = end.kind == END_FILE || end.kind == END_SOCKET ? -1 : fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0))
        end.shared = false;
    return end;
}

struct end end_of_socket(int fd)
{
    return (struct end){fd, END_SOCKET, false};
}

struct end end_of_pipe(int fd)
{
    return (struct end){fd, END_PIPE, false};
}

ssize_t end_read(struct end end, void *buffer, size_t room)
{
    if (end.kind == END_SOCKET)
        return sock_recv(end.fd, buffer, room);
    ssize_t got;
    do
        got = read(end.fd, buffer, room);
    while (got < 0 && errno == EINTR);
    /* A terminal that hangs up is at its end. */
    if (got < 0 && errno == EIO && end.kind == END_TERMINAL)
        return 0;
    return got;
}

ssize_t end_write(struct end end, const void *bytes, size_t length)
{
    if (end.kind == END_SOCKET)
        return sock_send(end.fd, bytes, length);
    if (end.shared && end.kind != END_FILE && end.kind != END_NULL) {
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
    return wrote;
}

void end_discard(int fd)
{
    char ignored[4096];
    sock_shutdown(fd, SHUT_WR);
    for (int round = 0; round < DISCARD_ROUNDS; round++)
        if (sock_recv(fd, ignored, sizeof ignored) <= 0)
            return;
}

struct end end_stdin(void)
{
    return end_of(STDIN_FILENO);
}

/* Gives it an open file description of our own, if one can be had. */
static void reopen(struct end *end, int access)
{
    char path[sizeof "/proc/self/fd/" + 3 * sizeof end->fd] = "/proc/self/fd/";
    text_put_number(path + strlen(path), (unsigned)end->fd);
    int own = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0)
        return;
    end->fd = own;
    end->shared = false;
}

static struct end open_output(int fd)
{
    struct end end = end_of(fd);
    if (end.kind == END_PIPE || end.kind == END_TERMINAL)
        reopen(&end, O_WRONLY);
    return end;
}

struct end end_stdout(void)
{
    return open_output(STDOUT_FILENO);
}

struct end end_stderr(void)
{
    return open_output(STDERR_FILENO);
}

bool end_keep_messages(struct end stdout_end)
{
    if (stdout_end.kind != END_PIPE)
        return stdout_end.kind == END_SOCKET || stdout_end.kind == END_OTHER;
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || !(flags & O_DIRECT))
        return false;
    if (!stdout_end.shared)
        fcntl(stdout_end.fd, F_SETFL, O_NONBLOCK | O_DIRECT);
    return true;
}

struct end end_ahead(struct end in)
{
    if (in.fd >= 0 && in.kind == END_PIPE)
        reopen(&in, O_RDONLY);
    return in;
}

bool end_swallows(struct end end)
{
    int flags = end.kind == END_NULL ? fcntl(end.fd, F_GETFL) : -1;
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

bool end_reads_on(struct end end)
{
    return !end.shared || end.kind == END_FILE || end.kind == END_SOCKET || end.kind == END_NULL;
}

int end_close_stdout(struct end *stdout_end)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int result = 0;
    if (stdout_end->fd != STDOUT_FILENO)
        result |= close(stdout_end->fd);
    result |= close(STDOUT_FILENO);
    int failure = errno;
    if (null >= 0) {
        dup2(null, STDOUT_FILENO);
        close(null);
    }
    *stdout_end = (struct end){STDOUT_FILENO, END_NULL, true};
    errno = failure;
    return result;
}

int end_finish_stdout(struct end *stdout_end, struct error *err)
{
    if (stdout_end->kind != END_FILE || end_close_stdout(stdout_end) == 0)
        return 0;
    return error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}
