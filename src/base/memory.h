/*
 * Memory that is there or ends the program: running out is handled in this one place. Every block is the caller's, to be
 * given to free().
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdio.h>

/* Returns `count` zeroed elements of `size` bytes; neither is 0. */
void *memory_new(size_t count, size_t size) __attribute__((returns_nonnull));

/* Resizes a block, which may be NULL, to `count` elements of `size` bytes; neither is 0. What is new is not zeroed. */
void *memory_grow(void *block, size_t count, size_t size) __attribute__((returns_nonnull));

/* Returns a NUL-terminated copy of `length` bytes. */
char *memory_copy(const char *bytes, size_t length) __attribute__((returns_nonnull));

/* Returns a stream that writes into memory: *text, with a NUL at its end, and *length are set by memory_stream_close, which
 * closes it. Source: open_memstream(3). */
FILE *memory_stream(char **text, size_t *length) __attribute__((returns_nonnull));
void memory_stream_close(FILE *stream);

/* Overwrites a text that was secret, and frees it; it may be NULL. */
void memory_wipe(char *text);

/* Ends the program with status 70 and a message: "out of memory", or another state in which it cannot go on. */
_Noreturn void memory_impossible(const char *what);

#endif
