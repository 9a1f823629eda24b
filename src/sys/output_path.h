/*
 * Where a path leads that the user named for something to be written: the one rule for symbolic links, and for the names of
 * descriptors.
 *
 * A link at the end of the path is followed if it is the user's own or root's, whether or not there is something at its
 * end. Anybody else may have planted theirs: they are refused. (The kernel's own rule, fs.protected_symlinks in
 * proc_sys_fs(5), is for sticky directories alone, and often switched off.)
 */
#ifndef SYS_OUTPUT_PATH_H
#define SYS_OUTPUT_PATH_H

#include "base/error.h"

/* Returns the descriptor that `path` names (/dev/stdin, /dev/fd/3, /proc/self/fd/3); -1: none. */
int output_path_descriptor(const char *path);

/* Returns the path, the caller's to free, without a link at its end: it is to be opened with O_NOFOLLOW, and there may be
 * nothing. Where `path` names a descriptor (/dev/stdout, /dev/fd/3), *fd is one for the same, the caller's, else -1. NULL:
 * it failed, with status 8. */
char *output_path_find(const char *path, int *fd, struct error *err);

#endif
