#include "base/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

struct message_setting message_setting;

enum { LINE_MAX_BYTES = 2300 };

void message_write(const char *line, size_t length)
{
    /* Nobody is left to tell when stderr itself fails. */
    ssize_t wrote;
    do
        wrote = write(STDERR_FILENO, line, length);
    while (wrote < 0 && errno == EINTR);
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

static void put(const char *event, int status, const char *text)
{
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
