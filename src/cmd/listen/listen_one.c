/*
 * listen, where stdin and stdout are one client's alone; and datagrams.
 */
#include <unistd.h>

#include "cmd/listen/listening.h"
#include "sys/sock.h"

/* One client */

static void client_came(struct server *server, int fd, const struct sockname *peer)
{
    struct listening *listening = LOOP_OWNER(server, struct listening, server);
    listening->client = fd;
    listening->peer = *peer;
    server_refuse(server); /* others are refused from here on */
    loop_stop(listening->loop, 0);
}

static int serve_packets(struct listening *listening)
{
    const struct datagram_policy policy = {.peer = DATAGRAM_CONNECTED,
                                           .most = DATAGRAM_MAX,
                                           .has_end = true,
                                           .first_ms = -1,
                                           .senders = sock_any_sender};
    return session_datagrams(&listening->session, &listening->client, 1, &policy, listening->err);
}

static void reader_gone(struct watch *watch, uint32_t events)
{
    struct listening *listening = LOOP_OWNER(watch, struct listening, reader);
    (void)events;
    loop_stop(listening->loop, error_silent(listening->err, STATUS_LOCAL_IO));
}

/* Whoever was to read what a client sends may go before one has come. */
static void await_reader(struct listening *listening)
{
    listening->reader = (struct watch){.fd = STDOUT_FILENO, .ready = reader_gone};
    if (fd_of(STDOUT_FILENO).kind == FD_PIPE)
        loop_watch(listening->loop, &listening->reader, 0);
}

static int await_client(struct listening *listening)
{
    await_reader(listening);
    server_accept(&listening->server);
    int result = loop_run(listening->loop);
    loop_unwatch(listening->loop, &listening->reader);
    return result;
}

int listening_one(struct listening *listening)
{
    listening->server.joined = client_came;
    if (server_ready(&listening->server) || await_client(listening))
        return -1;
    int result = listening->server.listener.socktype == SOCK_SEQPACKET
                     ? serve_packets(listening)
                     : session_stream(&listening->session, fd_of_socket(listening->client),
                                      &listening->peer, listening->err);
    sock_close(listening->client);
    return result;
}

/* Datagrams */

_Static_assert((int)DATAGRAM_SOCKETS_MAX >= (int)LISTENER_SOCKETS_MAX, "a listener has more");

int listening_datagrams(struct listening *listening)
{
    const struct listen_options *given = listening->given;
    const struct listener *listener = &listening->server.listener;
    int sockets[LISTENER_SOCKETS_MAX];
    for (size_t i = 0; i < listener->count; i++)
        sockets[i] = listener->sockets[i].watch.fd;
    const struct datagram_policy policy = {
        .peer = given->keep_open ? DATAGRAM_ANY : DATAGRAM_FIRST,
        .most = listener->sockets[0].name.storage.ss_family == AF_UNIX ? DATAGRAM_MAX
                                                                       : DATAGRAM_UDP_MAX,
        .inherited = listener->inherited,
        .first_ms = given->limits.timeout_ms,
        .senders = server_senders(&listening->server),
    };
    if (server_ready(&listening->server))
        return -1;
    int result = session_datagrams(&listening->session, sockets, listener->count, &policy,
                                   listening->err);
    if (given->keep_open && listening->err->signal_number)
        return 0; /* a server that was told to stop */
    return result;
}
