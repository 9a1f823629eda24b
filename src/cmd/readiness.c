#include "cmd/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "io/aside.h"
#include "net/address.h"
#include "net/sock.h"

int readiness_check(const struct readiness_options *options, struct error *err)
{
    int fd = options->ready_fd;
    if (fd < 0)
        return 0;
    if (fd <= STDERR_FILENO)
        return error_set(err, STATUS_USAGE, "option --ready-fd: %d is stdin, stdout or stderr", fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return error_set(err, STATUS_USAGE, "option --ready-fd: descriptor %d is not open", fd);
    return 0;
}

/* The port, or what stands for it where there is none: the path of a UNIX socket. */
static int write_port(const char *path, const struct sockname *name, struct error *err)
{
    char text[SOCKNAME_TEXT_MAX];
    struct aside file;
    if (name->storage.ss_family == AF_UNIX)
        sockname_host(name, text);
    else
        snprintf(text, sizeof text, "%u", sockname_port(name));
    int result = aside_find(&file, path, err);
    if (result == 0)
        result = aside_create(&file, err);
    if (result == 0 && dprintf(file.fd, "%s\n", text) < 0)
        result = error_system(err, STATUS_LOCAL_IO, errno, "write %s", path);
    if (result == 0)
        result = aside_commit(&file, err);
    aside_release(&file);
    return result;
}

static int write_newline(int fd, struct error *err)
{
    ssize_t wrote;
    do
        wrote = write(fd, "\n", 1);
    while (wrote < 0 && errno == EINTR);
    int failure = errno;
    close(fd);
    return wrote == 1 ? 0
                      : error_system(err, STATUS_LOCAL_IO, failure, "write to descriptor %d", fd);
}

/* NOTIFY_SOCKET is a path, or after @ a name of the abstract namespace. */
static void notify(const char *path)
{
    static const char state[] = "READY=1";
    const char *words[] = {path, NULL};
    const struct address_use use = {.udp = true, .unix_socket = true};
    struct address address;
    struct sockname name;
    struct error err;
    char text[ADDRESS_PATH_MAX + sizeof "unix:@"];
    if (*path == '@' && snprintf(text, sizeof text, "unix:%s", path) > 0)
        words[0] = text;
    if (address_parse(&address, words, 1, &use, &err)) {
        message_tell(MESSAGE_STORY, "NOTIFY_SOCKET: %s", err.text);
        return;
    }
    sockname_of_unix(&name, &address);
    int fd = sock_open(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0 || sock_send_to(fd, state, sizeof state - 1, &name) < 0)
        message_tell(MESSAGE_STORY, "NOTIFY_SOCKET: %s", strerror(errno));
    if (fd >= 0)
        sock_close(fd);
}

int readiness_tell(const struct readiness_options *options, const struct sockname *name,
                   struct error *err)
{
    const char *manager = getenv("NOTIFY_SOCKET");
    if (options->port_file && write_port(options->port_file, name, err))
        return -1;
    if (options->ready_fd >= 0 && write_newline(options->ready_fd, err))
        return -1;
    if (manager)
        notify(manager);
    return 0;
}
