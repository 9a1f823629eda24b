/*
 * A socket's name, as bind(2), connect(2) and accept(2) take and give it, and as a person reads it.
 */
#ifndef SYS_SOCKNAME_H
#define SYS_SOCKNAME_H

#include <stdbool.h>
#include <sys/socket.h>

struct sockname {
    struct sockaddr_storage storage;
    socklen_t length;
};

enum { SOCKNAME_TEXT_MAX = 160 };

/* "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "*:80" for the IPv6 wildcard (both families),
 * "unix:PATH", "unix:@NAME", "unix:(unnamed)" for a UNIX socket without a name, "vsock:CID:PORT" (CID `*`
 * for any), "unnamed" for anything else. An IPv4-mapped address reads as IPv4.
 * Returns out, which holds SOCKNAME_TEXT_MAX bytes. */
char *sockname_text(const struct sockname *name, char *out);
/* The address alone ("127.0.0.1", "::1%lo", the path) and the port (0 where there is none). */
char *sockname_host(const struct sockname *name, char *out);
unsigned sockname_port(const struct sockname *name);
/* Of an IPv4 or IPv6 name; of others, nothing. */
void sockname_set_port(struct sockname *name, unsigned port);

/* IPv4 or IPv6. */
bool sockname_is_inet(const struct sockname *name);
/* 127.0.0.0/8, mapped too, or ::1. */
bool sockname_is_loopback(const struct sockname *name);
/* 224.0.0.0/4, mapped too, or ff00::/8. */
bool sockname_is_multicast(const struct sockname *name);
bool sockname_is_same(const struct sockname *one, const struct sockname *other);

#endif
