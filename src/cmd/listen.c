/*
 * sockctl listen: waits for a client and is to it what connect is to its peer; with --keep-open,
 * for many clients at once.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/account.h"
#include "cmd/interrupt.h"
#include "cmd/limit.h"
#include "cmd/session.h"
#include "cmd/shared.h"
#include "command.h"
#include "io/hub.h"
#include "io/pump.h"
#include "net/listener.h"
#include "net/sock.h"

struct listen_options {
    struct family_options family;
    struct protocol_options protocol;
    struct limit_options limits;
    struct sockopt sockopt;
    struct transfer_options transfer;
    const char *source;
    const char *port;
    bool listen;
    bool keep_open;
    struct opt_bytes greeting;
    struct server_options server;
    int mode;
    bool log_json;
};

static const struct opt options[] = {
    FAMILY_ROWS(struct listen_options, family),
    PROTOCOL_ROWS(struct listen_options, protocol),
    OPT('s', "source", host, struct listen_options, source, "the address to listen on"),
    OPT('p', "port", port, struct listen_options, port, "the port to listen on"),
    OPT('l', "listen", flag, struct listen_options, listen, "accepted and ignored"),
    OPT('k', "keep-open", flag, struct listen_options, keep_open, "many clients, at the same time"),
    SERVER_ROWS(struct listen_options, server),
    OPT(0, "greeting", bytes, struct listen_options, greeting,
        "sent to each client first (C escapes are understood)"),
    OPT(0, "mode", mode, struct listen_options, mode, "of a UNIX socket's file (0600)"),
    LIMIT_ROWS(struct listen_options, limits, "limit for the wait for the first client"),
    SOCKET_ROWS(struct listen_options, sockopt),
    TRANSFER_ROWS(struct listen_options, transfer),
    LOG_ROWS(struct listen_options, log_json),
    OPT_END,
};

static const struct listen_options defaults = {.family = FAMILY_DEFAULTS,
                                               .limits = LIMIT_DEFAULTS,
                                               .sockopt = SOCKOPT_DEFAULTS,
                                               .transfer = TRANSFER_DEFAULTS,
                                               .server = SERVER_DEFAULTS,
                                               .mode = SOCKET_FILE_MODE};

/* One run of the command. */
struct listening {
    const struct listen_options *given;
    struct session session;
    struct filters filters;
    struct loop *loop;
    struct listener listener;
    char name[SOCKNAME_TEXT_MAX]; /* of the first socket */
    struct limit wait;            /* for the first client */
    struct limit total;
    struct interrupt interrupt;
    struct watch reader; /* of stdout, while nobody has come */
    struct error *err;
    int client; /* the one that came, or -1 */
    struct sockname peer;
    struct hub hub; /* of the many */
};

static void start_waiting(struct listening *listening)
{
    error_set(&listening->wait.reason, STATUS_TIMEOUT,
              "listen on %s: no client came within the time limit", listening->name);
    limit_start(&listening->wait, listening->loop, listening->given->limits.timeout_ms,
                listening->err);
}

/* One client */

static void client_came(void *context, int fd, const struct sockname *peer)
{
    struct listening *listening = context;
    listening->client = fd;
    listening->peer = *peer;
    listener_close(&listening->listener); /* others are refused from here on */
    loop_stop(listening->loop, 0);
}

static int serve_packets(struct listening *listening)
{
    const struct datagram_policy policy = {.peer = DATAGRAM_CONNECTED,
                                           .most = DATAGRAM_MOST,
                                           .has_end = true,
                                           .first_ms = -1};
    return session_datagrams(&listening->session, &listening->client, 1, &policy, listening->err);
}

static void reader_gone(struct watch *watch, uint32_t events)
{
    struct listening *listening = LOOP_OWNER(watch, struct listening, reader);
    (void)events;
    loop_stop(listening->loop, error_silent(listening->err, STATUS_LOCAL_IO));
}

/* Whoever was to read what a client sends may go before one has come. */
static void await_reader(struct listening *listening)
{
    listening->reader = (struct watch){.fd = STDOUT_FILENO, .ready = reader_gone};
    if (end_of(STDOUT_FILENO).kind == END_PIPE)
        loop_watch(listening->loop, &listening->reader, 0);
}

static int serve_client(struct listening *listening)
{
    await_reader(listening);
    start_waiting(listening);
    listener_accept(&listening->listener, client_came, listening);
    int result = loop_run(listening->loop);
    limit_cancel(&listening->wait);
    loop_unwatch(listening->loop, &listening->reader);
    if (result < 0)
        return -1;
    result = listening->listener.socktype == SOCK_SEQPACKET
                 ? serve_packets(listening)
                 : session_stream(&listening->session, end_of_socket(listening->client),
                                  &listening->peer, listening->err);
    sock_close(listening->client);
    return result;
}

/* Many clients */

static void client_joined(void *context, int fd, const struct sockname *peer)
{
    struct listening *listening = context;
    struct account *account = memory_new(1, sizeof *account);
    limit_cancel(&listening->wait);
    account_accept(account, fd, peer);
    hub_add(&listening->hub, fd, account);
    if (listening->hub.count >= (size_t)listening->given->server.max_conns)
        listener_pause(&listening->listener);
}

static enum report_how how_client_left(const struct listening *listening,
                                       const struct hub_client *client, enum hub_end how)
{
    static const enum report_how hows[] = {[HUB_EOF] = REPORT_EOF,
                                           [HUB_IDLE] = REPORT_TIMEOUT,
                                           [HUB_SLOW] = REPORT_SLOW,
                                           [HUB_STOPPED] = REPORT_SIGNAL};
    if (how == HUB_RESET)
        return account_how_failed(client->failure);
    if (how == HUB_STOPPED && listening->hub.error.status) /* the output is gone */
        return REPORT_ERROR;
    if (how == HUB_STOPPED && !listening->hub.stopping)
        return account_how(-1, listening->err);
    return hows[how];
}

static void client_left(struct hub *hub, const struct hub_client *client, enum hub_end how)
{
    struct listening *listening = LOOP_OWNER(hub, struct listening, hub);
    struct account *account = client->label;
    const char *name = account->peer;
    bool was_full = hub->count == (size_t)listening->given->server.max_conns;
    if (how == HUB_RESET)
        report_warning("%s: %s", name, strerror(client->failure));
    else if (how == HUB_IDLE)
        report_warning("%s: nothing moved within the time limit", name);
    else if (how == HUB_SLOW)
        report_warning("%s does not read: disconnected", name);
    account_close(account, (struct report_end){.in = client->bytes_in,
                                               .out = client->outbox.written,
                                               .how = how_client_left(listening, client, how)});
    free(account);
    if (was_full && how != HUB_STOPPED)
        listener_accept(&listening->listener, client_joined, listening);
}

static void hub_done(struct hub *hub, int result)
{
    struct listening *listening = LOOP_OWNER(hub, struct listening, hub);
    if (result < 0)
        *listening->err = hub->error;
    loop_stop(listening->loop, result);
}

/* A server that is told to stop ends its connections in order and with success. */
static void stop(void *context, int signal_number)
{
    struct listening *listening = context;
    (void)signal_number;
    listener_close(&listening->listener);
    hub_stop(&listening->hub);
}

static int serve_many(struct listening *listening)
{
    const struct session *session = &listening->session;
    sigset_t set;
    interrupt_set(&set);
    loop_signals(listening->loop, &set, stop, listening);
    listening->hub = (struct hub){.in = session_input(session),
                                  .out = session_output(session),
                                  .in_name = "stdin",
                                  .out_name = "stdout",
                                  .idle_ms = session->limits->idle_ms,
                                  .quit_after_ms = session->transfer->quit_after_ms,
                                  .silence_ms = session_silence_ms(session),
                                  .no_shutdown = session->transfer->no_shutdown,
                                  .greeting = session->greeting,
                                  .greeting_length = session->greeting_length,
                                  .up_filter = filters_up(session->filters),
                                  .down_filter = filters_down(session->filters),
                                  .left = client_left,
                                  .done = hub_done};
    hub_start(&listening->hub, listening->loop);
    start_waiting(listening);
    listener_accept(&listening->listener, client_joined, listening);
    int result = loop_run(listening->loop);
    limit_cancel(&listening->wait);
    hub_release(&listening->hub);
    return result;
}

/* Datagrams */

static int serve_datagrams(struct listening *listening)
{
    struct listener *listener = &listening->listener;
    int sockets[LISTENER_SOCKETS_MAX];
    for (size_t i = 0; i < listener->count; i++)
        sockets[i] = listener->sockets[i].watch.fd;
    const struct datagram_policy policy = {
        .peer = listening->given->keep_open ? DATAGRAM_ANY : DATAGRAM_FIRST,
        .most = listener->sockets[0].name.storage.ss_family == AF_UNIX ? DATAGRAM_MOST
                                                                       : DATAGRAM_UDP_MOST,
        .first_ms = listening->given->limits.timeout_ms,
    };
    int result = session_datagrams(&listening->session, sockets, listener->count, &policy,
                                   listening->err);
    if (listening->given->keep_open && listening->err->signal_number)
        return 0; /* a server that was told to stop */
    return result;
}

/* The command */

static void tell_listening(struct listening *listening)
{
    const struct listener *listener = &listening->listener;
    char name[SOCKNAME_TEXT_MAX];
    sockname_text(&listener->sockets[0].name, listening->name);
    for (size_t i = 0; i < listener->count; i++)
        report_listening(sockname_text(&listener->sockets[i].name, name), listener->any_port);
}

static int serve(struct listening *listening, const struct address *address)
{
    const struct listen_options *given = listening->given;
    const struct listener_options how = {
        .numeric = given->family.numeric,
        .backlog = (int)given->server.backlog,
        .mode = given->mode,
        .timeout_ms = given->limits.timeout_ms,
        .sockopt = &given->sockopt,
    };
    /* Before the socket file is there, and before anybody is told: what arrives from here on waits
     * for the loop. */
    interrupt_catch(&listening->interrupt, listening->loop, listening->err);
    if (listener_open(&listening->listener, listening->loop, address, &how, listening->err))
        return -1;
    tell_listening(listening);
    int result;
    if (listening->listener.socktype == SOCK_DGRAM)
        result = serve_datagrams(listening);
    else
        result = given->keep_open ? serve_many(listening) : serve_client(listening);
    listener_close(&listening->listener);
    return result;
}

/* The address in one or two words, of which -s and -p may have been given as options. */
static int read_address(const struct listen_options *given, const struct operands *operands,
                        struct address *address, struct error *err)
{
    const struct address_use use = {.listening = true,
                                    .udp = given->protocol.udp,
                                    .unix_socket = given->protocol.unix_socket,
                                    .family = given->family.family};
    const char *words[4];
    int count = 0;
    if (given->source)
        words[count++] = given->source;
    for (int i = 0; i < operands->count; i++)
        words[count++] = operands->words[i];
    if (given->port)
        words[count++] = given->port;
    if (count == 0)
        return error_set(err, STATUS_USAGE, "missing operand: listen ADDRESS");
    if (count > 2)
        return error_set(err, STATUS_USAGE, "the address to listen on is given twice");
    return address_parse(address, words, count, &use, err);
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct listen_options *given = chosen;
    struct listening listening = {.given = given, .err = err, .client = -1};
    struct address address;
    if (given->log_json)
        report_as_objects();
    if (read_address(given, operands, &address, err))
        return -1;
    if (given->greeting.length > PUMP_BUFFER)
        return error_set(err, STATUS_USAGE, "option --greeting: longer than %d bytes", PUMP_BUFFER);
    if (given->keep_open && filters_check_shared(&given->transfer, err))
        return -1;
    if (given->keep_open)
        descriptors_allow_most();
    listening.loop = loop_new();
    listening.session = (struct session){.loop = listening.loop,
                                         .transfer = &given->transfer,
                                         .limits = &given->limits,
                                         .filters = &listening.filters,
                                         .greeting = given->greeting.bytes,
                                         .greeting_length = given->greeting.length,
                                         .serving = true};
    limit_command(&listening.total, listening.loop, given->limits.max_time_ms, err);
    int result = filters_open(&listening.filters, &given->transfer, err);
    if (result == 0)
        result = serve(&listening, &address);
    result = filters_close(&listening.filters, result, err);
    limit_cancel(&listening.total);
    loop_free(listening.loop);
    return result;
}

const struct command listen_command = {
    .name = "listen",
    .operands = "ADDRESS",
    .summary = "Wait for a client; stdin goes to it, what it sends to stdout",
    .min_operands = 0,
    .max_operands = 2,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
