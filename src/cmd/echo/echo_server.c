/*
 * sockctl echo-server: sends back what it gets, to any number of clients. The server admits clients to the echo; with
 * --print what arrives there is put into a write queue, too. While that waits for stdout the echo is held: it reads
 * nothing, and goes on when the queue has drained.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "cli/explain.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/modes.h"
#include "cmd/common/options.h"
#include "cmd/echo/echo.h"
#include "cmd/echo/echo_datagrams.h"
#include "cmd/serve/access.h"
#include "cmd/serve/server.h"
#include "cmd/serve/workers.h"
#include "command.h"
#include "stream/write_queue.h"
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
    bool explain;
};

#define FAULT_ROWS(options, field)                                                                 \
    OPT_GROUP("faults", "Faults"),                                                                 \
        OPT(0, "delay", duration, options, field.delay_ms, "answer TIME later"),                   \
        OPT(0, "jitter", duration, options, field.jitter_ms, "up to TIME more, by chance"),        \
        OPT(0, "rate", size, options, field.rate, "at most SIZE bytes a second to each client"),   \
        OPT_FOR(0, "chunk", size, options, field.chunk, ~MODE_DATAGRAMS,                           \
                "at most SIZE bytes in one write"),                                                \
        OPT(0, "drop", percent, options, field.drop, "lose PERCENT of the messages"),              \
        OPT(0, "duplicate", percent, options, field.duplicate, "send PERCENT of them twice"),      \
        OPT(0, "corrupt", percent, options, field.corrupt, "flip a bit in PERCENT of them"),       \
        OPT_FOR(0, "close-after", size, options, field.close_after, ~MODE_DATAGRAMS,               \
                "end a connection after SIZE"),                                                    \
        OPT_FOR(0, "reset-after", size, options, field.reset_after, ~MODE_DATAGRAMS,               \
                "reset it after SIZE"),                                                            \
        OPT_FOR(0, "stall-after", size, options, field.stall_after, ~MODE_DATAGRAMS,               \
                "neither read nor write after SIZE")

static const struct opt options[] = {
    GROUP_ADDRESS,
    FAMILY_ROWS(struct echo_server_options, family),
    PROTOCOL_ROWS(struct echo_server_options, protocol),
    OPT_GROUP("service", "Service"),
    OPT(0, "mode", service, struct echo_server_options, mode,
        "discard, chargen or daytime, not echo"),
    OPT(0, "print", flag, struct echo_server_options, print, "write what arrives to stdout, too"),
    FAULT_ROWS(struct echo_server_options, faults),
    OPT(0, "seed", seed, struct echo_server_options, seed,
        "repeat an earlier run, client by client"),
    SERVER_ROWS(struct echo_server_options, server, ~MODE_DATAGRAMS),
    WORKERS_ROWS(struct echo_server_options, workers),
    ACCESS_ROWS(struct echo_server_options, server),
    USER_ROWS(struct echo_server_options, server),
    READINESS_ROWS(struct echo_server_options, server.readiness),
    LIMIT_ROWS(struct echo_server_options, limits, ~MODE_DATAGRAMS,
               "limit for the wait for the first client"),
    SOCKET_ROWS(struct echo_server_options, sockopt),
    EXPLAIN_ROW(struct echo_server_options, explain),
    LOG_ROWS(struct echo_server_options, log_json),
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

/* --print: what arrives goes to stdout as well, each read of it whole. */
struct echo_print {
    struct tap tap;
    struct write_queue queue;
    struct drain drain; /* of a reader that is slow, at the end */
    bool finishing;     /* nothing more is to be written; when the queue is empty, the loop stops */
    bool given_up;      /* the reader takes nothing */
};

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

/* --print */

/* Ends the server, whose stdout has failed. */
static void print_fail(struct echoing *echoing)
{
    write_queue_error(&echoing->print.queue, "stdout", echoing->server.err);
    loop_stop(echoing->server.loop, -1);
}

static int print_look(struct tap *tap, const char *bytes, size_t length)
{
    struct echoing *echoing = LOOP_OWNER(tap, struct echoing, print.tap);
    struct write_queue *queue = &echoing->print.queue;
    if (write_queue_put(queue, bytes, length)) {
        print_fail(echoing);
    } else if (write_queue_has_pending(queue)) {
        echoing->echo.held = true;
        echo_datagrams_hold(&echoing->datagrams, true);
    }
    return 0; /* a stdout that failed has stopped the loop */
}

static void print_drained(struct write_queue *queue)
{
    struct echoing *echoing = LOOP_OWNER(queue, struct echoing, print.queue);
    if (queue->failure) {
        print_fail(echoing);
    } else if (echoing->print.finishing) {
        loop_stop(echoing->server.loop, 0);
    } else {
        echo_datagrams_hold(&echoing->datagrams, false);
        echo_go_on(&echoing->echo);
    }
}

static uint64_t print_count_left(struct drain *drain)
{
    return LOOP_OWNER(drain, struct echo_print, drain)->queue.length;
}

static void print_drain_over(struct drain *drain)
{
    struct echoing *echoing = LOOP_OWNER(drain, struct echoing, print.drain);
    echoing->print.given_up = true;
    if (echoing->print.finishing)
        loop_stop(echoing->server.loop, 0);
}

/* The end */

/* Ends the connections in order, and with success: the server is told to stop. From now on stdout is waited for by the
 * rules of sys/drain. */
static void stop_echo(struct server *server)
{
    struct echoing *echoing = LOOP_OWNER(server, struct echoing, server);
    struct echo_print *print = &echoing->print;
    if (echoing->datagrams.loop)
        echo_datagrams_release(&echoing->datagrams);
    listener_close(&server->listener);
    if (write_queue_has_pending(&print->queue))
        drain_start(&print->drain, server->loop, print_count_left, print_drain_over);
    echo_stop(&echoing->echo);
}

static void echo_stopped(struct echo *echo)
{
    struct echoing *echoing = LOOP_OWNER(echo, struct echoing, echo);
    struct echo_print *print = &echoing->print;
    print->finishing = true;
    if (print->given_up || !write_queue_has_pending(&print->queue))
        loop_stop(echo->clients.loop, 0);
    else
        drain_start(&print->drain, echo->clients.loop, print_count_left, print_drain_over);
}

/* Connections. Their logs are NULL where nobody will read them. */

static void client_joined(struct server *server, const struct admitted_client *client)
{
    struct echoing *echoing = LOOP_OWNER(server, struct echoing, server);
    echo_add(&echoing->echo, client->fd, server->listener.socktype,
             connection_log_new(client->fd, client->peer));
}

static void client_left(struct echo *echo, const struct echo_client *client, enum echo_end how)
{
    struct server *server = &LOOP_OWNER(echo, struct echoing, echo)->server;
    struct connection_log *log = client->user_data;
    struct report_end end = {.in = client->bytes_in, .out = client->bytes_out, .how = REPORT_EOF};
    if (log && how == ECHO_FAILED && client->failure) {
        log_note(LOG_LEVEL_INFO, "%s: %s", log->peer, strerror(client->failure));
        end.how = connection_log_how_failed(client->failure);
    } else if (how == ECHO_FAILED) {
        end.how = REPORT_RESET; /* --reset-after */
    } else if (log && how == ECHO_IDLE) {
        log_note(LOG_LEVEL_INFO, "%s: nothing moved within the time limit", log->peer);
        end.how = REPORT_TIMEOUT;
    } else if (how == ECHO_STOPPED) {
        end.how = server->err->status == STATUS_TIMEOUT ? REPORT_TIMEOUT : REPORT_SIGNAL;
    }
    connection_log_end(log, end);
    server_left(server);
}

_Static_assert((int)ECHO_DATAGRAM_SOCKETS_MAX >= (int)LISTENER_SOCKETS_MAX, "a listener has more");

/* The command */

static void echoing_prepare(struct echoing *echoing)
{
    const struct echo_server_options *given = echoing->given;
    struct loop *loop = echoing->server.loop;
    struct write_queue *queue = &echoing->print.queue;
    if (echoing->mode == ECHO_DAYTIME)
        tzset(); /* gmtime(3) would do it, and read a file, for the first client */
    if (given->print) {
        echoing->print.tap.look = print_look;
        write_queue_init(queue, loop, fd_output(STDOUT_FILENO), print_drained);
        write_queue_watch_hangup(queue);
    }
    struct tap *tap = given->print ? &echoing->print.tap : NULL;
    const struct faults *faults = faults_any(&echoing->faults) ? &echoing->faults : NULL;
    echoing->echo = (struct echo){.clients = {.loop = loop,
                                              .idle_ms = given->limits.idle_ms,
                                              .keepalive_ms = given->sockopt.keepalive_ms},
                                  .mode = echoing->mode,
                                  .faults = faults,
                                  .tap = tap,
                                  .left = client_left,
                                  .stopped = echo_stopped};
    echoing->datagrams = (struct echo_datagrams){.loop = loop,
                                                 .mode = echoing->mode,
                                                 .faults = faults,
                                                 .tap = tap,
                                                 .senders = server_senders(&echoing->server)};
}

static int serve_clients(struct echoing *echoing, const struct address *address)
{
    const struct echo_server_options *given = echoing->given;
    struct server *server = &echoing->server;
    const struct listener *listener = &server->listener;
    if (server_open(server, address))
        return -1;
    if (modes_check(&echo_server_command, given,
                    modes_of_socket(listener->sockets[0].name.storage.ss_family,
                                    listener->socktype),
                    server->err))
        return -1;
    server_send_at_once(server);
    int result = 1;
    if (given->workers != 1)
        result = workers_run(&echoing->workers, server, (int)given->workers);
    if (result != 1) /* what the workers came to */
        return result;
    echoing_prepare(echoing);
    result = server_ready(server);
    if (listener->socktype == SOCK_DGRAM)
        echo_datagrams_start(&echoing->datagrams, listener->sockets, listener->count);
    server_accept(server);
    if (result == 0) {
        /* A datagram's source is bound to, to find out whether it is ours: see may_amplify. */
        server_confine(server, listener->socktype == SOCK_DGRAM ? SANDBOX_SOCKETS : 0);
        result = loop_run(server->loop);
    }
    if (echoing->datagrams.loop)
        echo_datagrams_release(&echoing->datagrams);
    listener_close(&server->listener); /* nobody takes the place of those that leave now */
    echo_release(&echoing->echo);
    if (!given->print)
        return result;
    drain_stop(&echoing->print.drain);
    write_queue_release(&echoing->print.queue);
    return result ? result : fd_finish_stdout(&echoing->print.queue.fd, server->err);
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

static int check_options(struct echoing *echoing, struct error *err)
{
    const struct echo_server_options *given = echoing->given;
    struct faults *faults = &echoing->faults;
    if (read_mode(given->mode, &echoing->mode, err))
        return -1;
    uint64_t seed = random_seed() % 1000000;
    *faults = given->faults;
    faults->seed = given->seed >= 0 ? (uint64_t)given->seed : seed;
    /* A run that was not given a seed can be repeated with this one. */
    if (given->seed < 0 && faults_any(faults))
        log_note(LOG_LEVEL_INFO, "--seed %llu", (unsigned long long)seed);
    if (given->seed >= 0 && !faults_any(faults))
        return error_set(err, STATUS_USAGE,
                         "option --seed is for faults that come by chance: --drop, --jitter ...");
    if (echoing->mode != ECHO_ECHO && faults_any(faults))
        return error_set(err, STATUS_USAGE, "--mode %s knows no faults", given->mode);
    return workers_check(given->workers, given->limits.timeout_ms >= 0, given->server.readiness.run,
                         err);
}

/* An echo of every packet of a protocol would answer answers, and what others are asked. */
static int echo_check_address(const struct address *address, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    if (address->kind != ADDRESS_RAW)
        return 0;
    return error_set(err, STATUS_USAGE, "echo-server is not for raw sockets, as %s is one",
                     address_text(address, true, text));
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
    if (given->explain && explain_begin(&(struct explain_setup){.serves = true}, err))
        return -1;
    if (check_options(&echoing, err) ||
        address_parse(&address, operands->words, operands->count, &use, err) ||
        echo_check_address(&address, err) ||
        modes_check(&echo_server_command, given, modes_of_address(&address), err))
        return -1;
    echoing.server = (struct server){.loop = loop_new(),
                                     .options = &given->server,
                                     .limits = &given->limits,
                                     .sockopt = &given->sockopt,
                                     .command = operands->program,
                                     .numeric = given->family.numeric,
                                     .no_sandbox = operands->no_sandbox,
                                     .err = err,
                                     .joined = client_joined,
                                     .stop = stop_echo};
    echoing.server.children.max_open = descriptors_allow_max();
    int result = serve_clients(&echoing, &address);
    result = server_close(&echoing.server, result);
    loop_free(echoing.server.loop);
    return result;
}

const struct command echo_server_command = {
    .name = "echo-server",
    .operands = "ADDRESS",
    .forms = "--run [OPTIONS] ADDRESS -- COMMAND [ARGUMENTS]",
    .serves = true,
    .summary = "Send back what arrives, to any number of clients",
    .operand_forms = "PORT (0: any that is free), HOST PORT, HOST:PORT, ./PATH, unix:@NAME, "
                     "udp:HOST:PORT, fd:N, systemd:; more in sockctl(1)",
    .used_most = "udp mode print delay drop close-after run verbose",
    .examples = "sockctl echo-server -v 127.0.0.1:7777\n"
                "sockctl echo-server --delay 100ms --run 127.0.0.1:0 -- ./test",
    .min_operands = 1,
    .max_operands = 2,
    .takes_program = true,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
