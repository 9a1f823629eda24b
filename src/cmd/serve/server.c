/*
 * See server.h. What a server does in order: server_open reads the lists of who may connect and listens,
 * server_ready says so and starts the command of --run, server_accept takes clients.
 *
 * Admission is here, and here alone: server_admit sees every connection that the listener has accepted, and
 * server_admits_sender every datagram. A connection that has yet to say by a PROXY header whose it is waits in
 * `pending` between the two halves of that: is the proxy let in, and then, is its client? An engine gets a client
 * from `joined`, when it is in.
 */
#include "cmd/serve/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/serve/readiness.h"
#include "net/proxy_header.h"
#include "sys/descriptors.h"
#include "sys/sock.h"
#include "sys/unblocked.h"

enum {
    WAITING_MAX = 4096,  /* clients that are taken from a backlog at once */
    LIST_MAX = 16 << 20, /* bytes of a list of who may connect */
    OWN_DESCRIPTORS = 11 /* standard ones, the loop's and its signals', those of a look-up or of a
                             program that is being started */
};

static int server_read_list(void *context, int fd, char **bytes, size_t *length)
{
    const struct server *server = context;
    return unblocked_read(server->loop, fd, LIST_MAX, bytes, length);
}

/* Opening */

int server_begin(struct server *server)
{
    server->began = true;
    if (readiness_check(&server->options->readiness, server->err) ||
        supervised_child_check(server->options->readiness.run, server->command, server->err))
        return -1;
    /* This comes before the socket file is there, and before anybody is informed: signals from here on wait
     * for the loop. */
    signals_catch(&server->signals, server->loop, server->err);
    limit_command(&server->total, server->loop, server->limits->max_time_ms, server->err);
    return 0;
}

int server_open(struct server *server, const struct address *address)
{
    const struct server_options *given = server->options;
    const struct listener_options how = {
        .numeric = server->numeric,
        .backlog = (int)given->backlog,
        .mode = given->mode < 0 ? SOCKET_FILE_MODE : given->mode,
        .reuse_port = given->reuse_port,
        .ask_users = given->allow_uid.count > 0,
        .timeout_ms = server->limits->timeout_ms,
        .sockopt = server->sockopt,
    };
    const struct listener *listener = &server->listener;
    if (!server->began && server_begin(server))
        return -1;
    server->access = (struct access){
        .read_all = server_read_list,
        .context = server,
        .given = {[ACCESS_ALLOW] = {given->allow.items, given->allow.count},
                  [ACCESS_DENY] = {given->deny.items, given->deny.count},
                  [ACCESS_PROXY_FROM] = {given->proxy_from.items, given->proxy_from.count},
                  [ACCESS_ALLOW_UID] = {given->allow_uid.items, given->allow_uid.count}},
        .proxied = server->header_ms > 0};
    if (access_read(&server->access, false, server->err))
        return -1;
    if (listener_open(&server->listener, server->loop, address, &how, server->err))
        return -1;
    listener_text(&listener->sockets[0], server->name);
    for (size_t i = 0; i < listener->count; i++)
        if (access_check(&server->access, &listener->sockets[i].name, server->err))
            return -1;
    return 0;
}

static void server_signalled(void *context, int signal_number)
{
    struct server *server = context;
    struct error err;
    if (signal_number == SIGHUP && server->access.rules.has_files) {
        if (access_read(&server->access, true, &err))
            report_warning("SIGHUP: %s; the lists stay as they were", err.text);
        else
            log_note(LOG_LEVEL_INFO, "SIGHUP: the lists of who may connect have been read again");
        if (server->reviewed)
            server->reviewed(server);
        return;
    }
    server->signalled = true;
    if (supervised_child_signal(&server->child, signal_number))
        return;
    if (server->stop)
        server->stop(server);
    else
        loop_stop(server->loop, error_signal(server->err, signal_number));
}

/* Called when the command of --run is over. One client that is being served has its own end. */
static void server_child_gone(struct supervised_child *child, bool asked)
{
    struct server *server = LOOP_OWNER(child, struct server, child);
    if (server->stop)
        server->stop(server);
    else if (asked || server->count == server->pending.count)
        loop_stop(server->loop, error_silent(server->err, STATUS_OK));
}

int server_ready(struct server *server)
{
    const struct listener *listener = &server->listener;
    char name[SOCKNAME_TEXT_MAX];
    sigset_t set;
    signals_set(&set);
    if (server->access.rules.has_files)
        sigaddset(&set, SIGHUP); /* also where nohup has had it ignored */
    loop_signals(server->loop, &set, server_signalled, server);
    if (server->worker)
        return 0;
    for (size_t i = 0; i < listener->count; i++) {
        const struct listener_socket *socket = &listener->sockets[i];
        report_listening(listener_text(socket, name),
                         listener->socktype == SOCK_DGRAM && sockname_is_inet(&socket->name),
                         listener->any_port);
    }
    if (readiness_report(&server->options->readiness, &listener->sockets[0].name, server->loop,
                         server->err))
        return -1;
    if (!server->options->readiness.run)
        return 0;
    server->child.loop = server->loop;
    server->child.stop = server_child_gone;
    return supervised_child_start(&server->child, &server->children, server->command,
                                  &listener->sockets[0], server->err);
}

static void server_allow_file(void *context, const char *file)
{
    sandbox_allow(context, SANDBOX_READ, file);
}

void server_prepare_sandbox(struct server *server, unsigned needs)
{
    const struct listener *listener = &server->listener;
    const struct access *access = &server->access;
    struct sandbox *sandbox = &server->sandbox;
    if (server->no_sandbox)
        return;
    needs |= listener->socktype == SOCK_DGRAM || listener->socktype == SOCK_RAW ? SANDBOX_DATAGRAMS
                                                                                : SANDBOX_ACCEPT;
    for (size_t i = 0; i < listener->count; i++)
        if (listener->sockets[i].name.storage.ss_family == AF_INET6)
            needs |= SANDBOX_ZONES;
    if (server->child.started)
        needs |= SANDBOX_CHILDREN;
    if (access->rules.has_files && access->given[ACCESS_ALLOW_UID].count)
        needs |= SANDBOX_LOOKUP |
                 SANDBOX_SERVICES; /* users have names, which SIGHUP has looked up */
    sandbox_init(sandbox, needs);
    if (listener->file.path)
        sandbox_allow(sandbox, SANDBOX_REMOVE, listener->file.path);
    access_each_file(access, server_allow_file, sandbox);
}

void server_confine(struct server *server, unsigned needs)
{
    server_prepare_sandbox(server, needs);
    sandbox_enter(&server->sandbox);
}

void server_skip_sandbox(const struct server *server)
{
    if (!server->no_sandbox)
        sandbox_skip("programs are started");
}

void server_send_at_once(const struct server *server)
{
    const struct listener *listener = &server->listener;
    /* Clients inherit it from the listening socket. */
    for (size_t i = 0; i < listener->count && listener->socktype == SOCK_STREAM; i++)
        if (sockname_is_inet(&listener->sockets[i].name))
            sock_set(listener->sockets[i].watch.fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* Admission */

/* A client that has been accepted, and has yet to say by a PROXY header whose connection it passes on. */
struct pending_client {
    struct server *server;
    struct list_node node;
    struct proxy_header_reader *reader;
    struct sockname peer;
    int fd;
};

static bool server_is_full(const struct server *server)
{
    size_t asked = (size_t)server->options->max_conns;
    return (asked && server->count >= asked) ||
           (server->max_clients && server->count >= server->max_clients);
}

/* Closes a client that is not allowed. It is as if it had not come: the wait for the first client goes on. */
static void server_reject(int fd, const struct sockname *peer)
{
    char name[SOCKNAME_TEXT_MAX];
    log_note(LOG_LEVEL_INFO, "%s is not allowed: closed", connection_log_name(fd, peer, name));
    sock_close(fd);
}

/* Does the second half of server_admit: the client is known by now, or there was no header. A connection that closes
 * without a byte is a load balancer's, which looks whether we are there. */
static void server_admit_proxied(void *context, const struct proxied_ends *proxied,
                                 const char *complaint)
{
    struct pending_client *pending = context;
    const struct pending_client gone = *pending;
    struct server *server = gone.server;
    list_remove(&server->pending, &pending->node);
    free(pending);
    if (proxied) {
        const struct sockname *source = proxied->source.length ? &proxied->source : &gone.peer;
        const struct admitted_client client = {.fd = gone.fd,
                                               .peer = source,
                                               .destination = proxied->destination,
                                               .is_proxy = source == &gone.peer};
        if (access_admits(&server->access, source)) {
            limit_cancel(&server->wait);
            server->joined(server, &client);
            return;
        }
        server_reject(gone.fd, source);
    } else {
        char name[SOCKNAME_TEXT_MAX];
        sockname_text(&gone.peer, name);
        if (complaint)
            report_warning("%s: %s", name, complaint);
        else
            log_note(LOG_LEVEL_INFO, "%s: closed without a byte, as health checks do", name);
        sock_close(gone.fd);
    }
    server_left(server);
}

/* Admits a connection, or rejects it. Every connection passes through here: the lists, the limit of clients, the PROXY
 * header. */
static void server_admit(void *context, int fd, const struct sockname *peer)
{
    struct server *server = context;
    const enum access_verdict verdict = access_judge(&server->access, fd, peer);
    if (verdict == ACCESS_REFUSED) {
        server_reject(fd, peer);
        return;
    }
    server->count++;
    if (server_is_full(server))
        listener_pause(&server->listener);
    if (verdict == ACCESS_ADMITTED) {
        limit_cancel(&server->wait);
        server->joined(server, &(const struct admitted_client){.fd = fd, .peer = peer});
        return;
    }
    struct pending_client *client = memory_new(1, sizeof *client);
    client->server = server;
    client->peer = *peer;
    client->fd = fd;
    list_append(&server->pending, &client->node);
    client->reader = proxy_header_await(server->loop, fd, server->header_ms, server_admit_proxied,
                                        client);
}

/* Tells whether the sender of a datagram is admitted. Every datagram passes through here. */
static bool server_admits_sender(void *context, const struct sock_message *message)
{
    struct server *server = context;
    if (!access_admits_sender(&server->access, message))
        return false;
    limit_cancel(&server->wait);
    return true;
}

struct sock_senders server_senders(struct server *server)
{
    return (struct sock_senders){.admit = server_admits_sender, .context = server};
}

size_t server_datagram_sockets(struct server *server, int sockets[LISTENER_SOCKETS_MAX],
                               struct sock_senders *senders)
{
    const struct listener *listener = &server->listener;
    for (size_t i = 0; i < listener->count; i++)
        sockets[i] = listener->sockets[i].watch.fd;
    *senders = server_senders(server);
    return listener->count;
}

/* Clients come and go */

void server_reserve(struct server *server, int descriptors)
{
    int64_t room = descriptors_max() - OWN_DESCRIPTORS - (int64_t)server->listener.count;
    server->max_clients = room > descriptors ? (size_t)(room / descriptors) : 1;
}

void server_accept(struct server *server)
{
    error_set(&server->wait.reason, STATUS_TIMEOUT,
              "listen on %s: no client came within the time limit", server->name);
    limit_start(&server->wait, server->loop, server->limits->timeout_ms, server->err);
    if (server->listener.socktype != SOCK_DGRAM)
        listener_accept(&server->listener, server_admit, server);
}

void server_accept_waiting(struct server *server)
{
    struct sockname peer;
    for (size_t i = 0; i < server->listener.count; i++) {
        int listening = server->listener.sockets[i].watch.fd;
        int fd = 0;
        for (int taken = 0; taken < WAITING_MAX && fd >= 0 && !server_is_full(server); taken++) {
            fd = sock_accept(listening, &peer);
            if (fd >= 0)
                server_admit(server, fd, &peer);
        }
    }
}

void server_refuse(struct server *server)
{
    listener_close(&server->listener);
    LIST_EACH (struct pending_client, client, &server->pending, node) {
        proxy_header_cancel(client->reader);
        sock_close(client->fd);
        list_remove(&server->pending, &client->node);
        free(client);
    }
}

void server_left(struct server *server)
{
    bool was_full = server_is_full(server);
    server->count--;
    if (was_full && server->listener.count)
        listener_accept(&server->listener, server_admit, server);
}

int server_close(struct server *server, int result)
{
    if (server->wait.loop)
        limit_cancel(&server->wait);
    server_refuse(server);
    access_release(&server->access);
    result = supervised_child_end(&server->child, result, server->err);
    if (server->total.loop)
        limit_cancel(&server->total);
    children_release(&server->children);
    return result;
}
