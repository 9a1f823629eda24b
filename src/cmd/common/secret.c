/*
 * See secret.h. The line is read byte by byte: a read of more might wait, and what follows the line may be somebody
 * else's. That is why unblocked_read, which reads to the end, is not used; the wait for each byte is unblocked_await.
 */
#include "cmd/common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "sys/output_path.h"
#include "sys/unblocked.h"

enum { LINE_MAX_BYTES = 4096 };

struct line {
    int fd;
    const char *option; /* these two for errors */
    const char *file;
    size_t length;
    struct error *err;
    char bytes[LINE_MAX_BYTES];
};

static int line_refuse(const struct line *line, const char *wrong)
{
    return error_set(line->err, STATUS_USAGE, "option --%s: the first line of %.100s %s",
                     line->option, line->file, wrong);
}

/* Reads one byte. Returns 1: the line is complete; 0: there is more of it; -1: it failed. */
static int line_read(struct line *line)
{
    char *byte = line->bytes + line->length;
    ssize_t got = read(line->fd, byte, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (got < 0)
        return error_system(line->err, STATUS_LOCAL_IO, errno, "read %s", line->file);
    if (got == 0 || *byte == '\n') {
        if (line->length && byte[-1] == '\r')
            line->length--;
        return line->length ? 1 : line_refuse(line, "is empty");
    }
    if (*byte == '\0')
        return line_refuse(line, "has a NUL in it");
    if (++line->length == sizeof line->bytes)
        return line_refuse(line, "is longer than 4095 bytes");
    return 0;
}

char *secret_read(struct loop *loop, const char *option, const char *value, struct error *err)
{
    struct line line = {.option = option, .file = value + 1, .err = err};
    char *secret = NULL;
    if (*value != '@')
        return memory_copy(value, strlen(value));
    /* A descriptor that is open is read on from where it is. */
    int named = strcmp(line.file, "-") == 0 ? 0 : output_path_descriptor(line.file);
    line.fd = named < 0 ? open(line.file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                        : fcntl(named, F_DUPFD_CLOEXEC, 0);
    if (line.fd < 0) {
        error_system(err, STATUS_LOCAL_IO, errno, "open %s", line.file);
        return NULL;
    }
    /* A FIFO that nobody has opened for writing yet would look as if it were at its end. */
    struct stat status;
    bool waits = fstat(line.fd, &status) == 0 &&
                 (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(line.fd));
    int result = 0;
    while (result == 0)
        result = waits && unblocked_await(loop, line.fd, EPOLLIN) ? -1 : line_read(&line);
    if (result > 0)
        secret = memory_copy(line.bytes, line.length);
    explicit_bzero(line.bytes, sizeof line.bytes);
    close(line.fd);
    return secret;
}
