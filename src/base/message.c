#include "base/message.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

struct message_setting message_setting;

enum { LINE_MAX_BYTES = 2300 };

static void write_all(const char *text, size_t length)
{
    /* Nobody is left to tell when stderr itself fails. */
    ssize_t wrote;
    do
        wrote = write(STDERR_FILENO, text, length);
    while (wrote < 0 && errno == EINTR);
}

void message_write(const char *line, size_t length)
{
    static const char erase_below[] = "\r\033[J";
    if (message_setting.live)
        write_all(erase_below, sizeof erase_below - 1);
    message_setting.live = false;
    write_all(line, length);
}

unsigned message_columns(void)
{
    enum { USUAL = 80 }; /* a serial line does not know */
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col ? size.ws_col : USUAL;
}

bool message_live(bool live, const char *text, size_t length)
{
    struct pollfd terminal = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&terminal, 1, 0) != 1)
        return false;
    write_all(text, length);
    message_setting.live = live;
    return true;
}

static void write_line(const char *text)
{
    static const char prefix[] = "sockctl: ";
    char line[4 * LINE_MAX_BYTES];
    memcpy(line, prefix, sizeof prefix - 1);
    size_t used = sizeof prefix - 1;
    used += text_escape(line + used, sizeof line - used - 1, text, strlen(text));
    line[used++] = '\n';
    message_write(line, used);
}

/* However a URL gets into a message, the USER:PASS@ in it is not shown: a password has no business on a
 * terminal or in a log. */
static const char *without_userinfo(const char *text, char *copy)
{
    char *to = copy;
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
    strcpy(to, text);
    return copy;
}

static void put(const char *event, int status, const char *text)
{
    char copy[2 * LINE_MAX_BYTES]; /* "..." is no longer than what it is for, and its "://" */
    if (strstr(text, "://"))
        text = without_userinfo(text, copy);
    if (message_setting.as_object)
        message_setting.as_object(&(struct message){event, text, status});
    else
        write_line(text);
}

__attribute__((format(printf, 2, 0))) static void print(const char *event, const char *format,
                                                        va_list args)
{
    char text[LINE_MAX_BYTES];
    if (vsnprintf(text, sizeof text, format, args) >= 0)
        put(event, 0, text);
}

void message_print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print("warning", format, args);
    va_end(args);
}

void message_tell(int level, const char *format, ...)
{
    if (message_setting.verbosity < level)
        return;
    int saved = errno;
    va_list args;
    va_start(args, format);
    print(level == MESSAGE_TRACE ? "trace" : "note", format, args);
    va_end(args);
    errno = saved;
}

void message_error(int status, const char *text)
{
    put("error", status, text);
}
