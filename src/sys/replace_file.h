/*
 * A file that is written under a temporary name, in the same directory, and takes its place only when it is complete: until
 * then, whatever goes wrong, what was there before stays as it is. All failures here have status 8.
 *
 * What is no regular file (a device, a FIFO, /dev/stdout) is written in place. A symbolic link stays, and the file that it
 * leads to is replaced, or created; output_path.h says whose links are followed.
 */
#ifndef SYS_REPLACE_FILE_H
#define SYS_REPLACE_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "sys/loop.h"

struct replace_file {
    /* These are replace_file's, and to be read by the owner. */
    char *path;      /* its place */
    char *temporary; /* its name until it is complete; NULL: it has none */
    int fd;          /* -1 while there is none */
    bool kept; /* set by the owner: what is not complete stays, for a later replace_file_resume */
};

/* Looks at what is at `path`, which must be writable if it is there, as must its directory; a FIFO waits for its reader, in
 * the loop (-1, and *err as it was, when somebody else stops that), and does not block then. It creates nothing. */
int replace_file_find(struct replace_file *file, struct loop *loop, const char *path,
                      struct error *err);

/* Opens the file for writing: creates it, under a name that nobody can foresee. */
int replace_file_create(struct replace_file *file, struct error *err);

/* Opens the file under a name that can be found again, .NAME.sockctl-part: what an earlier try has left there is still in
 * it. Nobody else's file is taken, nor one that another process is writing. What is no regular file is opened as by
 * replace_file_create. */
int replace_file_resume(struct replace_file *file, struct error *err);

/* Gives a file that replace_file_create has created, and that is not complete, the name under which replace_file_resume
 * finds it, in place of what an earlier try has left there, and sets `kept`. False: it cannot, for instance because another
 * process is writing one of that name; nothing has changed then. */
bool replace_file_keep(struct replace_file *file);

/* Removes what an earlier try has left under the name that replace_file_resume looks for, unless another process is writing
 * it. */
void replace_file_remove_part(const struct replace_file *file);

/* Gives the file, which is complete, its place, with the mode, and where that may be the owner and the group, of the
 * regular file that is there now, else with the mode of any new file. Set-id bits are not taken over, nor are access
 * control lists and extended attributes. It waits for the disk. */
int replace_file_commit(struct replace_file *file, struct error *err);

/* Removes what was created and not committed, unless it is kept and not empty. It is always the last call; it may come
 * twice. */
void replace_file_release(struct replace_file *file);

#endif
