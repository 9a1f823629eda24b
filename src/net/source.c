#include "net/source.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "net/address.h"
#include "net/hostname.h"
#include "net/resolver.h"
#include "sys/sock.h"
#include "sys/sockname.h"

#ifndef IP_BIND_ADDRESS_NO_PORT /* libcs older than the option */
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* Reading */

static int read_path(struct source *source, const char *path, struct error *err)
{
    struct address address;
    const struct address_use use = {.unix_socket = true};
    if (address_parse(&address, &path, 1, &use, err))
        return -1;
    source->family = AF_UNIX;
    sockname_of_unix(&source->name, &address);
    return 0;
}

static int read_host(struct source *source, const char *host, struct error *err)
{
    if (hostname_read_literal(host, &source->name, err) != 1)
        return error_set(err, STATUS_USAGE, "source address '%.100s' is not an IP address", host);
    source->family = source->name.storage.ss_family;
    return 0;
}

/* A number or a service, as where a server listens on any host. */
static int read_port(struct source *source, struct loop *loop, const char *port, bool numeric,
                     struct error *err)
{
    struct resolved resolved;
    struct address any = {.kind = ADDRESS_INET, .socktype = SOCK_STREAM, .family = AF_UNSPEC};
    const struct resolver_options how = {.listening = true, .numeric = numeric, .timeout_ms = -1};
    snprintf(any.port, sizeof any.port, "%s", port);
    if (strlen(port) > ADDRESS_PORT_MAX || resolver_look_up(loop, &any, &how, &resolved, err))
        return error_set(err, STATUS_USAGE, "source port '%.100s' is not a port", port);
    source->port = sockname_port(&resolved.names[0]);
    sockname_set_port(&source->name, source->port);
    resolved_release(&resolved);
    return 0;
}

static int read_inet(struct source *source, struct loop *loop, const struct dial_options *options,
                     struct error *err)
{
    if (options->source && read_host(source, options->source, err))
        return -1;
    if (options->source_port)
        return read_port(source, loop, options->source_port, options->numeric, err);
    return 0;
}

int source_read(struct source *source, struct loop *loop, const struct address *address,
                const struct dial_options *options, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    *source = (struct source){.family = AF_UNSPEC};
    if (!options->source && !options->source_port)
        return 0;
    if (address->kind == ADDRESS_INET)
        return read_inet(source, loop, options, err);
    if (address->kind == ADDRESS_UNIX && !options->source_port)
        return read_path(source, options->source, err);
    return error_set(err, STATUS_USAGE, "a source %s cannot be chosen for %s",
                     options->source_port ? "port" : "address", address_text(address, false, text));
}

char *source_text(const struct source *source, char *out)
{
    if (source->family == AF_UNSPEC)
        snprintf(out, SOCKNAME_TEXT_MAX, "port %u", source->port);
    else if (source->family == AF_UNIX || source->port)
        sockname_text(&source->name, out);
    else
        sockname_host(&source->name, out);
    return out;
}

/* Binding */

static struct sockname any_name(int family, unsigned port)
{
    struct sockname name = {.storage.ss_family = (sa_family_t)family};
    name.length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    sockname_set_port(&name, port);
    return name;
}

/* Without a name, the server's answers to a datagram would have nowhere to go: the kernel finds
 * one in the abstract namespace ("autobind", unix(7)). */
static const char *bind_automatically(int fd)
{
    struct sockname nameless = {.storage.ss_family = AF_UNIX, .length = sizeof(sa_family_t)};
    return sock_bind(fd, &nameless) ? strerror(errno) : NULL;
}

static const char *bind_inet(const struct source *source, int fd, int socktype, int family)
{
    if (source->family != AF_UNSPEC && source->family != family)
        return family == AF_INET ? "not an IPv4 address" : "not an IPv6 address";
    struct sockname name = source->name;
    if (source->family == AF_UNSPEC)
        name = any_name(family, source->port);
    /* The port of a connection that has just ended is free for a new one to another peer; and
     * without a port, none has to be chosen before the peer is known, so that there are more. */
    if (socktype == SOCK_STREAM && source->port)
        sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else if (socktype == SOCK_STREAM)
        sock_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    return sock_bind(fd, &name) ? strerror(errno) : NULL;
}

const char *source_bind(const struct source *source, int fd, int socktype,
                        const struct sockname *peer, struct socket_file *file)
{
    int family = peer->storage.ss_family;
    if (family == AF_UNIX && source->family == AF_UNIX)
        return socket_file_bind(file, fd, &source->name, -1);
    if (family == AF_UNIX)
        return socktype == SOCK_DGRAM ? bind_automatically(fd) : NULL;
    if (source->family == AF_UNSPEC && !source->port)
        return NULL;
    return bind_inet(source, fd, socktype, family);
}
