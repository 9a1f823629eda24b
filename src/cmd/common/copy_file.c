/*
 * See copy_file.h. The file is a write queue (stream/write_queue.h) with a name; what it does not take at once stays
 * there, and who writes asks by copy_file_waiting whether to go on.
 */
#include "cmd/common/copy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/report.h"
#include "sys/output_path.h"
#include "sys/unblocked.h"

static void copy_file_drained(struct write_queue *queue)
{
    struct copy_file *file = LOOP_OWNER(queue, struct copy_file, queue);
    file->drained(file);
}

static void copy_file_start(struct copy_file *file, const char *name, struct fd end)
{
    file->name = name;
    write_queue_init(&file->queue, file->loop, end, copy_file_drained);
}

int copy_file_open(struct copy_file *file, const char *name, bool append, struct error *err)
{
    enum { NEW_FILE = 0666 }; /* less what the umask takes, as of any new file */
    if (!name)
        return 0;
    int how = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY | (append ? O_APPEND : O_TRUNC);
    int fd;
    char *path = output_path_find(name, &fd, err);
    if (!path)
        return -1;
    if (fd < 0)
        fd = unblocked_open(file->loop, path, how, NEW_FILE);
    if (fd >= 0)
        copy_file_start(file, name, fd_of_own(fd));
    else if (errno != ECANCELED)
        error_system(err, STATUS_LOCAL_IO, errno, "open %s", name);
    free(path);
    return fd < 0 ? -1 : 0;
}

void copy_file_stderr(struct copy_file *file)
{
    copy_file_start(file, "stderr", fd_stderr());
}

static int copy_file_fail(const struct copy_file *file, int failure, struct error *err)
{
    error_system(err, STATUS_LOCAL_IO, failure, "write to %s", file->name);
    errno = failure;
    return -1;
}

int copy_file_write(struct copy_file *file, const void *bytes, size_t length, struct error *err)
{
    if (!file->name || !length || write_queue_put(&file->queue, bytes, length) == 0)
        return 0;
    return copy_file_fail(file, file->queue.failure, err);
}

size_t copy_file_waiting(const struct copy_file *file)
{
    return file->name ? file->queue.length : 0;
}

int copy_file_close(struct copy_file *file, struct error *err)
{
    if (!file->name)
        return 0;
    int fd = file->queue.fd.fd, failure = file->queue.failure;
    size_t lost = copy_file_waiting(file);
    write_queue_release(&file->queue);
    if (lost)
        report_warning("%s: the last %zu bytes were not written", file->name, lost);
    if (fd != STDERR_FILENO && close(fd) < 0 && errno != EINTR && !failure)
        failure = errno;
    int result = failure ? copy_file_fail(file, failure, err) : 0;
    file->name = NULL;
    return result;
}
