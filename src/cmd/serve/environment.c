/*
 * See environment.h. The list begins with the strings of environ; what is set goes to its end, and is freed with it.
 * What is known of a connection is put together once, and then written by the names of each tool whose scripts are to
 * work here unchanged (environment_describe).
 */
#include "cmd/serve/environment.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "sys/sock.h"

/* A list of variables */

void environment_release(struct environment *environment)
{
    while (environment->own) {
        environment->own--;
        free(environment->list[--environment->count]);
    }
    free(environment->list);
}

static void environment_remove(struct environment *environment, const char *name)
{
    const size_t length = strlen(name);
    size_t at = 0;
    while (at < environment->count) {
        char **variable = &environment->list[at];
        if (strncmp(*variable, name, length) != 0 || (*variable)[length] != '=') {
            at++;
            continue;
        }
        if (at >= environment->count - environment->own) {
            free(*variable);
            environment->own--;
        }
        environment->count--;
        memmove(variable, variable + 1, (environment->count - at + 1) * sizeof(char *));
    }
}

void environment_init(struct environment *environment)
{
    static const char *const ours[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
                                       "NOTIFY_SOCKET"};
    size_t count = 0;
    while (environ[count])
        count++;
    *environment = (struct environment){memory_new(count + 1, sizeof(char *)), count, 0};
    memcpy(environment->list, environ, count * sizeof(char *));
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        environment_remove(environment, ours[i]);
}

/* Sets a variable to a copy of the value; NULL: there is to be no such variable. */
static void environment_set(struct environment *environment, const char *name, const char *value)
{
    environment_remove(environment, name);
    if (!value)
        return;
    size_t room = strlen(name) + strlen(value) + 2;
    char *variable = memory_new(room, 1);
    snprintf(variable, room, "%s=%s", name, value);
    environment->list = memory_grow(environment->list, environment->count + 2, sizeof(char *));
    environment->list[environment->count++] = variable;
    environment->list[environment->count] = NULL;
    environment->own++;
}

static void environment_set_number(struct environment *environment, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    environment_set(environment, name, text);
}

void environment_describe_listener(struct environment *environment,
                                   const struct listener_socket *listens)
{
    char text[SOCKNAME_TEXT_MAX];
    const char *host = text;
    /* A socket of all addresses is reached by the machine's own: that of IPv4 where both families are served, for loopback
     * may be without IPv6. */
    const bool has_both = *listener_text(listens, text) == '*';
    sockname_host(&listens->name, text);
    if (has_both || strcmp(text, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(text, "::") == 0)
        host = "::1";
    environment_set(environment, "SOCKCTL_ADDR", host);
    if (listens->name.storage.ss_family == AF_UNIX || listens->name.protocol)
        environment_set(environment, "SOCKCTL_PORT", NULL);
    else
        environment_set_number(environment, "SOCKCTL_PORT", sockname_port(&listens->name));
}

/* What is known of a connection */

/* One end of it; NULL: there is no such thing. */
struct side {
    const char *host;
    const char *port;
    const char *socat; /* the host, as socat(1) writes it */
    char host_text[SOCKNAME_TEXT_MAX];
    char port_text[16];
    char socat_text[INET6_ADDRSTRLEN];
};

static void side_describe(struct side *side, const struct sockname *name)
{
    const struct sockaddr_in6 *ipv6 = (const void *)&name->storage;
    const unsigned char *byte = ipv6->sin6_addr.s6_addr;
    *side = (struct side){.port = NULL};
    side->host = side->socat = sockname_host(name, side->host_text);
    if (name->storage.ss_family == AF_UNIX) {
        if (!*side->host)
            side->socat = "<anon>";
        return;
    }
    snprintf(side->port_text, sizeof side->port_text, "%u", sockname_port(name));
    side->port = side->port_text;
    if (!strchr(side->host, ':'))
        return;
    /* "[0000:0000:0000:0000:0000:0000:0000:0001]" */
    char *out = side->socat_text;
    for (int i = 0; i < 16; i += 2)
        out += sprintf(out, "%c%02x%02x", i ? ':' : '[', byte[i], byte[i + 1]);
    *out++ = ']';
    *out = '\0';
    side->socat = side->socat_text;
}

/* Sets which user and process the peer is, or was when it connected. */
static void environment_set_credentials(struct environment *environment, int fd, bool unix_socket)
{
    static const char *const names[][2] = {{"SOCKCTL_PEER_PID", "UNIXREMOTEPID"},
                                           {"SOCKCTL_PEER_UID", "UNIXREMOTEEUID"},
                                           {"SOCKCTL_PEER_GID", "UNIXREMOTEEGID"},
                                           {"UNIXLOCALPID", "UNIXLOCALPID"},
                                           {"UNIXLOCALUID", "UNIXLOCALUID"},
                                           {"UNIXLOCALGID", "UNIXLOCALGID"}};
    struct ucred peer;
    bool known = unix_socket && sock_credentials(fd, &peer) == 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        environment_set(environment, names[i][0], NULL);
        environment_set(environment, names[i][1], NULL);
    }
    if (!known)
        return;
    const int64_t values[] = {peer.pid, peer.uid, peer.gid, getpid(), getuid(), getgid()};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        environment_set_number(environment, names[i][0], values[i]);
        environment_set_number(environment, names[i][1], values[i]);
    }
}

void environment_describe(struct environment *environment, int fd, const struct sockname *peer,
                          const struct sockname *proxied)
{
    struct sockname own = {.length = 0};
    struct side local, remote;
    char pid[24];
    const bool is_proxied = proxied && proxied->length;
    if (is_proxied)
        own = *proxied;
    else
        sock_name(fd, &own);
    side_describe(&local, &own);
    side_describe(&remote, peer);
    snprintf(pid, sizeof pid, "%" PRId64, (int64_t)getpid());
    const sa_family_t family = peer->storage.ss_family == AF_UNSPEC /* a peer without a name */
                                   ? own.storage.ss_family
                                   : peer->storage.ss_family;
    const bool inet = family == AF_INET || family == AF_INET6, is_unix = family == AF_UNIX;
    const char *proto = inet ? "TCP" : is_unix ? "UNIX" : family == AF_VSOCK ? "VSOCK" : NULL;
    /* ncat calls a UNIX socket TCP, its ends localhost, and their ports empty. */
    const struct side none = {.host = NULL}, localhost = {.host = "localhost", .port = ""};
    const struct side *inet_local = inet ? &local : &none, *inet_remote = inet ? &remote : &none;
    const struct side *ncat_local = is_unix ? &localhost : &local;
    const struct side *ncat_remote = is_unix ? &localhost : &remote;
    const struct {
        const char *name;
        const char *value;
    } variables[] = {
        {"SOCKCTL_PROTO", proto},
        {"SOCKCTL_REMOTE_ADDR", remote.host},
        {"SOCKCTL_REMOTE_PORT", remote.port},
        {"SOCKCTL_LOCAL_ADDR", local.host},
        {"SOCKCTL_LOCAL_PORT", local.port},
        {"NCAT_PROTO", is_unix ? "TCP" : proto},
        {"NCAT_REMOTE_ADDR", ncat_remote->host},
        {"NCAT_REMOTE_PORT", ncat_remote->port},
        {"NCAT_LOCAL_ADDR", ncat_local->host},
        {"NCAT_LOCAL_PORT", ncat_local->port},
        {"SOCAT_PEERADDR", remote.socat},
        {"SOCAT_PEERPORT", remote.port},
        {"SOCAT_SOCKADDR", local.socat},
        {"SOCAT_SOCKPORT", local.port},
        {"SOCAT_PID", pid},
        {"SOCAT_PPID", pid},
        {"SOCAT_VERSION", NULL},
        /* Source: https://cr.yp.to/ucspi-tcp/environment.html, and PROTOCOL of ucspi-unix. */
        {"PROTO", inet || is_unix ? proto : NULL},
        {"TCPREMOTEIP", inet_remote->host},
        {"TCPREMOTEPORT", inet_remote->port},
        {"TCPLOCALIP", inet_local->host},
        {"TCPLOCALPORT", inet_local->port},
        {"TCPREMOTEHOST", NULL},
        {"TCPLOCALHOST", NULL},
        {"TCPREMOTEINFO", NULL},
        {"UNIXLOCALPATH", !is_unix      ? NULL
                          : *local.host ? local.host
                                        : remote.host},
    };
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        environment_set(environment, variables[i].name, variables[i].value);
    environment_set_credentials(environment, fd, is_unix && !is_proxied);
}
