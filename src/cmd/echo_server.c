/*
 * sockctl echo-server: sends back what it gets, to any number of clients.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/descriptors.h"
#include "base/memory.h"
#include "base/message.h"
#include "cli/report.h"
#include "cmd/account.h"
#include "cmd/server.h"
#include "cmd/shared.h"
#include "command.h"
#include "io/echo.h"
#include "io/echo_datagrams.h"
#include "net/reflector.h"
#include "net/sock.h"

struct echo_server_options {
    struct family_options family;
    struct protocol_options protocol;
    struct limit_options limits;
    struct sockopt sockopt;
    struct server_options server;
    bool log_json;
};

static const struct opt options[] = {
    FAMILY_ROWS(struct echo_server_options, family),
    PROTOCOL_ROWS(struct echo_server_options, protocol),
    SERVER_ROWS(struct echo_server_options, server),
    READINESS_ROWS(struct echo_server_options, server.readiness),
    LIMIT_ROWS(struct echo_server_options, limits, "limit for the wait for the first client"),
    LOG_ROWS(struct echo_server_options, log_json),
    SOCKET_ROWS(struct echo_server_options, sockopt),
    OPT_END,
};

static const struct echo_server_options defaults = {.family = FAMILY_DEFAULTS,
                                                    .limits = LIMIT_DEFAULTS,
                                                    .sockopt = SOCKOPT_DEFAULTS,
                                                    .server = SERVER_DEFAULTS};

/* One run of the command. */
struct echoing {
    const struct echo_server_options *given;
    struct server server;
    struct echo echo;                /* of connections */
    struct echo_datagrams datagrams; /* or without them */
};

/* A server that is told to stop ends its connections in order and with success. */
static void stop(struct server *server)
{
    struct echoing *echoing = LOOP_OWNER(server, struct echoing, server);
    echo_datagrams_release(&echoing->datagrams);
    listener_close(&server->listener);
    echo_stop(&echoing->echo);
}

static void stopped(struct echo *echo)
{
    loop_stop(echo->loop, 0);
}

/* Connections */

/* NULL where nobody will read it. */
static struct account *account_of(int fd, const struct sockname *peer)
{
    if (!account_is_wanted())
        return NULL;
    struct account *account = memory_new(1, sizeof *account);
    account_accept(account, fd, peer);
    return account;
}

/* An answer is as long as what was read: holding it back until the last one is acknowledged (RFC
 * 896) saves no packets, and costs a client that writes twice before it reads 40 ms. */
static void send_at_once(int fd, const struct sockname *peer)
{
    sa_family_t family = peer->storage.ss_family;
    if (family == AF_INET || family == AF_INET6)
        sock_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static void client_came(struct server *server, int fd, const struct sockname *peer)
{
    struct echoing *echoing = LOOP_OWNER(server, struct echoing, server);
    struct account *account = account_of(fd, peer);
    send_at_once(fd, peer);
    echo_add(&echoing->echo, fd, server->listener.socktype, account);
}

static enum report_how how_client_left(const struct server *server,
                                       const struct echo_client *client, enum echo_end how)
{
    if (how == ECHO_FAILED)
        return account_how_failed(client->failure);
    if (how == ECHO_IDLE)
        return REPORT_TIMEOUT;
    if (how == ECHO_STOPPED)
        return server->err->status == STATUS_TIMEOUT ? REPORT_TIMEOUT : REPORT_SIGNAL;
    return REPORT_EOF;
}

static void tell_end(const struct server *server, const struct echo_client *client,
                     enum echo_end how)
{
    const struct account *account = client->label;
    if (how == ECHO_FAILED)
        message_tell(MESSAGE_STORY, "%s: %s", account->peer, strerror(client->failure));
    else if (how == ECHO_IDLE)
        message_tell(MESSAGE_STORY, "%s: nothing moved within the time limit", account->peer);
    account_close(account, (struct report_end){.in = client->bytes_in,
                                               .out = client->bytes_out,
                                               .how = how_client_left(server, client, how)});
}

static void client_left(struct echo *echo, const struct echo_client *client, enum echo_end how)
{
    struct echoing *echoing = LOOP_OWNER(echo, struct echoing, echo);
    if (client->label)
        tell_end(&echoing->server, client, how);
    free(client->label);
    server_left(&echoing->server);
}

/* Datagrams */

static bool answers(struct echo_datagrams *datagrams, const struct sockname *source,
                    const struct sockname *own)
{
    server_heard(&LOOP_OWNER(datagrams, struct echoing, datagrams)->server);
    return source->storage.ss_family == AF_UNIX || !reflector_is(source, own);
}

static void serve_datagrams(struct echoing *echoing)
{
    const struct listener *listener = &echoing->server.listener;
    echoing->datagrams.answers = answers;
    echo_datagrams_init(&echoing->datagrams, echoing->server.loop);
    for (size_t i = 0; i < listener->count; i++)
        echo_datagrams_add(&echoing->datagrams, listener->sockets[i].watch.fd,
                           &listener->sockets[i].name);
    server_await_first(&echoing->server);
}

/* The command */

static int serve(struct echoing *echoing)
{
    struct server *server = &echoing->server;
    echoing->echo = (struct echo){.loop = server->loop,
                                  .idle_ms = echoing->given->limits.idle_ms,
                                  .left = client_left,
                                  .stopped = stopped};
    echo_init(&echoing->echo);
    int result = server_ready(server);
    if (server->listener.socktype == SOCK_DGRAM)
        serve_datagrams(echoing);
    else
        server_accept(server);
    if (result == 0)
        result = loop_run(server->loop);
    echo_datagrams_release(&echoing->datagrams);
    listener_close(&server->listener); /* nobody takes the place of those that leave now */
    echo_release(&echoing->echo);
    return result;
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct echo_server_options *given = chosen;
    struct echoing echoing = {.given = given};
    struct server *server = &echoing.server;
    struct address address;
    const struct address_use use = {.listening = true,
                                    .udp = given->protocol.udp,
                                    .unix_socket = given->protocol.unix_socket,
                                    .family = given->family.family};
    if (given->log_json)
        report_as_objects();
    if (address_parse(&address, operands->words, operands->count, &use, err))
        return -1;
    descriptors_allow_most();
    *server = (struct server){.loop = loop_new(),
                              .options = &given->server,
                              .limits = &given->limits,
                              .sockopt = &given->sockopt,
                              .numeric = given->family.numeric,
                              .err = err,
                              .joined = client_came,
                              .stopping = stop};
    int result = server_open(server, &address);
    if (result == 0)
        result = serve(&echoing);
    server_close(server);
    loop_free(server->loop);
    return result;
}

const struct command echo_server_command = {
    .name = "echo-server",
    .operands = "ADDRESS",
    .summary = "Send back what arrives, to any number of clients",
    .min_operands = 1,
    .max_operands = 2,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
