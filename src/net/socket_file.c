/*
 * The file of a UNIX socket.
 *
 * Where bind(2) says that the name is taken, the file is looked at, removed if it is a dead server's of our own user,
 * and bound to, all under a lock on its directory, so that two servers do not replace each other's (replace_stale).
 */
#include "net/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "sys/sock.h"
#include "sys/trace.h"

const char socket_file_in_use[] = "in use by a running server";

enum { LOCK_TRIES = 8, LOCK_PAUSE_NS = 10000000 };

/* Locks the directory of a file. Bounded: where all may read a directory, anybody can hold its lock for ever. Returns a
 * descriptor, or -1 without a lock: then two servers that find the same stale file at the same moment may both replace
 * it. */
static int lock_directory(const char *path)
{
    const struct timespec pause = {0, LOCK_PAUSE_NS};
    char *directory = memory_copy(path, strlen(path));
    char *slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory ? 1 : 0] = '\0';
    int fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (fd < 0)
        return -1;
    for (int try = 0; try < LOCK_TRIES; try++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        nanosleep(&pause, NULL);
    }
    close(fd);
    return -1;
}

static int bind_with_mode(int fd, const struct sockname *name, int mode)
{
    if (mode < 0)
        return sock_bind(fd, name);
    mode_t before = umask(0777 & ~(mode_t)mode);
    int result = sock_bind(fd, name);
    umask(before);
    return result;
}

/* Removes a file that is there, or was a moment ago. Returns 0, or -1 and errno. */
static int file_unlink(const char *path)
{
    const int result = unlink(path);
    TRACE_CALL(result, EVENT(.kind = TRACE_UNLINK, .fd = -1), "unlink(\"%s\")", path);
    return result < 0 && errno == ENOENT ? 0 : result;
}

/* Removes what a dead server of ours has left at `path`. Returns NULL, or why that is not what is there. No server
 * notices the connect of a datagram socket: one of another type is alive, says EPROTOTYPE; a dead one, ECONNREFUSED. */
static const char *remove_stale(const char *path, const struct sockname *name)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(status.st_mode))
        return "exists and is not a socket";
    int probe = sock_open(AF_UNIX, SOCK_DGRAM, 0);
    int reason = probe >= 0 && sock_connect(probe, name) == 0 ? 0 : errno;
    if (probe >= 0)
        sock_close(probe);
    if (reason == 0 || reason == EPROTOTYPE || reason == EPERM)
        return socket_file_in_use;
    if (status.st_uid != geteuid())
        return "exists and belongs to another user";
    if (reason != ECONNREFUSED)
        return strerror(reason);
    return file_unlink(path) < 0 ? strerror(errno) : NULL;
}

/* Replaces the file of a dead server. Looking, removing and binding are one step, for other sockctls. */
static const char *replace_stale(int fd, const char *path, const struct sockname *name, int mode)
{
    int lock = lock_directory(path);
    const char *reason = remove_stale(path, name);
    if (!reason && bind_with_mode(fd, name, mode) < 0)
        reason = errno == EADDRINUSE ? socket_file_in_use : strerror(errno);
    if (lock >= 0)
        close(lock);
    return reason;
}

const char *socket_file_bind(struct socket_file *file, int fd, const struct sockname *name,
                             int mode)
{
    const struct sockaddr_un *address = (const void *)&name->storage;
    struct stat status;
    const char *reason = NULL;
    *file = (struct socket_file){0};
    if (!address->sun_path[0]) /* an abstract name */
        return sock_bind(fd, name) == 0 ? NULL : strerror(errno);
    char *path = memory_copy(address->sun_path,
                             strnlen(address->sun_path, sizeof address->sun_path));
    if (bind_with_mode(fd, name, mode) < 0)
        reason = errno == EADDRINUSE ? replace_stale(fd, path, name, mode) : strerror(errno);
    if (reason || lstat(path, &status) < 0) {
        free(path);
        return reason;
    }
    *file = (struct socket_file){path, status.st_dev, status.st_ino};
    return NULL;
}

/* Removes the file, if it is still ours. Between the look and the removal somebody could still put another file there:
 * no call of the system removes a file by its inode. */
void socket_file_remove(struct socket_file *file)
{
    struct stat status;
    if (!file->path)
        return;
    if (lstat(file->path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode && file_unlink(file->path) < 0)
        log_warning("warning: remove %s: %s", file->path, strerror(errno));
    free(file->path);
    file->path = NULL;
}

void socket_file_forget(struct socket_file *file)
{
    free(file->path);
    *file = (struct socket_file){0};
}
