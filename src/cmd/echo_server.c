/*
 * sockctl echo-server: sends back what it gets, to any number of clients.
 */
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/descriptors.h"
#include "base/memory.h"
#include "base/message.h"
#include "cli/report.h"
#include "cmd/account.h"
#include "cmd/interrupt.h"
#include "cmd/limit.h"
#include "cmd/shared.h"
#include "command.h"
#include "io/echo.h"
#include "io/echo_datagrams.h"
#include "net/listener.h"
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
struct server {
    const struct echo_server_options *given;
    struct loop *loop;
    struct listener listener;
    struct echo echo;                /* of connections */
    struct echo_datagrams datagrams; /* or without them */
    struct limit wait;               /* for the first client */
    struct limit total;
    struct error *err;
};

/* A server that is told to stop ends its connections in order and with success. */
static void stop(void *context, int signal_number)
{
    struct server *server = context;
    (void)signal_number;
    echo_datagrams_release(&server->datagrams);
    listener_close(&server->listener);
    echo_stop(&server->echo);
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

static void client_came(void *context, int fd, const struct sockname *peer)
{
    struct server *server = context;
    struct account *account = account_of(fd, peer);
    limit_cancel(&server->wait);
    send_at_once(fd, peer);
    echo_add(&server->echo, fd, server->listener.socktype, account);
    if (server->echo.count >= (size_t)server->given->server.max_conns)
        listener_pause(&server->listener);
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
    struct server *server = LOOP_OWNER(echo, struct server, echo);
    if (client->label)
        tell_end(server, client, how);
    free(client->label);
    if (!echo->stopping && !server->listener.accepting)
        listener_accept(&server->listener, client_came, server);
}

/* Datagrams */

static bool answers(struct echo_datagrams *datagrams, const struct sockname *source,
                    const struct sockname *own)
{
    struct server *server = LOOP_OWNER(datagrams, struct server, datagrams);
    limit_cancel(&server->wait);
    return source->storage.ss_family == AF_UNIX || !reflector_is(source, own);
}

static void serve_datagrams(struct server *server)
{
    struct listener *listener = &server->listener;
    server->datagrams.answers = answers;
    echo_datagrams_init(&server->datagrams, server->loop);
    for (size_t i = 0; i < listener->count; i++)
        echo_datagrams_add(&server->datagrams, listener->sockets[i].watch.fd,
                           &listener->sockets[i].name);
}

/* The command */

static void tell_listening(const struct listener *listener)
{
    char name[SOCKNAME_TEXT_MAX];
    for (size_t i = 0; i < listener->count; i++)
        report_listening(sockname_text(&listener->sockets[i].name, name), listener->any_port);
}

static void start_limits(struct server *server, struct error *err)
{
    const struct limit_options *limits = &server->given->limits;
    char name[SOCKNAME_TEXT_MAX];
    error_set(&server->wait.reason, STATUS_TIMEOUT,
              "listen on %s: no client came within the time limit",
              sockname_text(&server->listener.sockets[0].name, name));
    limit_start(&server->wait, server->loop, limits->timeout_ms, err);
    limit_command(&server->total, server->loop, limits->max_time_ms, err);
}

static int serve(struct server *server, struct error *err)
{
    sigset_t signals;
    server->err = err;
    interrupt_set(&signals);
    loop_signals(server->loop, &signals, stop, server);
    server->echo = (struct echo){.loop = server->loop,
                                 .idle_ms = server->given->limits.idle_ms,
                                 .left = client_left,
                                 .stopped = stopped};
    echo_init(&server->echo);
    tell_listening(&server->listener);
    start_limits(server, err);
    if (server->listener.socktype == SOCK_DGRAM)
        serve_datagrams(server);
    else
        listener_accept(&server->listener, client_came, server);
    int result = loop_run(server->loop);
    limit_cancel(&server->wait);
    limit_cancel(&server->total);
    echo_datagrams_release(&server->datagrams);
    listener_close(&server->listener);
    echo_release(&server->echo);
    return result;
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct echo_server_options *given = chosen;
    struct server server = {.given = given};
    struct address address;
    const struct address_use use = {.listening = true,
                                    .udp = given->protocol.udp,
                                    .unix_socket = given->protocol.unix_socket,
                                    .family = given->family.family};
    const struct listener_options how = {.numeric = given->family.numeric,
                                         .backlog = (int)given->server.backlog,
                                         .mode = SOCKET_FILE_MODE,
                                         .timeout_ms = given->limits.timeout_ms,
                                         .sockopt = &given->sockopt};
    if (given->log_json)
        report_as_objects();
    if (address_parse(&address, operands->words, operands->count, &use, err))
        return -1;
    descriptors_allow_most();
    server.loop = loop_new();
    int result = listener_open(&server.listener, server.loop, &address, &how, err);
    if (result == 0)
        result = serve(&server, err);
    loop_free(server.loop);
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
