#include "cmd/copy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/output_path.h"

int copy_file_open(struct copy_file *file, const char *name, bool append, struct error *err)
{
    enum { NEW_FILE = 0666 }; /* less what the umask takes, as of any new file */
    if (!name)
        return 0;
    int how = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC |
              (append ? O_APPEND : O_TRUNC);
    char *path = output_path_find(name, &file->fd, err);
    if (!path)
        return -1;
    if (file->fd < 0)
        file->fd = open(path, how, NEW_FILE);
    if (file->fd < 0)
        error_system(err, STATUS_LOCAL_IO, errno, "open %s", name);
    else
        file->name = name;
    free(path);
    return file->name ? 0 : -1;
}

int copy_file_stderr(struct copy_file *file, struct error *err)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0)
        return error_system(err, STATUS_LOCAL_IO, errno, "write to stderr");
    *file = (struct copy_file){"stderr", fd};
    return 0;
}

static int fail(const struct copy_file *file, struct error *err)
{
    int failure = errno;
    error_system(err, STATUS_LOCAL_IO, failure, "write to %s", file->name);
    errno = failure;
    return -1;
}

int copy_file_write(const struct copy_file *file, const void *bytes, size_t length,
                    struct error *err)
{
    const char *rest = bytes;
    while (file->name && length) {
        ssize_t wrote = write(file->fd, rest, length);
        if (wrote > 0) {
            rest += wrote;
            length -= (size_t)wrote;
        } else if (errno == EAGAIN) { /* stderr, which somebody else made non-blocking */
            struct pollfd ready = {.fd = file->fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return fail(file, err);
        }
    }
    return 0;
}

int copy_file_close(struct copy_file *file, struct error *err)
{
    if (!file->name)
        return 0;
    int result = close(file->fd) < 0 && errno != EINTR ? fail(file, err) : 0;
    file->name = NULL;
    return result;
}
