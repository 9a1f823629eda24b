/*
 * listen --keep-open, --broker and --chat: many clients at the same time, by way of a hub (stream/hub.h).
 *
 * Without more, what any of them sends goes to stdout, and what comes on stdin goes to all. With --broker, what one
 * client says goes to all others as it comes, and with --chat line by line, with a name for each client; what comes
 * on stdin goes to all, as from user 0, who sees on stdout what a client sees.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/listen/listening.h"
#include "proto/chat.h"
#include "stream/hub.h"

enum {
    ROOM = 1 << 16,
    NAME_ROOM = 32,
    NAMES_MAX = 20,                    /* of others, in the welcome of a new client */
    PEER_ROOM = 4 * SOCKNAME_TEXT_MAX, /* of one as it is shown */
    ANNOUNCE_ROOM = PEER_ROOM + 2 * NAME_ROOM,
    SCREEN_MAX = 1 << 20 /* bytes that wait for a stdout that takes nothing */
};

struct many_client {
    struct connection_log log;
    unsigned long number; /* the first is 1 */
    struct chat_reader reader;
    bool warned;   /* that lines of it are cut */
    bool is_proxy; /* see struct admitted_client */
};

struct many {
    struct listening *listening;
    struct hub hub;            /* the user_data of a hub_client is a many_client */
    unsigned long count;       /* of all clients there ever were */
    struct many_client input;  /* what stdin says to a chat, as if it were one */
    struct write_queue screen; /* what is said in a chat, on stdout */
    bool is_behind;            /* stdout does not take it, and some is left out */
    bool is_late;              /* a client has come after the end of stdin, and it was said */
};

/* The screen of a chat's host */

/* Ends the server where stdout has failed. */
static void screen_drained(struct write_queue *screen)
{
    struct many *many = LOOP_OWNER(screen, struct many, screen);
    if (screen->failure) {
        write_queue_error(screen, "stdout", many->listening->err);
        loop_stop(many->listening->loop, -1);
    }
    many->is_behind = false;
}

/* Shows what the clients see. A stdout that takes nothing, a terminal that has been stopped, keeps nobody from talking. */
static void screen_show(struct hub *hub, const char *bytes, size_t length)
{
    struct many *many = LOOP_OWNER(hub, struct many, hub);
    struct write_queue *screen = &many->screen;
    if (screen->length + length <= SCREEN_MAX) {
        if (!screen->failure && write_queue_put(screen, bytes, length))
            screen_drained(screen);
        return;
    }
    if (!many->is_behind)
        report_warning("stdout takes nothing: some of what is said is not shown");
    many->is_behind = true;
}

/* --broker and --chat */

static void broker_received(struct hub *hub, struct hub_client *from, const char *bytes,
                            size_t length)
{
    if (bytes)
        hub_send_others(hub, from, bytes, length);
}

/* Lines on their way to all but `from`, so that one send takes those of one read. */
struct chat_output {
    struct hub *hub;
    struct hub_client *from;
    size_t length;
    char bytes[ROOM];
};

static void chat_output_send(struct chat_output *output)
{
    if (output->length)
        hub_send_others(output->hub, output->from, output->bytes, output->length);
    if (output->length && output->from)
        screen_show(output->hub, output->bytes, output->length);
    output->length = 0;
}

static unsigned long client_number(const struct hub_client *client)
{
    const struct many_client *ours = client ? client->user_data : NULL;
    return ours ? ours->number : 0;
}

static void chat_output_add(struct chat_output *output, const struct chat_text *line)
{
    if (ROOM - output->length < NAME_ROOM + CHAT_SHOWN_MAX + 1)
        chat_output_send(output);
    char *out = output->bytes + output->length;
    size_t length = (size_t)snprintf(out, NAME_ROOM, "<user%lu> ", client_number(output->from));
    length += chat_show(out + length, line->bytes, line->length);
    out[length++] = '\n';
    output->length += length;
}

static void chat_received(struct hub *hub, struct hub_client *from, const char *bytes,
                          size_t length)
{
    struct many *many = LOOP_OWNER(hub, struct many, hub);
    struct many_client *client = from ? from->user_data : &many->input;
    struct chat_output output;
    struct chat_text text = {bytes, length}, line;
    output.hub = hub;
    output.from = from;
    output.length = 0;
    while (bytes && chat_next(&client->reader, &text, &line))
        chat_output_add(&output, &line);
    if (!bytes && chat_rest(&client->reader, &line))
        chat_output_add(&output, &line);
    chat_output_send(&output);
    if (client->reader.cut && !client->warned)
        report_warning("%s: a line longer than %d bytes was cut", client->log.peer, CHAT_LINE_MAX);
    client->warned = client->reader.cut;
    if (from)
        hub_client_owns(from, client->reader.held ? CHAT_LINE_MAX : 0);
}

/* Comings and goings */

/* Sends an announcement to all but one client, and not to those that have ended: they would be kept by each other's
 * leaving. */
static void chat_announce(struct hub *hub, const struct hub_client *but, const char *what)
{
    char line[NAME_ROOM + ANNOUNCE_ROOM];
    int length = snprintf(line, sizeof line, "<announce> %s\n", what);
    LIST_EACH (struct hub_client, client, &hub->clients.list, peer.node)
        if (client != but && !client->ended)
            hub_send(client, line, (size_t)length);
    screen_show(hub, line, (size_t)length);
}

/* Announces to a new client its name, and who is there, or some of them; and to the others that it is there. */
static void chat_client_joined(struct hub_client *client)
{
    const struct many_client *ours = client->user_data;
    char line[NAME_ROOM * (NAMES_MAX + 3)], shown[PEER_ROOM], what[ANNOUNCE_ROOM];
    const size_t others = client->hub->clients.list.count - 1;
    int names = 0;
    int length = snprintf(line, sizeof line, "<announce> you are <user%lu>%s", ours->number,
                          others ? "; already here:" : "");
    for (const struct hub_client *other = LIST_NEXT(client, struct hub_client, peer.node);
         other && names < NAMES_MAX; names++) {
        length += snprintf(line + length, NAME_ROOM, " <user%lu>", client_number(other));
        other = LIST_NEXT(other, struct hub_client, peer.node);
    }
    if (others > NAMES_MAX)
        length += snprintf(line + length, NAME_ROOM, " and %zu more", others - NAMES_MAX);
    line[length++] = '\n';
    const int shown_length = (int)chat_show(shown, ours->log.peer, strlen(ours->log.peer));
    hub_send(client, line, (size_t)length);
    snprintf(what, sizeof what, "%.*s is connected as <user%lu>", shown_length, shown,
             ours->number);
    chat_announce(client->hub, client, what);
}

/* Clients */

/* Warns once, of a client that is late for what stdin had for those before it: a file that was to go to each, perhaps. */
static void many_warn_of_end(struct many *many, const char *peer)
{
    const struct hub *hub = &many->hub;
    if (many->is_late || hub->received || !hub->in_ended || !hub->in_began || isatty(hub->in.fd))
        return;
    many->is_late = true;
    report_warning("%s gets nothing: stdin has ended (-c 'cat FILE' sends FILE to every client)",
                   peer);
}

static void many_client_joined(struct server *server, const struct admitted_client *admitted)
{
    struct listening *listening = LOOP_OWNER(server, struct listening, server);
    struct many *many = listening->serving;
    struct many_client *client = memory_new(1, sizeof *client);
    client->log.stats = listening->given->transfer.stats;
    connection_log_accept(&client->log, admitted->fd, admitted->peer);
    client->number = ++many->count;
    client->is_proxy = admitted->is_proxy;
    many_warn_of_end(many, client->log.peer);
    struct hub_client *added = hub_add(&many->hub, admitted->fd, client);
    if (listening->given->chat)
        chat_client_joined(added);
}

static void many_client_left(struct hub *hub, const struct hub_client *client, enum hub_end how)
{
    struct many *many = LOOP_OWNER(hub, struct many, hub);
    struct many_client *ours = client->user_data;
    const char *name = ours->log.peer;
    char what[2 * NAME_ROOM];
    struct report_end end = {.in = client->bytes_in, .out = client->queue.written};
    switch (how) {
    case HUB_EOF:
        end.how = REPORT_EOF;
        break;
    case HUB_RESET:
        end.how = connection_log_how_failed(client->failure);
        if (ours->is_proxy && !client->bytes_in) /* a health check */
            log_note(LOG_LEVEL_INFO, "%s: %s", name, strerror(client->failure));
        else
            report_warning("%s: %s", name, strerror(client->failure));
        break;
    case HUB_IDLE:
        end.how = REPORT_TIMEOUT;
        report_warning("%s: nothing moved within the time limit", name);
        break;
    case HUB_SLOW:
        end.how = REPORT_SLOW;
        report_warning("%s does not read: disconnected", name);
        break;
    case HUB_LARGEST:
        end.how = REPORT_SLOW;
        report_warning("%s does not read enough: disconnected; its queue was the largest when all "
                       "had reached --max-memory",
                       name);
        break;
    case HUB_STOPPED:
        if (hub->failed)
            end.how = REPORT_ERROR;
        else
            end.how = hub->clients.stopping ? REPORT_SIGNAL
                                            : connection_log_how(-1, many->listening->err);
        break;
    }
    connection_log_close(&ours->log, end);
    snprintf(what, sizeof what, "<user%lu> has left", ours->number);
    if (many->listening->given->chat && how != HUB_STOPPED)
        chat_announce(hub, client, what);
    chat_release(&ours->reader);
    free(ours);
    server_left(&many->listening->server);
}

static void many_done(struct hub *hub, int result)
{
    loop_stop(LOOP_OWNER(hub, struct many, hub)->listening->loop, result);
}

/* Called by a signal: the server ends its connections in order and with success. */
static void many_stop(struct server *server)
{
    struct many *many = LOOP_OWNER(server, struct listening, server)->serving;
    server_refuse(server);
    hub_stop(&many->hub);
}

int listen_many(struct listening *listening)
{
    const struct session *session = &listening->session;
    const struct listen_options *given = listening->given;
    struct server *server = &listening->server;
    struct many many = {.listening = listening};
    struct hub *hub = &many.hub;
    *hub = (struct hub){.clients = {.idle_ms = session->limits->idle_ms,
                                    .keepalive_ms = session->keepalive_ms},
                        .in = session_input(session),
                        .in_name = "stdin",
                        .out_name = "stdout",
                        .err = listening->err,
                        .quit_after_ms = session->transfer->quit_after_ms,
                        .silence_ms = session_silence_ms(session),
                        .no_shutdown = session->transfer->no_shutdown,
                        .greeting = session->greeting,
                        .greeting_length = session->greeting_length,
                        .max_memory = given->max_memory,
                        .tx_filter = flow_filter(&session->filters->tx),
                        .rx_filter = flow_filter(&session->filters->rx),
                        .left = many_client_left,
                        .done = many_done};
    /* Clients that speak with each other do it without our stdout, and beyond the end of our stdin. */
    if (given->broker) {
        hub->out = (struct fd){.fd = -1, .kind = FD_NULL};
        hub->no_shutdown = true;
        hub->received = given->chat ? chat_received : broker_received;
    } else {
        hub->out = session_output(session);
    }
    if (given->chat) {
        write_queue_init(&many.screen, listening->loop, fd_output(STDOUT_FILENO), screen_drained);
        write_queue_watch_hangup(&many.screen);
    }
    hub->in_reopened = fd_reopened(hub->in);
    listening->serving = &many;
    server->joined = many_client_joined;
    server->stop = many_stop;
    hub_start(hub, listening->loop);
    int result = server_ready(server);
    if (result == 0) {
        server_confine(server, 0);
        server_accept(server);
        result = loop_run(listening->loop);
    }
    hub_release(hub);
    if (given->chat)
        write_queue_release(&many.screen);
    if (hub->in_reopened.fd != hub->in.fd)
        close(hub->in_reopened.fd);
    chat_release(&many.input.reader);
    return result;
}
