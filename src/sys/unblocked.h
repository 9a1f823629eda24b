/*
 * Files of which nobody knows whether they block: FIFOs, terminals, devices, what was inherited. They
 * are opened, read and written from the loop, so that signals and limits are heard meanwhile.
 *
 * Each of these runs the loop until it is done. When somebody else stops the loop: -1, and errno is
 * ECANCELED; whoever did that has said why.
 */
#ifndef SYS_UNBLOCKED_H
#define SYS_UNBLOCKED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/fd.h"
#include "sys/loop.h"

/* open(2), with O_NONBLOCK and O_CLOEXEC. A FIFO is opened for writing when it has a reader: until
 * then it is tried again every 20 ms at most, of which nobody tells (ENXIO). -1 and errno. */
int unblocked_open(struct loop *loop, const char *path, int flags, mode_t mode);
/* Until there is one of the events (EPOLLIN, EPOLLOUT) on `fd`, or an error: 0, or -1 and errno. */
int unblocked_await(struct loop *loop, int fd, uint32_t events);
/* Writes all of it: 0, or -1 and errno. */
int unblocked_write(struct loop *loop, struct fd end, const void *bytes, size_t length);
/* Reads up to the end, at most `most` bytes (EFBIG), into *bytes, which is the caller's to free. A FIFO
 * that nobody has opened for writing yet is waited for. 0, or -1 and errno. */
int unblocked_read(struct loop *loop, int fd, size_t most, char **bytes, size_t *length);

#endif
