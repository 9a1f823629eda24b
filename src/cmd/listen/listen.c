/*
 * sockctl listen: waits for a client and is to it what connect is to its peer; with --keep-open,
 * for many clients at once.
 *
 * listen_run reads the address, checks the options, opens the files and the server, and chooses one of the ways to
 * serve, each with a struct of its own: one client, datagrams and programs are here, many clients in many.c, --to in
 * forward.c.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/explain.h"
#include "cli/report.h"
#include "cmd/common/connect_retry.h"
#include "cmd/common/modes.h"
#include "cmd/listen/listening.h"
#include "command.h"
#include "net/address.h"
#include "stream/pump.h"
#include "sys/descriptors.h"
#include "sys/sock.h"

enum { HEADER_MS = 5000 }; /* for a PROXY header, unless -w says otherwise */

/* Of a program that connects for each client. */
#define FORWARD_VIA_MODES (MODE_ONLY_WAYS(MODE_FORWARD) & MODE_ONLY_KINDS(MODE_TCP))

static const struct opt options[] = {
    GROUP_ADDRESS,
    FAMILY_ROWS(struct listen_options, family),
    PROTOCOL_ROWS(struct listen_options, protocol),
    OPT('s', "source", host, struct listen_options, source, "the address to listen on"),
    OPT('p', "port", port, struct listen_options, port, "the port to listen on"),
    OPT('l', "listen", flag, struct listen_options, listen, "accepted and ignored"),
    GROUP_CLIENTS,
    OPT('k', "keep-open", flag, struct listen_options, keep_open, "many clients, at the same time"),
    OPT_FOR(0, "serial", flag, struct listen_options, serial, ~MODE_DATAGRAMS,
            "many clients, one after the other"),
    OPT_FOR(0, "broker", flag, struct listen_options, broker, ~MODE_DATAGRAMS,
            "what one client sends goes to all others"),
    OPT_FOR(0, "chat", flag, struct listen_options, chat, ~MODE_DATAGRAMS,
            "the same by line, with a name for each"),
    SERVER_ROWS(struct listen_options, server, MODE_ONLY_WAYS(MODE_MANY)),
    MEMORY_ROWS(struct listen_options, max_memory,
                MODE_ONLY_WAYS(MODE_SHARED | MODE_BROKER) & ~MODE_DATAGRAMS),
    WORKERS_ROWS(struct listen_options, workers),
    OPT_FOR(0, "greeting", bytes, struct listen_options, greeting,
            ~(MODE_DATAGRAMS | MODE_FORWARD | MODE_INETD),
            "sent to each client first (C escapes are understood)"),
    ACCESS_ROWS(struct listen_options, server),
    USER_ROWS(struct listen_options, server),
    SOCKET_FILE_ROWS(struct listen_options, server),
    PROGRAM_ROWS(struct listen_options, program, "the program to wire to the socket"),
    INETD_ROW(struct listen_options, program),
    OPT_GROUP("forwarding", "Forwarding and proxies"),
    OPT_FOR(0, "to", address, struct listen_options, forward.to, ~MODE_IP,
            "forward each client to a new connection to ADDRESS"),
    VIA_ROWS(struct listen_options, forward.via, FORWARD_VIA_MODES),
    OPT_FOR(0, "tls", flag, struct listen_options, forward.via.tls, FORWARD_VIA_MODES,
            "to ADDRESS by TLS, by openssl(1); the certificate is checked"),
    TLS_ROWS(struct listen_options, forward.via, FORWARD_VIA_MODES),
    SEND_PROXY_ROW(struct listen_options, forward.send_proxy,
                   MODE_ONLY_WAYS(MODE_FORWARD) & ~MODE_DATAGRAMS),
    OPT_FOR(0, "accept-proxy", flag, struct listen_options, accept_proxy, ~MODE_DATAGRAMS,
            "read a PROXY header (version 1 or 2) from each client first"),
    OPT_FOR(0, "proxy-from", entries, struct listen_options, server.proxy_from, ~MODE_DATAGRAMS,
            "with --accept-proxy: who may send one; others are served as they are"),
    READINESS_ROWS(struct listen_options, server.readiness),
    LIMIT_ROWS(struct listen_options, limits, ~MODE_INETD,
               "limit for the wait for the first client"),
    TRANSFER_ROWS(struct listen_options, transfer),
    RAW_ROWS(struct listen_options, sockopt.ip_header),
    SOCKET_ROWS(struct listen_options, sockopt),
    EXPLAIN_ROW(struct listen_options, explain),
    LOG_ROWS(struct listen_options, log_json),
    OPT_END,
};

static const struct listen_options defaults = {.family = FAMILY_DEFAULTS,
                                               .limits = LIMIT_DEFAULTS,
                                               .sockopt = SOCKOPT_DEFAULTS,
                                               .transfer = TRANSFER_DEFAULTS,
                                               .server = SERVER_DEFAULTS,
                                               .workers = 1};

int listen_share(struct listening *listening)
{
    int count = (int)listening->given->workers;
    int result = count > 1 ? workers_run(&listening->workers, &listening->server, count) : 1;
    listening->loop = listening->session.loop = listening->server.loop;
    filters_take_loop(&listening->filters, listening->loop);
    return result;
}

/* One client: stdin and stdout are its alone. */

struct one {
    struct listening *listening;
    int fd; /* of the client */
    struct sockname peer;
    struct watch reader; /* of stdout, while nobody has come */
};

static void one_joined(struct server *server, const struct admitted_client *admitted)
{
    struct one *one = LOOP_OWNER(server, struct listening, server)->serving;
    one->fd = admitted->fd;
    one->peer = *admitted->peer;
    server_refuse(server); /* others are refused from here on */
    loop_stop(server->loop, 0);
}

/* The reader of stdout has gone before a client has come. */
static void one_reader_gone(struct watch *watch, uint32_t events)
{
    struct listening *listening = LOOP_OWNER(watch, struct one, reader)->listening;
    (void)events;
    loop_stop(listening->loop, error_silent(listening->err, STATUS_LOCAL_IO));
}

static int listen_one(struct listening *listening)
{
    struct session *session = &listening->session;
    struct one one = {.listening = listening,
                      .reader = {.fd = STDOUT_FILENO, .ready = one_reader_gone}};
    const struct datagram_policy policy = {.peer = DATAGRAM_CONNECTED,
                                           .max_bytes = DATAGRAM_MAX,
                                           .has_end = true,
                                           .first_ms = -1,
                                           .senders = sock_any_sender};
    listening->serving = &one;
    listening->server.joined = one_joined;
    if (server_ready(&listening->server))
        return -1;
    session_open(session);
    server_confine(&listening->server, 0);
    if (fd_of(STDOUT_FILENO).kind == FD_PIPE)
        loop_watch(listening->loop, &one.reader, 0);
    server_accept(&listening->server);
    int result = loop_run(listening->loop);
    loop_unwatch(listening->loop, &one.reader);
    if (result)
        return -1;
    if (listening->server.listener.socktype != SOCK_SEQPACKET)
        result = session_stream(session, fd_of_socket(one.fd), &one.peer, listening->err);
    else
        result = session_datagrams(session, &one.fd, 1, &policy, listening->err);
    sock_close(one.fd);
    return result;
}

/* Datagrams */

_Static_assert((int)DATAGRAM_SOCKETS_MAX >= (int)LISTENER_SOCKETS_MAX, "a listener has more");

static int listen_datagrams(struct listening *listening)
{
    const struct listen_options *given = listening->given;
    const struct listener *listener = &listening->server.listener;
    int sockets[LISTENER_SOCKETS_MAX];
    const struct sockname *name = &listener->sockets[0].name;
    struct datagram_policy policy = {
        .peer = given->keep_open ? DATAGRAM_ANY : DATAGRAM_FIRST,
        .max_bytes = datagram_max(name, given->sockopt.ip_header),
        .protocol = name->protocol,
        .ip_header = given->sockopt.ip_header,
        .inherited = listener->inherited,
        .first_ms = given->limits.timeout_ms,
    };
    size_t count = server_datagram_sockets(&listening->server, sockets, &policy.senders);
    if (server_ready(&listening->server))
        return -1;
    server_prepare_sandbox(&listening->server, 0);
    int result = session_datagrams(&listening->session, sockets, count, &policy, listening->err);
    if (given->keep_open && listening->err->signal_number)
        return 0; /* a server that a signal has stopped */
    return result;
}

/* Programs: one for each client, for one or for many (--exec, --sh-exec) */

struct program_clients {
    struct listening *listening;
    struct programs programs;
};

static void program_client_joined(struct server *server, const struct admitted_client *admitted)
{
    struct listening *listening = LOOP_OWNER(server, struct listening, server);
    struct program_clients *clients = listening->serving;
    struct error error;
    bool one = !listening->given->keep_open;
    if (one)
        server_refuse(server); /* others are refused from here on */
    if (programs_serve(&clients->programs, fd_of_socket(admitted->fd), admitted, &error) == 0)
        return;
    if (one) {
        *listening->err = error;
        loop_stop(listening->loop, -1);
    } else {
        report_warning("%s", error.text);
        server_left(server);
    }
}

static void program_client_left(struct programs *programs, int result, const struct error *err)
{
    struct listening *listening = LOOP_OWNER(programs, struct program_clients, programs)->listening;
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

static void program_clients_stop(struct server *server)
{
    server_refuse(server);
    loop_stop(server->loop, 0);
}

static int listen_programs(struct listening *listening)
{
    struct server *server = &listening->server;
    struct program_clients clients = {.listening = listening};
    struct programs *programs = &clients.programs;
    int result = listen_share(listening);
    if (result != 1)
        return result;
    server_reserve(server, 3); /* its socket, and two pipes */
    if (children_init(&server->children, listening->loop, listening->err))
        return -1;
    listening->serving = &clients;
    server->joined = program_client_joined;
    server->stop = listening->given->keep_open ? program_clients_stop : NULL;
    *programs = (struct programs){.session = &listening->session,
                                  .children = &server->children,
                                  .argv = listening->argv,
                                  .inetd = listening->given->program.inetd,
                                  .left = program_client_left};
    result = programs_init(programs, listening->err) ? -1 : server_ready(server);
    if (result == 0) {
        server_skip_sandbox(server);
        server_accept(server);
        result = loop_run(listening->loop);
        server_refuse(server);
        programs_end(programs);
    }
    programs_release(programs);
    return result;
}

/* The command */

/* Checks the options, where clients come over this kind of socket. */
static int listen_check_modes(const struct listening *listening, unsigned kind)
{
    const struct listen_options *given = listening->given;
    struct error *err = listening->err;
    const bool has_program = program_is_given(&given->program);
    const unsigned way = given->forward.to                 ? MODE_FORWARD
                         : has_program && given->keep_open ? MODE_PROGRAMS
                         : has_program                     ? MODE_PROGRAM
                         : given->broker                   ? MODE_BROKER
                         : given->keep_open                ? MODE_SHARED
                                                           : MODE_STDIO;
    if (way == MODE_FORWARD)
        return listen_check_forward(listening->typed, kind, err);
    const unsigned holder = given->program.inetd ? MODE_INETD : 0;
    if (modes_check(&listen_command, listening->typed, way | kind | holder, err))
        return -1;
    if (given->server.max_conns && kind & MODE_DATAGRAMS)
        return error_set(err, STATUS_USAGE, "option --max-conns is for connections");
    return 0;
}

/* Opens what is asked for, and chooses the way to serve. */
static int listen_open_and_serve(struct listening *listening, const struct address *address)
{
    const struct listen_options *given = listening->given;
    struct server *server = &listening->server;
    if (server_begin(server))
        return -1;
    int result = filters_open(&listening->filters, server->loop, &given->transfer,
                              given->forward.to != NULL, listening->err);
    if (result == 0)
        result = server_open(server, address);
    const bool is_datagram = server->listener.socktype == SOCK_DGRAM ||
                             server->listener.socktype == SOCK_RAW;
    if (result == 0)
        result = listen_check_modes(
            listening, modes_of_socket(server->listener.sockets[0].name.storage.ss_family,
                                       server->listener.socktype));
    if (result == 0)
        result = given->forward.to  ? listen_forward(listening)
                 : listening->argv  ? listen_programs(listening)
                 : is_datagram      ? listen_datagrams(listening)
                 : given->keep_open ? listen_many(listening)
                                    : listen_one(listening);
    if (filters_wait(&listening->filters)) /* a signal from here on ends that, too */
        signals_catch(&server->signals, server->loop, listening->err);
    result = filters_close(&listening->filters, result, server->signalled, listening->err);
    return server_close(server, result);
}

/* Says of an address whose first word is a number what it may be that is meant. */
static int listen_refuse_host(const struct listen_options *given, const char *const *words,
                              int count, struct error *err)
{
    const char *second = words[1];
    error_set(err, STATUS_USAGE, "address '%.100s %.100s': a host cannot be a bare number",
              words[0], second);
    if (given->forward.to)
        return error_add(err, " (--to takes one word: HOST:PORT)");
    if (count > 2 && !given->port)
        return error_add(err, " (to forward: sockctl listen %.100s --to %.100s:%.100s)", words[0],
                         second, words[2]);
    if (strchr(second, ':'))
        return error_add(err, " (to forward: sockctl listen %.100s --to HOST:PORT)", words[0]);
    return text_is_digits(second, strlen(second)) ? error_add(err, " (one port for each listener)")
                                                  : error_add(err, " (HOST comes first)");
}

/* Reads the address in one or two words, of which -s and -p may have been given as options. `rest` is what follows
 * `--`, where that is a part of it; else NULL. */
static int listen_read_address(const struct listen_options *given, const struct operands *operands,
                               char *const *rest, struct address *address, struct error *err)
{
    const struct address_use use = {.listening = true,
                                    .udp = given->protocol.udp,
                                    .unix_socket = given->protocol.unix_socket,
                                    .family = given->family.family};
    const char *words[5];
    int count = 0;
    if (given->source)
        words[count++] = given->source;
    for (int i = 0; i < operands->count; i++)
        words[count++] = operands->words[i];
    for (; rest && *rest && count < 3; rest++)
        words[count++] = *rest;
    if (given->port)
        words[count++] = given->port;
    /* 0 is a habit: every address. */
    if (count >= 2 && text_is_digits(words[0], strlen(words[0])) && strcmp(words[0], "0") != 0)
        return listen_refuse_host(given, words, count, err);
    if (count == 0)
        return error_set(err, STATUS_USAGE, "missing operand: listen ADDRESS");
    if (count > 2)
        return error_set(err, STATUS_USAGE, "the address to listen on is given twice");
    return address_parse(address, words, count, &use, err);
}

static int listen_check_workers(const struct listen_options *given, struct error *err)
{
    bool programs = program_is_given(&given->program) && given->keep_open;
    if (given->workers > 1 && (given->serial || (!given->forward.to && !programs)))
        return error_set(err, STATUS_USAGE,
                         "option --workers is for --to, and for --exec with --keep-open%s",
                         given->serial ? ", not --serial" : "");
    return workers_check(given->workers, !given->forward.to && given->limits.timeout_ms >= 0,
                         given->server.readiness.run, err);
}

static int listen_check(const struct listening *listening, const struct address *address)
{
    const struct listen_options *given = listening->given;
    struct error *err = listening->err;
    bool has_program = program_is_given(&given->program);
    if (given->forward.via.tls && !given->forward.to)
        return error_set(err, STATUS_USAGE,
                         "option --tls is for --to (a server of sockctl has no TLS; put stunnel(8) "
                         "or nginx in front of it)");
    if ((given->forward.to != NULL) + has_program + given->broker > 1)
        return error_set(err, STATUS_USAGE, "--to, --exec and --broker are different things to do");
    if (given->broker && given->serial)
        return error_set(err, STATUS_USAGE,
                         "option --%s: clients speak with each other: not with --serial",
                         given->chat ? "chat" : "broker");
    if (given->serial && listening->typed->server.max_conns)
        return error_set(err, STATUS_USAGE, "options --serial and --max-conns exclude each other");
    if (given->greeting.length > PUMP_BUFFER)
        return error_set(err, STATUS_USAGE, "option --greeting: longer than %d bytes", PUMP_BUFFER);
    if (given->server.proxy_from.count && !given->accept_proxy)
        return error_set(err, STATUS_USAGE, "option --proxy-from is for --accept-proxy");
    if (modes_check_transfer(&given->transfer, err) ||
        listen_check_modes(listening, modes_of_address(address)) ||
        listen_check_workers(given, err))
        return -1;
    return program_check(&given->program, listening->arguments, err);
}

static int listen_run(const void *chosen, const struct operands *operands, struct error *err)
{
    struct listen_options settled = *(const struct listen_options *)chosen;
    const struct listen_options *given = &settled;
    const struct limit_options *limits = &given->limits;
    struct listening listening = {.typed = chosen, .given = given, .err = err};
    struct address address;
    /* What follows `--` is for --run, or else for --exec, or else the address or a part of it. */
    const bool runs = given->server.readiness.run, has_program = program_is_given(&given->program);
    char **rest = runs || has_program || operands->count ? NULL : operands->program;
    listening.arguments = runs || rest ? NULL : operands->program;
    /* Options that imply others. */
    struct server_options *server = &settled.server;
    settled.broker |= settled.chat;
    settled.keep_open |= settled.broker || settled.serial;
    if (settled.serial)
        server->max_conns = 1;
    const bool has_programs = (has_program && settled.keep_open) ||
                              forward_has_program(&given->forward);
    if (has_programs && !server->max_conns)
        server->max_conns = PROGRAMS_MAX;
    if (given->log_json)
        report_as_objects();
    if (given->explain && explain_begin(&(struct explain_setup){.serves = true}, err))
        return -1;
    if (listen_read_address(given, operands, rest, &address, err) ||
        listen_check(&listening, &address) || modes_check_raw(&address, &given->sockopt, err))
        return -1;
    int64_t header_ms = limits->timeout_ms >= 0 ? limits->timeout_ms : HEADER_MS;
    if (limits->idle_ms >= 0 && limits->idle_ms < header_ms)
        header_ms = limits->idle_ms;
    listening.loop = loop_new();
    listening.session = (struct session){.loop = listening.loop,
                                         .transfer = &given->transfer,
                                         .limits = limits,
                                         .keepalive_ms = given->sockopt.keepalive_ms,
                                         .filters = &listening.filters,
                                         .sandbox = &listening.server.sandbox,
                                         .greeting = given->greeting.bytes,
                                         .greeting_length = given->greeting.length,
                                         .serving = true,
                                         .no_input = runs};
    listening.server = (struct server){.loop = listening.loop,
                                       .options = &given->server,
                                       .limits = limits,
                                       .sockopt = &given->sockopt,
                                       .command = runs ? operands->program : NULL,
                                       .numeric = given->family.numeric,
                                       .no_sandbox = operands->no_sandbox,
                                       .header_ms = !given->accept_proxy ? 0
                                                    : header_ms > 0      ? header_ms
                                                                         : 1,
                                       .err = err};
    if (given->keep_open || given->forward.to)
        listening.server.children.max_open = descriptors_allow_max();
    if (has_program)
        listening.argv = program_words(&given->program, listening.arguments);
    int result = listen_open_and_serve(&listening, &address);
    free(listening.argv);
    loop_free(listening.server.loop);
    return result;
}

const struct command listen_command = {
    .name = "listen",
    .operands = "ADDRESS",
    .forms = "-e PROGRAM [OPTIONS] ADDRESS [-- ARGUMENTS]\n"
             "--run [OPTIONS] ADDRESS -- COMMAND [ARGUMENTS]",
    .serves = true,
    .summary = "Wait for a client; stdin goes to it, what it sends to stdout",
    .operand_forms = "PORT (0: any), HOST PORT, ./PATH, unix:@NAME, raw:; see sockctl(1)",
    .used_most = "udp keep-open timeout exec sh-exec to allow verbose",
    .examples = "sockctl listen 8080 >received\n"
                "sockctl listen 8080 --to db:5432",
    .takes_program = true,
    .min_operands = 0,
    .max_operands = 3, /* the third is refused, by listen_read_address */
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = listen_run,
};
