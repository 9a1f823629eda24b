/*
 * See error.h. A text is appended piece by piece, and cut with "..." where it would be too long.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_LIMIT = 300 };

/* Appends to text, which holds at most `limit` bytes and the "..." of a cut. */
__attribute__((format(printf, 3, 0))) static void append(char *text, size_t limit,
                                                         const char *format, va_list args)
{
    size_t used = strlen(text);
    if (used >= limit)
        return;
    int wrote = vsnprintf(text + used, limit - used + 1, format, args);
    if (wrote < 0 || (size_t)wrote <= limit - used)
        return;
    memcpy(text + limit, "...", 4);
}

int error_set(struct error *err, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_silent(err, status);
    append(err->text, TEXT_LIMIT, format, args);
    va_end(args);
    return -1;
}

int error_system(struct error *err, int status, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_silent(err, status);
    err->errnum = errnum;
    append(err->text, TEXT_LIMIT, format, args);
    va_end(args);
    return error_add(err, ": %s", strerror(errnum));
}

int error_add(struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append(err->text, sizeof err->text - 4, format, args);
    va_end(args);
    return -1;
}

int error_silent(struct error *err, int status)
{
    err->status = status;
    err->signal_number = err->errnum = 0;
    err->text[0] = '\0';
    return -1;
}

int error_signal(struct error *err, int signal_number)
{
    error_silent(err, STATUS_SIGNAL + signal_number);
    err->signal_number = signal_number;
    return -1;
}
