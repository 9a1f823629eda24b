/*
 * output_path_find takes the links at the end of a path one by one. Each is opened itself (O_PATH), so that the link whose
 * owner is looked at is the link that is read. The links under /proc/PID/fd are none of a file system: what they say is no
 * path, and a file that others are writing, too, at the place where they are, must be neither replaced nor written from its
 * start. So descriptors are known by their names.
 */
#include "sys/output_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

enum {
    LINKS_MAX = 40, /* as many as the kernel follows */
    STANDARD_DESCRIPTORS = 3
};

static int open_failed(const char *path, int errnum, struct error *err)
{
    return error_system(err, STATUS_LOCAL_IO, errnum, "open %s", path);
}

int output_path_descriptor(const char *path)
{
    static const char *const directories[] = {"/dev/fd/", "/proc/self/fd/",
                                              "/proc/thread-self/fd/"};
    static const char *const standard[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    for (int fd = 0; fd < STANDARD_DESCRIPTORS; fd++)
        if (strcmp(path, standard[fd]) == 0)
            return fd;
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        const char *number = path + strlen(directories[i]);
        if (text_starts_with(path, directories[i]) && text_is_digits(number, strlen(number)) &&
            strlen(number) < 9)
            return (int)strtol(number, NULL, 10);
    }
    return -1;
}

/* Duplicates a descriptor. A pipe or a terminal gets an open file description of our own, which does not block. */
static int descriptor_duplicate(int fd, const char *path)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
        return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fcntl(fd, F_DUPFD_CLOEXEC, STANDARD_DESCRIPTORS);
}

/* Puts what the open link says, as seen from its directory, into *path. */
static int link_read(int link, char **path, struct error *err)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(link, "", target, sizeof target);
    if (length < 0 || (size_t)length == sizeof target)
        return open_failed(*path, length < 0 ? errno : ENAMETOOLONG, err);
    const char *slash = strrchr(*path, '/');
    size_t directory = slash && *target != '/' ? (size_t)(slash - *path) + 1 : 0;
    char *joined = memory_new(directory + (size_t)length + 1, 1);
    memcpy(joined, *path, directory);
    memcpy(joined + directory, target, (size_t)length);
    free(*path);
    *path = joined;
    return 0;
}

/* Follows one link at the end of *path, if there is one and it can be trusted. 1: there was; 0: there is none. */
static int link_follow(char **path, struct error *err)
{
    struct stat status;
    int result = 0;
    int link = open(*path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (link < 0)
        return 0; /* whoever opens it will find out why */
    if (fstat(link, &status) == 0 && S_ISLNK(status.st_mode)) {
        if (status.st_uid == geteuid() || status.st_uid == 0)
            result = link_read(link, path, err) ? -1 : 1;
        else
            result = error_set(err, STATUS_LOCAL_IO,
                               "open %s: a symbolic link of another user (uid %u) is not followed; "
                               "name the file itself",
                               *path, (unsigned)status.st_uid);
    }
    close(link);
    return result;
}

char *output_path_find(const char *path, int *fd, struct error *err)
{
    char *place = memory_copy(path, strlen(path));
    int found = 1;
    *fd = -1;
    for (int links = 0; links <= LINKS_MAX && found > 0; links++) {
        int named = output_path_descriptor(place);
        if (named >= 0) {
            *fd = descriptor_duplicate(named, place);
            found = *fd < 0 ? open_failed(place, errno, err) : 0;
        } else {
            found = link_follow(&place, err);
        }
    }
    if (found == 0)
        return place;
    if (found > 0)
        open_failed(path, ELOOP, err);
    free(place);
    return NULL;
}
