/*
 * Which hosts are asked without a proxy: NO_PROXY as curl reads it. Pure.
 */
#ifndef PROTO_NO_PROXY_H
#define PROTO_NO_PROXY_H

#include <stdbool.h>

/* Says whether the list covers the host. `list` is "*", or has names (each stands for itself and what is below it; a dot
 * before it makes no difference), addresses and networks ("10.0.0.0/8", "fe80::/10"), separated by commas or spaces.
 * `host` is a name or an address, without brackets and zone, and in ASCII (idna_encode). */
bool no_proxy_covers(const char *list, const char *host);

#endif
