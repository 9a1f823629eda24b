/*
 * See connect_program.h. One client of cmd/serve/programs, which is the connection.
 */
#include "cmd/connect/connect_program.h"

#include "cmd/serve/programs.h"

struct run {
    struct programs programs;
    struct children children;
    struct error *err;
};

static void program_left(struct programs *programs, int result, const struct error *err)
{
    struct run *run = LOOP_OWNER(programs, struct run, programs);
    if (result < 0)
        *run->err = *err;
    loop_stop(programs->session->loop, result);
}

static int serve(struct run *run, struct connection *connection)
{
    struct fd socket = session_socket(connection);
    connection->fd = -1; /* from here on it is not ours to close */
    const struct admitted_client client = {.fd = socket.fd, .peer = &connection->peer};
    if (programs_serve(&run->programs, socket, &client, run->err))
        return -1;
    int result = loop_run(run->programs.session->loop);
    programs_end(&run->programs);
    return result;
}

int connect_program(const struct session *session, const char **argv, struct connection *connection,
                    struct error *err)
{
    struct run run = {.err = err};
    if (connection->socktype != SOCK_STREAM)
        return error_set(err, STATUS_USAGE, "programs are for stream sockets");
    run.programs = (struct programs){.session = session,
                                     .children = &run.children,
                                     .argv = argv,
                                     .left = program_left};
    if (children_init(&run.children, session->loop, err))
        return -1;
    int result = programs_init(&run.programs, err);
    if (result == 0)
        result = serve(&run, connection);
    programs_release(&run.programs);
    children_release(&run.children);
    return result;
}
