/*
 * libc's allocator, whose failures end the program.
 */
#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"

void memory_impossible(const char *what)
{
    log_error(EX_SOFTWARE, what); /* STATUS_IMPOSSIBLE of base/error, which builds on this module */
    exit(EX_SOFTWARE);
}

void *memory_new(size_t count, size_t size)
{
    void *block = calloc(count, size);
    if (!block)
        memory_impossible("out of memory");
    return block;
}

void *memory_grow(void *block, size_t count, size_t size)
{
    void *grown = !count || !size || count > SIZE_MAX / size ? NULL : realloc(block, count * size);
    if (!grown)
        memory_impossible("out of memory");
    return grown;
}

FILE *memory_stream(char **text, size_t *length)
{
    FILE *stream = open_memstream(text, length);
    if (!stream)
        memory_impossible("out of memory");
    return stream;
}

void memory_stream_close(FILE *stream)
{
    const bool failed = ferror(stream);
    if (fclose(stream) || failed)
        memory_impossible("out of memory");
}

void memory_wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

char *memory_copy(const char *bytes, size_t length)
{
    char *copy = memory_new(length + 1, 1);
    memcpy(copy, bytes, length);
    return copy;
}
