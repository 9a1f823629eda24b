/*
 * Files of which nobody knows whether they block: FIFOs, terminals, devices, what was inherited. They are opened, read and
 * written from the loop, so that signals and limits arrive meanwhile.
 *
 * Each of these runs the loop until it is done, and returns -1 and errno where it fails. When somebody else stops the loop,
 * errno is ECANCELED; whoever did that has said why.
 */
#ifndef SYS_UNBLOCKED_H
#define SYS_UNBLOCKED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/fd.h"
#include "sys/loop.h"

/* Opens a file as open(2), with O_NONBLOCK and O_CLOEXEC. A FIFO is opened for writing when it has a reader: until then,
 * as no event reports that (ENXIO), it is tried again every 20 ms at most. */
int unblocked_open(struct loop *loop, const char *path, int flags, mode_t mode);

/* Waits until there is one of the events (EPOLLIN, EPOLLOUT) on `fd`, or an error. */
int unblocked_await(struct loop *loop, int fd, uint32_t events);

/* Writes all of the bytes. */
int unblocked_write(struct loop *loop, struct fd end, const void *bytes, size_t length);

/* Reads up to the end, at most `max_length` bytes (EFBIG), into *bytes, which is the caller's to free. A FIFO that nobody has
 * opened for writing yet is waited for. */
int unblocked_read(struct loop *loop, int fd, size_t max_length, char **bytes, size_t *length);

#endif
