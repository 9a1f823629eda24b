/*
 * Lines to stderr, which is never waited for: a terminal that has been stopped, or a pipe that nobody reads, must not make
 * a server deaf to its clients and its signals. What stderr does not take at once is dropped and counted, and the count is
 * written as soon as it takes something again.
 *
 * stderr is shared with other processes, so it stays as it is. A pipe or terminal is opened anew, which gives an open file
 * description of our own that does not block. Where that cannot be done, and for sockets, poll(2) is asked before each
 * PIPE_BUF bytes.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

struct log_setting log_setting;

enum {
    LINE_MAX_BYTES = 2300,
    OWN_FD = 10,       /* or above: the first ones are those of the calls that -vv shows */
    FINAL_WAIT_MS = 50 /* that the error at the end waits for stderr */
};

/* Returns what is to be written to, negative where it is to be asked first. The first call opens stderr anew, if it is
 * what can be. Two threads may do so at once: one is too late. */
static int stderr_fd(void)
{
    int none = 0, fd = atomic_load(&log_setting.fd);
    struct stat status;
    if (fd)
        return fd;
    fd = STDERR_FILENO;
    if (fstat(STDERR_FILENO, &status) == 0 && !S_ISREG(status.st_mode))
        fd = -STDERR_FILENO;
    if (fd < 0 && (S_ISFIFO(status.st_mode) || isatty(STDERR_FILENO))) {
        int opened = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        int moved = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, OWN_FD);
        if (opened >= 0)
            close(opened);
        fd = moved < 0 ? fd : moved;
    }
    if (atomic_compare_exchange_strong(&log_setting.fd, &none, fd))
        return fd;
    if (fd > STDERR_FILENO)
        close(fd);
    return none;
}

void log_open(void)
{
    stderr_fd();
}

static bool is_ready(int fd, int wait_ms)
{
    struct pollfd now = {.fd = fd < 0 ? -fd : fd, .events = POLLOUT};
    return poll(&now, 1, wait_ms) == 1;
}

/* Writes as many bytes as can be written now, and returns their number; of a stderr that fails, all: nobody is left to
 * read them. */
static size_t write_now(const char *text, size_t length)
{
    const int fd = stderr_fd();
    for (size_t done = 0; done < length;) {
        size_t part = length - done;
        ssize_t wrote;
        if (fd < 0 && !is_ready(fd, 0))
            return done;
        if (fd < 0 && part > PIPE_BUF)
            part = PIPE_BUF;
        do
            wrote = write(fd < 0 ? -fd : fd, text + done, part);
        while (wrote < 0 && errno == EINTR);
        if (wrote < 0)
            return errno == EAGAIN ? done : length;
        done += (size_t)wrote;
    }
    return length;
}

static void write_or_drop(const char *line, size_t length)
{
    size_t done = write_now(line, length);
    if (done < length)
        atomic_fetch_add(&log_setting.dropped, 1);
    if (done && done < length)
        atomic_store(&log_setting.is_cut, true);
}

/* Makes the line of a message, in a colour, if one is given. */
static size_t format_line(char *line, size_t room, const char *text, const char *colour)
{
    const char *end = colour ? log_setting.colours.end : "";
    char *at = stpcpy(stpcpy(line, colour ? colour : ""), "sockctl: ");
    at += text_escape(at, room - (size_t)(at - line) - strlen(end) - 1, text, strlen(text));
    at = stpcpy(at, end);
    *at++ = '\n';
    return (size_t)(at - line);
}

/* Writes how many messages were dropped, if some were. False: there is still no room. */
static bool write_dropped(void)
{
    char text[64], line[128];
    unsigned count = atomic_exchange(&log_setting.dropped, 0);
    if (!count)
        return true;
    bool starts_line = !atomic_load(&log_setting.is_cut) || write_now("\n", 1);
    snprintf(text, sizeof text, "warning: %u message%s dropped: stderr was full", count,
             count > 1 ? "s were" : " was");
    if (starts_line)
        atomic_store(&log_setting.is_cut, false);
    /* An object comes back to log_write, which finds nothing that was dropped. */
    if (starts_line && log_setting.as_object)
        log_setting.as_object(&(struct log_message){"warning", text, 0});
    else if (starts_line)
        write_or_drop(line, format_line(line, sizeof line, text, NULL));
    if (starts_line && !atomic_exchange(&log_setting.dropped, 0))
        return true;
    atomic_fetch_add(&log_setting.dropped, count);
    return false;
}

void log_write(const char *line, size_t length)
{
    static const char erase_below[] = "\r\033[J";
    if (log_setting.live)
        write_now(erase_below, sizeof erase_below - 1);
    log_setting.live = false;
    if (atomic_exchange(&log_setting.in_line, false))
        write_now("\n", 1);
    if (write_dropped())
        write_or_drop(line, length);
    else
        atomic_fetch_add(&log_setting.dropped, 1);
}

bool log_is_on_terminal(int fd)
{
    struct stat other, status;
    return fstat(STDERR_FILENO, &status) == 0 && S_ISCHR(status.st_mode) &&
           fstat(fd, &other) == 0 && S_ISCHR(other.st_mode) && other.st_rdev == status.st_rdev &&
           isatty(STDERR_FILENO);
}

void log_terminal_wrote(int fd, bool ends_line)
{
    atomic_store(&log_setting.in_line, !ends_line && log_is_on_terminal(fd));
}

bool log_is_in_background(void)
{
    const pid_t group = tcgetpgrp(STDERR_FILENO);
    return group > 0 && group != getpgrp();
}

unsigned log_columns(void)
{
    enum { USUAL = 80 }; /* a serial line does not know */
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col ? size.ws_col : USUAL;
}

bool log_live(bool live, const char *text, size_t length)
{
    if (!is_ready(stderr_fd(), 0))
        return false;
    write_now(text, length);
    log_setting.live = live;
    return true;
}

/* Removes the USER:PASS@ of each URL, however it got into a message: a password has no business on a terminal or in a log.
 * Returns the text, or the copy that was made. */
static const char *without_userinfo(const char *text, char *copy)
{
    char *to = copy;
    if (!strstr(text, "://"))
        return text;
    for (const char *scheme; (scheme = strstr(text, "://")); text = scheme) {
        scheme += strlen("://");
        to = mempcpy(to, text, (size_t)(scheme - text));
        size_t authority = strcspn(scheme, "/?# \t\r\n");
        const char *at_sign = memrchr(scheme, '@', authority);
        if (at_sign) {
            to = stpcpy(to, "...");
            scheme = at_sign;
        }
    }
    stpcpy(to, text);
    return copy;
}

static void write_message(const char *event, int status, const char *text, const char *colour)
{
    char copy[2 * LINE_MAX_BYTES]; /* "..." is no longer than what it is for, and its "://" */
    text = without_userinfo(text, copy);
    if (log_setting.as_object) {
        log_setting.as_object(&(struct log_message){event, text, status});
    } else {
        char line[4 * LINE_MAX_BYTES];
        log_write(line, format_line(line, sizeof line, text, colour));
    }
}

/* Writes what is logged from that level of -v on; 0: always. */
__attribute__((format(printf, 3, 0))) static void format_message(const char *event, int level,
                                                                 const char *format, va_list args)
{
    char text[LINE_MAX_BYTES];
    if (vsnprintf(text, sizeof text, format, args) >= 0)
        write_message(event, 0, text, level > 0 ? log_setting.colours.note : NULL);
}

void log_warning(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_message("warning", 0, format, args);
    va_end(args);
}

void log_note(int level, const char *format, ...)
{
    if (log_setting.verbosity < level)
        return;
    int saved = errno;
    va_list args;
    va_start(args, format);
    format_message(level >= LOG_LEVEL_TRACE ? "trace" : "note", level, format, args);
    va_end(args);
    errno = saved;
}

void log_note_with(const char *text, const char *below, size_t length)
{
    char copy[2 * LINE_MAX_BYTES], line[8 * LINE_MAX_BYTES];
    size_t end = format_line(line, (size_t)4 * LINE_MAX_BYTES, without_userinfo(text, copy), NULL);
    if (length > sizeof line - end)
        length = sizeof line - end;
    memcpy(line + end, below, length);
    log_write(line, end + length);
}

void log_error(int status, const char *text)
{
    is_ready(stderr_fd(), FINAL_WAIT_MS);
    write_message("error", status, text, log_setting.colours.error);
}

void log_hint(const char *text)
{
    const struct log_colours *colours = &log_setting.colours;
    char line[LINE_MAX_BYTES];
    int length = snprintf(line, sizeof line, "%s%s%s\n", colours->note ? colours->note : "", text,
                          colours->note ? colours->end : "");
    log_write(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}
