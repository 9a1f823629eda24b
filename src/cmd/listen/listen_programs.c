/*
 * listen --exec, --sh-exec: a program for each client, for one or for many.
 */
#include "cli/report.h"
#include "cmd/listen/listening.h"

static void client_came(struct server *server, int fd, const struct sockname *peer)
{
    struct listening *listening = LOOP_OWNER(server, struct listening, server);
    struct error error;
    bool one = !listening->given->keep_open;
    if (one)
        server_refuse(server); /* others are refused from here on */
    listening->programs.is_proxy = server->is_proxy;
    if (programs_serve(&listening->programs, fd_of_socket(fd), peer, &error) == 0)
        return;
    if (one) {
        *listening->err = error;
        loop_stop(listening->loop, -1);
    } else {
        report_warning("%s", error.text);
        server_left(server);
    }
}

static void client_left(struct programs *programs, int result, const struct error *err)
{
    struct listening *listening = LOOP_OWNER(programs, struct listening, programs);
    if (!listening->given->keep_open) {
        if (result < 0)
            *listening->err = *err;
        loop_stop(listening->loop, result);
        return;
    }
    if (result < 0 && err->text[0])
        report_warning("%s", err->text);
    server_left(&listening->server);
}

static void stop(struct server *server)
{
    server_refuse(server);
    loop_stop(server->loop, 0);
}

static int serve(struct listening *listening)
{
    struct server *server = &listening->server;
    if (programs_init(&listening->programs, listening->err) || server_ready(server))
        return -1;
    server_accept(server);
    int result = loop_run(listening->loop);
    server_refuse(server);
    programs_end(&listening->programs);
    return result;
}

int listening_programs(struct listening *listening)
{
    struct server *server = &listening->server;
    if (server->listener.socktype != SOCK_STREAM)
        return error_set(listening->err, STATUS_USAGE,
                         "listen on %s: programs are for stream sockets", server->name);
    int result = listening_share(listening);
    if (result != 1)
        return result;
    server_bound(server, 3); /* its socket, and two pipes */
    if (children_init(&server->children, listening->loop, listening->err))
        return -1;
    server->joined = client_came;
    server->stopping = listening->given->keep_open ? stop : NULL;
    listening->programs = (struct programs){.session = &listening->session,
                                            .children = &server->children,
                                            .argv = listening->argv,
                                            .proxied = &server->destination,
                                            .left = client_left};
    result = serve(listening);
    programs_release(&listening->programs);
    return result;
}
