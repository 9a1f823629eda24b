/*
 * See environment.h. The list begins with the strings of environ; what is set goes to its end, and is freed with it.
 * What is known of a connection is put together once (struct described) and then written by the names of each tool
 * whose scripts are to work here unchanged.
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

static void environment_drop(struct environment *environment, size_t at)
{
    if (at >= environment->count - environment->own) {
        free(environment->list[at]);
        environment->own--;
    }
    environment->count--;
    memmove(environment->list + at, environment->list + at + 1,
            (environment->count - at + 1) * sizeof(char *));
}

static void environment_remove(struct environment *environment, const char *name)
{
    size_t length = strlen(name);
    size_t at = 0;
    while (at < environment->count)
        if (strncmp(environment->list[at], name, length) == 0 &&
            environment->list[at][length] == '=')
            environment_drop(environment, at);
        else
            at++;
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

void environment_set(struct environment *environment, const char *name, const char *value)
{
    environment_remove(environment, name);
    if (!value)
        return;
    size_t room = strlen(name) + strlen(value) + 2;
    char *variable = memory_new(room, 1);
    snprintf(variable, room, "%s=%s", name, value);
    environment->list = memory_grow(environment->list, environment->count + 2,
                                    sizeof *environment->list);
    environment->list[environment->count++] = variable;
    environment->list[environment->count] = NULL;
    environment->own++;
}

void environment_set_number(struct environment *environment, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    environment_set(environment, name, text);
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

/* "[0000:0000:0000:0000:0000:0000:0000:0001]" */
static const char *side_ipv6_in_full(struct side *side, const struct sockname *name)
{
    const struct sockaddr_in6 *ipv6 = (const void *)&name->storage;
    const unsigned char *byte = ipv6->sin6_addr.s6_addr;
    char *out = side->socat_text;
    for (int i = 0; i < 16; i += 2)
        out += sprintf(out, "%c%02x%02x", i ? ':' : '[', byte[i], byte[i + 1]);
    *out++ = ']';
    *out = '\0';
    return side->socat_text;
}

static void side_describe(struct side *side, const struct sockname *name)
{
    *side = (struct side){.port = NULL};
    side->host = side->socat = sockname_host(name, side->host_text);
    if (name->storage.ss_family == AF_UNIX) {
        if (!*side->host)
            side->socat = "<anon>";
        return;
    }
    snprintf(side->port_text, sizeof side->port_text, "%u", sockname_port(name));
    side->port = side->port_text;
    if (strchr(side->host, ':'))
        side->socat = side_ipv6_in_full(side, name);
}

struct described {
    const char *proto; /* NULL: a family that has no name here */
    bool is_inet;
    bool is_unix;
    struct side local;
    struct side peer;
};

static void described_fill(struct described *what, int fd, const struct sockname *peer,
                           const struct sockname *proxied)
{
    struct sockname local = {.length = 0};
    sa_family_t family = peer->storage.ss_family;
    if (proxied)
        local = *proxied;
    else
        sock_name(fd, &local);
    if (family == AF_UNSPEC) /* a peer without a name */
        family = local.storage.ss_family;
    what->is_inet = family == AF_INET || family == AF_INET6;
    what->is_unix = family == AF_UNIX;
    what->proto = what->is_inet        ? "TCP"
                  : what->is_unix      ? "UNIX"
                  : family == AF_VSOCK ? "VSOCK"
                                       : NULL;
    side_describe(&what->local, &local);
    side_describe(&what->peer, peer);
}

static void environment_set_own(struct environment *environment, const struct described *what)
{
    environment_set(environment, "SOCKCTL_PROTO", what->proto);
    environment_set(environment, "SOCKCTL_REMOTE_ADDR", what->peer.host);
    environment_set(environment, "SOCKCTL_REMOTE_PORT", what->peer.port);
    environment_set(environment, "SOCKCTL_LOCAL_ADDR", what->local.host);
    environment_set(environment, "SOCKCTL_LOCAL_PORT", what->local.port);
}

/* ncat calls a UNIX socket TCP, its ends localhost, and their ports empty. */
static void environment_set_ncat(struct environment *environment, const struct described *what)
{
    bool unix_socket = what->is_unix;
    environment_set(environment, "NCAT_PROTO", unix_socket ? "TCP" : what->proto);
    environment_set(environment, "NCAT_REMOTE_ADDR", unix_socket ? "localhost" : what->peer.host);
    environment_set(environment, "NCAT_REMOTE_PORT", unix_socket ? "" : what->peer.port);
    environment_set(environment, "NCAT_LOCAL_ADDR", unix_socket ? "localhost" : what->local.host);
    environment_set(environment, "NCAT_LOCAL_PORT", unix_socket ? "" : what->local.port);
}

static void environment_set_socat(struct environment *environment, const struct described *what)
{
    environment_set(environment, "SOCAT_PEERADDR", what->peer.socat);
    environment_set(environment, "SOCAT_PEERPORT", what->peer.port);
    environment_set(environment, "SOCAT_SOCKADDR", what->local.socat);
    environment_set(environment, "SOCAT_SOCKPORT", what->local.port);
    environment_set_number(environment, "SOCAT_PID", getpid());
    environment_set_number(environment, "SOCAT_PPID", getpid());
    environment_set(environment, "SOCAT_VERSION", NULL);
}

/* Source: https://cr.yp.to/ucspi-tcp/environment.html, and PROTOCOL of ucspi-unix. */
static void environment_set_ucspi(struct environment *environment, const struct described *what)
{
    bool inet = what->is_inet, unix_socket = what->is_unix;
    const char *path = *what->local.host ? what->local.host : what->peer.host;
    environment_set(environment, "PROTO", inet || unix_socket ? what->proto : NULL);
    environment_set(environment, "TCPREMOTEIP", inet ? what->peer.host : NULL);
    environment_set(environment, "TCPREMOTEPORT", inet ? what->peer.port : NULL);
    environment_set(environment, "TCPLOCALIP", inet ? what->local.host : NULL);
    environment_set(environment, "TCPLOCALPORT", inet ? what->local.port : NULL);
    environment_set(environment, "TCPREMOTEHOST", NULL);
    environment_set(environment, "TCPLOCALHOST", NULL);
    environment_set(environment, "TCPREMOTEINFO", NULL);
    environment_set(environment, "UNIXLOCALPATH", unix_socket ? path : NULL);
}

/* Who the peer is, or was when it connected. */
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
    struct described what;
    if (proxied && !proxied->length)
        proxied = NULL;
    described_fill(&what, fd, peer, proxied);
    environment_set_own(environment, &what);
    environment_set_ncat(environment, &what);
    environment_set_socat(environment, &what);
    environment_set_ucspi(environment, &what);
    environment_set_credentials(environment, fd, what.is_unix && !proxied);
}
