/*
 * sockctl connect: stdin goes to the socket, the socket to stdout.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/report.h"
#include "cmd/account.h"
#include "cmd/connect_program.h"
#include "cmd/interrupt.h"
#include "cmd/limit.h"
#include "cmd/programs.h"
#include "cmd/session.h"
#include "cmd/shared.h"
#include "command.h"
#include "net/dial.h"
#include "net/sock.h"

struct connect_options {
    struct family_options family;
    struct protocol_options protocol;
    struct limit_options limits;
    struct sockopt sockopt;
    struct transfer_options transfer;
    const char *source;
    const char *source_port;
    struct program_options program;
    bool log_json;
    bool pass_fd;
};

static const struct opt options[] = {
    FAMILY_ROWS(struct connect_options, family),
    PROTOCOL_ROWS(struct connect_options, protocol),
    OPT('s', "source", host, struct connect_options, source, "local address, or UNIX path"),
    OPT('p', "source-port", port, struct connect_options, source_port, "local port"),
    PROGRAM_ROWS(struct connect_options, program),
    LIMIT_ROWS(struct connect_options, limits, "limit for connecting, all addresses together"),
    SOCKET_ROWS(struct connect_options, sockopt),
    TRANSFER_ROWS(struct connect_options, transfer),
    LOG_ROWS(struct connect_options, log_json),
    OPT('F', "pass-fd", flag, struct connect_options, pass_fd,
        "connect, pass the descriptor over stdout, and be done"),
    OPT_END,
};

static const struct connect_options defaults = {.family = FAMILY_DEFAULTS,
                                                .limits = LIMIT_DEFAULTS,
                                                .sockopt = SOCKOPT_DEFAULTS,
                                                .transfer = TRANSFER_DEFAULTS};

static struct end end_of_connection(const struct connection *connection)
{
    return connection->inherited ? end_of(connection->fd) : end_of_socket(connection->fd);
}

static void report_connection(const struct connection *connection)
{
    char peer[SOCKNAME_TEXT_MAX], local[SOCKNAME_TEXT_MAX];
    report_connected(sockname_text(&connection->peer, peer),
                     sockname_text(&connection->local, local));
}

static int transfer(const struct session *session, const struct connection *connection,
                    struct error *err)
{
    report_connection(connection);
    if (connection->socktype == SOCK_STREAM)
        return session_stream(session, end_of_connection(connection), &connection->peer, err);
    const struct datagram_policy policy = {
        .peer = DATAGRAM_CONNECTED,
        .most = connection->peer.storage.ss_family == AF_UNIX ? DATAGRAM_MOST : DATAGRAM_UDP_MOST,
        .has_end = connection->socktype == SOCK_SEQPACKET,
        .inherited = connection->inherited,
        .first_ms = -1,
    };
    return session_datagrams(session, &connection->fd, 1, &policy, err);
}

/* Without anything to do after it, a signal ends the command by itself. */
static bool catches_signals(const struct connect_options *given, const struct address *address)
{
    bool has_file = given->source && address->kind == ADDRESS_UNIX; /* to be removed */
    return has_file || program_is_given(&given->program) || account_is_wanted() ||
           given->transfer.stats || given->transfer.progress;
}

/* -F */

static int check_channel(struct error *err)
{
    struct sockname name;
    if (sock_name(STDOUT_FILENO, &name) == 0 && name.storage.ss_family == AF_UNIX)
        return 0;
    return error_set(err, STATUS_LOCAL_IO,
                     "stdout is not a UNIX socket: no descriptor can be passed over it");
}

/* Whoever gets it did not ask for a socket that does not block. */
static int pass(int fd, struct error *err)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
        sock_send_descriptor(STDOUT_FILENO, fd) == 1)
        return 0;
    return error_system(err, STATUS_LOCAL_IO, errno, "pass the descriptor over stdout");
}

/* -e, -c */

static int run_program(const struct session *session, const struct connect_options *given,
                       char **arguments, struct connection *connection, struct error *err)
{
    const char **argv = program_words(&given->program, arguments);
    report_connection(connection);
    int result = connect_program(session, argv, connection, err);
    free(argv);
    return result;
}

/* One run of the command. */
struct connecting {
    const struct connect_options *given;
    struct address address;
    char **arguments; /* of the program; NULL: none */
};

static int serve(const struct session *session, const struct connecting *connecting,
                 struct connection *connection, struct error *err)
{
    const struct connect_options *given = connecting->given;
    if (program_is_given(&given->program))
        return run_program(session, given, connecting->arguments, connection, err);
    return given->pass_fd ? pass(connection->fd, err) : transfer(session, connection, err);
}

static int dial_and_transfer(const struct connecting *connecting, struct loop *loop,
                             struct error *err)
{
    const struct connect_options *given = connecting->given;
    struct filters filters;
    const struct session session = {.loop = loop,
                                    .transfer = &given->transfer,
                                    .limits = &given->limits,
                                    .filters = &filters};
    const struct dial_options how = {
        .numeric = given->family.numeric,
        .timeout_ms = given->limits.timeout_ms,
        .source = given->source,
        .source_port = given->source_port,
        .sockopt = &given->sockopt,
    };
    struct connection connection;
    struct interrupt interrupt;
    if (catches_signals(given, &connecting->address))
        interrupt_catch(&interrupt, loop, err);
    int result = filters_open(&filters, &given->transfer, err);
    if (result == 0)
        result = dial(loop, &connecting->address, &how, &connection, err);
    if (result == 0) {
        result = serve(&session, connecting, &connection, err);
        connection_close(&connection);
    }
    return filters_close(&filters, result, err);
}

static int check(const struct connect_options *given, const struct operands *operands,
                 struct error *err)
{
    if (program_is_given(&given->program) && given->pass_fd)
        return error_set(err, STATUS_USAGE, "option --pass-fd makes no sense with a program");
    return program_check(&given->program, operands->program, &given->transfer, err);
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct connect_options *given = chosen;
    const struct address_use use = {.udp = given->protocol.udp,
                                    .unix_socket = given->protocol.unix_socket,
                                    .family = given->family.family};
    struct connecting connecting = {.given = given, .arguments = operands->program};
    if (given->log_json)
        report_as_objects();
    if (check(given, operands, err))
        return -1;
    if (address_parse(&connecting.address, operands->words, operands->count, &use, err))
        return -1;
    if (given->pass_fd && check_channel(err))
        return -1;
    struct loop *loop = loop_new();
    struct limit limit;
    limit_command(&limit, loop, given->limits.max_time_ms, err);
    int result = dial_and_transfer(&connecting, loop, err);
    limit_cancel(&limit);
    loop_free(loop);
    return result;
}

const struct command connect_command = {
    .name = "connect",
    .operands = "ADDRESS [-- ARGS]",
    .summary = "Connect to an address; stdin goes to the socket, the socket to stdout",
    .takes_program = true,
    .min_operands = 1,
    .max_operands = 2,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
