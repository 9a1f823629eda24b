/*
 * replace_file_find says where the path leads, create or resume open a file beside it, commit gives it the old one's mode
 * and owner, waits for the disk and renames it. fsync(2) is the one call here that can wait: for the disk, and the loop
 * with it. A signal that comes meanwhile arrives when the disk is done.
 */
#include "sys/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "sys/output_path.h"
#include "sys/unblocked.h"

static int file_failed(const struct replace_file *file, const char *what, struct error *err)
{
    return error_system(err, STATUS_LOCAL_IO, errno, "%s %s", what, file->path);
}

/* Returns a path in the directory of the file: the three, the one after the other. */
static char *name_beside(const struct replace_file *file, const char *dot, const char *name,
                         const char *suffix)
{
    const char *slash = strrchr(file->path, '/');
    size_t directory = slash ? (size_t)(slash - file->path) + 1 : 0;
    char *place = memory_new(directory + strlen(dot) + strlen(name) + strlen(suffix) + 1, 1);
    memcpy(place, file->path, directory);
    stpcpy(stpcpy(stpcpy(place + directory, dot), name), suffix);
    return place;
}

/* Checks this before anybody has been asked for what is to be written, for there is no other place for it. */
static int check_directory(const struct replace_file *file, struct error *err)
{
    char *directory = name_beside(file, ".", "", "");
    int result = access(directory, W_OK | X_OK) < 0 ? file_failed(file, "create", err) : 0;
    free(directory);
    return result;
}

int replace_file_find(struct replace_file *file, struct loop *loop, const char *path,
                      struct error *err)
{
    *file = (struct replace_file){.fd = -1};
    file->path = output_path_find(path, &file->fd, err);
    if (!file->path)
        return -1;
    if (file->fd >= 0)
        return 0;
    struct stat status;
    int fd = unblocked_open(loop, file->path, O_WRONLY | O_NOFOLLOW | O_NOCTTY, 0);
    if (fd < 0 && errno == ECANCELED)
        return -1;
    /* A program that is running cannot be written to, but it can be replaced. */
    if (fd < 0 && (errno == ENOENT || errno == ETXTBSY))
        return check_directory(file, err);
    if (fd < 0 || fstat(fd, &status) < 0)
        return file_failed(file, "open", err);
    if (!S_ISREG(status.st_mode)) {
        file->fd = fd;
        return 0;
    }
    close(fd);
    return check_directory(file, err);
}

static int file_forget(struct replace_file *file, const char *what, struct error *err)
{
    file_failed(file, what, err);
    free(file->temporary);
    file->temporary = NULL;
    return -1;
}

int replace_file_create(struct replace_file *file, struct error *err)
{
    if (file->fd >= 0)
        return 0;
    file->temporary = name_beside(file, "", "", ".sockctl-XXXXXX");
    file->fd = mkostemp(file->temporary, O_CLOEXEC);
    return file->fd < 0 ? file_forget(file, "create", err) : 0;
}

/* Tells whether a file under the name that can be foreseen is ours alone: somebody may have put something there, and
 * another process may be writing it, or have just given it its place. */
static bool part_is_ours(const char *name, int fd)
{
    struct stat status, there;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &status) == 0 &&
           lstat(name, &there) == 0 && there.st_ino == status.st_ino &&
           there.st_dev == status.st_dev && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
           status.st_nlink == 1 && !(status.st_mode & 022);
}

/* Returns the name under which a later try finds the file. */
static char *part_name(const struct replace_file *file)
{
    const char *slash = strrchr(file->path, '/');
    return name_beside(file, ".", slash ? slash + 1 : file->path, ".sockctl-part");
}

int replace_file_resume(struct replace_file *file, struct error *err)
{
    if (file->fd >= 0)
        return 0;
    file->temporary = part_name(file);
    int fd = open(file->temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd >= 0 && !part_is_ours(file->temporary, fd)) {
        close(fd);
        error_set(err, STATUS_LOCAL_IO, "%s: in use, or not ours alone", file->temporary);
        free(file->temporary);
        file->temporary = NULL;
        return -1;
    }
    file->fd = fd;
    return fd < 0 ? file_forget(file, "create the part of", err) : 0;
}

bool replace_file_keep(struct replace_file *file)
{
    char *name = part_name(file);
    int old = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    file->kept = (old < 0 ? errno == ENOENT : part_is_ours(name, old)) &&
                 rename(file->temporary, name) == 0;
    if (old >= 0)
        close(old);
    free(file->kept ? file->temporary : name);
    if (file->kept)
        file->temporary = name;
    return file->kept;
}

void replace_file_remove_part(const struct replace_file *file)
{
    char *name = part_name(file);
    int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && part_is_ours(name, fd))
        unlink(name);
    if (fd >= 0)
        close(fd);
    free(name);
}

/* Gives the file the attributes of the one whose place it takes, else those of any new file: it was created with 0600, for
 * a reader must not see it before it is complete. */
static int set_attributes(const struct replace_file *file)
{
    struct stat old, now;
    if (lstat(file->path, &old) < 0 || !S_ISREG(old.st_mode)) {
        const mode_t mask = umask(0);
        umask(mask);
        return fchmod(file->fd, 0666 & ~mask);
    }
    /* The owner first: a change of owner takes set-id bits away, and those are not taken over at all, for what is in the
     * file is new. Where the group cannot be kept, its members are others by now, and another group's members, who were
     * others, are to have no more than others had. */
    mode_t mode = old.st_mode & 0777;
    bool refused = fchown(file->fd, (uid_t)-1, old.st_gid) < 0;
    refused |= fchown(file->fd, old.st_uid, (gid_t)-1) < 0;
    if (refused && (fstat(file->fd, &now) < 0 || now.st_gid != old.st_gid))
        mode = (mode & ~(mode_t)070) | (mode & 07) << 3;
    return fchmod(file->fd, mode);
}

int replace_file_commit(struct replace_file *file, struct error *err)
{
    int fd = file->fd;
    if (file->temporary && set_attributes(file) < 0)
        return file_failed(file, "write", err);
    /* A crash of the machine leaves the old file or the whole new one. Some file systems have no such thing. */
    if (file->temporary && fsync(fd) < 0 && errno != EINVAL && errno != ENOSYS)
        return file_failed(file, "write", err);
    file->fd = -1;
    if (close(fd) < 0)
        return file_failed(file, "write", err);
    if (!file->temporary)
        return 0;
    if (rename(file->temporary, file->path) < 0)
        return file_failed(file, "write", err);
    free(file->temporary);
    file->temporary = NULL;
    return 0;
}

void replace_file_release(struct replace_file *file)
{
    struct stat status;
    bool keeps_part = file->temporary && file->kept && fstat(file->fd, &status) == 0 &&
                      status.st_size > 0;
    if (file->temporary && !keeps_part)
        unlink(file->temporary);
    if (file->fd >= 0)
        close(file->fd);
    free(file->temporary);
    free(file->path);
    *file = (struct replace_file){.fd = -1};
}
