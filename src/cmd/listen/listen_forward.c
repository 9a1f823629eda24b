/*
 * listen --to: checks what was asked for, and chooses the way.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/listen/forward.h"
#include "net/attempt.h"

/* What is asked for */

/* The first of the options that concern stdin and stdout, which nobody uses here; NULL: none. */
static const char *find_useless(const struct listen_options *given)
{
    const struct transfer_options *transfer = &given->transfer;
    const struct {
        bool is_given;
        const char *name;
    } useless[] = {
        {transfer->no_shutdown, "--no-shutdown"},
        {transfer->recv_only, "--recv-only"},
        {transfer->send_only, "--send-only"},
        {transfer->exit_on_eof, "--exit-on-eof"},
        {transfer->until_stdin_ends, "--until-stdin-ends"},
        {transfer->quit_after_ms >= 0, "--quit-after"},
        {transfer->no_confirm, "--no-confirm"},
        {transfer->crlf, "--crlf"},
        {transfer->output, "--output"},
        {transfer->append, "--append"},
        {transfer->hex_dump, "--hex-dump"},
        {transfer->delay_ms, "--delay"},
        {transfer->rate, "--rate-limit"},
        {transfer->telnet, "--telnet"},
        {transfer->stats, "--stats"},
        {transfer->progress, "--progress"},
        {transfer->lines, "--lines"},
        {transfer->max_messages, "--max-messages"},
        {transfer->urgent >= 0, "--oob"},
        {given->greeting.length, "--greeting"},
    };
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
        if (useless[i].is_given)
            return useless[i].name;
    return NULL;
}

static int check_address(const struct listen_options *given, struct address *to, struct error *err)
{
    const struct address_use use = {.udp = given->protocol.udp, .family = given->family.family};
    if (address_parse(to, &given->forward.to, 1, &use, err))
        return -1;
    if (to->kind == ADDRESS_FD || to->kind == ADDRESS_SYSTEMD)
        return error_set(err, STATUS_USAGE,
                         "option --to: an inherited socket is connected already, once for all");
    return 0;
}

int listening_check_forward(const struct listen_options *given, struct error *err)
{
    const struct forward_options *forward = &given->forward;
    struct address to;
    if (!forward->to && forward->send_proxy)
        return error_set(err, STATUS_USAGE, "option --send-proxy is for --to");
    if (!forward->to)
        return 0;
    const char *useless = find_useless(given);
    if (useless)
        return error_set(err, STATUS_USAGE,
                         "option %s: with --to, nothing goes to stdout or comes from stdin",
                         useless);
    return check_address(given, &to, err);
}

/* Datagrams to datagrams, connections to connections. */
static int check_kinds(const struct forwarding *forwarding, struct error *err)
{
    const struct forward_options *forward = &forwarding->listening->given->forward;
    bool from = forwarding->listening->server.listener.socktype == SOCK_DGRAM;
    bool to = forwarding->to.socktype == SOCK_DGRAM;
    if (from != to)
        return error_set(err, STATUS_USAGE, "option --to: %s cannot be forwarded to %s",
                         from ? "datagrams" : "connections",
                         to ? "a datagram socket" : "a connection");
    if (to && forwarding->listening->given->workers > 1)
        return error_set(err, STATUS_USAGE,
                         "option --workers: datagrams are one process's to forward");
    if (to && forward->send_proxy)
        return error_set(err, STATUS_USAGE, "option --send-proxy: datagrams have no PROXY header");
    return 0;
}

/* Running */

void forwarding_warn(struct forwarding *forwarding, const struct sockname *client,
                     const struct error *err)
{
    char name[SOCKNAME_TEXT_MAX];
    if (attempt_is_shortage(err->errnum) && !listener_rest(&forwarding->listening->server.listener))
        return;
    report_warning("%s: %s", sockname_text(client, name), err->text);
}

void forwarding_tell_connected(const struct connection *connection)
{
    if (!connection_log_is_wanted())
        return;
    char peer[SOCKNAME_TEXT_MAX], local[SOCKNAME_TEXT_MAX];
    report_connected(sockname_text(&connection->peer, peer),
                     sockname_text(&connection->local, local));
}

/* What the user chose for sockets is for both sides, except what only makes sense for one. */
static void choose_sockopt(struct forwarding *forwarding)
{
    const struct sockopt none = SOCKOPT_DEFAULTS;
    const struct sockopt *given = &forwarding->listening->given->sockopt;
    forwarding->sockopt = forwarding->to.kind == ADDRESS_INET ? *given : none;
    forwarding->sockopt.rcvbuf = given->rcvbuf;
    forwarding->sockopt.sndbuf = given->sndbuf;
    forwarding->sockopt.interface = NULL;
    forwarding->sockopt.fastopen = false;
    forwarding->sockopt.no_delay = forwarding->to.kind == ADDRESS_INET &&
                                   forwarding->to.socktype == SOCK_STREAM;
}

static int run(struct forwarding *forwarding)
{
    struct server *server = &forwarding->listening->server;
    struct error *err = forwarding->listening->err;
    if (check_address(forwarding->listening->given, &forwarding->to, err) ||
        check_kinds(forwarding, err))
        return -1;
    choose_sockopt(forwarding);
    server_send_at_once(server);
    int result = listening_share(forwarding->listening);
    if (result != 1)
        return result;
    server_bound(server, 2);
    forwarding->how.sockopt = &forwarding->sockopt;
    forwarding->how.known = &forwarding->known;
    forwarding->how.hears_anybody = true;
    forwarding->dials = (struct forward_dials){.loop = forwarding->listening->loop,
                                               .to = &forwarding->to,
                                               .how = &forwarding->how};
    forward_dials_init(&forwarding->dials);
    forwarding->limits.timeout_ms = -1;
    server->limits = &forwarding->limits;
    return forwarding->to.socktype == SOCK_DGRAM ? forwarding_datagrams(forwarding)
                                                 : forwarding_connections(forwarding);
}

int listening_forward(struct listening *listening)
{
    const struct listen_options *given = listening->given;
    struct forwarding *forwarding = memory_new(1, sizeof *forwarding);
    forwarding->listening = listening;
    forwarding->limits = given->limits;
    forwarding->how.numeric = given->family.numeric;
    forwarding->how.timeout_ms = given->limits.timeout_ms;
    listening->forwarding = forwarding;
    int result = run(forwarding);
    server_refuse(&listening->server);
    forward_dials_release(&forwarding->dials);
    listening->server.limits = &given->limits;
    resolved_release(&forwarding->known);
    free(forwarding);
    return result;
}
