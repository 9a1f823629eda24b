/*
 * sockctl unix-serve: prints the messages that any number of clients send over a UNIX socket,
 * until one of them says quit.
 */
#include <stdlib.h>
#include <string.h>

#include "base/descriptors.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/interrupt.h"
#include "cmd/limit.h"
#include "cmd/message_hub.h"
#include "cmd/message_output.h"
#include "cmd/messages.h"
#include "cmd/shared.h"
#include "command.h"
#include "io/loop.h"
#include "net/listener.h"
#include "net/sock.h"

enum {
    QUEUE_MAX = 1 << 18,   /* bytes that wait for stdout before no client is read from */
    LATECOMERS_MAX = 4096, /* clients that are taken from the backlog when we quit */
    PATIENCE_MS = 500      /* with stdout, once a signal has told us to stop */
};

struct serve_options {
    struct message_options messages;
    struct limit_options limits;
    const char *quit_word;
    struct opt_bytes reply;
    bool echo;
    bool print0;
    int mode;
};

static const struct opt options[] = {
    MESSAGE_ROWS(struct serve_options, messages),
    OPT(0, "quit-word", text, struct serve_options, quit_word,
        "the message that ends it (quit); empty: none"),
    OPT(0, "reply", bytes, struct serve_options, reply,
        "answer each message with TEXT (C escapes are understood)"),
    OPT(0, "echo", flag, struct serve_options, echo, "answer each message with itself"),
    OPT('0', "print0", flag, struct serve_options, print0, "end each with NUL, not newline"),
    OPT(0, "mode", mode, struct serve_options, mode, "of the socket's file (0600)"),
    LIMIT_ROWS(struct serve_options, limits, "limit for the wait for the first client"),
    OPT_END,
};

static const struct serve_options defaults = {.messages = MESSAGE_DEFAULTS,
                                              .limits = LIMIT_DEFAULTS,
                                              .quit_word = "quit",
                                              .mode = 0600};

/* One run of the command. */
struct server {
    const struct serve_options *given;
    struct loop *loop;
    struct listener listener;
    struct message_hub hub;
    struct message_output output;
    bool over;          /* when nothing waits for stdout any more */
    struct limit first; /* for the wait for the first client */
    struct limit command;
    struct timer patience;
    struct error *err;
};

/* stdout */

static bool output_failed(struct server *server)
{
    if (message_output_check(&server->output, server->err) == 0)
        return false;
    message_hub_pause(&server->hub);
    loop_stop(server->loop, -1);
    return true;
}

static void finish_if_printed(struct server *server)
{
    if (server->over && !message_output_waiting(&server->output))
        loop_stop(server->loop, 0);
}

static void output_drained(struct message_output *output)
{
    struct server *server = LOOP_OWNER(output, struct server, output);
    if (output_failed(server))
        return;
    message_hub_resume(&server->hub);
    finish_if_printed(server);
}

/* Clients */

static void client_joined(void *context, int fd, const struct sockname *peer)
{
    struct server *server = context;
    (void)peer; /* it has no name of its own, as a rule */
    limit_cancel(&server->first);
    message_hub_add(&server->hub, fd);
}

static void accept_waiting(struct server *server, const struct listener_socket *socket)
{
    struct sockname peer;
    for (int taken = 0; taken < LATECOMERS_MAX; taken++) {
        int fd = sock_accept(socket->watch.fd, &peer);
        if (fd < 0)
            return;
        message_hub_add(&server->hub, fd);
    }
}

/* Whoever has connected before the quit is still heard; from here on, clients are refused. */
static void quit(struct server *server)
{
    message_hub_end(&server->hub);
    for (size_t i = 0; i < server->listener.count; i++)
        accept_waiting(server, &server->listener.sockets[i]);
    listener_close(&server->listener);
}

static bool is_quit_word(const struct server *server, const struct frame *message)
{
    const char *word = server->given->quit_word;
    return *word && message->length == strlen(word) &&
           memcmp(message->message, word, message->length) == 0;
}

static bool message_arrived(struct message_client *client, const struct frame *message)
{
    struct server *server = LOOP_OWNER(client->hub, struct server, hub);
    const struct serve_options *given = server->given;
    message_output_print(&server->output, message);
    if (given->echo)
        message_hub_answer(client, message->message, message->length);
    if (given->reply.bytes)
        message_hub_answer(client, given->reply.bytes, given->reply.length);
    if (!is_quit_word(server, message))
        return true;
    if (!server->hub.ending)
        quit(server);
    return false;
}

static void turn_over(struct message_hub *hub)
{
    struct server *server = LOOP_OWNER(hub, struct server, hub);
    message_output_flush(&server->output);
    if (!output_failed(server) && message_output_waiting(&server->output) > QUEUE_MAX)
        message_hub_pause(hub);
}

static void all_heard(struct message_hub *hub)
{
    struct server *server = LOOP_OWNER(hub, struct server, hub);
    if (output_failed(server))
        return;
    server->over = true;
    finish_if_printed(server);
}

/* Signals */

static void patience_over(struct timer *timer)
{
    loop_stop(LOOP_OWNER(timer, struct server, patience)->loop, 0);
}

/* A server that is told to stop ends its connections in order and with success. */
static void stop(void *context, int signal_number)
{
    struct server *server = context;
    (void)signal_number;
    listener_close(&server->listener);
    message_hub_release(&server->hub);
    server->over = true;
    server->patience = (struct timer){.fired = patience_over};
    loop_timer_set(server->loop, &server->patience, PATIENCE_MS);
    finish_if_printed(server);
}

/* The command */

static void start_limits(struct server *server, const char *name)
{
    const struct limit_options *limits = &server->given->limits;
    error_set(&server->first.reason, STATUS_TIMEOUT,
              "listen on %s: no client came within the time limit", name);
    limit_start(&server->first, server->loop, limits->timeout_ms, server->err);
    limit_command(&server->command, server->loop, limits->max_time_ms, server->err);
}

static int open_listener(struct server *server, const struct address *address)
{
    struct listener *listener = &server->listener;
    const struct listener_options how = {.mode = server->given->mode, .timeout_ms = -1};
    char name[SOCKNAME_TEXT_MAX];
    if (listener_open(listener, server->loop, address, &how, server->err))
        return -1;
    sockname_text(&listener->sockets[0].name, name);
    if (listener->socktype != SOCK_STREAM) {
        listener_close(listener);
        return error_set(server->err, STATUS_USAGE, "listen on %s: not a stream socket", name);
    }
    report_listening(name, listener->any_port);
    start_limits(server, name);
    return 0;
}

static int serve(struct server *server, const struct address *address)
{
    sigset_t signals;
    interrupt_set(&signals);
    loop_signals(server->loop, &signals, stop, server);
    if (open_listener(server, address))
        return -1;
    message_output_start(&server->output, server->loop);
    listener_accept(&server->listener, client_joined, server);
    int result = loop_run(server->loop);
    listener_close(&server->listener);
    message_hub_release(&server->hub);
    message_output_release(&server->output);
    return result ? result : message_output_close(&server->output, server->err);
}

/* An answer that no frame can hold is a mistake on the command line, not one for each message. */
static int check_reply(const struct serve_options *given, struct error *err)
{
    const struct frame reply = {given->reply.bytes, given->reply.length};
    struct frame_ends ends;
    return reply.message ? message_wrap(&ends, given->messages.framing, &reply, err) : 0;
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct serve_options *given = chosen;
    struct address address;
    if (check_reply(given, err) || message_address(&address, operands->words[0], true, err))
        return -1;
    struct server *server = memory_new(1, sizeof *server);
    server->given = given;
    server->err = err;
    descriptors_allow_most();
    server->loop = loop_new();
    server->output.end = given->print0 ? '\0' : '\n';
    server->output.drained = output_drained;
    server->hub.loop = server->loop;
    server->hub.framing = given->messages.framing;
    server->hub.max_message = message_limit(&given->messages);
    server->hub.idle_ms = given->limits.idle_ms;
    server->hub.arrived = message_arrived;
    server->hub.turn_over = turn_over;
    server->hub.ended = all_heard;
    int result = serve(server, &address);
    loop_free(server->loop);
    free(server);
    return result;
}

const struct command unix_serve_command = {
    .name = "unix-serve",
    .operands = "PATH",
    .summary = "Print the messages that clients send over a UNIX socket, until one says quit",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
