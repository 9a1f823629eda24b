#include "io/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    *aside = (struct aside){memory_copy(path, strlen(path)), NULL, -1};
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

int aside_create(struct aside *aside, struct error *err)
{
    static const char suffix[] = ".sockctl-XXXXXX";
    if (aside->fd >= 0)
        return 0;
    const char *slash = strrchr(aside->path, '/');
    size_t directory = slash ? (size_t)(slash - aside->path) + 1 : 0;
    aside->temporary = memory_new(directory + sizeof suffix, 1);
    memcpy(aside->temporary, aside->path, directory);
    memcpy(aside->temporary + directory, suffix, sizeof suffix);
    aside->fd = mkostemp(aside->temporary, O_CLOEXEC);
    if (aside->fd >= 0)
        return 0;
    free(aside->temporary);
    aside->temporary = NULL;
    return failed(aside, "create", err);
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

void aside_release(struct aside *aside)
{
    if (aside->fd >= 0)
        close(aside->fd);
    if (aside->temporary)
        unlink(aside->temporary);
    free(aside->temporary);
    free(aside->path);
    *aside = (struct aside){NULL, NULL, -1};
}
