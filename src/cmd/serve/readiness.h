/*
 * How a server says that it can be connected to, for those who do not read its messages: the port
 * in a file, a newline on a descriptor, a datagram to the service manager.
 * Source: sd_notify(3).
 */
#ifndef CMD_SERVE_READINESS_H
#define CMD_SERVE_READINESS_H

#include "base/error.h"
#include "cmd/common/options.h"
#include "sys/loop.h"
#include "sys/sockname.h"

/* readiness_check checks, before anything is opened, that the descriptor is there, and makes it one that no program of
 * ours inherits. Returns 0, or -1 with status 2. */
int readiness_check(const struct readiness_options *options, struct error *err);

/* readiness_report says that the server listens on `name`, and closes the descriptor. A FIFO without a reader, and a
 * descriptor that takes nothing, are waited for in the loop: -1, and *err as it was, when somebody else stops that. A
 * service manager that is not there is no failure; those of the other two are status 8. */
int readiness_report(const struct readiness_options *options, const struct sockname *name,
                     struct loop *loop, struct error *err);

#endif
