/*
 * A file that the user named, in which a running transfer is written down as it goes on.
 */
#ifndef CMD_COPY_FILE_H
#define CMD_COPY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct copy_file {
    const char *name; /* the owner's; NULL: not open, and nothing is written */
    int fd;
};

/* `name` may be NULL. Written anew, or with `append` at its end; output_path.h says whose links are
 * followed. Status 8. */
int copy_file_open(struct copy_file *file, const char *name, bool append, struct error *err);
int copy_file_stderr(struct copy_file *file, struct error *err);
/* Writes all of it; blocks as long as the file does. Status 8, and errno. */
int copy_file_write(const struct copy_file *file, const void *bytes, size_t length,
                    struct error *err);
/* Some file systems tell of a failed write only here. May be called twice. */
int copy_file_close(struct copy_file *file, struct error *err);

#endif
