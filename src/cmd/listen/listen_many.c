/*
 * listen --keep-open: many clients at the same time; what any of them sends goes to stdout, what
 * comes on stdin goes to all.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/listen/listening.h"

static void client_joined(struct server *server, int fd, const struct sockname *peer)
{
    struct listening *listening = LOOP_OWNER(server, struct listening, server);
    struct listening_client *client = memory_new(1, sizeof *client);
    client->log.stats = listening->given->transfer.stats;
    connection_log_accept(&client->log, fd, peer);
    client->number = ++listening->count;
    client->is_proxy = server->is_proxy;
    struct hub_client *added = hub_add(&listening->hub, fd, client);
    if (listening->given->chat)
        listening_chat_joined(added);
}

static enum report_how how_client_left(const struct listening *listening,
                                       const struct hub_client *client, enum hub_end how)
{
    static const enum report_how hows[] = {[HUB_EOF] = REPORT_EOF,
                                           [HUB_IDLE] = REPORT_TIMEOUT,
                                           [HUB_SLOW] = REPORT_SLOW,
                                           [HUB_LARGEST] = REPORT_SLOW,
                                           [HUB_STOPPED] = REPORT_SIGNAL};
    if (how == HUB_RESET)
        return connection_log_how_failed(client->failure);
    if (how == HUB_STOPPED && listening->hub.error.status) /* the output is gone */
        return REPORT_ERROR;
    if (how == HUB_STOPPED && !listening->hub.stopping)
        return connection_log_how(-1, listening->err);
    return hows[how];
}

static void client_left(struct hub *hub, const struct hub_client *client, enum hub_end how)
{
    struct listening *listening = LOOP_OWNER(hub, struct listening, hub);
    struct listening_client *ours = client->user_data;
    const char *name = ours->log.peer;
    bool is_check = ours->is_proxy && !client->bytes_in; /* a health check */
    if (how == HUB_RESET && is_check)
        log_note(LOG_LEVEL_INFO, "%s: %s", name, strerror(client->failure));
    else if (how == HUB_RESET)
        report_warning("%s: %s", name, strerror(client->failure));
    else if (how == HUB_IDLE)
        report_warning("%s: nothing moved within the time limit", name);
    else if (how == HUB_SLOW)
        report_warning("%s does not read: disconnected", name);
    else if (how == HUB_LARGEST)
        report_warning("%s does not read enough: disconnected; its queue was the largest when all "
                       "had reached --max-memory",
                       name);
    connection_log_close(&ours->log,
                         (struct report_end){.in = client->bytes_in,
                                             .out = client->queue.written,
                                             .how = how_client_left(listening, client, how)});
    if (listening->given->chat && how != HUB_STOPPED)
        listening_chat_left(client);
    chat_release(&ours->reader);
    free(ours);
    server_left(&listening->server);
}

static void hub_done(struct hub *hub, int result)
{
    struct listening *listening = LOOP_OWNER(hub, struct listening, hub);
    if (result < 0)
        *listening->err = hub->error;
    loop_stop(listening->loop, result);
}

/* A server that is told to stop ends its connections in order and with success. */
static void stop(struct server *server)
{
    server_refuse(server);
    hub_stop(&LOOP_OWNER(server, struct listening, server)->hub);
}

/* Clients that speak with each other do it without our stdout, and beyond the end of our stdin. */
static void prepare(struct listening *listening)
{
    const struct session *session = &listening->session;
    bool broker = listening->given->broker;
    listening->hub = (struct hub){.in = session_input(session),
                                  .out = broker ? (struct fd){.fd = -1, .kind = FD_NULL}
                                                : session_output(session),
                                  .in_name = "stdin",
                                  .out_name = "stdout",
                                  .idle_ms = session->limits->idle_ms,
                                  .keepalive_ms = session->keepalive_ms,
                                  .quit_after_ms = session->transfer->quit_after_ms,
                                  .silence_ms = session_silence_ms(session),
                                  .no_shutdown = broker || session->transfer->no_shutdown,
                                  .greeting = session->greeting,
                                  .greeting_length = session->greeting_length,
                                  .max_memory = listening->given->max_memory,
                                  .up_filter = filters_up(session->filters),
                                  .down_filter = filters_down(session->filters),
                                  .left = client_left,
                                  .done = hub_done};
    listening->hub.in_ahead = fd_reopened(listening->hub.in);
    if (broker)
        listening->hub.heard = listening->given->chat ? listening_chat_heard
                                                      : listening_broker_heard;
}

int listening_many(struct listening *listening)
{
    prepare(listening);
    listening->server.joined = client_joined;
    listening->server.stopping = stop;
    hub_start(&listening->hub, listening->loop);
    int result = server_ready(&listening->server);
    if (result == 0) {
        server_accept(&listening->server);
        result = loop_run(listening->loop);
    }
    hub_release(&listening->hub);
    if (listening->hub.in_ahead.fd != listening->hub.in.fd)
        close(listening->hub.in_ahead.fd);
    chat_release(&listening->input.reader);
    return result;
}
