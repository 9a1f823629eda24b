/*
 * See session.h. A session is a relay of a stream, or a relay of datagrams, between a socket and stdin and stdout, with
 * a log record, the live line of --progress, and the rules that the options make for it. The loop runs in here until
 * the relay is done.
 */
#include "cmd/common/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/progress.h"
#include "sys/sock.h"

enum {
    DATAGRAM_QUIT_MS = 1000,
    REFUSAL_MS = 10 /* what the network near by needs to refuse a datagram: -q 0 waits for it */
};

struct fd session_socket(const struct connection *connection)
{
    return connection->inherited ? fd_of(connection->fd) : fd_of_socket(connection->fd);
}

struct fd session_input(const struct session *session)
{
    struct fd in = fd_of(STDIN_FILENO);
    if (session->transfer->recv_only || session->no_input ||
        (session->serving && in.kind == FD_NULL))
        in.fd = -1;
    return in;
}

struct fd session_output(const struct session *session)
{
    if (!session->transfer->send_only)
        return fd_output(STDOUT_FILENO);
    return (struct fd){open("/dev/null", O_WRONLY | O_CLOEXEC), FD_NULL, true};
}

static struct session_files session_files(const struct session *session)
{
    struct session_files files = session->files;
    if (files.are_open)
        return files;
    files.in = session_input(session);
    files.in_reopened = fd_reopened(files.in);
    files.out = session_output(session);
    return files;
}

void session_open(struct session *session)
{
    session->files = session_files(session);
    session->files.are_open = true;
}

/* Tells whether totals are shown at the end: what the live line of --progress has shown stays as these. */
static bool session_has_stats(const struct session *session)
{
    return session->transfer->stats || (session->transfer->progress && report_is_watched());
}

/* Streams */

/* A relay, and the loop that its end stops. */
struct stream {
    struct relay relay;
    struct loop *loop;
};

static void stream_done(struct relay *relay)
{
    loop_stop(LOOP_OWNER(relay, struct stream, relay)->loop, relay->result);
}

/* Closes stdout once the peer has ended, if that is a pipe: whoever reads it is to see the end. */
static int stream_close_output(struct relay *relay)
{
    if (relay->local.out.kind != FD_PIPE)
        return 0;
    return fd_close_stdout(&relay->local.out);
}

int64_t session_silence_ms(const struct session *session)
{
    if (session->transfer->exit_on_eof)
        return 0;
    return session->transfer->until_stdin_ends ? -1 : RELAY_SILENCE_MS;
}

bool session_shuts(const struct session *session)
{
    const struct transfer_options *transfer = session->transfer;
    return !transfer->no_shutdown && (transfer->shutdown || !session->proxied);
}

void session_log_silence(const struct session *session, const char *peer, uint64_t received)
{
    if (session->serving || session->transfer->send_only || received)
        return;
    log_note(LOG_LEVEL_INFO,
             "%s ended without a byte after the sending half was shut down; if it took that for "
             "a hang-up, use --no-shutdown",
             peer);
}

struct relay_policy session_policy(const struct session *session)
{
    const struct transfer_options *transfer = session->transfer;
    return (struct relay_policy){
        .no_shutdown = !session_shuts(session),
        .confirm = !transfer->no_confirm,
        .keepalive_ms = session->keepalive_ms,
        .quit_after_ms = transfer->quit_after_ms,
        .idle_ms = session->limits->idle_ms,
        .silence_ms = session_silence_ms(session),
        .greeting = session->greeting,
        .greeting_length = session->greeting_length,
        .tx_filter = flow_filter(&session->filters->tx),
        .rx_filter = flow_filter(&session->filters->rx),
        .tx_pace = flow_pace(&session->filters->tx),
        .rx_pace = flow_pace(&session->filters->rx),
    };
}

int session_greet(const struct session *session, int fd, const struct sockname *peer,
                  struct error *err)
{
    if (filters_greeting(session->filters, session->greeting, session->greeting_length)) {
        filters_error(session->filters, err);
        return -1;
    }
    char name[SOCKNAME_TEXT_MAX];
    int64_t byte = session->transfer->urgent;
    if (byte < 0 || sock_send_urgent(fd, (char)byte) == 1)
        return 0;
    return error_system(err, STATUS_TRANSFER, errno, "send urgent data to %s",
                        sockname_text(peer, name));
}

int session_stream(const struct session *session, struct fd socket, const struct sockname *peer,
                   struct error *err)
{
    struct stream stream = {.loop = session->loop};
    struct relay *relay = &stream.relay;
    struct pump_pool pool = {0};
    struct progress progress = {.sent = &relay->tx.pump.moved, .received = &relay->rx.pump.taken};
    struct connection_log log = {.stats = session_has_stats(session)};
    if (session_greet(session, socket.fd, peer, err))
        return -1;
    if (session->serving)
        connection_log_accept(&log, socket.fd, peer);
    else
        connection_log_open(&log, socket.fd, peer);
    const struct session_files files = session_files(session);
    relay->local = (struct relay_side){.in = files.in,
                                       .out = files.out,
                                       .in_name = "stdin",
                                       .out_name = "stdout",
                                       .status = STATUS_LOCAL_IO};
    relay->remote = (struct relay_side){.in = socket,
                                        .out = socket,
                                        .in_name = log.peer,
                                        .out_name = log.peer,
                                        .status = STATUS_TRANSFER};
    relay->policy = session_policy(session);
    relay->policy.reopened = &files.in_reopened;
    relay->local_ended = stream_close_output;
    relay->done = stream_done;
    relay_start(relay, session->loop, &pool);
    if (session->transfer->progress)
        progress_start(&progress, session->loop, &relay->local.in);
    if (session->sandbox)
        sandbox_enter(session->sandbox);
    int result = loop_run(session->loop);
    progress_stop(&progress);
    if (session->received)
        *session->received = relay->rx.pump.taken;
    relay_release(relay);
    pump_pool_release(&pool);
    if (files.in_reopened.fd != files.in.fd)
        close(files.in_reopened.fd);
    if (relay->result < 0) {
        error_restore(&relay->failure, err);
        error_forget(&relay->failure);
    } else if (relay->shut && relay->remote_ended) {
        session_log_silence(session, log.peer, relay->rx.pump.taken);
    }
    if (result == 0)
        result = fd_finish_stdout(&relay->local.out, err);
    else if (!err->signal_number && relay_has_cut(relay) && sockname_is_inet(peer) &&
             !socket.shared)
        sock_reset_on_close(socket.fd);
    connection_log_close(&log, (struct report_end){.in = relay->rx.pump.taken,
                                                   .out = relay->tx.pump.moved,
                                                   .how = connection_log_how(result, err)});
    return result;
}

/* Datagrams */

struct messages {
    struct datagram_relay relay;
    struct loop *loop;
    struct connection_log log;
    const struct session_name *name;
    struct resolved refused; /* the addresses of it that have refused */
    struct dial_options dial;
    struct dialer *dialer; /* while the next one is looked for */
};

static void messages_done(struct datagram_relay *relay)
{
    loop_stop(LOOP_OWNER(relay, struct messages, relay)->loop, relay->result);
}

static void messages_peer_changed(struct datagram_relay *relay, const struct sockname *peer)
{
    struct messages *messages = LOOP_OWNER(relay, struct messages, relay);
    struct connection_log *log = &messages->log;
    connection_log_accept(log, relay->sockets[relay->tx_socket].watch.fd, peer);
    relay->peer_name = log->peer;
}

void session_log_answer(const struct sockname *peer)
{
    char name[SOCKNAME_TEXT_MAX];
    log_note(LOG_LEVEL_INFO, "answer from %s", sockname_text(peer, name));
}

static void messages_answer_came(struct datagram_relay *relay, const struct sockname *peer)
{
    (void)relay;
    session_log_answer(peer);
}

/* The next address of the name is found, or there is none. */
static void messages_moved(void *context, const struct connection *connection,
                           const struct error *err)
{
    struct messages *messages = context;
    char peer[SOCKNAME_TEXT_MAX], local[SOCKNAME_TEXT_MAX];
    (void)err;
    messages->dialer = NULL;
    if (!connection || connection->is_group) {
        if (connection)
            sock_close(connection->fd);
        datagram_give_up(&messages->relay);
        return;
    }
    const int before = messages->name->connection->fd;
    log_note(LOG_LEVEL_INFO, "%s refused the datagram: it goes to the next address",
             messages->relay.peer_name);
    report_connected(sockname_text(&connection->peer, peer),
                     sockname_text(&connection->local, local));
    *messages->name->connection = *connection;
    messages->log.fd = connection->fd;
    connection_log_open(&messages->log, connection->fd, &connection->peer);
    datagram_move(&messages->relay, connection->fd);
    sock_close(before);
}

static bool messages_refused(struct datagram_relay *relay)
{
    struct messages *messages = LOOP_OWNER(relay, struct messages, relay);
    const struct session_name *name = messages->name;
    resolved_add(&messages->refused, &name->connection->peer);
    messages->dial = *name->dial;
    messages->dial.refused = &messages->refused;
    messages->dialer = dial_start(messages->loop, name->address, &messages->dial, messages_moved,
                                  messages);
    return true;
}

/* Adds the addresses that have refused before the last one. */
static void messages_add_refused(const struct messages *messages, struct error *err)
{
    char name[SOCKNAME_TEXT_MAX];
    for (size_t i = 0; i + 1 < messages->refused.count; i++)
        error_add(err, "; %s: %s", sockname_text(&messages->refused.names[i], name),
                  strerror(ECONNREFUSED));
}

/* Begins the log of the messages. Until a peer is known, what is done is named after our own end. */
static void messages_open(struct messages *messages, const struct session *session, int socket)
{
    struct connection_log *log = &messages->log;
    struct sockname name = {.length = 0};
    *log = (struct connection_log){.fd = socket, .stats = session_has_stats(session)};
    messages->relay.peer_name = log->peer;
    if (messages->relay.policy.peer == DATAGRAM_GROUP) {
        connection_log_open(log, socket, messages->relay.policy.group);
        return;
    }
    if (messages->relay.policy.peer != DATAGRAM_CONNECTED) {
        sock_name(socket, &name);
        name.protocol = messages->relay.policy.protocol;
        messages->relay.peer_name = sockname_text(&name, log->local);
        return;
    }
    sock_peer(socket, &name);
    name.protocol = messages->relay.policy.protocol;
    if (session->serving)
        connection_log_accept(log, socket, &name);
    else
        connection_log_open(log, socket, &name);
}

int session_datagrams(const struct session *session, const int *sockets, size_t count,
                      const struct datagram_policy *policy, struct error *err)
{
    const struct transfer_options *transfer = session->transfer;
    struct messages messages = {.loop = session->loop, .name = session->name};
    struct datagram_relay *relay = &messages.relay;
    struct progress progress = {.sent = &relay->bytes_out, .received = &relay->bytes_in};
    relay->policy = *policy;
    relay->policy.idle_ms = session->limits->idle_ms;
    relay->policy.silence_ms = session_silence_ms(session);
    relay->policy.quit_after_ms = transfer->quit_after_ms;
    relay->policy.lines = transfer->lines;
    relay->policy.max_received = transfer->max_messages;
    relay->policy.separator = transfer->separator.bytes;
    relay->policy.separator_length = transfer->separator.length;
    if (!session->serving && !policy->has_end && transfer->quit_after_ms < 0)
        relay->policy.quit_after_ms = transfer->send_only ? 0 : DATAGRAM_QUIT_MS;
    if (!session->serving && policy->peer == DATAGRAM_CONNECTED && !transfer->send_only)
        relay->policy.refusal_ms = REFUSAL_MS;
    relay->refused = session->name ? messages_refused : NULL;
    const struct session_files files = session_files(session);
    relay->in = files.in;
    relay->in_reopened = files.in_reopened;
    relay->out = files.out;
    relay->in_name = "stdin";
    relay->out_name = "stdout";
    relay->tx_filter = flow_filter(&session->filters->tx);
    relay->rx_filter = flow_filter(&session->filters->rx);
    relay->tx_pace = flow_pace(&session->filters->tx);
    relay->peer_changed = policy->peer == DATAGRAM_GROUP ? messages_answer_came
                                                         : messages_peer_changed;
    relay->err = err;
    relay->done = messages_done;
    messages_open(&messages, session, sockets[0]);
    datagram_start(relay, session->loop, sockets, count);
    if (transfer->progress)
        progress_start(&progress, session->loop, &relay->in);
    if (session->sandbox)
        sandbox_enter(session->sandbox);
    int result = loop_run(session->loop);
    progress_stop(&progress);
    datagram_release(relay);
    if (messages.dialer)
        dial_cancel(messages.dialer);
    if (result < 0 && err->errnum == ECONNREFUSED)
        messages_add_refused(&messages, err);
    resolved_release(&messages.refused);
    if (result == 0 && policy->has_end) {
        /* A seqpacket peer that has closed with messages unread has refused them. */
        int failure = sock_error(sockets[0]);
        if (failure)
            result = error_system(err, STATUS_TRANSFER, failure, "send to %s", relay->peer_name);
    }
    connection_log_close(&messages.log,
                         (struct report_end){.in = relay->bytes_in,
                                             .out = relay->bytes_out,
                                             .how = connection_log_how(result, err)});
    return result;
}
