/*
 * See readiness.h. Three ways to say it, in this order: the port goes into a file that is replaced in one step, a
 * newline to the descriptor, and READY=1 to the service manager. Writes that may block run the loop; ECANCELED says
 * that somebody else has stopped it.
 */
#include "cmd/serve/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/address.h"
#include "sys/replace_file.h"
#include "sys/sock.h"
#include "sys/unblocked.h"

int readiness_check(const struct readiness_options *options, struct error *err)
{
    int fd = options->ready_fd;
    if (options->port_file && strcmp(options->port_file, "-") == 0)
        return error_set(err, STATUS_USAGE,
                         "option --port-file: stdout is /dev/stdout; a file of that name is ./-");
    if (fd < 0)
        return 0;
    if (fd <= STDERR_FILENO)
        return error_set(err, STATUS_USAGE, "option --ready-fd: %d is stdin, stdout or stderr", fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return error_set(err, STATUS_USAGE, "option --ready-fd: descriptor %d is not open", fd);
    return 0;
}

/* Writes the port, or what stands for it where there is none: the path of a UNIX socket. */
static int readiness_write_port(const char *path, const struct sockname *name, struct loop *loop,
                                struct error *err)
{
    char text[SOCKNAME_TEXT_MAX];
    struct replace_file file;
    if (name->storage.ss_family == AF_UNIX)
        sockname_host(name, text);
    else
        snprintf(text, sizeof text, "%u", sockname_port(name));
    size_t length = strlen(text);
    text[length] = '\n';
    int result = replace_file_find(&file, loop, path, err);
    if (result == 0)
        result = replace_file_create(&file, err);
    if (result == 0 && unblocked_write(loop, fd_of_own(file.fd), text, length + 1))
        result = errno == ECANCELED
                     ? -1
                     : error_system(err, STATUS_LOCAL_IO, errno, "write to %s", path);
    if (result == 0)
        result = replace_file_commit(&file, err);
    replace_file_release(&file);
    return result;
}

/* Sends READY=1 to NOTIFY_SOCKET, which is a path, or after @ a name of the abstract namespace. */
static void readiness_notify(const char *path)
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
        log_note(LOG_LEVEL_INFO, "NOTIFY_SOCKET: %s", err.text);
        return;
    }
    sockname_of_unix(&name, &address);
    int fd = sock_open(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0 || sock_send_to(fd, state, sizeof state - 1, &name) < 0)
        log_note(LOG_LEVEL_INFO, "NOTIFY_SOCKET: %s", strerror(errno));
    if (fd >= 0)
        sock_close(fd);
}

int readiness_report(const struct readiness_options *options, const struct sockname *name,
                     struct loop *loop, struct error *err)
{
    const char *manager = getenv("NOTIFY_SOCKET");
    if (options->port_file && readiness_write_port(options->port_file, name, loop, err))
        return -1;
    if (options->ready_fd >= 0) {
        int failure = unblocked_write(loop, fd_of(options->ready_fd), "\n", 1) ? errno : 0;
        close(options->ready_fd);
        if (failure && failure != ECANCELED)
            error_system(err, STATUS_LOCAL_IO, failure, "write to descriptor %d",
                         options->ready_fd);
        if (failure)
            return -1;
    }
    if (manager)
        readiness_notify(manager);
    return 0;
}
