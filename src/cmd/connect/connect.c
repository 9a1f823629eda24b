/*
 * sockctl connect: stdin goes to the socket, the socket to stdout. `run` checks what was asked for, and reads the address
 * (connect_prepare); then the ports are probed (probe.h), or a connection is made (connect_and_serve) and something is done
 * with it (connect_serve): it is joined to stdin and stdout (cmd/common/session.h) or to a program (cmd/serve/programs.h),
 * a dialog is held over it (dialog.h), or it is passed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/explain.h"
#include "cli/report.h"
#include "cmd/common/connect_retry.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/limit.h"
#include "cmd/common/modes.h"
#include "cmd/common/options.h"
#include "cmd/common/session.h"
#include "cmd/connect/dialog.h"
#include "cmd/connect/probe.h"
#include "cmd/serve/programs.h"
#include "command.h"
#include "net/hostname.h"
#include "net/resolver.h"
#include "proto/url.h"
#include "sys/process.h"
#include "sys/sandbox.h"
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
    struct connect_retry_options retry;
    struct via_options via;
    int send_proxy; /* the version; 0: none */
    struct probe_options probe;
    struct script script;
    bool log_json;
    bool explain;
    bool pass_fd;
};

static const struct opt options[] = {
    GROUP_ADDRESS,
    FAMILY_ROWS(struct connect_options, family),
    PROTOCOL_ROWS(struct connect_options, protocol),
    OPT_FOR('s', "source", host, struct connect_options, source, MODE_OWN_SOCKET(MODE_KINDS),
            "local address, or UNIX path"),
    OPT_FOR('p', "source-port", port, struct connect_options, source_port,
            MODE_OWN_SOCKET(MODE_KINDS), "local port"),
    LIMIT_ROWS(struct connect_options, limits, ~(MODE_PROBE | MODE_INETD),
               "limit for connecting, all addresses together"),
    CONNECT_RETRY_ROWS(struct connect_options, retry),
    OPT('F', "pass-fd", flag, struct connect_options, pass_fd,
        "connect, pass the socket over stdout, and exit"),
    OPT_GROUP("tunnel", "Tunnels and TLS"),
    VIA_ROWS(struct connect_options, via, VIA_MODES),
    OPT_FOR(0, "tls", flag, struct connect_options, via.tls, VIA_MODES,
            "TLS, by openssl(1); the certificate is checked"),
    TLS_ROWS(struct connect_options, via, VIA_MODES),
    GROUP_PROXY,
    SEND_PROXY_ROW(struct connect_options, send_proxy,
                   MODE_ONLY_KINDS(MODE_STREAMS) & ~(MODE_PROBE | MODE_TLS)),
    PROBE_ROWS(struct connect_options, probe),
    SCRIPT_ROWS(struct connect_options, script),
    PROGRAM_ROWS(struct connect_options, program, "the program to wire to the socket"),
    INETD_ROW(struct connect_options, program),
    TRANSFER_ROWS(struct connect_options, transfer),
    RAW_ROWS(struct connect_options, sockopt.ip_header),
    SOCKET_ROWS(struct connect_options, sockopt),
    EXPLAIN_ROW(struct connect_options, explain),
    LOG_ROWS(struct connect_options, log_json),
    OPT_END,
};

static const struct connect_options defaults = {.family = FAMILY_DEFAULTS,
                                                .limits = LIMIT_DEFAULTS,
                                                .sockopt = SOCKOPT_DEFAULTS,
                                                .transfer = TRANSFER_DEFAULTS,
                                                .retry = CONNECT_RETRY_DEFAULTS};

/* One run of the command. */
struct connecting {
    const struct connect_options *given;
    struct address address;
    struct probe_target *targets; /* of --probe; `address` is the first one's */
    size_t target_count;
    struct proxy proxy;
    bool has_proxy;
    bool has_via;
    bool no_sandbox;
    struct via via;
    struct children children; /* of the via, and the program */
    char **arguments;         /* of the program; NULL: none */
    struct dial_options dial;
    struct loop *loop;
    struct error *err;
};

static void connect_report(const struct connection *connection)
{
    char peer[SOCKNAME_TEXT_MAX], local[SOCKNAME_TEXT_MAX];
    report_connected(sockname_text(&connection->peer, peer),
                     sockname_text(&connection->local, local));
}

/* stdin and stdout */

static int connect_transfer(const struct session *stdio, struct connecting *connecting,
                            struct connection *connection)
{
    const bool ip_header = connecting->given->sockopt.ip_header;
    struct error *err = connecting->err;
    const struct session_name name = {&connecting->address, &connecting->dial, connection};
    struct session own = *stdio;
    const struct session *session = &own;
    /* A name may have another address for datagrams that the first one refuses. */
    own.name = !connection->is_group && resolver_has_name(&connecting->address) ? &name : NULL;
    connect_report(connection);
    if (connection->socktype == SOCK_STREAM)
        return session_stream(session, session_socket(connection), &connection->peer, err);
    const struct datagram_policy policy = {
        .peer = connection->is_group ? DATAGRAM_GROUP : DATAGRAM_CONNECTED,
        .group = &connection->peer,
        .max_bytes = datagram_max(&connection->peer, ip_header),
        .protocol = connection->peer.protocol,
        .ip_header = ip_header,
        .has_end = connection->socktype == SOCK_SEQPACKET,
        .inherited = connection->inherited,
        .first_ms = -1,
        .senders = sock_any_sender,
    };
    return session_datagrams(session, &connection->fd, 1, &policy, err);
}

/* -F */

/* Whoever gets it did not ask for a socket that does not block. */
static int connect_pass_fd(struct loop *loop, int fd, struct error *err)
{
    bool can_be = sock_set_blocking(fd) == 0;
    while (can_be && sock_send_with(STDOUT_FILENO, "", 1, fd) != 1) {
        can_be = errno == EAGAIN;
        if (can_be && unblocked_await(loop, STDOUT_FILENO, EPOLLOUT))
            return -1;
    }
    if (can_be)
        return 0;
    return error_system(err, STATUS_LOCAL_IO, errno, "pass the descriptor over stdout");
}

/* -e, -c: one client of cmd/serve/programs, which is the connection. */

struct connected_program {
    struct programs programs;
    struct error *err;
};

static void connected_program_left(struct programs *programs, int result, const struct error *err)
{
    if (result < 0)
        *LOOP_OWNER(programs, struct connected_program, programs)->err = *err;
    loop_stop(programs->session->loop, result);
}

/* Runs the program until it and the connection, which is closed, are over. */
static int connect_run_program(const struct session *session, struct connecting *connecting,
                               struct connection *connection)
{
    const char **argv = program_words(&connecting->given->program, connecting->arguments);
    struct error *err = connecting->err;
    struct connected_program joined = {.err = err};
    joined.programs = (struct programs){.session = session,
                                        .children = &connecting->children,
                                        .argv = argv,
                                        .inetd = connecting->given->program.inetd,
                                        .left = connected_program_left};
    connect_report(connection);
    int result = children_init(&connecting->children, session->loop, err);
    if (result == 0) {
        result = programs_init(&joined.programs, err);
        if (result == 0) {
            struct fd socket = session_socket(connection);
            connection->fd = -1; /* from here on it is not ours to close */
            const struct admitted_client client = {.fd = socket.fd, .peer = &connection->peer};
            result = programs_serve(&joined.programs, socket, &client, err);
        }
        if (result == 0) {
            sandbox_enter(session->sandbox);
            result = loop_run(session->loop);
            programs_end(&joined.programs);
        }
        programs_release(&joined.programs);
    }
    free(argv);
    return result;
}

/* The connection */

static int connect_serve(const struct session *session, struct connecting *connecting,
                         struct connection *connection)
{
    const struct connect_options *given = connecting->given;
    if (program_is_given(&given->program))
        return connect_run_program(session, connecting, connection);
    if (given->script.count) {
        connect_report(connection);
        return dialog_run(session, &given->script, connection, connecting->err);
    }
    if (!given->pass_fd)
        return connect_transfer(session, connecting, connection);
    sandbox_enter(session->sandbox);
    return connect_pass_fd(connecting->loop, connection->fd, connecting->err);
}

/* Checks the options, over this kind of socket. */
static int connect_check_modes(const struct connecting *connecting, unsigned kind)
{
    const struct connect_options *given = connecting->given;
    const unsigned way = program_is_given(&given->program) ? MODE_PROGRAM
                         : given->script.count             ? MODE_SCRIPT
                         : given->pass_fd                  ? MODE_PASS
                         : given->probe.probe              ? MODE_PROBE
                                                           : MODE_STDIO;
    const unsigned holders = (given->program.inetd ? MODE_INETD : 0) |
                             (given->via.command ? MODE_VIA : 0) | (given->via.tls ? MODE_TLS : 0);
    return modes_check(&connect_command, given, way | kind | holders, connecting->err);
}

/* What a connection goes on needing, once its program, if there is one, is started. */
static void connect_prepare_sandbox(const struct connecting *connecting, struct sandbox *sandbox,
                                    const struct connection *connection)
{
    unsigned needs = 0;
    if (connecting->no_sandbox)
        return;
    /* What was started before is not bound. */
    if (connecting->has_via || program_is_given(&connecting->given->program))
        needs |= SANDBOX_CHILDREN;
    if (connection->peer.storage.ss_family == AF_INET6)
        needs |= SANDBOX_ZONES;
    if (connection->socktype == SOCK_DGRAM)
        needs |= SANDBOX_DATAGRAMS;
    /* Where an address of a name refuses the first datagrams, there may be another. */
    if (connection->socktype == SOCK_DGRAM && !connection->is_group &&
        resolver_has_name(&connecting->address))
        needs |= SANDBOX_SOCKETS | SANDBOX_LOOKUP;
    sandbox_init(sandbox, needs);
    if (connection->file.path)
        sandbox_allow(sandbox, SANDBOX_REMOVE, connection->file.path);
}

static int connect_and_serve(struct connecting *connecting)
{
    const struct connect_options *given = connecting->given;
    struct error *err = connecting->err;
    struct filters filters;
    uint64_t received = 0;
    struct sandbox sandbox = {0};
    const struct session session = {.loop = connecting->loop,
                                    .sandbox = &sandbox,
                                    .transfer = &given->transfer,
                                    .limits = &given->limits,
                                    .keepalive_ms = given->sockopt.keepalive_ms,
                                    .filters = &filters,
                                    .proxied = connecting->has_proxy || connecting->has_via,
                                    .received = &received};
    const struct connect_retry whom = {.address = &connecting->address,
                                       .proxy = connecting->has_proxy && !connecting->has_via
                                                    ? &connecting->proxy
                                                    : NULL,
                                       .options = &given->retry,
                                       .dial = &connecting->dial,
                                       .idle_ms = given->limits.idle_ms};
    struct connection connection;
    struct signals signals;
    /* Without anything to do after it, a signal ends the command by itself. */
    bool has_file = given->source && connecting->address.kind == ADDRESS_UNIX; /* to be removed */
    if (has_file || connecting->has_via || program_is_given(&given->program) ||
        connection_log_is_wanted() || given->transfer.stats || given->transfer.progress)
        signals_catch(&signals, connecting->loop, err);
    const struct send_proxy send_proxy = {.version = given->send_proxy,
                                          .target = connecting->has_proxy ? &connecting->address
                                                                          : NULL,
                                          .filters = &filters};
    int result = filters_open(&filters, connecting->loop, &given->transfer, false, err);
    if (result == 0)
        result = connect_with_retry(connecting->loop, &whom, &connection, err);
    if (result == 0) {
        proxy_release(&connecting->proxy); /* the password has done its work */
        result = connecting->has_via
                     ? 0 /* our end is the program's */
                     : connect_check_modes(connecting,
                                           modes_of_socket(connection.peer.storage.ss_family,
                                                           connection.socktype));
        if (result == 0)
            result = connect_send_proxy(connecting->loop, &connection, &send_proxy, err);
        if (result == 0) {
            connect_prepare_sandbox(connecting, &sandbox, &connection);
            result = connect_serve(&session, connecting, &connection);
        }
        result = connection_end(&connection, received > 0, result, err);
    }
    return filters_close(&filters, result, false, err);
}

/* Options */

static int connect_check(const struct connect_options *given, const struct operands *operands,
                         struct error *err)
{
    bool has_program = program_is_given(&given->program);
    bool has_script = given->script.count > 0;
    struct sockname literal;
    struct error ignored;
    if (given->probe.probe && given->transfer.telnet)
        return error_set(err, STATUS_USAGE,
                         "option --telnet makes no sense with --probe (to wait until the ports are "
                         "open: --wait TIME)");
    if (given->probe.probe && given->source && strchr(given->source, ':') &&
        !strchr(given->source, '/') &&
        hostname_read_literal(given->source, &literal, &ignored) != 1)
        return error_set(err, STATUS_USAGE,
                         "option --source: '%.100s' is no local address (wait-for-it's -s is how "
                         "sockctl is: leave it out)",
                         given->source);
    if (has_program + has_script + given->pass_fd + given->probe.probe > 1)
        return error_set(err, STATUS_USAGE,
                         "--exec, --send, --pass-fd and --probe are different things to do");
    if (modes_check_transfer(&given->transfer, err) ||
        script_check(&given->script, given->transfer.crlf, err))
        return -1;
    if (given->probe.probe && given->probe.json && operands->program)
        return error_set(err, STATUS_USAGE,
                         "option --json: with a program to start, nothing is printed");
    if (given->probe.probe)
        return operands->program ? program_look_up(operands->program[0], err) : 0;
    if (operands->program && !has_program)
        return error_set(
            err, STATUS_USAGE,
            "what follows -- is for --exec, or for --probe --wait TIME, which starts it once the "
            "port is open; neither is given");
    return program_check(&given->program, operands->program, err);
}

/* --probe takes any number of operands, all else two. */
static int connect_check_count(const struct connect_options *given, const struct operands *operands,
                               struct error *err)
{
    if (operands->count <= 2)
        return 0;
    const char *first = operands->words[0], *third = operands->words[2];
    if (given->sockopt.keepalive_ms == 0 && text_is_digits(first, strlen(first)))
        return error_set(err, STATUS_USAGE,
                         "too many operands (a value of --keepalive is written --keepalive=%.100s)",
                         first);
    if (given->probe.probe)
        return 0;
    if (strcasecmp(first, "tcp") == 0 || strcasecmp(first, "udp") == 0)
        return error_set(err, STATUS_USAGE,
                         "too many operands: a protocol belongs to the address: %s:%.100s:%.20s",
                         first, operands->words[1], third);
    return error_set(err, STATUS_USAGE, "too many operands, starting with '%.100s' (%s)", third,
                     text_is_digits(third, strlen(third))
                         ? "several ports are for --probe"
                         : "what is sent is read from stdin, or given by --send");
}

static bool connect_is_url(const char *word)
{
    return text_starts_with(word, "http://") || text_starts_with(word, "https://");
}

/* Takes a URL for its host and its port, of which the number goes into `port`, 8 bytes: it may say no more. */
static int connect_take_url(const char *word, char *host, char *port, struct error *err)
{
    struct url url;
    const char *wrong = url_parse(&url, word);
    if (!wrong && url.userinfo.length)
        wrong = "has a name and a password in it";
    if (!wrong && url.target.length > 1)
        wrong = "has a path; to ask for it, type 'sockctl http-get -f --retry N URL'";
    if (wrong)
        return error_set(err, STATUS_USAGE, "URL '%.100s' %s", url_redacted(word), wrong);
    url_host(&url, host);
    snprintf(port, 8, "%u", url.port);
    return 0;
}

/* Refuses what follows HOST:PORT, or a URL, and is no address: it may be a program. */
static int connect_check_target_words(const struct operands *operands, struct error *err)
{
    const char *first = operands->words[0], *colon = strrchr(first, ':');
    const bool is_whole = connect_is_url(first) ||
                          (colon && colon[1] && !strchr(first, '/') &&
                           (*first == '[' ? colon[-1] == ']' : strchr(first, ':') == colon));
    for (int i = 1; is_whole && i < operands->count; i++) {
        const char *word = operands->words[i];
        struct stat status;
        const bool is_path = strchr(word, '/') && (stat(word, &status) || !S_ISREG(status.st_mode));
        if (!strchr(word, ':') && !is_path)
            return error_set(
                err, STATUS_USAGE,
                "'%.100s' is no HOST:PORT (a program stands after --; the ports of one host are "
                "HOST 22 80, or HOST:22,80)",
                word);
    }
    return 0;
}

/* Reads one address, whose port may be a list, as the next target of --probe. */
static int connect_read_target(struct connecting *connecting, const char *const *words, int count,
                               const struct address_use *use)
{
    struct probe_target *target = &connecting->targets[connecting->target_count++];
    const char *taken[] = {words[0], count > 1 ? words[1] : NULL};
    char host[URL_HOST_MAX + 1], port[8];
    struct probe_list list;
    if (count == 1 && connect_is_url(words[0])) {
        if (connect_take_url(words[0], host, port, connecting->err))
            return -1;
        taken[0] = host;
        taken[1] = port;
        count = 2;
    }
    if (probe_take_list(taken, count, connecting->given->family.numeric, &list, connecting->err))
        return -1;
    target->ports = list.ports;
    if (address_parse(&target->address, taken, count, use, connecting->err) ||
        connect_check_modes(connecting, modes_of_address(&target->address)))
        return -1;
    if (target->address.socktype != connecting->targets->address.socktype)
        return error_set(connecting->err, STATUS_USAGE,
                         "'%.100s' is of another kind: --probe takes streams, or datagrams",
                         words[0]);
    return 0;
}

/* Reads what --probe is to look at: HOST:PORT words, or a HOST and one or more words of ports, which are put together to
 * one list. */
static int connect_read_targets(struct connecting *connecting, const struct operands *operands,
                                const struct address_use *use)
{
    const char *const *words = operands->words;
    const bool several = operands->count > 1 && strpbrk(words[1], ":/");
    connecting->targets = memory_new(several ? (size_t)operands->count : 1,
                                     sizeof *connecting->targets);
    if (connect_check_target_words(operands, connecting->err))
        return -1;
    if (several && !use->unix_socket && !strpbrk(words[0], ":/.") &&
        !text_is_digits(words[0], strlen(words[0])))
        return error_set(connecting->err, STATUS_USAGE,
                         "'%.100s' has no port, and '%.100s' is HOST:PORT (a range of ports is "
                         "22-25)",
                         words[0], words[1]);
    for (int i = 0; several && i < operands->count; i++)
        if (connect_read_target(connecting, words + i, 1, use))
            return -1;
    if (several)
        return 0;
    if (operands->count <= 2)
        return connect_read_target(connecting, words, operands->count, use);
    size_t length = 0;
    for (int i = 1; i < operands->count; i++) {
        length += strlen(words[i]) + 1;
        if (strpbrk(words[i], ":/"))
            return error_set(connecting->err, STATUS_USAGE,
                             "'%.100s' is no port: --probe takes one HOST and its ports, or "
                             "HOST:PORT words alone",
                             words[i]);
    }
    char *ports = memory_new(length, 1), *end = ports;
    for (int i = 1; i < operands->count; i++)
        end = stpcpy(stpcpy(end, i > 1 && end[-1] != ',' ? "," : ""), words[i]);
    const char *joined[] = {words[0], ports};
    int result = connect_read_target(connecting, joined, 2, use);
    free(ports);
    return result;
}

/* Says whether the word is a host rather than a FILE or a COMMAND. */
static bool connect_is_host(const char *word)
{
    struct sockname name;
    struct error ignored;
    return strcmp(word, "localhost") == 0 || hostname_read_literal(word, &name, &ignored) == 1;
}

/* Refuses `-c HOST PORT`: the -c of nc takes no value. */
static int connect_check_command(const struct connect_options *given,
                                 const struct operands *operands, struct error *err)
{
    const char *command = given->program.shell;
    struct error ignored;
    if (!command || operands->count != 1 || strpbrk(operands->words[0], ":/"))
        return 0;
    if (!connect_is_host(command) &&
        (!strchr(command, '.') || !hostname_is_plain(command, strlen(command)) ||
         program_look_up(command, &ignored) == 0))
        return 0;
    return error_set(err, STATUS_USAGE,
                     "option --sh-exec: '%.100s' is taken for its COMMAND (nc's -c is --tls here)",
                     command);
}

/* What was meant to be the host is the value of an option before it, whose FILE was forgotten. */
static int connect_check_file_name(const struct connect_options *given,
                                   const struct operands *operands, struct error *err)
{
    const char *file = given->transfer.hex_dump ? given->transfer.hex_dump : given->transfer.output;
    if (!file || operands->count != 1 ||
        !text_is_digits(operands->words[0], strlen(operands->words[0])) || !connect_is_host(file))
        return 0;
    return error_set(err, STATUS_USAGE,
                     "option --%s: '%.100s' is taken for its FILE (./%.100s for a file of that "
                     "name%s)",
                     given->transfer.hex_dump ? "hex-dump" : "output", file, file,
                     given->transfer.hex_dump ? ", - for stderr" : "");
}

/* Says whether the word, with a slash, is a URL without its scheme: HOST:PORT/PATH, or a HOST that has a dot in it. */
static bool connect_is_bare_url(const char *word, const char *slash)
{
    char host[ADDRESS_HOST_MAX + 1] = "";
    const size_t length = (size_t)(slash - word), name = strcspn(word, ":/");
    if (length >= sizeof host || *word == '.' || !name)
        return false;
    memcpy(host, word, length);
    const bool has_port = host[name] && text_is_digits(host + name + 1, length - name - 1);
    return hostname_is_plain(host, name) && access(host, F_OK) != 0 &&
           (has_port || (!host[name] && (strchr(host, '.') || strcmp(host, "localhost") == 0)));
}

/* HOST/PORT, a habit of other programs, is a path here, as is a URL without its scheme. */
static int connect_check_slash(const struct connecting *connecting, const char *word)
{
    static const char not_there[] = " is the path of a UNIX socket that is not there";
    const char *slash = strchr(word, '/');
    const struct connect_options *given = connecting->given;
    if (connecting->address.kind != ADDRESS_UNIX || given->protocol.unix_socket ||
        given->retry.wait_ms >= 0 || !slash || slash == word || *word == '.' ||
        access(word, F_OK) == 0 || text_starts_with(word, "unix"))
        return 0;
    if (!strchr(word, ':') && text_is_digits(slash + 1, strlen(slash + 1)))
        return error_set(connecting->err, STATUS_USAGE, "'%.100s'%s (for TCP: %.*s:%s)", word,
                         not_there, (int)(slash - word < 100 ? slash - word : 100), word,
                         slash + 1);
    return connect_is_bare_url(word, slash)
               ? error_set(connecting->err, STATUS_USAGE,
                           "'%.100s'%s (for a URL: sockctl http-get %.100s)", word, not_there, word)
               : 0;
}

/* Looks whether a program is to connect (--via, --tls), and can be told to what. */
static int connect_check_via(struct connecting *connecting)
{
    const struct proxy *proxy = connecting->has_proxy ? &connecting->proxy : NULL;
    if (proxy && connecting->given->via.tls && proxy->kind != PROXY_HTTP)
        return error_set(connecting->err, STATUS_USAGE,
                         "--tls goes through an http:// proxy, not through a SOCKS proxy");
    connecting->via.proxy = proxy;
    int found = via_options_check(&connecting->given->via, false, &connecting->address,
                                  &connecting->via, connecting->err);
    connecting->has_via = found > 0;
    for (size_t i = 0; found > 0 && i < connecting->target_count; i++)
        if (via_check(&connecting->via, &connecting->targets[i].address, connecting->err))
            return -1;
    return found < 0 ? -1 : 0;
}

/* Reads the address and the proxy, and looks whether stdout can take a descriptor where it has to. */
static int connect_prepare(struct connecting *connecting, const struct operands *operands)
{
    const struct connect_options *given = connecting->given;
    const struct address_use use = {.udp = given->protocol.udp,
                                    .unix_socket = given->protocol.unix_socket,
                                    .family = given->family.family};
    struct sockname name;
    if (connect_check_count(given, operands, connecting->err))
        return -1;
    if (given->probe.probe) {
        if (connect_read_targets(connecting, operands, &use))
            return -1;
        connecting->address = connecting->targets->address;
    } else if (address_parse(&connecting->address, operands->words, operands->count, &use,
                             connecting->err) ||
               connect_check_modes(connecting, modes_of_address(&connecting->address)) ||
               modes_check_raw(&connecting->address, &given->sockopt, connecting->err)) {
        return -1;
    }
    int found = connect_retry_check(connecting->loop, &given->retry, &connecting->address,
                                    &connecting->proxy, connecting->err);
    connecting->has_proxy = found > 0;
    if (found < 0)
        return -1;
    if (connect_check_file_name(given, operands, connecting->err) ||
        connect_check_command(given, operands, connecting->err) ||
        connect_check_slash(connecting, operands->words[0]))
        return -1;
    if (found > 0 && given->probe.probe) /* that of --proxy-env */
        return error_set(connecting->err, STATUS_USAGE, "--probe does not go through a proxy");
    if (connect_check_via(connecting))
        return -1;
    if (given->pass_fd && (sock_name(STDOUT_FILENO, &name) || name.storage.ss_family != AF_UNIX))
        return error_set(connecting->err, STATUS_LOCAL_IO,
                         "stdout is not a UNIX socket: no descriptor can be passed over it");
    return 0;
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct connect_options *given = chosen;
    const bool probes = given->probe.probe;
    struct connecting connecting = {.given = given,
                                    .arguments = operands->program,
                                    .no_sandbox = operands->no_sandbox,
                                    .dial = {.numeric = given->family.numeric,
                                             .timeout_ms = given->limits.timeout_ms,
                                             .source = given->source,
                                             .source_port = given->source_port,
                                             .sockopt = &given->sockopt},
                                    .err = err};
    /* A program does not know what to do with a socket that is not connected. */
    connecting.dial.any_sender = !program_is_given(&given->program) && !given->pass_fd;
    if (given->log_json)
        report_as_objects();
    if (given->explain && explain_begin(&(struct explain_setup){.serves = false}, err))
        return -1;
    if (connect_check(given, operands, err))
        return -1;
    struct limit limit;
    connecting.loop = loop_new();
    limit_command(&limit, connecting.loop, given->limits.max_time_ms, err);
    connecting.via.children = &connecting.children;
    int result = connect_prepare(&connecting, operands);
    if (connecting.has_via)
        connecting.dial.via = &connecting.via;
    if (result == 0 && probes) {
        const struct probing probing = {.options = &given->probe,
                                        .retry = &given->retry,
                                        .dial = &connecting.dial,
                                        .targets = connecting.targets,
                                        .count = connecting.target_count,
                                        .is_quiet = operands->program != NULL,
                                        .no_sandbox = operands->no_sandbox,
                                        .is_detailed = log_setting.verbosity >= LOG_LEVEL_INFO};
        result = probe(connecting.loop, &probing, err);
    } else if (result == 0) {
        result = connect_and_serve(&connecting);
    }
    via_release(&connecting.via);
    children_release(&connecting.children);
    limit_cancel(&limit);
    loop_free(connecting.loop);
    proxy_release(&connecting.proxy);
    for (size_t i = 0; i < connecting.target_count; i++)
        free(connecting.targets[i].ports.numbers);
    free(connecting.targets);
    if (result < 0 && probes && operands->count > 2 &&
        text_starts_with(err->text, "unknown service"))
        error_add(err, " (a program stands after --)");
    if (result < 0 && err->status == STATUS_USAGE && given->source_port && operands->count == 1 &&
        !strpbrk(operands->words[0], ":/"))
        error_add(err, "; -p is the local port: type HOST PORT");
    return result == 0 && probes && operands->program ? program_replace(operands->program, err)
                                                      : result;
}

const struct command connect_command = {
    .name = "connect",
    .operands = "ADDRESS",
    .forms = "-z [OPTIONS] HOST PORTS [-- PROGRAM [ARGUMENTS]]\n"
             "-e PROGRAM [OPTIONS] ADDRESS [-- ARGUMENTS]",
    .summary = "Connect to an address; stdin goes to the socket, the socket to stdout",
    .operand_forms = "HOST PORT, HOST:PORT, ./PATH, unix:@NAME, raw:, icmp:; see sockctl(1)",
    .used_most = "udp timeout wait probe proxy tls quit-after crlf verbose",
    .examples = "echo hello | sockctl connect localhost 7\n"
                "sockctl connect -z --wait 30 db:5432 -- ./app",
    .takes_program = true,
    .min_operands = 1,
    .max_operands = -1, /* several for --probe, else two: connect_check_count */
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
