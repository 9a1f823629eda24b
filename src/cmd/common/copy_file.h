/*
 * A file that the user named, in which a running transfer is written down as it goes on. A FIFO, a
 * terminal or a device is never waited for: what it does not take at once is kept, and the transfer is
 * to be held until that is written. A FIFO is opened when it has a reader.
 */
#ifndef CMD_COMMON_COPY_FILE_H
#define CMD_COMMON_COPY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "stream/write_queue.h"
#include "sys/loop.h"

struct copy_file {
    const char *name; /* the owner's; NULL: not open, and nothing is written */
    struct loop *loop;
    struct write_queue queue;
    /* Nothing waits any more, or writing has failed, which the next copy_file_write tells. */
    void (*drained)(struct copy_file *file);
};

/* The owner has set loop and drained. `name` may be NULL. Written anew, or with `append` at its end;
 * output_path.h says whose links are followed. Status 8; when somebody else stops the loop, *err is left as it was. */
int copy_file_open(struct copy_file *file, const char *name, bool append, struct error *err);
void copy_file_stderr(struct copy_file *file);
/* Takes all of it. Status 8, and errno. */
int copy_file_write(struct copy_file *file, const void *bytes, size_t length, struct error *err);
/* So many bytes are kept. */
size_t copy_file_waiting(const struct copy_file *file);
/* Some file systems tell of a failed write only here. What is still kept is lost, of which a warning
 * tells. May be called twice. */
int copy_file_close(struct copy_file *file, struct error *err);

#endif
