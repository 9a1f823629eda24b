/*
 * Who has the socket that is in our way, as far as the system lets us see: of other users'
 * processes, only root sees the descriptors.
 * Source: proc(5), /proc/net/tcp, udp, unix and /proc/PID/fd.
 */
#ifndef NET_PORT_OWNER_H
#define NET_PORT_OWNER_H

#include "net/address.h"

enum { PORT_OWNER_TEXT_MAX = 64 };

/* " (nginx, process 1234)" into `out` (PORT_OWNER_TEXT_MAX bytes): the process that is bound to `name`
 * so that nobody else can be. Empty where it is not to be seen. Returns out. */
char *port_owner_text(const struct sockname *name, int socktype, char *out);

#endif
