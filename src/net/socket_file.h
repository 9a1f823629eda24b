/*
 * The file of a UNIX socket: made by bind(2), never at the cost of anybody else's, and removed by
 * the process that made it. A file that a dead server of our own user has left is replaced; any other is not
 * touched, nor does the server behind it notice that somebody asked.
 * Source: unix(7), flock(2).
 */
#ifndef NET_SOCKET_FILE_H
#define NET_SOCKET_FILE_H

#include <sys/stat.h>

#include "net/address.h"

struct socket_file {
    char *path;   /* the file's own; NULL: none (an abstract name, or not ours) */
    dev_t device; /* to know it again */
    ino_t inode;
};

/* What socket_file_bind returns where another server is there. */
extern const char socket_file_in_use[];

/* Binds `fd` to the UNIX name and fills *file. The file has the permissions `mode` from the start;
 * -1: those that umask(2) leaves. Returns NULL, or why it cannot, as words that follow the address. Not for two threads
 * at a time: it changes the umask for a moment. */
const char *socket_file_bind(struct socket_file *file, int fd, const struct sockname *name,
                             int mode);

/* Removes the file, if it still is the one that was made. It may be called twice. */
void socket_file_remove(struct socket_file *file);

/* Leaves the file to another process: socket_file_remove does nothing then. */
void socket_file_forget(struct socket_file *file);

#endif
