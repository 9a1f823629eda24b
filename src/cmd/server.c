#include "cmd/server.h"

#include "cli/report.h"
#include "cmd/readiness.h"

/* Opening */

int server_open(struct server *server, const struct address *address)
{
    const struct listener_options how = {
        .numeric = server->numeric,
        .backlog = (int)server->options->backlog,
        .mode = server->options->mode,
        .reuse_port = server->options->reuse_port,
        .timeout_ms = server->limits->timeout_ms,
        .sockopt = server->sockopt,
    };
    if (readiness_check(&server->options->readiness, server->err))
        return -1;
    /* Before the socket file is there, and before anybody is told: what arrives from here on waits
     * for the loop. */
    interrupt_catch(&server->interrupt, server->loop, server->err);
    limit_command(&server->total, server->loop, server->limits->max_time_ms, server->err);
    if (listener_open(&server->listener, server->loop, address, &how, server->err))
        return -1;
    sockname_text(&server->listener.sockets[0].name, server->name);
    return 0;
}

static void told_to_stop(void *context, int signal_number)
{
    struct server *server = context;
    (void)signal_number;
    server->stopping(server);
}

int server_ready(struct server *server)
{
    const struct listener *listener = &server->listener;
    char name[SOCKNAME_TEXT_MAX];
    sigset_t set;
    interrupt_set(&set);
    if (server->stopping)
        loop_signals(server->loop, &set, told_to_stop, server);
    if (server->worker)
        return 0;
    for (size_t i = 0; i < listener->count; i++)
        report_listening(sockname_text(&listener->sockets[i].name, name), listener->any_port);
    return readiness_tell(&server->options->readiness, &listener->sockets[0].name, server->err);
}

/* Clients */

void server_await_first(struct server *server)
{
    error_set(&server->wait.reason, STATUS_TIMEOUT,
              "listen on %s: no client came within the time limit", server->name);
    limit_start(&server->wait, server->loop, server->limits->timeout_ms, server->err);
}

void server_heard(struct server *server)
{
    limit_cancel(&server->wait);
}

static bool is_full(const struct server *server)
{
    return server->count >= (size_t)server->options->max_conns;
}

static void client_came(void *context, int fd, const struct sockname *peer)
{
    struct server *server = context;
    server_heard(server);
    server->count++;
    if (is_full(server))
        listener_pause(&server->listener);
    server->joined(server, fd, peer);
}

void server_accept(struct server *server)
{
    server_await_first(server);
    listener_accept(&server->listener, client_came, server);
}

void server_left(struct server *server)
{
    bool was_full = is_full(server);
    server->count--;
    if (was_full && server->listener.count)
        listener_accept(&server->listener, client_came, server);
}

void server_close(struct server *server)
{
    limit_cancel(&server->wait);
    limit_cancel(&server->total);
    listener_close(&server->listener);
}
