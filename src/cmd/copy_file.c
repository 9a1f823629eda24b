#include "cmd/copy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/report.h"
#include "io/output_path.h"
#include "io/unblocked.h"

static void outbox_drained(struct outbox *outbox)
{
    struct copy_file *file = LOOP_OWNER(outbox, struct copy_file, outbox);
    file->drained(file);
}

static void start(struct copy_file *file, const char *name, struct end end)
{
    file->name = name;
    outbox_init(&file->outbox, file->loop, end, outbox_drained);
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
        start(file, name, end_of_own(fd));
    else if (errno != ECANCELED)
        error_system(err, STATUS_LOCAL_IO, errno, "open %s", name);
    free(path);
    return fd < 0 ? -1 : 0;
}

void copy_file_stderr(struct copy_file *file)
{
    start(file, "stderr", end_stderr());
}

static int fail(const struct copy_file *file, int failure, struct error *err)
{
    error_system(err, STATUS_LOCAL_IO, failure, "write to %s", file->name);
    errno = failure;
    return -1;
}

int copy_file_write(struct copy_file *file, const void *bytes, size_t length, struct error *err)
{
    if (!file->name || !length || outbox_put(&file->outbox, bytes, length) == 0)
        return 0;
    return fail(file, file->outbox.failure, err);
}

size_t copy_file_waiting(const struct copy_file *file)
{
    return file->name ? file->outbox.length : 0;
}

int copy_file_close(struct copy_file *file, struct error *err)
{
    if (!file->name)
        return 0;
    int fd = file->outbox.end.fd, failure = file->outbox.failure;
    size_t lost = copy_file_waiting(file);
    outbox_release(&file->outbox);
    if (lost)
        report_warning("%s: the last %zu bytes were not written", file->name, lost);
    if (fd != STDERR_FILENO && close(fd) < 0 && errno != EINTR && !failure)
        failure = errno;
    int result = failure ? fail(file, failure, err) : 0;
    file->name = NULL;
    return result;
}
