/*
 * See error.h. A text is appended piece by piece, and cut with "..." where it would be too long.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/memory.h"

enum { TEXT_LIMIT = 300 };

_Static_assert(STATUS_IMPOSSIBLE == EX_SOFTWARE, "memory_impossible ends with it");

/* Appends to the text, which has room for `limit` bytes and the "..." of a cut. */
__attribute__((format(printf, 3, 0))) static void append_text(char *text, size_t limit,
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
    append_text(err->text, TEXT_LIMIT, format, args);
    va_end(args);
    return -1;
}

int error_system(struct error *err, int status, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_silent(err, status);
    err->errnum = errnum;
    append_text(err->text, TEXT_LIMIT, format, args);
    va_end(args);
    return error_add(err, ": %s", strerror(errnum));
}

int error_add(struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append_text(err->text, sizeof err->text - 4, format, args);
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

void error_keep(struct kept_error *kept, const struct error *err)
{
    free(kept->text);
    *kept = (struct kept_error){err->status, err->signal_number, err->errnum, NULL};
    if (*err->text)
        kept->text = memory_copy(err->text, strlen(err->text));
}

int error_restore(const struct kept_error *kept, struct error *err)
{
    error_silent(err, kept->status);
    err->signal_number = kept->signal_number;
    err->errnum = kept->errnum;
    if (kept->text)
        stpcpy(err->text, kept->text);
    return -1;
}

void error_forget(struct kept_error *kept)
{
    free(kept->text);
    *kept = (struct kept_error){0};
}
