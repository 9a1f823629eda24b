/*
 * An address in a message, as a person would type it.
 */
#ifndef NET_ADDRESS_TEXT_H
#define NET_ADDRESS_TEXT_H

#include "net/address.h"

enum { ADDRESS_TEXT_MAX = ADDRESS_HOST_MAX + ADDRESS_PORT_MAX + 8 };

/* "example.com:80", "[::1]:80", "*:80" (listening, no host), "localhost:80" (connecting, no host),
 * "unix:PATH", "vsock:CID:PORT", "fd:N", "systemd:NAME". Returns out, which holds ADDRESS_TEXT_MAX
 * bytes. */
char *address_text(const struct address *address, bool listening, char *out);

#endif
