#include "base/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

int message_verbosity;

enum { LINE_MAX_BYTES = 2300 };

__attribute__((format(printf, 1, 0))) static void print(const char *format, va_list args)
{
    static const char prefix[] = "sockctl: ";
    char text[LINE_MAX_BYTES];
    char line[4 * LINE_MAX_BYTES];
    int length = vsnprintf(text, sizeof text, format, args);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof text)
        length = (int)sizeof text - 1;
    memcpy(line, prefix, sizeof prefix - 1);
    size_t used = sizeof prefix - 1;
    used += text_escape(line + used, sizeof line - used - 1, text, (size_t)length);
    line[used++] = '\n';
    /* Nobody is left to tell when stderr itself fails. */
    ssize_t wrote;
    do
        wrote = write(STDERR_FILENO, line, used);
    while (wrote < 0 && errno == EINTR);
}

void message_print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print(format, args);
    va_end(args);
}

void message_tell(int level, const char *format, ...)
{
    if (message_verbosity < level)
        return;
    int saved = errno;
    va_list args;
    va_start(args, format);
    print(format, args);
    va_end(args);
    errno = saved;
}
