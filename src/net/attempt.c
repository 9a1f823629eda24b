/*
 * One socket on its way to one address.
 *
 * attempt_start opens it, binds it to the source (attempt_bind) and connects (attempt_connect), which for UNIX
 * sockets, datagrams and loopback is over at once. Else the attempt is under way: attempt_ready is called when
 * the handshake has ended, attempt_backlog_timeout when a UNIX server's full backlog is tried anew. Either ends in
 * attempt_connected or attempt_fail, of which `settled` informs the owner.
 */
#include "net/attempt.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "sys/sock.h"

#ifndef IP_BIND_ADDRESS_NO_PORT /* libcs older than the option */
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { FULL_BACKLOG_MS = 20 }; /* until a UNIX server whose backlog was full is asked again */

bool attempt_is_shortage(int errnum)
{
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS || errnum == ENOMEM ||
           errnum == EADDRNOTAVAIL;
}

/* The end */

void attempt_drop(struct attempt *attempt)
{
    loop_timer_cancel(attempt->loop, &attempt->again);
    loop_unwatch(attempt->loop, &attempt->watch);
    if (attempt->watch.fd >= 0)
        sock_close(attempt->watch.fd);
    attempt->watch.fd = -1;
    socket_file_remove(&attempt->file);
}

int attempt_take(struct attempt *attempt, struct socket_file *file)
{
    int fd = attempt->watch.fd;
    attempt->watch.fd = -1;
    *file = attempt->file;
    attempt->file = (struct socket_file){0};
    return fd;
}

static void attempt_fail(struct attempt *attempt, const char *reason)
{
    attempt->state = ATTEMPT_FAILED;
    attempt->reason = reason;
    attempt_drop(attempt);
}

static void attempt_connected(struct attempt *attempt)
{
    char local[SOCKNAME_TEXT_MAX], peer[SOCKNAME_TEXT_MAX];
    loop_unwatch(attempt->loop, &attempt->watch);
    if (sock_name(attempt->watch.fd, &attempt->local)) {
        attempt_fail(attempt, strerror(errno));
        return;
    }
    /* A port that the system chooses for us can be the one that nobody listens on: then TCP connects
     * the socket to itself (RFC 9293, simultaneous open). Few have the same port, which spares the others two texts. */
    attempt->local.protocol = attempt->peer->protocol;
    if (sockname_is_inet(&attempt->local) && !attempt->local.protocol &&
        sockname_port(&attempt->local) == sockname_port(attempt->peer) &&
        strcmp(sockname_text(&attempt->local, local), sockname_text(attempt->peer, peer)) == 0)
        attempt_fail(attempt, strerror(ECONNREFUSED));
    else
        attempt->state = ATTEMPT_UP;
}

/* The source */

/* Binds the socket, if there is anything to bind it to. Returns NULL, or why it cannot. */
static const char *attempt_bind(struct attempt *attempt)
{
    const struct source *source = attempt->source;
    const int family = attempt->peer->storage.ss_family, fd = attempt->watch.fd;
    struct sockname name = source->name;
    if (family == AF_UNIX && source->family == AF_UNIX)
        return socket_file_bind(&attempt->file, fd, &source->name, -1);
    if (family == AF_UNIX) {
        /* Without a name, the server's answers to a datagram would have nowhere to go: the kernel finds
         * one in the abstract namespace ("autobind", unix(7)). */
        struct sockname nameless = {.storage.ss_family = AF_UNIX, .length = sizeof(sa_family_t)};
        return attempt->socktype == SOCK_DGRAM && sock_bind(fd, &nameless) ? strerror(errno) : NULL;
    }
    if (source->family == AF_UNSPEC && !source->port)
        return NULL;
    if (source->family != AF_UNSPEC && source->family != family)
        return family == AF_INET ? "not an IPv4 address" : "not an IPv6 address";
    if (source->family == AF_UNSPEC) {
        name = (struct sockname){.storage.ss_family = (sa_family_t)family};
        name.length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        sockname_set_port(&name, source->port);
    }
    /* The members of a group share its port. */
    if (attempt->socktype == SOCK_DGRAM && source->port && sockname_is_multicast(attempt->peer))
        sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    /* The port of a connection that has just ended is free for a new one to another peer; and
     * without a port, none has to be chosen before the peer is known, so that there are more. */
    if (attempt->socktype == SOCK_STREAM && source->port)
        sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else if (attempt->socktype == SOCK_STREAM)
        sock_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    return sock_bind(fd, &name) ? strerror(errno) : NULL;
}

/* Connecting */

static bool attempt_sends_datagrams(const struct attempt *attempt)
{
    return attempt->socktype == SOCK_DGRAM || attempt->socktype == SOCK_RAW;
}

/* Tells whether the peer is a group or a broadcast address, to which the socket is not to be connected. The routing
 * table says what is a broadcast address: to such a one the kernel connects only where that is allowed (socket(7),
 * SO_BROADCAST). */
static bool is_to_many(const struct attempt *attempt)
{
    const int fd = attempt->watch.fd;
    if (!attempt->any_sender || !attempt_sends_datagrams(attempt))
        return false;
    if (sockname_is_multicast(attempt->peer))
        return true;
    if (!attempt->sockopt || !attempt->sockopt->broadcast)
        return false;
    sock_set(fd, SOL_SOCKET, SO_BROADCAST, 0);
    bool refused = sock_connect(fd, attempt->peer) < 0 && errno == EACCES;
    sock_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    return refused;
}

/* Returns why a UNIX socket's path cannot be connected to, where the error alone does not tell; NULL: it does. */
static const char *unix_refusal(const struct sockname *peer, int errnum)
{
    const char *path = ((const struct sockaddr_un *)(const void *)&peer->storage)->sun_path;
    struct stat status;
    if (errnum == EPROTOTYPE)
        return "Protocol wrong type for socket (other types are unix-dgram:PATH, or -u, and "
               "unix-seqpacket:PATH)";
    if (errnum != ECONNREFUSED || !*path || stat(path, &status))
        return NULL;
    return S_ISSOCK(status.st_mode) ? NULL : "Connection refused (this is no socket)";
}

/* Tells whether this is 255.255.255.255: all hosts of the network at an interface (RFC 919). */
static bool is_limited_broadcast(const struct sockname *peer)
{
    static const unsigned char all_ones[] = {255, 255, 255, 255};
    size_t length;
    const unsigned char *address = sockname_inet(peer, &length);
    return address && length == sizeof all_ones && memcmp(address, all_ones, length) == 0;
}

static void attempt_connect(struct attempt *attempt)
{
    const int fd = attempt->watch.fd, family = attempt->peer->storage.ss_family;
    const bool is_datagram = attempt_sends_datagrams(attempt);
    if (is_to_many(attempt)) {
        /* A connected socket would receive nothing: answers come from the members' own addresses. */
        struct sockname any = {.storage.ss_family = attempt->peer->storage.ss_family,
                               .length = attempt->peer->length};
        attempt->is_group = true;
        if (sock_name(fd, &attempt->local) == 0 && !sockname_port(&attempt->local))
            sock_bind(fd, &any);
        attempt_connected(attempt);
        return;
    }
    /* Where both ends are this machine's, the handshake is over when connect(2) returns, although it
     * says that it is under way: asking once more is less than having it awaited. */
    int result = sock_connect(fd, attempt->peer);
    if (result < 0 && errno == EINPROGRESS && sockname_is_loopback(attempt->peer))
        result = sock_connect(fd, attempt->peer);
    if (result == 0) {
        attempt_connected(attempt);
    } else if (errno == EADDRNOTAVAIL ||
               (errno == EAGAIN && is_datagram && sockname_is_inet(attempt->peer))) {
        /* All ports that the system chooses from are taken: of datagrams it says so in another way. */
        attempt->no_port = EADDRNOTAVAIL;
        attempt_fail(attempt, strerror(EADDRNOTAVAIL));
    } else if (errno == EINPROGRESS) {
        loop_watch(attempt->loop, &attempt->watch, EPOLLOUT);
    } else if (errno == EAGAIN && family == AF_UNIX) {
        loop_timer_set(attempt->loop, &attempt->again, FULL_BACKLOG_MS);
    } else if (errno == EACCES && is_datagram && family == AF_INET &&
               !(attempt->sockopt && attempt->sockopt->broadcast)) {
        attempt_fail(attempt, "Permission denied (a broadcast address needs -b, --broadcast)");
    } else if (errno == ENETUNREACH && is_datagram && is_limited_broadcast(attempt->peer)) {
        attempt_fail(attempt,
                     "Network is unreachable (no route says by which interface: --interface NAME)");
    } else if (errno == EINVAL && sockname_lacks_zone(attempt->peer)) {
        attempt_fail(attempt,
                     "Invalid argument (a link-local address needs its zone: fe80::1%eth0)");
    } else {
        const int errnum = errno;
        const char *refusal = family == AF_UNIX ? unix_refusal(attempt->peer, errnum) : NULL;
        attempt_fail(attempt, refusal ? refusal : strerror(errnum));
    }
}

static void attempt_backlog_timeout(struct timer *timer)
{
    struct attempt *attempt = LOOP_OWNER(timer, struct attempt, again);
    attempt_connect(attempt);
    if (attempt->state != ATTEMPT_UNDER_WAY)
        attempt->settled(attempt);
}

/* Asks connect(2) itself how the connect that was under way has ended: the second call returns the outcome of the
 * first. A vsock returns EALREADY for ever, so its pending error is read. */
static void attempt_ready(struct watch *watch, uint32_t events)
{
    struct attempt *attempt = LOOP_OWNER(watch, struct attempt, watch);
    int reason = 0;
    (void)events;
    if (attempt->peer->storage.ss_family == AF_VSOCK)
        reason = sock_error(watch->fd);
    else if (sock_connect(watch->fd, attempt->peer) && errno != EISCONN)
        reason = errno;
    if (reason == EINPROGRESS)
        return;
    if (reason)
        attempt_fail(attempt, strerror(reason));
    else
        attempt_connected(attempt);
    attempt->settled(attempt);
}

enum attempt_state attempt_start(struct attempt *attempt)
{
    int fd = sockopt_open(attempt->sockopt, attempt->peer, attempt->socktype, SOCKOPT_CONNECT,
                          &attempt->refused);
    attempt->state = ATTEMPT_UNDER_WAY;
    attempt->again.fired = attempt_backlog_timeout;
    attempt->watch.ready = attempt_ready;
    attempt->watch.fd = fd;
    if (fd < 0) {
        attempt->no_socket = attempt->refused ? 0 : errno;
        attempt_fail(attempt,
                     attempt->refused ? strerror(errno) : sockopt_refusal(attempt->peer, errno));
        return attempt->state;
    }
    const char *reason = attempt_bind(attempt);
    attempt->unbound = reason != NULL;
    if (!reason && attempt->sockopt && attempt->socktype != SOCK_STREAM)
        reason = memberships_join(&attempt->sockopt->join, fd, attempt->sockopt->interface,
                                  &attempt->refused);
    if (reason)
        attempt_fail(attempt, reason);
    else
        attempt_connect(attempt);
    return attempt->state;
}

/* What came of it */

char *attempt_reason(const struct attempt *attempt, char *out)
{
    const struct source *source = attempt->source;
    char text[SOCKNAME_TEXT_MAX] = "";
    const char *part = attempt->refused ? attempt->refused : text;
    if (attempt->unbound && source->family == AF_UNSPEC)
        snprintf(text, sizeof text, "port %u", source->port);
    else if (attempt->unbound && (source->family == AF_UNIX || source->port))
        sockname_text(&source->name, text);
    else if (attempt->unbound)
        sockname_host(&source->name, text);
    snprintf(out, ATTEMPT_REASON_MAX, "%s%s%s%s", attempt->unbound ? "source " : "", part,
             *part ? ": " : "", attempt->reason ? attempt->reason : "timed out");
    return out;
}
