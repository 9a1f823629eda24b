/*
 * sockctl echo-server: sends back what it gets, to any number of clients.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/options.h"
#include "cmd/echo/echo.h"
#include "cmd/echo/echo_datagrams.h"
#include "cmd/echo/echo_print.h"
#include "cmd/serve/server.h"
#include "cmd/serve/workers.h"
#include "command.h"
#include "net/access.h"
#include "sys/descriptors.h"

struct echo_server_options {
    struct family_options family;
    struct protocol_options protocol;
    struct limit_options limits;
    struct sockopt sockopt;
    struct server_options server;
    int64_t workers;
    bool print;
    const char *mode;
    struct faults faults;
    int64_t seed; /* -1: not given */
    bool log_json;
};

#define FAULT_ROWS(options, field)                                                                 \
    OPT(0, "delay", duration, options, field.delay_ms, "answer TIME later"),                       \
        OPT(0, "jitter", duration, options, field.jitter_ms, "up to TIME more, by chance"),        \
        OPT(0, "rate", size, options, field.rate, "at most SIZE bytes a second to each client"),   \
        OPT(0, "chunk", size, options, field.chunk, "at most SIZE bytes in one write"),            \
        OPT(0, "drop", percent, options, field.drop, "lose so many of the pieces"),                \
        OPT(0, "duplicate", percent, options, field.duplicate, "send so many of them twice"),      \
        OPT(0, "corrupt", percent, options, field.corrupt, "flip a bit in so many of them"),       \
        OPT(0, "close-after", size, options, field.close_after, "end a connection after SIZE"),    \
        OPT(0, "reset-after", size, options, field.reset_after, "reset it after SIZE"),            \
        OPT(0, "stall-after", size, options, field.stall_after,                                    \
            "neither read nor write after SIZE")

static const struct opt options[] = {
    FAMILY_ROWS(struct echo_server_options, family),
    PROTOCOL_ROWS(struct echo_server_options, protocol),
    SERVER_ROWS(struct echo_server_options, server),
    READINESS_ROWS(struct echo_server_options, server.readiness),
    ACCESS_ROWS(struct echo_server_options, server),
    USER_ROWS(struct echo_server_options, server),
    WORKERS_ROWS(struct echo_server_options, workers),
    OPT(0, "print", flag, struct echo_server_options, print, "write what arrives to stdout, too"),
    OPT(0, "mode", service, struct echo_server_options, mode,
        "discard, chargen or daytime, not echo"),
    FAULT_ROWS(struct echo_server_options, faults),
    OPT(0, "seed", seed, struct echo_server_options, seed,
        "the faults of another run, client by client"),
    LIMIT_ROWS(struct echo_server_options, limits, "limit for the wait for the first client"),
    LOG_ROWS(struct echo_server_options, log_json),
    SOCKET_ROWS(struct echo_server_options, sockopt),
    OPT_END,
};

static const struct echo_server_options defaults = {.family = FAMILY_DEFAULTS,
                                                    .limits = LIMIT_DEFAULTS,
                                                    .sockopt = SOCKOPT_DEFAULTS,
                                                    .server = SERVER_DEFAULTS,
                                                    .workers = 1,
                                                    .faults = {.close_after = UINT64_MAX,
                                                               .reset_after = UINT64_MAX,
                                                               .stall_after = UINT64_MAX},
                                                    .seed = -1};

/* One run of the command. */
struct echoing {
    const struct echo_server_options *given;
    struct server server;
    struct echo echo;                /* of connections */
    struct echo_datagrams datagrams; /* or without them */
    struct echo_print print;
    enum echo_mode mode;
    struct faults faults;
    struct workers workers;
};

/* A server that is told to stop ends its connections in order and with success. */
static void stop(struct server *server)
{
    struct echoing *echoing = LOOP_OWNER(server, struct echoing, server);
    if (echoing->datagrams.loop)
        echo_datagrams_release(&echoing->datagrams);
    listener_close(&server->listener);
    echo_print_stop(&echoing->print);
    echo_stop(&echoing->echo);
}

static void stopped(struct echo *echo)
{
    struct echoing *echoing = LOOP_OWNER(echo, struct echoing, echo);
    if (echoing->print.loop)
        echo_print_finish(&echoing->print);
    else
        loop_stop(echo->loop, 0);
}

/* Connections */

/* NULL where nobody will read it. */
static struct connection_log *connection_log_of(int fd, const struct sockname *peer)
{
    if (!connection_log_is_wanted())
        return NULL;
    struct connection_log *log = memory_new(1, sizeof *log);
    connection_log_accept(log, fd, peer);
    return log;
}

static void client_came(struct server *server, const struct admitted_client *client)
{
    struct echoing *echoing = LOOP_OWNER(server, struct echoing, server);
    struct connection_log *log = connection_log_of(client->fd, client->peer);
    echo_add(&echoing->echo, client->fd, server->listener.socktype, log);
}

static enum report_how how_client_left(const struct server *server,
                                       const struct echo_client *client, enum echo_end how)
{
    if (how == ECHO_FAILED) /* without a failure: --reset-after */
        return client->failure ? connection_log_how_failed(client->failure) : REPORT_RESET;
    if (how == ECHO_IDLE)
        return REPORT_TIMEOUT;
    if (how == ECHO_STOPPED)
        return server->err->status == STATUS_TIMEOUT ? REPORT_TIMEOUT : REPORT_SIGNAL;
    return REPORT_EOF;
}

static void tell_end(const struct server *server, const struct echo_client *client,
                     enum echo_end how)
{
    const struct connection_log *log = client->user_data;
    if (how == ECHO_FAILED && client->failure)
        log_note(LOG_LEVEL_INFO, "%s: %s", log->peer, strerror(client->failure));
    else if (how == ECHO_IDLE)
        log_note(LOG_LEVEL_INFO, "%s: nothing moved within the time limit", log->peer);
    connection_log_close(log, (struct report_end){.in = client->bytes_in,
                                                  .out = client->bytes_out,
                                                  .how = how_client_left(server, client, how)});
}

static void client_left(struct echo *echo, const struct echo_client *client, enum echo_end how)
{
    struct echoing *echoing = LOOP_OWNER(echo, struct echoing, echo);
    if (client->user_data)
        tell_end(&echoing->server, client, how);
    free(client->user_data);
    server_left(&echoing->server);
}

/* Datagrams */

static bool answers(struct echo_datagrams *datagrams, const struct sockname *source,
                    const struct sockname *own)
{
    struct server *server = &LOOP_OWNER(datagrams, struct echoing, datagrams)->server;
    server_heard(server);
    return source->storage.ss_family == AF_UNIX || !access_may_amplify(source, own);
}

_Static_assert((int)ECHO_DATAGRAM_SOCKETS_MAX >= (int)LISTENER_SOCKETS_MAX, "a listener has more");

static void serve_datagrams(struct echoing *echoing)
{
    const struct listener *listener = &echoing->server.listener;
    echo_datagrams_init(&echoing->datagrams);
    for (size_t i = 0; i < listener->count; i++)
        echo_datagrams_add(&echoing->datagrams, listener->sockets[i].watch.fd,
                           &listener->sockets[i].name);
    server_await_first(&echoing->server);
}

/* The command */

static void prepare(struct echoing *echoing)
{
    struct loop *loop = echoing->server.loop;
    if (echoing->given->print) {
        echoing->print = (struct echo_print){.loop = loop,
                                             .echo = &echoing->echo,
                                             .datagrams = &echoing->datagrams,
                                             .err = echoing->server.err};
        echo_print_start(&echoing->print);
    }
    struct tap *tap = echo_print_tap(&echoing->print);
    const struct faults *faults = faults_any(&echoing->faults) ? &echoing->faults : NULL;
    echoing->echo = (struct echo){.loop = loop,
                                  .idle_ms = echoing->given->limits.idle_ms,
                                  .keepalive_ms = echoing->given->sockopt.keepalive_ms,
                                  .mode = echoing->mode,
                                  .faults = faults,
                                  .tap = tap,
                                  .left = client_left,
                                  .stopped = stopped};
    echo_init(&echoing->echo);
    echoing->datagrams = (struct echo_datagrams){.loop = loop,
                                                 .mode = echoing->mode,
                                                 .faults = faults,
                                                 .tap = tap,
                                                 .senders = server_senders(&echoing->server),
                                                 .answers = answers};
}

static int serve(struct echoing *echoing)
{
    struct server *server = &echoing->server;
    prepare(echoing);
    int result = server_ready(server);
    if (server->listener.socktype == SOCK_DGRAM)
        serve_datagrams(echoing);
    else
        server_accept(server);
    if (result == 0)
        result = loop_run(server->loop);
    if (echoing->datagrams.loop)
        echo_datagrams_release(&echoing->datagrams);
    listener_close(&server->listener); /* nobody takes the place of those that leave now */
    echo_release(&echoing->echo);
    return echo_print_close(&echoing->print, result);
}

static int serve_or_share(struct echoing *echoing)
{
    const struct echo_server_options *given = echoing->given;
    if (given->workers == 1)
        return serve(echoing);
    int result = workers_run(&echoing->workers, &echoing->server, (int)given->workers);
    return result == 1 ? serve(echoing) : result;
}

static int check_kind(const struct echoing *echoing)
{
    const struct faults *faults = &echoing->faults;
    bool ends = faults->close_after != UINT64_MAX || faults->reset_after != UINT64_MAX ||
                faults->stall_after != UINT64_MAX;
    if (echoing->server.listener.socktype == SOCK_DGRAM && (ends || faults->chunk))
        return error_set(echoing->server.err, STATUS_USAGE,
                         "--chunk, --close-after, --reset-after and --stall-after are for "
                         "connections, not for datagrams");
    return 0;
}

static int open_and_serve(struct echoing *echoing, const struct address *address)
{
    struct server *server = &echoing->server;
    int result = server_open(server, address);
    if (result == 0)
        result = check_kind(echoing);
    if (result == 0) {
        server_send_at_once(server);
        result = serve_or_share(echoing);
    }
    return server_close(server, result);
}

static int read_mode(const char *word, enum echo_mode *mode, struct error *err)
{
    static const char *const words[] = {[ECHO_ECHO] = "echo",
                                        [ECHO_DISCARD] = "discard",
                                        [ECHO_CHARGEN] = "chargen",
                                        [ECHO_DAYTIME] = "daytime"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *mode = (enum echo_mode)i;
        if (!word || strcmp(word, words[i]) == 0)
            return 0;
    }
    return error_set(err, STATUS_USAGE,
                     "option --mode: '%.100s' is not a mode (echo, discard, chargen, daytime)",
                     word);
}

/* A run that was not given a seed can be repeated with the one that it tells. */
static void choose_seed(struct echoing *echoing)
{
    uint64_t chosen = random_seed() % 1000000;
    echoing->faults = echoing->given->faults;
    echoing->faults.seed = echoing->given->seed >= 0 ? (uint64_t)echoing->given->seed : chosen;
    if (echoing->given->seed < 0 && faults_any(&echoing->faults))
        log_note(LOG_LEVEL_INFO, "--seed %llu", (unsigned long long)chosen);
}

static int check(struct echoing *echoing, struct error *err)
{
    const struct echo_server_options *given = echoing->given;
    if (read_mode(given->mode, &echoing->mode, err))
        return -1;
    choose_seed(echoing);
    if (echoing->mode != ECHO_ECHO && faults_any(&echoing->faults))
        return error_set(err, STATUS_USAGE, "--mode %s knows no faults", given->mode);
    return workers_check(given->workers, given->limits.timeout_ms >= 0, given->server.readiness.run,
                         err);
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    struct echoing echoing = {.given = chosen};
    const struct echo_server_options *given = chosen;
    struct address address;
    const struct address_use use = {.listening = true,
                                    .udp = given->protocol.udp,
                                    .unix_socket = given->protocol.unix_socket,
                                    .family = given->family.family};
    if (given->log_json)
        report_as_objects();
    if (check(&echoing, err) ||
        address_parse(&address, operands->words, operands->count, &use, err))
        return -1;
    echoing.server = (struct server){.loop = loop_new(),
                                     .options = &given->server,
                                     .limits = &given->limits,
                                     .sockopt = &given->sockopt,
                                     .command = operands->program,
                                     .numeric = given->family.numeric,
                                     .err = err,
                                     .joined = client_came,
                                     .stopping = stop};
    echoing.server.children.most_open = descriptors_allow_max();
    int result = open_and_serve(&echoing, &address);
    loop_free(echoing.server.loop);
    return result;
}

const struct command echo_server_command = {
    .name = "echo-server",
    .operands = "ADDRESS",
    .summary = "Send back what arrives, to any number of clients",
    .min_operands = 1,
    .max_operands = 2,
    .takes_program = true,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
