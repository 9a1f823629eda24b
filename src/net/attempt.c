#include "net/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sys/sock.h"

bool attempt_is_shortage(int errnum)
{
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS || errnum == ENOMEM ||
           errnum == EADDRNOTAVAIL;
}

enum { FULL_BACKLOG_MS = 20 }; /* until a UNIX server whose backlog was full is asked again */

static void give_up(struct attempt *attempt, const char *reason)
{
    attempt->state = ATTEMPT_FAILED;
    attempt->reason = reason;
    attempt_drop(attempt);
}

/* A port that the system chooses for us can be the one that nobody listens on: then TCP connects
 * the socket to itself (RFC 9293, simultaneous open). */
static bool is_itself(const struct sockname *local, const struct sockname *peer)
{
    char one[SOCKNAME_TEXT_MAX];
    char other[SOCKNAME_TEXT_MAX];
    if (!sockname_is_inet(local))
        return false;
    if (sockname_port(local) != sockname_port(peer)) /* which spares most of them two texts */
        return false;
    return strcmp(sockname_text(local, one), sockname_text(peer, other)) == 0;
}

static void come_up(struct attempt *attempt)
{
    loop_unwatch(attempt->loop, &attempt->watch);
    if (sock_name(attempt->watch.fd, &attempt->local))
        give_up(attempt, strerror(errno));
    else if (is_itself(&attempt->local, attempt->peer))
        give_up(attempt, strerror(ECONNREFUSED));
    else
        attempt->state = ATTEMPT_UP;
}

/* Where both ends are this machine's, the handshake is over when connect(2) returns, although it
 * says that it is under way: asking once more is less than having it awaited. */
static int connect_now(const struct attempt *attempt)
{
    int result = sock_connect(attempt->watch.fd, attempt->peer);
    if (result < 0 && errno == EINPROGRESS && sockname_is_loopback(attempt->peer))
        result = sock_connect(attempt->watch.fd, attempt->peer);
    return result;
}

/* Whether the peer is a broadcast address is what the routing table says: to such a one the kernel
 * connects only where that is allowed (socket(7), SO_BROADCAST). */
static bool is_broadcast(const struct attempt *attempt)
{
    int fd = attempt->watch.fd;
    if (!attempt->sockopt || !attempt->sockopt->broadcast)
        return false;
    sock_set(fd, SOL_SOCKET, SO_BROADCAST, 0);
    bool refused = sock_connect(fd, attempt->peer) < 0 && errno == EACCES;
    sock_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    return refused;
}

static bool reaches_many(const struct attempt *attempt)
{
    return attempt->hears_anybody && attempt->socktype == SOCK_DGRAM &&
           (sockname_is_multicast(attempt->peer) || is_broadcast(attempt));
}

/* A connected socket would hear nobody: answers come from the members' own addresses. */
static void stay_unconnected(struct attempt *attempt)
{
    struct sockname any = {.storage.ss_family = attempt->peer->storage.ss_family,
                           .length = attempt->peer->length};
    attempt->is_group = true;
    if (sock_name(attempt->watch.fd, &attempt->local) == 0 && !sockname_port(&attempt->local))
        sock_bind(attempt->watch.fd, &any);
    come_up(attempt);
}

/* All ports that the system chooses from are taken: of datagrams it says so in another way. */
static bool lacks_port(const struct attempt *attempt)
{
    return errno == EADDRNOTAVAIL ||
           (errno == EAGAIN && attempt->socktype == SOCK_DGRAM && sockname_is_inet(attempt->peer));
}

static void give_up_without_port(struct attempt *attempt)
{
    attempt->no_port = EADDRNOTAVAIL;
    give_up(attempt, strerror(EADDRNOTAVAIL));
}

static bool is_forbidden_broadcast(const struct attempt *attempt)
{
    return errno == EACCES && attempt->socktype == SOCK_DGRAM &&
           attempt->peer->storage.ss_family == AF_INET &&
           !(attempt->sockopt && attempt->sockopt->broadcast);
}

static void ask(struct attempt *attempt)
{
    if (reaches_many(attempt))
        stay_unconnected(attempt);
    else if (connect_now(attempt) == 0)
        come_up(attempt);
    else if (lacks_port(attempt))
        give_up_without_port(attempt);
    else if (errno == EINPROGRESS)
        loop_watch(attempt->loop, &attempt->watch, EPOLLOUT);
    else if (errno == EAGAIN && attempt->peer->storage.ss_family == AF_UNIX)
        loop_timer_set(attempt->loop, &attempt->again, FULL_BACKLOG_MS);
    else if (is_forbidden_broadcast(attempt))
        give_up(attempt, "Permission denied (to a broadcast address, with --broadcast)");
    else
        give_up(attempt, strerror(errno));
}

static void ask_again(struct timer *timer)
{
    struct attempt *attempt = LOOP_OWNER(timer, struct attempt, again);
    ask(attempt);
    if (attempt->state != ATTEMPT_UNDER_WAY)
        attempt->settled(attempt);
}

/* How the connect that was under way has ended: asked of connect(2) itself, which answers the second
 * call with the outcome of the first. A vsock answers EALREADY for ever, so its error is asked for. */
static int outcome(const struct attempt *attempt)
{
    if (attempt->peer->storage.ss_family == AF_VSOCK)
        return sock_error(attempt->watch.fd);
    if (sock_connect(attempt->watch.fd, attempt->peer) == 0 || errno == EISCONN)
        return 0;
    return errno;
}

static void answered(struct watch *watch, uint32_t events)
{
    struct attempt *attempt = LOOP_OWNER(watch, struct attempt, watch);
    (void)events;
    int reason = outcome(attempt);
    if (reason == EINPROGRESS)
        return;
    if (reason)
        give_up(attempt, strerror(reason));
    else
        come_up(attempt);
    attempt->settled(attempt);
}

enum attempt_state attempt_start(struct attempt *attempt)
{
    int fd = sockopt_open(attempt->sockopt, attempt->peer->storage.ss_family, attempt->socktype,
                          SOCKOPT_CONNECT, &attempt->refused);
    attempt->state = ATTEMPT_UNDER_WAY;
    attempt->again.fired = ask_again;
    attempt->watch.ready = answered;
    attempt->watch.fd = fd;
    if (fd < 0) {
        attempt->no_socket = attempt->refused ? 0 : errno;
        give_up(attempt, strerror(errno));
        return attempt->state;
    }
    const char *reason = source_bind(attempt->source, fd, attempt->socktype, attempt->peer,
                                     &attempt->file);
    attempt->unbound = reason != NULL;
    if (reason)
        give_up(attempt, reason);
    else
        ask(attempt);
    return attempt->state;
}

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

char *attempt_reason(const struct attempt *attempt, char *out)
{
    char source[SOCKNAME_TEXT_MAX] = "";
    const char *part = attempt->refused ? attempt->refused : source;
    if (attempt->unbound)
        source_text(attempt->source, source);
    snprintf(out, ATTEMPT_REASON_MAX, "%s%s%s%s", attempt->unbound ? "source " : "", part,
             *part ? ": " : "", attempt->reason ? attempt->reason : "timed out");
    return out;
}

bool attempt_is_unasked(const struct attempt *attempt)
{
    return attempt->unbound || attempt->refused || attempt->no_socket;
}
