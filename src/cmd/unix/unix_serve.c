/*
 * sockctl unix-serve: prints the messages that any number of clients send over a UNIX socket, until one of them says
 * quit. The server admits clients to the hub; each message that the hub brings is printed, and answered or given to a
 * program. The hub is paused while too much waits for stdout, or too many programs run.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/modes.h"
#include "cmd/common/options.h"
#include "cmd/serve/programs.h"
#include "cmd/serve/server.h"
#include "cmd/unix/message_hub.h"
#include "cmd/unix/message_programs.h"
#include "cmd/unix/messages.h"
#include "command.h"
#include "sys/descriptors.h"
#include "sys/drain.h"
#include "sys/loop.h"

enum {
    QUEUE_MAX = 1 << 18, /* bytes that wait for stdout before no client is read from */
    OWN_DESCRIPTORS = 9,
    START_DESCRIPTORS = 6, /* of a program, for the moment of its start */
    RUN_DESCRIPTORS = 2
};

struct serve_options {
    struct message_options messages;
    struct limit_options limits;
    const char *quit_word;
    struct opt_bytes reply;
    bool echo;
    bool print0;
    struct program_options program;
    bool recv_fd;
    uint64_t max_memory; /* 0: not given */
    struct server_options server;
};

static const struct opt options[] = {
    MESSAGE_ROWS(struct serve_options, messages),
    OPT_VALUE(0, "quit-word", text, "WORD", struct serve_options, quit_word,
              "the message that ends it (quit); empty: none"),
    OPT(0, "reply", bytes, struct serve_options, reply,
        "answer each message with TEXT (C escapes are understood)"),
    OPT(0, "echo", flag, struct serve_options, echo, "answer each message with itself"),
    OPT('0', "print0", flag, struct serve_options, print0, "end each with NUL, not newline"),
    PROGRAM_ROWS(struct serve_options, program, "answer with what PROGRAM prints"),
    OPT_FOR(0, "recv-fd", flag, struct serve_options, recv_fd, MODE_ONLY_WAYS(MODE_PROGRAMS),
            "a descriptor that comes with a message becomes the program's descriptor 3"),
    MAX_CONNS_ROWS(struct serve_options, server, OPT_ALL),
    MEMORY_ROWS(struct serve_options, max_memory, OPT_ALL),
    USER_ROWS(struct serve_options, server),
    SOCKET_FILE_ROWS(struct serve_options, server),
    READINESS_ROWS(struct serve_options, server.readiness),
    LIMIT_ROWS(struct serve_options, limits, OPT_ALL, "limit for the wait for the first client"),
    EXPLAIN_ROW(struct serve_options, messages.explain),
    LOG_ROWS(struct serve_options, messages.log_json),
    OPT_END,
};

static const struct serve_options defaults = {.messages = MESSAGE_DEFAULTS,
                                              .limits = LIMIT_DEFAULTS,
                                              .quit_word = "quit",
                                              .server = SERVER_DEFAULTS};

/* One run of the command. */
struct serving {
    const struct serve_options *given;
    struct server_options options; /* as given, with max_conns of serving_bound_clients */
    struct server server;
    struct message_hub hub;
    struct message_programs programs;
    struct message_output output;
    bool over;          /* when nothing waits for stdout any more */
    struct drain drain; /* of stdout, once a signal has told us to stop */
};

/* stdout */

static bool serving_output_failed(struct serving *serving)
{
    if (message_output_check(&serving->output, serving->server.err) == 0)
        return false;
    serving->hub.paused = true;
    loop_stop(serving->server.loop, -1);
    return true;
}

static void serving_end_if_printed(const struct serving *serving)
{
    if (serving->over && !write_queue_has_pending(&serving->output.queue))
        loop_stop(serving->server.loop, 0);
}

static bool serving_is_blocked(const struct serving *serving)
{
    const struct write_queue *queue = &serving->output.queue;
    return queue->failure || queue->length > QUEUE_MAX ||
           serving->programs.running.count >= serving->programs.max;
}

static void serving_resume_if_possible(struct serving *serving)
{
    if (serving->hub.paused && !serving_is_blocked(serving))
        message_hub_resume(&serving->hub);
}

static void output_drained(struct write_queue *queue)
{
    struct serving *serving = LOOP_OWNER(queue, struct serving, output.queue);
    if (serving_output_failed(serving))
        return;
    serving_resume_if_possible(serving);
    serving_end_if_printed(serving);
}

/* Clients, and their programs */

static void program_ended(struct message_programs *programs)
{
    serving_resume_if_possible(LOOP_OWNER(programs, struct serving, programs));
}

static void client_joined(struct server *server, const struct admitted_client *client)
{
    message_hub_add(&LOOP_OWNER(server, struct serving, server)->hub, client->fd);
}

static void client_left(struct message_client *client)
{
    message_programs_abandon(client);
    server_left(&LOOP_OWNER(client->hub, struct serving, hub)->server);
}

static bool message_arrived(struct message_client *client, const struct frame *message)
{
    struct serving *serving = LOOP_OWNER(client->hub, struct serving, hub);
    const struct serve_options *given = serving->given;
    message_output_print(&serving->output, message);
    if (given->echo)
        message_hub_answer(client, message->message, message->length);
    if (given->reply.bytes)
        message_hub_answer(client, given->reply.bytes, given->reply.length);
    if (serving->programs.argv)
        message_programs_run(&serving->programs, client, message);
    const char *word = given->quit_word;
    if (!*word || message->length != strlen(word) ||
        memcmp(message->message, word, message->length) != 0)
        return true;
    if (!serving->hub.clients.stopping) {
        /* Whoever has connected before the quit is still served; from here on, clients are refused. */
        message_hub_end(&serving->hub);
        server_accept_waiting(&serving->server);
        listener_close(&serving->server.listener);
    }
    return false;
}

static void turn_over(struct message_hub *hub)
{
    struct serving *serving = LOOP_OWNER(hub, struct serving, hub);
    write_queue_uncork(&serving->output.queue);
    if (!serving_output_failed(serving) && serving_is_blocked(serving))
        hub->paused = true;
}

static void clients_ended(struct message_hub *hub)
{
    struct serving *serving = LOOP_OWNER(hub, struct serving, hub);
    if (serving_output_failed(serving))
        return;
    serving->over = true;
    serving_end_if_printed(serving);
}

/* Signals */

static uint64_t count_left(struct drain *drain)
{
    return LOOP_OWNER(drain, struct serving, drain)->output.queue.length;
}

static void drain_over(struct drain *drain)
{
    loop_stop(LOOP_OWNER(drain, struct serving, drain)->server.loop, 0);
}

/* Ends the connections in order, and with success: the server is told to stop. */
static void stop_serving(struct server *server)
{
    struct serving *serving = LOOP_OWNER(server, struct serving, server);
    listener_close(&server->listener);
    message_hub_release(&serving->hub, REPORT_SIGNAL);
    serving->over = true;
    drain_start(&serving->drain, server->loop, count_left, drain_over);
    serving_end_if_printed(serving);
}

/* The command */

/* Bounds clients and programs by the descriptors that there are. Clients must not take those that their programs need,
 * or they would wait for each other; a client for whom there is none waits in the backlog. */
static void serving_bound_clients(struct serving *serving)
{
    const int64_t room = descriptors_max() - OWN_DESCRIPTORS - START_DESCRIPTORS;
    const int64_t asked = serving->given->server.max_conns;
    int64_t programs = room / 2 / RUN_DESCRIPTORS;
    if (programs > (asked ? asked : PROGRAMS_MAX))
        programs = asked ? asked : PROGRAMS_MAX;
    serving->programs.max = programs < 1 ? 1 : (size_t)programs;
    int64_t clients = room - RUN_DESCRIPTORS * programs;
    if (asked && clients > asked)
        clients = asked;
    serving->options.max_conns = clients < 1 ? 1 : clients;
}

static int serve_clients(struct serving *serving, const struct address *address)
{
    struct server *server = &serving->server;
    if (server_open(server, address))
        return -1;
    if (server->listener.socktype != SOCK_STREAM)
        return error_set(server->err, STATUS_USAGE, "listen on %s: not a stream socket",
                         server->name);
    if (server_ready(server))
        return -1;
    if (serving->programs.argv) {
        serving_bound_clients(serving);
        if (children_init(&server->children, server->loop, server->err))
            return -1;
        descriptors_close_on_exec();
    }
    message_output_init(&serving->output, server->loop, serving->given->print0 ? '\0' : '\n',
                        output_drained);
    if (!serving->programs.argv)
        server_confine(server, 0);
    else
        server_skip_sandbox(server);
    server_accept(server);
    int result = loop_run(server->loop);
    drain_stop(&serving->drain);
    listener_close(&server->listener);
    message_hub_release(&serving->hub, connection_log_how(result, server->err));
    message_programs_end(&serving->programs);
    write_queue_release(&serving->output.queue);
    return result ? result : fd_finish_stdout(&serving->output.queue.fd, server->err);
}

/* Returns the least that --max-memory can be: a message is held as it comes, perhaps for a program, and again as an
 * answer. */
static uint64_t min_memory(const struct serve_options *given)
{
    return 4 * (uint64_t)message_limit(&given->messages);
}

/* Checks what the options say together. An answer that no frame can hold is a mistake on the command line, not one for
 * each message. */
static int check_options(const struct serve_options *given, char **arguments, struct error *err)
{
    const bool program = program_is_given(&given->program);
    const struct frame reply = {given->reply.bytes, given->reply.length};
    struct frame_ends ends;
    if ((reply.message && message_wrap(&ends, message_framing(&given->messages), &reply, err)) ||
        program_check(&given->program, arguments, err))
        return -1;
    if (program && (given->echo || given->reply.bytes))
        return error_set(err, STATUS_USAGE, "option --%s: a program is to give the answers",
                         given->echo ? "echo" : "reply");
    if (given->max_memory && given->max_memory < min_memory(given))
        return error_set(err, STATUS_USAGE,
                         "option --max-memory: less than four times --max-message (%llu bytes)",
                         (unsigned long long)min_memory(given));
    return modes_check(&unix_serve_command, given, program ? MODE_PROGRAMS : MODE_SHARED, err);
}

static void serving_prepare_hub(struct serving *serving)
{
    const struct serve_options *given = serving->given;
    struct message_hub *hub = &serving->hub;
    uint64_t memory = min_memory(given) > BUDGET_DEFAULT ? min_memory(given) : BUDGET_DEFAULT;
    hub->clients.loop = serving->server.loop;
    hub->clients.idle_ms = given->limits.idle_ms;
    hub->name = serving->server.name;
    hub->framing = message_framing(&given->messages);
    hub->max_message = message_limit(&given->messages);
    hub->takes_descriptors = given->recv_fd;
    hub->max_memory = given->max_memory ? given->max_memory : memory;
    hub->arrived = message_arrived;
    hub->turn_over = turn_over;
    hub->ended = clients_ended;
    hub->left = client_left;
    message_hub_init(hub);
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct serve_options *given = chosen;
    /* What follows `--` is for --run, or else for --exec. */
    char **arguments = given->server.readiness.run ? NULL : operands->program;
    struct address address;
    if (given->messages.log_json)
        report_as_objects();
    if (message_explain(&given->messages, true, err))
        return -1;
    if (check_options(given, arguments, err) ||
        message_address(&address, operands->words[0], true, err))
        return -1;
    struct serving *serving = memory_new(1, sizeof *serving);
    struct loop *loop = loop_new();
    serving->given = given;
    serving->options = given->server;
    serving->server = (struct server){.loop = loop,
                                      .options = &serving->options,
                                      .limits = &given->limits,
                                      .command = arguments ? NULL : operands->program,
                                      .no_sandbox = operands->no_sandbox,
                                      .err = err,
                                      .joined = client_joined,
                                      .stop = stop_serving};
    serving->server.children.max_open = descriptors_allow_max();
    serving_prepare_hub(serving);
    serving->programs = (struct message_programs){.hub = &serving->hub,
                                                  .children = &serving->server.children,
                                                  .max = PROGRAMS_MAX,
                                                  .ended = program_ended};
    if (program_is_given(&given->program))
        serving->programs.argv = program_words(&given->program, arguments);
    int result = serve_clients(serving, &address);
    result = server_close(&serving->server, result);
    loop_free(loop);
    free(serving->programs.argv);
    free(serving);
    return result;
}

const struct command unix_serve_command = {
    .name = "unix-serve",
    .operands = "PATH",
    .forms = "-e PROGRAM [OPTIONS] PATH [-- ARGUMENTS]\n"
             "--run [OPTIONS] PATH -- COMMAND [ARGUMENTS]",
    .serves = true,
    .summary = "Print the messages that clients send over a UNIX socket, until one says quit",
    .operand_forms =
        "./PATH, unix:@NAME (abstract), fd:N or systemd: (a socket that is listening already)",
    .used_most = "framing reply echo exec run verbose",
    .examples = "sockctl unix-serve /tmp/app.sock\n"
                "sockctl unix-serve -e ./answer /tmp/app.sock",
    .min_operands = 1,
    .max_operands = 1,
    .takes_program = true,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
