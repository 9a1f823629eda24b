/*
 * Sockets that the process that started us has opened, found by number or in what systemd says in the environment.
 */
#include "net/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "net/address.h"
#include "sys/sock.h"

enum { SYSTEMD_FIRST = 3 }; /* SD_LISTEN_FDS_START */

/* Returns the number that an environment variable holds; -1 without one. */
static int64_t environment_number(const char *variable)
{
    int64_t value;
    const char *text = getenv(variable);
    if (!text || units_number(text, 0, INT_MAX, &value))
        return -1;
    return value;
}

/* Tells whether the descriptor at `index` has this name in LISTEN_FDNAMES ("web:admin:web"). */
static bool systemd_has_name(int index, const char *name)
{
    const char *at = getenv("LISTEN_FDNAMES");
    for (; at && index > 0; index--) {
        at = strchr(at, ':');
        if (at)
            at++;
    }
    if (!at)
        return false;
    size_t length = strcspn(at, ":");
    return length == strlen(name) && memcmp(at, name, length) == 0;
}

/* Keeps a descriptor from the programs that we start, which get none of them, whether we use it or not. */
static int close_on_exec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

/* Moves a socket that is also stdin, stdout or stderr: as that, it is used up. */
static int move_from_standard(int fd)
{
    enum { STANDARD = 3 };
    if (fd >= STANDARD)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STANDARD);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (moved >= 0 && null >= 0)
        dup2(null, fd);
    if (null >= 0)
        close(null);
    return moved;
}

static int inherited_add(struct inherited *inherited, int fd, const char *text, struct error *err)
{
    int socktype;
    if (close_on_exec(fd) || sock_get(fd, SOL_SOCKET, SO_TYPE, &socktype))
        return error_system(err, STATUS_CONNECT, errno, "%s (descriptor %d)", text, fd);
    if (socktype != SOCK_STREAM && socktype != SOCK_DGRAM && socktype != SOCK_SEQPACKET)
        return error_set(err, STATUS_CONNECT, "%s: a raw socket is of no use here", text);
    if (inherited->count && socktype != inherited->socktype)
        return error_set(err, STATUS_CONNECT,
                         "%s: the sockets passed are of several types; choose with systemd:NAME",
                         text);
    if (inherited->count == INHERITED_MAX)
        return error_set(err, STATUS_CONNECT, "%s: more than %d sockets", text, INHERITED_MAX);
    inherited->socktype = socktype;
    int socket = move_from_standard(fd);
    if (socket < 0)
        return error_system(err, STATUS_CONNECT, errno, "%s: descriptor %d", text, fd);
    inherited->fds[inherited->count++] = socket;
    return 0;
}

int inherited_find(struct inherited *inherited, const struct address *address, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    int passed = 0;
    address_text(address, true, text);
    *inherited = (struct inherited){0};
    if (address->kind == ADDRESS_FD)
        return inherited_add(inherited, address->fd, text, err);
    /* Those that were passed to us and not to some process before us. */
    if (environment_number("LISTEN_PID") == getpid()) {
        int64_t count = environment_number("LISTEN_FDS");
        passed = count < 0 || count > INT_MAX - SYSTEMD_FIRST ? 0 : (int)count;
    }
    if (!passed)
        return error_set(err, STATUS_CONNECT,
                         "%s: no socket was passed to this process (LISTEN_PID, LISTEN_FDS)", text);
    for (int index = 0; index < passed; index++) {
        if (*address->path && !systemd_has_name(index, address->path))
            close_on_exec(SYSTEMD_FIRST + index);
        else if (inherited_add(inherited, SYSTEMD_FIRST + index, text, err))
            return -1;
    }
    if (!inherited->count)
        return error_set(err, STATUS_CONNECT, "%s: no socket of that name was passed", text);
    return 0;
}
