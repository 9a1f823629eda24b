#include "io/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static int failed(const struct aside *aside, const char *what, struct error *err)
{
    return error_system(err, STATUS_LOCAL_IO, errno, "%s %s", what, aside->path);
}

/* The place of the file that was opened, where the path to it is a symbolic link. That it could be
 * opened says that the system's protection against planted links has let it pass. */
static void follow_link(struct aside *aside, int fd)
{
    struct stat status;
    char name[64], place[PATH_MAX];
    if (lstat(aside->path, &status) < 0 || !S_ISLNK(status.st_mode))
        return;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, place, sizeof place);
    if (length <= 0 || (size_t)length == sizeof place)
        return; /* then the link itself is replaced */
    free(aside->path);
    aside->path = memory_copy(place, (size_t)length);
}

int aside_find(struct aside *aside, const char *path, struct error *err)
{
    *aside = (struct aside){.path = memory_copy(path, strlen(path)), .fd = -1};
    struct stat status;
    int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    /* A program that is running cannot be written to, but it can be replaced. */
    if (fd < 0 && (errno == ENOENT || errno == ETXTBSY))
        return 0;
    if (fd < 0 || fstat(fd, &status) < 0)
        return failed(aside, "open", err);
    if (!S_ISREG(status.st_mode)) {
        aside->fd = fd;
        return 0;
    }
    follow_link(aside, fd);
    close(fd);
    return 0;
}

/* Beside the file: the directory, then the three. */
static char *name_beside(const struct aside *aside, const char *dot, const char *name,
                         const char *suffix)
{
    const char *slash = strrchr(aside->path, '/');
    size_t directory = slash ? (size_t)(slash - aside->path) + 1 : 0;
    char *place = memory_new(directory + strlen(dot) + strlen(name) + strlen(suffix) + 1, 1);
    memcpy(place, aside->path, directory);
    stpcpy(stpcpy(stpcpy(place + directory, dot), name), suffix);
    return place;
}

static int forget(struct aside *aside, const char *what, struct error *err)
{
    failed(aside, what, err);
    free(aside->temporary);
    aside->temporary = NULL;
    return -1;
}

int aside_create(struct aside *aside, struct error *err)
{
    if (aside->fd >= 0)
        return 0;
    aside->temporary = name_beside(aside, "", "", ".sockctl-XXXXXX");
    aside->fd = mkostemp(aside->temporary, O_CLOEXEC);
    return aside->fd < 0 ? forget(aside, "create", err) : 0;
}

/* It can be foreseen, so somebody may have put something there; and another process may be writing
 * it, or have just given it its place. */
static bool is_ours(const char *name, int fd)
{
    struct stat status, there;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &status) == 0 &&
           lstat(name, &there) == 0 && there.st_ino == status.st_ino &&
           there.st_dev == status.st_dev && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
           status.st_nlink == 1 && !(status.st_mode & 022);
}

int aside_resume(struct aside *aside, struct error *err)
{
    if (aside->fd >= 0)
        return 0;
    const char *slash = strrchr(aside->path, '/');
    aside->temporary = name_beside(aside, ".", slash ? slash + 1 : aside->path, ".sockctl-part");
    int fd = open(aside->temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd >= 0 && !is_ours(aside->temporary, fd)) {
        close(fd);
        error_set(err, STATUS_LOCAL_IO, "%s: in use, or not ours alone", aside->temporary);
        free(aside->temporary);
        aside->temporary = NULL;
        return -1;
    }
    aside->fd = fd;
    return fd < 0 ? forget(aside, "create the part of", err) : 0;
}

/* Nobody but mkostemp creates it, with 0600: a reader must not see it before it is complete. */
static int open_to_others(int fd)
{
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(fd, 0666 & ~mask);
}

int aside_commit(struct aside *aside, struct error *err)
{
    int fd = aside->fd;
    if (aside->temporary && open_to_others(fd) < 0)
        return failed(aside, "write", err);
    aside->fd = -1;
    if (close(fd) < 0)
        return failed(aside, "write", err);
    if (!aside->temporary)
        return 0;
    if (rename(aside->temporary, aside->path) < 0)
        return failed(aside, "write", err);
    free(aside->temporary);
    aside->temporary = NULL;
    return 0;
}

static bool is_kept(const struct aside *aside)
{
    struct stat status;
    return aside->kept && fstat(aside->fd, &status) == 0 && status.st_size > 0;
}

void aside_release(struct aside *aside)
{
    if (aside->temporary && !is_kept(aside))
        unlink(aside->temporary);
    if (aside->fd >= 0)
        close(aside->fd);
    free(aside->temporary);
    free(aside->path);
    *aside = (struct aside){.fd = -1};
}
