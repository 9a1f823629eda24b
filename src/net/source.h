/*
 * The local end of a connection to be: -s and -p.
 */
#ifndef NET_SOURCE_H
#define NET_SOURCE_H

#include "base/error.h"
#include "net/address.h"
#include "net/dial.h"

struct source {
    int family;           /* AF_INET, AF_INET6 or AF_UNIX of `name`; AF_UNSPEC: no address */
    struct sockname name; /* where there is an address */
    unsigned port;        /* 0: the system's choice */
};

/* Reads what the options say, for connections to `address`. Status 2 where it makes no sense. */
int source_read(struct source *source, struct loop *loop, const struct address *address,
                const struct dial_options *options, struct error *err);
/* "192.0.2.1", "192.0.2.1:80", "port 80", "unix:PATH". Returns out, which holds SOCKNAME_TEXT_MAX
 * bytes. */
char *source_text(const struct source *source, char *out);
/* Binds `fd`, which is to be connected to `peer`, if there is anything to bind it to. Returns NULL,
 * or why it cannot: words that follow source_text. A UNIX path is then in *file. */
const char *source_bind(const struct source *source, int fd, int socktype,
                        const struct sockname *peer, struct socket_file *file);

#endif
