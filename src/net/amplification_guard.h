/*
 * The sources that a UDP server which answers must not answer: it would feed a loop, or be used to
 * flood somebody else.
 */
#ifndef NET_AMPLIFICATION_GUARD_H
#define NET_AMPLIFICATION_GUARD_H

#include <stdbool.h>

#include "net/address.h"

/* Whether the datagram's source port is that of a service that answers whoever speaks to it
 * (CVE-1999-0103, CVE-2024-2169), or its source is our own socket, bound to `own`. */
bool amplification_guard_blocks(const struct sockname *source, const struct sockname *own);

#endif
