/*
 * See http_sandbox.h.
 */
#include "cmd/http/http_sandbox.h"

#include <stdlib.h>

#include "cmd/http/http_output.h"
#include "net/resolver.h"
#include "sys/sandbox.h"

/* Whether some other connection than the one that is up may be made. One that was kept may turn out to be dead. */
static bool may_connect(const struct http_sandbox *sandbox,
                        const struct http_sandbox_moment *moment)
{
    const struct http_options *options = sandbox->options;
    return !moment->is_last || options->retries ||
           (!moment->is_final && (options->location || moment->connection->served));
}

static bool may_be_redirected(const struct http_options *options)
{
    return options->location && !options->unix_path;
}

void http_sandbox_look_at(struct http_sandbox *sandbox, const struct http_target *target)
{
    const struct http_route *route = &target->route;
    const struct address *address = route->tunneled ? &route->tunnel.address : &route->address;
    sandbox->has_tls |= *route->tls_name != '\0';
    sandbox->has_names |= !resolver_is_numeric(address);
}

/* Files are opened when there is something for them. */
static void allow_outputs(const struct http_sandbox *own, struct sandbox *sandbox)
{
    struct url url;
    struct error ignored;
    for (const char *const *word = own->urls; *word; word++) {
        char *path = NULL;
        if (!url_parse(&url, *word) && !http_output_choose(own->options, &url, &path, &ignored) &&
            path)
            sandbox_allow(sandbox, SANDBOX_REPLACE, path);
        free(path);
        if (!own->options->remote_name)
            break; /* the others go where the first one goes */
    }
}

void http_sandbox_enter(struct http_sandbox *sandbox, const struct http_sandbox_moment *moment)
{
    const struct http_options *options = sandbox->options;
    const bool connects = !sandbox->is_off && may_connect(sandbox, moment);
    const bool is_redirected = connects && may_be_redirected(options);
    struct sandbox prepared;
    unsigned needs = 0;
    if (sandbox->is_off)
        return;
    if (is_redirected || (connects && (options->via.command || sandbox->has_tls))) {
        if (moment->is_final && moment->is_last)
            sandbox_skip("a program may be started: another try may be by https, or --via");
        return;
    }
    if (connects)
        needs |= SANDBOX_SOCKETS | (sandbox->has_names ? SANDBOX_LOOKUP : 0);
    if (options->via.command || sandbox->has_tls || moment->connection->connection.via)
        needs |= SANDBOX_CHILDREN;
    if (moment->connection->connection.peer.storage.ss_family == AF_INET6)
        needs |= SANDBOX_ZONES;
    sandbox_init(&prepared, needs);
    allow_outputs(sandbox, &prepared);
    sandbox_enter(&prepared);
    sandbox->is_off = true;
}
