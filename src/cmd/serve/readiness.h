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

/* Before anything is opened: that the descriptor is there, which no program of ours inherits. */
int readiness_check(const struct readiness_options *options, struct error *err);
/* It listens on `name`. The descriptor is closed. A FIFO without a reader, and a descriptor that takes
 * nothing, are waited for in the loop: -1, and *err as it was, when somebody else stops that. A service
 * manager that is not there is no failure; the other two are status 8. */
int readiness_tell(const struct readiness_options *options, const struct sockname *name,
                   struct loop *loop, struct error *err);

#endif
