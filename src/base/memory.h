/*
 * Memory that is there or ends the program: running out is handled in this one place.
 * Every block is the caller's, to be given to free().
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* `count` zeroed elements of `size` bytes; neither is 0. */
void *memory_new(size_t count, size_t size) __attribute__((returns_nonnull));
/* realloc to `count` elements of `size` bytes; neither is 0; what is new is not zeroed. */
void *memory_grow(void *block, size_t count, size_t size) __attribute__((returns_nonnull));
/* A NUL-terminated copy of `length` bytes. */
char *memory_copy(const char *bytes, size_t length) __attribute__((returns_nonnull));

/* Overwrites a text that was secret, and frees it; NULL is none. */
void memory_wipe(char *text);

/* "sockctl: out of memory", or another state that cannot go on, and status 70. */
_Noreturn void memory_impossible(const char *what);

#endif
