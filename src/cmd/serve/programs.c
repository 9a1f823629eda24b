/*
 * See programs.h. A client is a relay between its socket and the pipes of its program, and that program; it is gone
 * when both are over, in whichever order:
 *
 *     the relay first    client_disconnect; a program that outlives a lost connection by a second gets SIGTERM
 *     the program first  the relay goes on until what was written is delivered
 *
 * With the command's end (programs_end) all programs get SIGTERM, and the relays go on for as long as those may take;
 * then how a program ended says whether its connection ends in order or by a reset.
 */
#include "cmd/serve/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/serve/environment.h"
#include "stream/relay.h"
#include "sys/descriptors.h"
#include "sys/sock.h"

enum {
    GRACE_MS = 1000, /* of a program that has lost its connection */
    END_MS = 800     /* of one that is to end with the command */
};

struct program_client {
    struct programs *programs;
    struct list_node node;
    struct relay relay;
    struct program program;
    struct filters filters; /* those of the session, with a state of their own */
    struct connection_log log;
    struct timer grace;
    bool was_signalled; /* it has got SIGTERM, its connection being over */
    bool waits;    /* its relay is over; how its program ends says whether that had written all */
    bool is_proxy; /* see struct admitted_client */
};

/* The options */

bool program_is_given(const struct program_options *options)
{
    return options->exec || options->shell;
}

int program_check(const struct program_options *options, char **arguments, struct error *err)
{
    if (arguments && !options->exec)
        return error_set(err, STATUS_USAGE, "what follows -- is for --exec, which is not given");
    if (options->exec && options->shell)
        return error_set(err, STATUS_USAGE, "options --exec and --sh-exec exclude each other");
    if (!options->exec || program_look_up(options->exec, err) == 0)
        return 0;
    const size_t length = strcspn(options->exec, " ");
    const char *rest = options->exec + length;
    if (err->status == STATUS_NOT_FOUND && length && *rest && !arguments)
        error_add(err, " (arguments go after --: -e %.*s ... --%s; or use -c)", (int)length,
                  options->exec, rest);
    return -1;
}

const char **program_words(const struct program_options *options, char **arguments)
{
    size_t count = 0;
    while (arguments && arguments[count])
        count++;
    const char **words = memory_new(count + 4, sizeof *words);
    if (options->exec) {
        words[0] = options->exec;
        if (count)
            memcpy(words + 1, arguments, count * sizeof *words);
        return words;
    }
    words[0] = "/bin/sh";
    words[1] = "-c";
    words[2] = options->shell;
    return words;
}

/* The end of one */

/* Returns how the connection has ended, if it failed, under the program's status, if that is not 0. */
static int client_result(const struct program_client *client, struct error *err)
{
    const struct program *program = &client->program;
    const int signal_number = WIFSIGNALED(program->end) ? WTERMSIG(program->end) : 0;
    int result = client->relay.result;
    error_restore(&client->relay.failure, err);
    /* Where a limit has ended the connection, and we the program, the limit is what there is to say. */
    const bool was_dismissed = client->was_signalled && result < 0 &&
                               err->status == STATUS_TIMEOUT && signal_number == SIGTERM;
    const int status = was_dismissed ? 0 : program_status(program);
    /* A health check that closes without a byte, by a reset at that, has found what it looked for. */
    if (client->is_proxy && result < 0 && err->status == STATUS_TRANSFER &&
        !client->relay.rx.pump.taken) {
        log_note(LOG_LEVEL_INFO, "%s", err->text);
        error_silent(err, 0);
        result = 0;
    }
    if (result < 0)
        filters_error(&client->filters, err);
    if (result == 0 && signal_number && signal_number != SIGPIPE)
        error_set(err, status, "%s: %s was ended by signal %d (%s)", client->log.peer,
                  client->programs->argv[0], signal_number, strsignal(signal_number));
    if (status)
        err->status = status;
    return status ? -1 : result;
}

/* Forgets a client whose relay and program are both over. */
static void client_depart(struct program_client *client)
{
    struct programs *programs = client->programs;
    struct error error;
    int result = client_result(client, &error);
    loop_timer_cancel(programs->session->loop, &client->grace);
    filters_leave(&client->filters);
    error_forget(&client->relay.failure);
    list_remove(&programs->clients, &client->node);
    if (!programs->ending)
        programs->left(programs, result, &error);
    else if (!programs->clients.count && programs->awaited)
        loop_stop(programs->session->loop, 0);
    free(client);
}

static void client_grace_timeout(struct timer *timer)
{
    struct program_client *client = LOOP_OWNER(timer, struct program_client, grace);
    client->was_signalled = true;
    program_signal(&client->program, SIGTERM);
}

static void client_disconnect(struct program_client *client)
{
    struct relay *relay = &client->relay;
    const struct program *program = &client->program;
    struct fd socket = relay->remote.in;
    /* Has the peer got less than the program had to say? One that was killed had more. */
    const bool killed = !program->id && WIFSIGNALED(program->end) &&
                        WTERMSIG(program->end) != SIGPIPE;
    const bool is_cut = (relay->result < 0 || client->programs->ending) &&
                        (killed || relay_has_cut(relay));
    struct error err;
    error_restore(&relay->failure, &err);
    client->waits = false;
    if (relay->result == 0 && relay->shut && relay->remote_ended)
        session_log_silence(client->programs->session, client->log.peer, relay->rx.pump.taken);
    connection_log_close(&client->log,
                         (struct report_end){.in = relay->rx.pump.taken,
                                             .out = relay->tx.pump.moved,
                                             .how = connection_log_how(relay->result, &err)});
    if (is_cut) {
        sock_abort(socket.fd);
    } else {
        char buffer[4096];
        /* What was received and is of no use is taken, or closing would be a reset, which may destroy what
         * was sent (RFC 2525, 2.17). */
        for (int round = 0; relay->result == 0 && round < 256; round++)
            if (sock_recv(socket.fd, buffer, sizeof buffer) <= 0)
                break;
        sock_close(socket.fd);
    }
    fd_close(&client->program.in);
    fd_close(&client->program.out);
}

/* Ends the connection of a client. A program that writes to it gets SIGPIPE; one that does not, SIGTERM a
 * second later. */
static void client_relay_ended(struct relay *relay)
{
    struct program_client *client = LOOP_OWNER(relay, struct program_client, relay);
    bool lost = relay->result < 0 || relay->tx.pump.state != PUMP_ENDED;
    if (client->programs->ending && client->program.id) {
        client->waits = true;
        fd_close(&client->program.in);
        fd_close(&client->program.out);
        return;
    }
    client_disconnect(client);
    if (!client->program.id)
        client_depart(client);
    else if (lost)
        loop_timer_set(client->programs->session->loop, &client->grace, GRACE_MS);
}

/* Goes on without the program: what it wrote may still be on the way, and what it has started may write more. */
static void client_program_ended(struct program *program)
{
    struct program_client *client = LOOP_OWNER(program, struct program_client, program);
    log_note(LOG_LEVEL_INFO, "%s: %s ended with status %d", client->log.peer,
             client->programs->argv[0], program_status(program));
    if (client->waits)
        client_disconnect(client);
    /* What a program has read and written by itself is not counted. */
    if (client->programs->inetd && report_is_objects())
        connection_log_close(&client->log, (struct report_end){.how = REPORT_EOF});
    if (client->relay.finished)
        client_depart(client);
    else
        relay_local_gone(&client->relay);
}

static int client_end_input(struct relay *relay)
{
    fd_close(&LOOP_OWNER(relay, struct program_client, relay)->program.in);
    return 0;
}

/* The start of one */

int program_start_for_client(struct children *children, struct program *program,
                             const struct program_spec *spec, const struct admitted_client *client,
                             struct error *err)
{
    struct environment environment;
    struct program_spec described = *spec;
    environment_init(&environment);
    environment_describe(&environment, client->fd, client->peer, &client->destination);
    described.env = (const char *const *)environment.list;
    int result = program_start(children, program, &described, err);
    environment_release(&environment);
    return result;
}

static void client_start_relay(struct program_client *client, const struct session *session,
                               struct fd socket)
{
    struct relay *relay = &client->relay;
    const char *name = client->programs->argv[0];
    relay->local = (struct relay_side){.in = fd_of_pipe(client->program.out),
                                       .out = fd_of_pipe(client->program.in),
                                       .in_name = name,
                                       .out_name = name,
                                       .status = STATUS_LOCAL_IO};
    relay->remote = (struct relay_side){.in = socket,
                                        .out = socket,
                                        .in_name = client->log.peer,
                                        .out_name = client->log.peer,
                                        .status = STATUS_TRANSFER};
    relay->policy = session_policy(session);
    relay->policy.silence_ms = session->transfer->exit_on_eof ? 0 : -1;
    relay->policy.sink = &client->programs->sink;
    relay->local_ended = client_end_input;
    relay->done = client_relay_ended;
    relay_start(relay, session->loop, &client->programs->pool);
}

int programs_serve(struct programs *programs, struct fd socket,
                   const struct admitted_client *admitted, struct error *err)
{
    const bool inetd = programs->inetd;
    const struct program_spec spec = {.argv = programs->argv,
                                      .wired = !inetd,
                                      .grouped = true,
                                      .socket = inetd ? socket.fd : 0};
    struct session session = *programs->session;
    struct admitted_client known = *admitted;
    struct program_client *client = memory_new(1, sizeof *client);
    known.fd = socket.fd;
    client->programs = programs;
    client->is_proxy = admitted->is_proxy;
    client->log.stats = session.transfer->stats;
    client->grace = (struct timer){.fired = client_grace_timeout};
    client->program.ended = client_program_ended;
    filters_copy(&client->filters, session.filters);
    session.filters = &client->filters;
    if (session.serving)
        connection_log_accept(&client->log, socket.fd, admitted->peer);
    else
        connection_log_open(&client->log, socket.fd, admitted->peer);
    /* Programs expect a socket that blocks, as inetd(8) and tcpserver(1) have it. */
    if (inetd)
        sock_set_blocking(socket.fd);
    if (session_greet(&session, socket.fd, admitted->peer, err) ||
        program_start_for_client(programs->children, &client->program, &spec, &known, err)) {
        connection_log_close(&client->log, (struct report_end){.how = REPORT_ERROR});
        sock_abort(socket.fd); /* an end would say that there was nothing to say */
        free(client);
        return -1;
    }
    list_append(&programs->clients, &client->node);
    if (!inetd) {
        client_start_relay(client, &session, socket);
        return 0;
    }
    client->relay.finished = true;
    client->log.fd = -1;
    sock_close(socket.fd); /* the program's is the only one now: its end is the connection's */
    return 0;
}

/* All of them */

int programs_init(struct programs *programs, struct error *err)
{
    programs->sink = (struct fd){open("/dev/null", O_WRONLY | O_CLOEXEC), FD_NULL, true};
    if (programs->sink.fd < 0)
        return error_system(err, STATUS_LOCAL_IO, errno, "open /dev/null");
    descriptors_close_on_exec();
    return 0;
}

void programs_end(struct programs *programs)
{
    programs->ending = true;
    LIST_EACH (struct program_client, client, &programs->clients, node) {
        client->relay.policy.no_shutdown = true; /* the end of a program that is killed is none */
        program_signal(&client->program, SIGTERM);
    }
    programs->awaited = true;
    if (programs->clients.count)
        loop_await(programs->session->loop, END_MS, NULL);
    programs->awaited = false;
    LIST_EACH (struct program_client, client, &programs->clients, node) {
        program_kill(&client->program); /* whatever it still does */
        if (!client->relay.finished)
            relay_release(&client->relay);
        if (!client->relay.finished || client->waits)
            client_disconnect(client);
        client_depart(client);
    }
}

void programs_release(struct programs *programs)
{
    pump_pool_release(&programs->pool);
    if (programs->sink.fd >= 0)
        close(programs->sink.fd);
    programs->sink.fd = -1;
}
