#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "net/address.h"
#include "net/inherited.h"
#include "net/port_owner.h"
#include "net/resolver.h"
#include "sys/sock.h"
#include "sys/sockname.h"

enum {
    PORT_TRIES = 32,   /* until the kernel's choice is free for every address of the name */
    ACCEPT_ROUND = 64, /* clients in one go, so that others get their turn */
    REST_MS = 100,     /* without accept, when there are no descriptors left */
    WARNING_MS = 10 * 1000
};

/* What listener_open is about. */
struct opening {
    struct listener *listener;
    const struct address *address;
    const struct listener_options *options;
    struct resolved resolved;
    struct sockname tried; /* last, and why it failed */
    const char *reason;
    bool in_use;         /* somebody else has it */
    const char *refused; /* the socket option that it was, or NULL */
};

static struct listener_socket *add_socket(struct listener *listener, int fd)
{
    struct listener_socket *socket = &listener->sockets[listener->count++];
    *socket = (struct listener_socket){.listener = listener, .watch.fd = fd};
    return socket;
}

char *listener_text(const struct listener_socket *socket, char *out)
{
    int only = 0;
    sockname_text(&socket->name, out);
    if (*out == '*' && sock_get(socket->watch.fd, IPPROTO_IPV6, IPV6_V6ONLY, &only) == 0 && only)
        snprintf(out, SOCKNAME_TEXT_MAX, "[::]:%u", sockname_port(&socket->name));
    return out;
}

static bool takes_clients(const struct listener *listener)
{
    return listener->socktype != SOCK_DGRAM;
}

/* Opening */

static bool is_dual(const struct opening *opening, const struct sockname *name)
{
    return name->storage.ss_family == AF_INET6 && !*opening->address->host &&
           opening->address->family == AF_UNSPEC;
}

/* What the kernel is to say beside each datagram. */
static void ask_about_senders(const struct opening *opening, int fd, int family)
{
    sock_ask_destination(fd, family);
    if (family == AF_UNIX && opening->options->ask_users)
        sock_set(fd, SOL_SOCKET, SO_PASSCRED, 1);
}

/* A TCP port whose last connections are in TIME_WAIT can be listened on again. Nothing of the kind
 * for UDP: there, another user's socket could take the port over from ours. */
static int set_options(const struct opening *opening, int fd, const struct sockname *name)
{
    int family = name->storage.ss_family;
    if (!takes_clients(opening->listener)) /* from its first datagram on */
        ask_about_senders(opening, fd, family);
    if (!takes_clients(opening->listener))
        sock_make_room(fd); /* of a UNIX socket, all receivers share the send buffer */
    if (family == AF_INET6 && sock_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_dual(opening, name)))
        return -1;
    if (sockname_is_inet(name) && opening->options->reuse_port &&
        sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
        return -1;
    if (sockname_is_inet(name) && takes_clients(opening->listener))
        return sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return 0;
}

static int bind_to(struct opening *opening, int fd, const struct sockname *name)
{
    if (name->storage.ss_family != AF_UNIX)
        return sock_bind(fd, name);
    errno = 0;
    opening->reason = socket_file_bind(&opening->listener->file, fd, name, opening->options->mode);
    opening->in_use = opening->reason == socket_file_in_use || errno == EADDRINUSE;
    return opening->reason ? -1 : 0;
}

static int start_listening(const struct opening *opening, int fd)
{
    int backlog = opening->options->backlog;
    return takes_clients(opening->listener) ? sock_listen(fd, backlog ? backlog : SOMAXCONN) : 0;
}

/* -1 and errno; opening->reason says it in words. Nothing comes between bind and listen: until
 * then, another user could bind the port as well. */
static int open_socket(struct opening *opening, const struct sockname *name)
{
    opening->tried = *name;
    opening->reason = NULL;
    struct sockname bound;
    int fd = sockopt_open(opening->options->sockopt, name->storage.ss_family,
                          opening->listener->socktype, SOCKOPT_LISTEN, &opening->refused);
    if (fd < 0 || set_options(opening, fd, name) || bind_to(opening, fd, name) ||
        start_listening(opening, fd) || sock_name(fd, &bound)) {
        if (!opening->reason) {
            opening->in_use = errno == EADDRINUSE;
            opening->reason = strerror(errno);
        }
        if (fd >= 0)
            sock_close(fd);
        return -1;
    }
    add_socket(opening->listener, fd)->name = bound;
    return 0;
}

static struct sockname any_ipv4(unsigned port)
{
    struct sockname name = {.storage.ss_family = AF_INET, .length = sizeof(struct sockaddr_in)};
    sockname_set_port(&name, port);
    return name;
}

/* This machine has no such family, or not this address of it. */
static bool is_missing(int errnum)
{
    return errnum == EAFNOSUPPORT || errnum == EADDRNOTAVAIL;
}

/* One address of the name; one that this machine does not have is left out. */
static int open_address(struct opening *opening, struct sockname name)
{
    struct listener *listener = opening->listener;
    if (listener->any_port && listener->count)
        sockname_set_port(&name, sockname_port(&listener->sockets[0].name));
    if (open_socket(opening, &name) == 0)
        return 0;
    if (!is_missing(errno))
        return -1;
    if (!is_dual(opening, &name))
        return 0;
    name = any_ipv4(sockname_port(&name));
    return open_socket(opening, &name);
}

static void close_sockets(struct listener *listener)
{
    for (; listener->count; listener->count--) {
        struct listener_socket *last = &listener->sockets[listener->count - 1];
        loop_unwatch(listener->loop, &last->watch);
        sock_close(last->watch.fd);
    }
}

static int open_addresses(struct opening *opening)
{
    for (size_t i = 0; i < opening->resolved.count && i < LISTENER_SOCKETS_MAX; i++)
        if (open_address(opening, opening->resolved.names[i]))
            return -1;
    return opening->listener->count ? 0 : -1;
}

/* The port that the kernel chooses for the first address may be taken on the next one. */
static int open_with_any_port(struct opening *opening)
{
    for (int try = 0; try < PORT_TRIES; try++) {
        if (open_addresses(opening) == 0)
            return 0;
        int failure = errno;
        close_sockets(opening->listener);
        if (failure != EADDRINUSE)
            break;
    }
    return -1;
}

/* "listen on localhost:80: [::1]:80: Address already in use"; the address once, where the user
 * wrote it so. */
static int complain(const struct opening *opening, struct error *err)
{
    char asked[ADDRESS_TEXT_MAX];
    char tried[SOCKNAME_TEXT_MAX];
    address_text(opening->address, true, asked);
    sockname_text(&opening->tried, tried);
    error_set(err, STATUS_CONNECT, "listen on %s", asked);
    if (strcmp(asked, tried) != 0)
        error_add(err, ": %s", tried);
    if (opening->refused)
        error_add(err, ": %s", opening->refused);
    error_add(err, ": %s", opening->reason);
    if (opening->in_use) {
        char holder[PORT_OWNER_TEXT_MAX];
        error_add(err, "%s", port_owner_text(&opening->tried, opening->listener->socktype, holder));
    }
    return -1;
}

static int open_resolved(struct opening *opening, struct error *err)
{
    struct listener *listener = opening->listener;
    const struct resolver_options how = {.listening = true,
                                         .numeric = opening->options->numeric,
                                         .complete = true,
                                         .timeout_ms = opening->options->timeout_ms};
    if (resolver_look_up(listener->loop, opening->address, &how, &opening->resolved, err))
        return -1;
    listener->any_port = opening->address->kind == ADDRESS_INET &&
                         sockname_port(&opening->resolved.names[0]) == 0;
    int result = listener->any_port ? open_with_any_port(opening) : open_addresses(opening);
    if (result)
        complain(opening, err);
    resolved_release(&opening->resolved);
    return result;
}

/* Inherited sockets */

static int adopt_listening(int fd, const char *text, struct error *err)
{
    int listening;
    if (sock_get(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening))
        return error_system(err, STATUS_CONNECT, errno, "%s", text);
    if (!listening)
        return error_set(err, STATUS_CONNECT, "%s: descriptor %d is not a listening socket", text,
                         fd);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return error_system(err, STATUS_CONNECT, errno, "%s", text);
    return 0;
}

static int open_inherited(const struct opening *opening, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    struct inherited inherited;
    struct listener *listener = opening->listener;
    if (inherited_find(&inherited, opening->address, err))
        return -1;
    address_text(opening->address, true, text);
    listener->socktype = inherited.socktype;
    listener->inherited = true;
    for (size_t i = 0; i < inherited.count && i < LISTENER_SOCKETS_MAX; i++) {
        int fd = inherited.fds[i];
        if (takes_clients(listener) && adopt_listening(fd, text, err))
            return -1;
        struct sockname *name = &add_socket(listener, fd)->name;
        if (sock_name(fd, name))
            return error_system(err, STATUS_CONNECT, errno, "%s", text);
        if (!takes_clients(listener))
            ask_about_senders(opening, fd, name->storage.ss_family);
        const char *refused = sockopt_apply(listener->sockopt, fd, name->storage.ss_family,
                                            SOCKOPT_LISTEN);
        if (refused)
            return error_system(err, STATUS_CONNECT, errno, "%s: %s", text, refused);
    }
    return 0;
}

static void end_rest(struct timer *timer);

int listener_open(struct listener *listener, struct loop *loop, const struct address *address,
                  const struct listener_options *options, struct error *err)
{
    struct opening opening = {.listener = listener, .address = address, .options = options};
    *listener = (struct listener){.loop = loop,
                                  .socktype = address->socktype,
                                  .sockopt = options->sockopt,
                                  .rest.fired = end_rest};
    int result = address->kind == ADDRESS_FD || address->kind == ADDRESS_SYSTEMD
                     ? open_inherited(&opening, err)
                     : open_resolved(&opening, err);
    if (result)
        listener_close(listener);
    return result;
}

/* Accepting */

static void watch_all(struct listener *listener);

static void unwatch_all(struct listener *listener)
{
    for (size_t i = 0; i < listener->count; i++)
        loop_unwatch(listener->loop, &listener->sockets[i].watch);
}

static void end_rest(struct timer *timer)
{
    struct listener *listener = LOOP_OWNER(timer, struct listener, rest);
    if (listener->accepting)
        watch_all(listener);
}

bool listener_rest(struct listener *listener)
{
    const int64_t now_ms = loop_now_ms();
    unwatch_all(listener);
    loop_timer_set(listener->loop, &listener->rest, REST_MS);
    if (listener->warned_ms && now_ms - listener->warned_ms < WARNING_MS)
        return false;
    listener->warned_ms = now_ms;
    return true;
}

static void rest(struct listener *listener, const struct listener_socket *socket)
{
    char text[SOCKNAME_TEXT_MAX];
    const char *reason = strerror(errno);
    if (listener_rest(listener))
        log_warning("accept on %s: %s; new clients wait", listener_text(socket, text), reason);
}

/* The client is gone before it was accepted, or its network is: accept(2), "Error handling". */
static bool is_transient(int errnum)
{
    static const int transient[] = {EINTR,       ECONNABORTED, EPROTO, ENETDOWN,
                                    ENOPROTOOPT, EHOSTDOWN,    ENONET, EHOSTUNREACH,
                                    EOPNOTSUPP,  ENETUNREACH,  EPERM,  ETIMEDOUT};
    for (size_t i = 0; i < sizeof transient / sizeof *transient; i++)
        if (transient[i] == errnum)
            return true;
    return false;
}

static void accept_clients(struct watch *watch, uint32_t events)
{
    struct listener_socket *socket = LOOP_OWNER(watch, struct listener_socket, watch);
    struct listener *listener = socket->listener;
    (void)events;
    for (int round = 0; round < ACCEPT_ROUND && listener->accepting; round++) {
        struct sockname peer;
        int fd = sock_accept(watch->fd, &peer);
        if (fd >= 0) {
            /* What TCP clients have inherited, others have not: unix(7), vsock(7). */
            if (!sockname_is_inet(&socket->name))
                sockopt_apply(listener->sockopt, fd, AF_UNIX, SOCKOPT_ACCEPTED);
            listener->accepted(listener->context, fd, &peer);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_transient(errno)) {
            rest(listener, socket);
            return;
        }
    }
}

static void watch_all(struct listener *listener)
{
    for (size_t i = 0; i < listener->count; i++) {
        listener->sockets[i].watch.ready = accept_clients;
        loop_watch(listener->loop, &listener->sockets[i].watch,
                   EPOLLIN | (listener->shared ? EPOLLEXCLUSIVE : 0));
    }
}

void listener_accept(struct listener *listener,
                     void (*accepted)(void *context, int fd, const struct sockname *peer),
                     void *context)
{
    listener->accepted = accepted;
    listener->context = context;
    listener->accepting = true;
    if (!loop_timer_is_set(&listener->rest))
        watch_all(listener);
}

void listener_pause(struct listener *listener)
{
    listener->accepting = false;
    unwatch_all(listener);
}

void listener_inherit(struct listener *listener, struct loop *loop)
{
    listener->loop = loop;
    listener->shared = true;
    socket_file_forget(&listener->file);
}

void listener_close(struct listener *listener)
{
    listener->accepting = false;
    if (listener->loop)
        loop_timer_cancel(listener->loop, &listener->rest);
    /* The file first: a closed socket's would look stale to the next server. */
    socket_file_remove(&listener->file);
    close_sockets(listener);
}
