/*
 * Addresses as a person types them: the grammar is in sockctl(1), ADDRESSES. These functions are pure: they look
 * nothing up and open no socket.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"
#include "sys/sockname.h"

enum address_kind {
    ADDRESS_INET,  /* host and port; socktype tells TCP from UDP */
    ADDRESS_UNIX,  /* path */
    ADDRESS_VSOCK, /* cid and vsock_port */
    ADDRESS_RAW, /* host and protocol: of socktype SOCK_DGRAM a ping socket, whose family is known */
    ADDRESS_FD,  /* fd */
    ADDRESS_SYSTEMD /* path: the name of the sockets, empty for all of them */
};

enum {
    ADDRESS_HOST_MAX = 255, /* RFC 1035, 2.3.4, and room for a zone */
    ADDRESS_PORT_MAX = 31,
    ADDRESS_TEXT_MAX = ADDRESS_HOST_MAX + ADDRESS_PORT_MAX + 8,
    ADDRESS_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1
};

struct address {
    enum address_kind kind;
    int socktype; /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET or SOCK_RAW */
    int family;   /* AF_INET, AF_INET6; AF_UNSPEC: either. AF_UNIX, AF_VSOCK for those kinds */
    char host[ADDRESS_HOST_MAX + 1]; /* empty: every address (listening), localhost (connecting) */
    char port[ADDRESS_PORT_MAX +
              1]; /* digits or a service name; of ADDRESS_RAW, the protocol as typed */
    char path[ADDRESS_PATH_MAX + 2]; /* abstract names begin with "@" */
    bool abstract;
    uint32_t cid;        /* VMADDR_CID_ANY: every one (listening) */
    uint32_t vsock_port; /* 0: the kernel chooses (listening) */
    int protocol;        /* of ADDRESS_RAW, from 1 to 255; -1: its name has to be looked up */
    int fd;
};

/* What the command line said beside the address. */
struct address_use {
    bool listening;
    bool udp;         /* -u */
    bool unix_socket; /* -U */
    int family;       /* -4, -6, or AF_UNSPEC */
};

/* Reads one or two words. Returns 0, or -1 with status 2 and what is wrong. A host with a ':' in it is an IPv6 address;
 * whether a name can be a host's, and a service exists, the resolver says. */
int address_parse(struct address *address, const char *const *words, int count,
                  const struct address_use *use, struct error *err);

/* Fills *name with the socket name of an address of kind ADDRESS_UNIX. */
void sockname_of_unix(struct sockname *name, const struct address *address);

/* Writes the address as a person would type it: "example.com:80", "[::1]:80", "*:80" (listening, no host),
 * "localhost:80" (connecting, no host), "unix:PATH", "vsock:CID:PORT", "raw:PROTO:HOST", "raw:PROTO" (listening, no
 * host), "icmp:HOST", "fd:N", "systemd:NAME". Returns out, which holds ADDRESS_TEXT_MAX bytes. */
char *address_text(const struct address *address, bool listening, char *out);

/* Tells whether `name` says no more than the address as it was typed, so that a message needs one of them. */
bool address_says(const struct address *address, bool listening, const struct sockname *name);

#endif
