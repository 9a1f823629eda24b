/*
 * sockctl connect: stdin goes to the socket, the socket to stdout.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/report.h"
#include "cmd/common/connect_retry.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/limit.h"
#include "cmd/common/options.h"
#include "cmd/common/session.h"
#include "cmd/common/signals.h"
#include "cmd/connect/connect_program.h"
#include "cmd/connect/dialog.h"
#include "cmd/connect/probe.h"
#include "cmd/serve/programs.h"
#include "command.h"
#include "sys/process.h"
#include "sys/sock.h"
#include "sys/unblocked.h"

struct connect_options {
    struct family_options family;
    struct protocol_options protocol;
    struct limit_options limits;
    struct sockopt sockopt;
    struct transfer_options transfer;
    const char *source;
    const char *source_port;
    struct program_options program;
    struct connect_retry_options reach;
    struct probe_options probe;
    struct script script;
    bool log_json;
    bool pass_fd;
};

static const struct opt options[] = {
    FAMILY_ROWS(struct connect_options, family),
    PROTOCOL_ROWS(struct connect_options, protocol),
    OPT('s', "source", host, struct connect_options, source, "local address, or UNIX path"),
    OPT('p', "source-port", port, struct connect_options, source_port, "local port"),
    PROGRAM_ROWS(struct connect_options, program, "the program to wire to the socket"),
    CONNECT_RETRY_ROWS(struct connect_options, reach),
    PROBE_ROWS(struct connect_options, probe),
    SCRIPT_ROWS(struct connect_options, script),
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
                                                .transfer = TRANSFER_DEFAULTS,
                                                .reach = CONNECT_RETRY_DEFAULTS,
                                                .probe = PROBE_DEFAULTS};

static void report_connection(const struct connection *connection)
{
    char peer[SOCKNAME_TEXT_MAX], local[SOCKNAME_TEXT_MAX];
    report_connected(sockname_text(&connection->peer, peer),
                     sockname_text(&connection->local, local));
}

static int transfer(const struct session *session, const struct connect_options *given,
                    const struct connection *connection, struct error *err)
{
    report_connection(connection);
    if (connection->socktype == SOCK_STREAM)
        return session_stream(session, session_socket(connection), &connection->peer, err);
    const struct datagram_policy policy = {
        .peer = connection->is_group ? DATAGRAM_GROUP : DATAGRAM_CONNECTED,
        .group = &connection->peer,
        .max_bytes = connection->peer.storage.ss_family == AF_UNIX ? DATAGRAM_MAX
                                                                   : DATAGRAM_UDP_MAX,
        .has_end = connection->socktype == SOCK_SEQPACKET,
        .inherited = connection->inherited,
        .first_ms = -1,
        .senders = sock_any_sender,
    };
    if (opt_check_mode(&connect_command, given, MODE_MESSAGES, MODE_MESSAGES_WHY, err))
        return -1;
    return session_datagrams(session, &connection->fd, 1, &policy, err);
}

/* Without anything to do after it, a signal ends the command by itself. */
static bool catches_signals(const struct connect_options *given, const struct address *address)
{
    bool has_file = given->source && address->kind == ADDRESS_UNIX; /* to be removed */
    return has_file || program_is_given(&given->program) || connection_log_is_wanted() ||
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
static int pass(struct loop *loop, int fd, struct error *err)
{
    int flags = fcntl(fd, F_GETFL);
    bool can_be = flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
    while (can_be && sock_send_descriptor(STDOUT_FILENO, fd) != 1) {
        can_be = errno == EAGAIN;
        if (can_be && unblocked_await(loop, STDOUT_FILENO, EPOLLOUT))
            return -1;
    }
    if (can_be)
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
    struct ports ports; /* of --probe */
    struct proxy proxy;
    bool has_proxy;
    char **arguments; /* of the program; NULL: none */
    struct dial_options dial;
    struct loop *loop;
    struct error *err;
};

static int follow_script(const struct session *session, const struct connecting *connecting,
                         const struct connection *connection)
{
    report_connection(connection);
    return dialog_run(session, &connecting->given->script, connection, connecting->err);
}

static int serve(const struct session *session, const struct connecting *connecting,
                 struct connection *connection)
{
    const struct connect_options *given = connecting->given;
    if (program_is_given(&given->program))
        return run_program(session, given, connecting->arguments, connection, connecting->err);
    if (given->script.count)
        return follow_script(session, connecting, connection);
    return given->pass_fd ? pass(connecting->loop, connection->fd, connecting->err)
                          : transfer(session, given, connection, connecting->err);
}

static int dial_and_transfer(struct connecting *connecting)
{
    const struct connect_options *given = connecting->given;
    struct error *err = connecting->err;
    struct filters filters;
    const struct session session = {.loop = connecting->loop,
                                    .transfer = &given->transfer,
                                    .limits = &given->limits,
                                    .keepalive_ms = given->sockopt.keepalive_ms,
                                    .filters = &filters,
                                    .proxied = connecting->has_proxy};
    const struct connect_retry whom = {.address = &connecting->address,
                                       .proxy = connecting->has_proxy ? &connecting->proxy : NULL,
                                       .options = &given->reach,
                                       .dial = &connecting->dial,
                                       .idle_ms = given->limits.idle_ms};
    struct connection connection;
    struct signals signals;
    if (catches_signals(given, &connecting->address))
        signals_catch(&signals, connecting->loop, err);
    int result = filters_open(&filters, connecting->loop, &given->transfer, err);
    if (result == 0)
        result = connect_with_retry(connecting->loop, &whom, &connection, err);
    if (result == 0) {
        result = serve(&session, connecting, &connection);
        connection_close(&connection);
    }
    return filters_close(&filters, result, false, err);
}

static int probe_ports(struct connecting *connecting)
{
    const struct probing probing = {.options = &connecting->given->probe,
                                    .reach = &connecting->given->reach,
                                    .dial = &connecting->dial,
                                    .address = &connecting->address,
                                    .ports = &connecting->ports,
                                    .is_quiet = connecting->arguments != NULL,
                                    .is_detailed = log_setting.verbosity >= LOG_LEVEL_INFO};
    return probe(connecting->loop, &probing, connecting->err);
}

/* Options */

static int check(const struct connect_options *given, const struct operands *operands,
                 struct error *err)
{
    bool has_program = program_is_given(&given->program);
    bool has_script = given->script.count > 0;
    if (has_program + has_script + given->pass_fd + given->probe.probe > 1)
        return error_set(err, STATUS_USAGE,
                         "--exec, --send, --pass-fd and --probe are different things to do");
    if (given->probe.probe)
        return 0;
    if (has_script && opt_check_mode(&connect_command, given, MODE_SCRIPT,
                                     " makes no sense with --send and --expect", err))
        return -1;
    if (script_check(&given->script, err) || program_check(&given->program, operands->program, err))
        return -1;
    return has_program
               ? opt_check_mode(&connect_command, given, MODE_PROGRAM, MODE_PROGRAM_WHY, err)
               : 0;
}

static int read_address(struct connecting *connecting, const struct operands *operands)
{
    const struct connect_options *given = connecting->given;
    const struct address_use use = {.udp = given->protocol.udp,
                                    .unix_socket = given->protocol.unix_socket,
                                    .family = given->family.family};
    const char *words[] = {operands->words[0], operands->words[1]};
    char word[PROBE_WORD_MAX];
    if (given->probe.probe &&
        probe_take_list(words, operands->count, word, &connecting->ports, connecting->err))
        return -1;
    if (address_parse(&connecting->address, words, operands->count, &use, connecting->err))
        return -1;
    int found = connect_retry_check(connecting->loop, &given->reach, &connecting->address,
                                    &connecting->proxy, connecting->err);
    connecting->has_proxy = found > 0;
    if (found > 0 && given->probe.probe)
        return error_set(connecting->err, STATUS_USAGE, "--probe does not go through a proxy");
    return found < 0 ? -1 : 0;
}

static int reach_and_serve(struct connecting *connecting, const struct operands *operands)
{
    const struct connect_options *given = connecting->given;
    struct limit limit;
    connecting->loop = loop_new();
    limit_command(&limit, connecting->loop, given->limits.max_time_ms, connecting->err);
    int result = read_address(connecting, operands);
    if (result == 0 && given->pass_fd)
        result = check_channel(connecting->err);
    if (result == 0)
        result = given->probe.probe ? probe_ports(connecting) : dial_and_transfer(connecting);
    limit_cancel(&limit);
    loop_free(connecting->loop);
    return result;
}

/* Only stdin and stdout know what to do with a socket that is not connected. */
static bool is_transfer(const struct connect_options *given)
{
    return !program_is_given(&given->program) && !given->script.count && !given->pass_fd &&
           !given->probe.probe;
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct connect_options *given = chosen;
    struct connecting connecting = {.given = given,
                                    .arguments = operands->program,
                                    .dial = {.numeric = given->family.numeric,
                                             .timeout_ms = given->limits.timeout_ms,
                                             .source = given->source,
                                             .source_port = given->source_port,
                                             .sockopt = &given->sockopt,
                                             .hears_anybody = is_transfer(given)},
                                    .err = err};
    if (given->log_json)
        report_as_objects();
    int result = check(given, operands, err);
    if (result == 0)
        result = reach_and_serve(&connecting, operands);
    proxy_release(&connecting.proxy);
    free(connecting.ports.numbers);
    if (result == 0 && given->probe.probe && operands->program)
        result = program_replace(operands->program, err);
    return result;
}

const struct command connect_command = {
    .name = "connect",
    .operands = "ADDRESS",
    .summary = "Connect to an address; stdin goes to the socket, the socket to stdout",
    .takes_program = true,
    .min_operands = 1,
    .max_operands = 2,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
