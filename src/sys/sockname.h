/*
 * A socket's name, as bind(2), connect(2) and accept(2) take and give it, and as a person reads it.
 */
#ifndef SYS_SOCKNAME_H
#define SYS_SOCKNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct sockname {
    struct sockaddr_storage storage;
    socklen_t length;
    /* 0: it is as it reads. Else the name is one of a raw socket, of this IP protocol, or of a ping socket
     * (SOCKNAME_PING), which has no port: what stands in its place means nothing. */
    short protocol;
};

enum { SOCKNAME_PING = 256 };

enum { SOCKNAME_TEXT_MAX = 160 };

/* Makes a name that is only to be read, of a connection that is not a socket of ours to that peer: of AF_UNSPEC, it
 * reads as `text`, of which 100 bytes are kept. */
void sockname_of_text(struct sockname *name, const char *text);

/* Writes the name into `out`, which holds SOCKNAME_TEXT_MAX bytes: "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "*:80"
 * for the IPv6 wildcard (both families), "unix:PATH", "unix:@NAME", "unix:(unnamed)" for a UNIX socket without a name,
 * "vsock:CID:PORT" (CID `*` for any), "raw:PROTO:HOST", "icmp:HOST", the text of sockname_of_text, "unnamed" for anything else. An IPv4-mapped address reads as IPv4. Returns out. */
char *sockname_text(const struct sockname *name, char *out);

/* Writes the name as the struct sockaddr that it is, "{AF_INET, 127.0.0.1, port 80}", "{AF_INET6, fe80::1, port 80,
 * scope_id 2}", "{AF_UNIX, "/run/s"}", into `out` of the same size. Returns out. */
char *sockname_struct(const struct sockname *name, char *out);

/* Writes the address alone ("127.0.0.1", "::1%lo", the path) into `out` of the same size. Returns out. */
char *sockname_host(const struct sockname *name, char *out);

/* Fills *name with the address of an IPv4 or IPv6 family, 4 or 16 bytes, and the port. */
void sockname_set_inet(struct sockname *name, int family, const void *address, unsigned port);

/* Returns the bytes of the address, and their number: 4 of IPv4, mapped too, 16 of IPv6. NULL where it is neither. */
const unsigned char *sockname_inet(const struct sockname *name, size_t *length);

/* Returns the port; 0 where there is none. */
unsigned sockname_port(const struct sockname *name);

/* Returns the index of the interface in an IPv6 name's zone; 0: there is none. */
unsigned sockname_zone(const struct sockname *name);

/* Sets the port of an IPv4 or IPv6 name; others stay as they are. */
void sockname_set_port(struct sockname *name, unsigned port);

/* Says whether the name is of IPv4 or IPv6. */
bool sockname_is_inet(const struct sockname *name);

/* Says whether the address is in 127.0.0.0/8, mapped too, or ::1. */
bool sockname_is_loopback(const struct sockname *name);

/* Says whether the address is in 224.0.0.0/4, mapped too, or ff00::/8. */
bool sockname_is_multicast(const struct sockname *name);

/* Says whether the address is a link-local one of IPv6, without the zone that says on which link. */
bool sockname_lacks_zone(const struct sockname *name);
bool sockname_is_same(const struct sockname *one, const struct sockname *other);

/* Returns the hash of a name (FNV-1a), which goes on from `seed`: same names have the same hash. */
uint64_t sockname_hash(const struct sockname *name, uint64_t seed);

#endif
