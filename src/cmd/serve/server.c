#include "cmd/serve/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/log.h"
#include "cli/report.h"
#include "cmd/serve/readiness.h"
#include "sys/descriptors.h"
#include "sys/sock.h"
#include "sys/unblocked.h"

enum {
    WAITING_MAX = 4096,  /* clients that are taken from a backlog at once */
    OWN_DESCRIPTORS = 11 /* standard ones, the loop's and its signals', those of a look-up or of a
                            program that is being started */
};

/* Who may connect */

enum { LIST_MAX = 16 << 20 }; /* bytes */

static int read_all(void *context, int fd, char **bytes, size_t *length)
{
    const struct server *server = context;
    return unblocked_read(server->loop, fd, LIST_MAX, bytes, length);
}

static int open_access(struct server *server)
{
    const struct server_options *given = server->options;
    server->access = (struct access){
        .read_all = read_all,
        .context = server,
        .given = {[ACCESS_ALLOW] = {given->allow.items, given->allow.count},
                  [ACCESS_DENY] = {given->deny.items, given->deny.count},
                  [ACCESS_PROXY_FROM] = {given->proxy_from.items, given->proxy_from.count},
                  [ACCESS_ALLOW_UID] = {given->allow_uid.items, given->allow_uid.count}},
        .proxied = server->header_ms > 0};
    return access_open(&server->access, server->err);
}

static int check_access(const struct server *server)
{
    const struct listener *listener = &server->listener;
    for (size_t i = 0; i < listener->count; i++)
        if (access_check(&server->access, &listener->sockets[i].name, server->err))
            return -1;
    return 0;
}

static void reload_access(struct server *server)
{
    struct error err;
    if (access_reload(&server->access, &err))
        report_warning("SIGHUP: %s; the lists stay as they were", err.text);
    else
        log_note(LOG_LEVEL_INFO, "SIGHUP: the lists of who may connect have been read again");
    if (server->reviewed)
        server->reviewed(server);
}

/* Opening */

int server_begin(struct server *server)
{
    server->began = true;
    if (readiness_check(&server->options->readiness, server->err) ||
        supervised_child_check(server->options->readiness.run, server->command, server->err))
        return -1;
    /* Before the socket file is there, and before anybody is told: what arrives from here on waits
     * for the loop. */
    signals_catch(&server->signals, server->loop, server->err);
    limit_command(&server->total, server->loop, server->limits->max_time_ms, server->err);
    return 0;
}

int server_open(struct server *server, const struct address *address)
{
    const struct listener_options how = {
        .numeric = server->numeric,
        .backlog = (int)server->options->backlog,
        .mode = server->options->mode,
        .reuse_port = server->options->reuse_port,
        .ask_users = server->options->allow_uid.count > 0,
        .timeout_ms = server->limits->timeout_ms,
        .sockopt = server->sockopt,
    };
    if (!server->began && server_begin(server))
        return -1;
    if (open_access(server))
        return -1;
    if (listener_open(&server->listener, server->loop, address, &how, server->err))
        return -1;
    listener_text(&server->listener.sockets[0], server->name);
    return check_access(server);
}

static void signalled(void *context, int signal_number)
{
    struct server *server = context;
    server->stopped |= signal_number != SIGHUP || !access_has_files(&server->access);
    if (signal_number == SIGHUP && access_has_files(&server->access))
        reload_access(server);
    else if (supervised_child_signal(&server->child, signal_number))
        return;
    else if (server->stopping)
        server->stopping(server);
    else
        loop_stop(server->loop, error_signal(server->err, signal_number));
}

/* The command of --run is over. One client that is being served has its own end. */
static void supervised_child_gone(struct supervised_child *child, bool asked)
{
    struct server *server = LOOP_OWNER(child, struct server, child);
    if (server->stopping)
        server->stopping(server);
    else if (asked || server->count == server->pending_clients.count)
        loop_stop(server->loop, error_silent(server->err, STATUS_OK));
}

static int run_command(struct server *server)
{
    if (!server->options->readiness.run)
        return 0;
    server->child.loop = server->loop;
    server->child.stop = supervised_child_gone;
    return supervised_child_start(&server->child, &server->children, server->command,
                                  &server->listener.sockets[0], server->err);
}

int server_ready(struct server *server)
{
    const struct listener *listener = &server->listener;
    char name[SOCKNAME_TEXT_MAX];
    sigset_t set;
    signals_set(&set);
    if (access_has_files(&server->access))
        sigaddset(&set, SIGHUP); /* also where nohup has had it ignored */
    loop_signals(server->loop, &set, signalled, server);
    if (server->worker)
        return 0;
    for (size_t i = 0; i < listener->count; i++)
        report_listening(listener_text(&listener->sockets[i], name), listener->any_port);
    if (readiness_tell(&server->options->readiness, &listener->sockets[0].name, server->loop,
                       server->err))
        return -1;
    return run_command(server);
}

/* Clients inherit it. */
void server_send_at_once(const struct server *server)
{
    const struct listener *listener = &server->listener;
    for (size_t i = 0; i < listener->count && listener->socktype == SOCK_STREAM; i++)
        if (sockname_is_inet(&listener->sockets[i].name))
            sock_set(listener->sockets[i].watch.fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* Clients */

void server_await_first(struct server *server)
{
    error_set(&server->wait.reason, STATUS_TIMEOUT,
              "listen on %s: no client came within the time limit", server->name);
    limit_start(&server->wait, server->loop, server->limits->timeout_ms, server->err);
}

void server_heard(struct server *server)
{
    limit_cancel(&server->wait);
}

static bool is_full(const struct server *server)
{
    size_t asked = (size_t)server->options->max_conns;
    return (asked && server->count >= asked) || (server->most && server->count >= server->most);
}

void server_bound(struct server *server, int descriptors)
{
    int64_t room = descriptors_max() - OWN_DESCRIPTORS - (int64_t)server->listener.count;
    server->most = room > descriptors ? (size_t)(room / descriptors) : 1;
}

static bool admit_sender(void *context, const struct sock_message *message)
{
    return access_admits_sender(context, message);
}

struct sock_senders server_senders(struct server *server)
{
    return (struct sock_senders){.admit = admit_sender, .context = &server->access};
}

/* It is as if it had not come: the wait for the first client goes on. */
static void turn_away(int fd, const struct sockname *peer)
{
    char name[SOCKNAME_TEXT_MAX];
    log_note(LOG_LEVEL_INFO, "%s is not allowed: closed", sockname_text(peer, name));
    sock_close(fd);
}

static void join(struct server *server, int fd, const struct sockname *peer)
{
    server_heard(server);
    server->joined(server, fd, peer);
}

/* Who the lists are about is known by now. */
static void newcomer_came(struct pending_clients *pending_clients, int fd,
                          const struct sockname *peer, const struct proxied_ends *proxied)
{
    struct server *server = LOOP_OWNER(pending_clients, struct server, pending_clients);
    const struct sockname *source = proxied->source.length ? &proxied->source : peer;
    if (!access_admits(&server->access, source)) {
        turn_away(fd, source);
        server_left(server);
        return;
    }
    server->destination = proxied->destination;
    server->is_proxy = source == peer;
    join(server, fd, source);
}

static void newcomer_refused(struct pending_clients *pending_clients)
{
    server_left(LOOP_OWNER(pending_clients, struct server, pending_clients));
}

static void client_came(void *context, int fd, const struct sockname *peer)
{
    struct server *server = context;
    const struct access *access = &server->access;
    bool announces = server->header_ms && access_may_announce(access, peer);
    if (!access_admits_user(access, fd) ||
        !(announces ? access_admits_proxy(access, peer) : access_admits(access, peer))) {
        turn_away(fd, peer);
        return;
    }
    server->count++;
    if (is_full(server))
        listener_pause(&server->listener);
    if (announces) {
        pending_clients_add(&server->pending_clients, fd, peer);
        return;
    }
    server->destination.length = 0;
    server->is_proxy = false;
    join(server, fd, peer);
}

void server_accept(struct server *server)
{
    server->pending_clients = (struct pending_clients){.loop = server->loop,
                                                       .limit_ms = server->header_ms,
                                                       .came = newcomer_came,
                                                       .refused = newcomer_refused};
    server_await_first(server);
    listener_accept(&server->listener, client_came, server);
}

void server_accept_waiting(struct server *server)
{
    struct sockname peer;
    for (size_t i = 0; i < server->listener.count; i++) {
        int listening = server->listener.sockets[i].watch.fd;
        int fd = 0;
        for (int taken = 0; taken < WAITING_MAX && fd >= 0 && !is_full(server); taken++) {
            fd = sock_accept(listening, &peer);
            if (fd >= 0)
                client_came(server, fd, &peer);
        }
    }
}

void server_refuse(struct server *server)
{
    listener_close(&server->listener);
    pending_clients_close(&server->pending_clients);
}

void server_left(struct server *server)
{
    bool was_full = is_full(server);
    server->count--;
    if (was_full && server->listener.count)
        listener_accept(&server->listener, client_came, server);
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
