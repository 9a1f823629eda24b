/*
 * Bound sockets, and the clients that they accept.
 *
 * listener_open binds a socket for each address of the name (open_resolved, open_addresses, open_socket), or adopts
 * what was inherited (open_inherited). Where another process has the port, the error names it, as far as /proc shows
 * it (port_owner_text). From listener_accept on, listener_accept_clients is called when there are clients. When the
 * system has run out of something that a client needs, the listener rests for a while: clients then wait in the
 * backlog.
 */
#include "net/listener.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "net/inherited.h"
#include "net/resolver.h"
#include "sys/sock.h"

enum {
    PORT_TRIES = 32,   /* until the kernel's choice is free for every address of the name */
    ACCEPT_ROUND = 64, /* clients in one go, so that others get their turn */
    REST_MS = 100,     /* without accept, when there are no descriptors left */
    WARNING_MS = 10 * 1000,
    BACKLOG = 4096 /* the kernel takes as many as it allows; SOMAXCONN is 128 in musl */
};

/* The owner of a port */

enum {
    TABLE_LINE_MAX = 512,
    WORDS_MAX = 10,           /* of a line that matter */
    LISTENING = 0x0A,         /* TCP_LISTEN, as /proc/net/tcp has it */
    TIME_WAIT = 0x06,         /* TCP_TIME_WAIT, likewise */
    UNPRIVILEGED_PORT = 1024, /* the first one, where the system says nothing else */
    COMM_MAX = 16,            /* of /proc/PID/comm */
    NUMBER_MAX = 24,          /* of a process or descriptor, as text */
    PATH_ROOM = 64,
    PORT_OWNER_TEXT_MAX = 64
};

/* What is looked for in a table of /proc/net. */
struct port_wanted {
    const struct sockname *name;
    bool listening; /* a listening socket, no other */
    /* As the tables have it: an internet address in hexadecimal, word by word in the machine's byte order, empty for
     * every address; or a path, with @ before a name of the abstract namespace. */
    char text[sizeof(struct sockaddr_un) + 1];
};

/* A descriptor of a process, and the socket that it may be. */
struct port_holding {
    const struct port_wanted *wanted;
    unsigned long inode;
    const char *directory; /* /proc/PID/fd */
};

static void wanted_write_text(struct port_wanted *wanted)
{
    const void *storage = &wanted->name->storage;
    const struct sockaddr_in *in = storage;
    const struct sockaddr_in6 *in6 = storage;
    const struct sockaddr_un *un = storage;
    char *out = wanted->text;
    if (wanted->name->storage.ss_family == AF_UNIX) {
        size_t length = wanted->name->length - offsetof(struct sockaddr_un, sun_path);
        memcpy(out, un->sun_path, length);
        out[length] = '\0';
        if (!*out)
            *out = '@';
    } else if (wanted->name->storage.ss_family == AF_INET) {
        if (in->sin_addr.s_addr != INADDR_ANY)
            snprintf(out, sizeof wanted->text, "%08X", in->sin_addr.s_addr);
    } else if (!IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)) {
        uint32_t words[4];
        memcpy(words, &in6->sin6_addr, sizeof words);
        snprintf(out, sizeof wanted->text, "%08X%08X%08X%08X", words[0], words[1], words[2],
                 words[3]);
    }
}

/* Cuts a line of a table into words; the last one has the rest of it. False where there are fewer. */
static bool cut_words(char *line, char **words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        line += strspn(line, " ");
        words[i] = line;
        line += strcspn(line, i + 1 < count ? " \n" : "\n");
        if (line == words[i])
            return false;
        if (*line)
            *line++ = '\0';
    }
    return true;
}

/* Returns the inode of the socket in a line of a table, which is changed; 0 if it is not the one that is wanted:
 * "1: 0100007F:1F90 00000000:0000 0A …", the inode being the tenth word, or, of UNIX sockets,
 * "…: 00000002 00000000 00010000 0001 01 12345 PATH". */
static unsigned long line_inode(char *line, const struct port_wanted *wanted)
{
    char *words[WORDS_MAX + 1];
    if (wanted->name->storage.ss_family == AF_UNIX)
        return cut_words(line, words, 8) && strcmp(words[7], wanted->text) == 0
                   ? strtoul(words[6], NULL, 10)
                   : 0;
    if (!cut_words(line, words, WORDS_MAX + 1))
        return 0;
    char *colon = strchr(words[1], ':');
    if (!colon || strtoul(colon + 1, NULL, 16) != sockname_port(wanted->name) ||
        (wanted->listening && strtoul(words[3], NULL, 16) != LISTENING))
        return 0;
    *colon = '\0';
    /* Either is every address, or they are the same; an IPv4 address may stand at the end of an IPv6 one. */
    const char *one = wanted->text, *other = words[1];
    const size_t length = strlen(one), other_length = strlen(other);
    const bool overlap = strspn(one, "0") == length || strspn(other, "0") == other_length ||
                         (length <= other_length ? strcmp(one, other + other_length - length) == 0
                                                 : strcmp(other, one + length - other_length) == 0);
    return overlap ? strtoul(words[9], NULL, 10) : 0;
}

static int entry_is_number(const struct dirent *entry)
{
    return text_is_digits(entry->d_name, strlen(entry->d_name));
}

/* Looks for a name in a directory that is a number, and for which `found` returns true. It is then in `number`
 * (NUMBER_MAX bytes). */
static bool find_numbered(const char *directory,
                          bool (*found)(const char *number, const void *context),
                          const void *context, char *number)
{
    struct dirent **entries;
    bool is_found = false;
    int count = scandir(directory, &entries, entry_is_number, alphasort);
    for (int i = 0; i < count; i++) {
        if (!is_found && found(entries[i]->d_name, context)) {
            is_found = true;
            snprintf(number, NUMBER_MAX, "%.*s", NUMBER_MAX - 1, entries[i]->d_name);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return is_found;
}

static bool descriptor_is_socket(const char *number, const void *context)
{
    const struct port_holding *holding = context;
    char path[PATH_ROOM], link[64], target[64];
    snprintf(target, sizeof target, "socket:[%lu]", holding->inode);
    snprintf(path, sizeof path, "%.40s/%.16s", holding->directory, number);
    ssize_t length = readlink(path, link, sizeof link);
    return length == (ssize_t)strlen(target) && memcmp(link, target, strlen(target)) == 0;
}

static bool process_has_socket(const char *process, const void *context)
{
    struct port_holding holding = *(const struct port_holding *)context;
    const char *path = holding.wanted->text;
    char directory[PATH_ROOM], number[NUMBER_MAX], theirs[PATH_ROOM + sizeof holding.wanted->text];
    struct stat our_status, their_status;
    snprintf(directory, sizeof directory, "/proc/%.16s/fd", process);
    holding.directory = directory;
    if (!find_numbered(directory, descriptor_is_socket, &holding, number))
        return false;
    if (holding.wanted->name->storage.ss_family != AF_UNIX || *path == '@' || *path == '/')
        return true;
    /* A path that does not begin with a slash begins where the process is. */
    snprintf(theirs, sizeof theirs, "/proc/%.16s/cwd/%s", process, path);
    return lstat(path, &our_status) == 0 && lstat(theirs, &their_status) == 0 &&
           our_status.st_dev == their_status.st_dev && our_status.st_ino == their_status.st_ino;
}

/* Writes the first process that has a socket of that name in one table. */
static bool search_table(const char *table, const struct port_wanted *wanted, char *out)
{
    char line[TABLE_LINE_MAX], process[NUMBER_MAX], path[PATH_ROOM], name[COMM_MAX + 1] = "?";
    struct port_holding holding = {.wanted = wanted};
    bool found = false;
    FILE *file = fopen(table, "re");
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file)) {
        holding.inode = line_inode(line, wanted);
        found = holding.inode && find_numbered("/proc", process_has_socket, &holding, process);
    }
    fclose(file);
    if (!found)
        return false;
    snprintf(path, sizeof path, "/proc/%.16s/comm", process);
    file = fopen(path, "re");
    if (file && fgets(name, sizeof name, file))
        name[strcspn(name, "\n")] = '\0';
    if (file)
        fclose(file);
    snprintf(out, PORT_OWNER_TEXT_MAX, " (%s, process %.16s)", name, process);
    return true;
}

/* Writes " (nginx, process 1234)" into `out` (PORT_OWNER_TEXT_MAX bytes): the process that is bound to `name`
 * so that nobody else can be; nothing where the system does not let us see it: of other users' processes, only root
 * sees the descriptors. Source: proc(5), /proc/net/tcp, udp, unix and /proc/PID/fd. */
static char *port_owner_text(const struct sockname *name, int socktype, char *out)
{
    const bool is_tcp = socktype == SOCK_STREAM;
    struct port_wanted wanted = {.name = name, .listening = is_tcp};
    *out = '\0';
    if (name->storage.ss_family != AF_UNIX && !sockname_is_inet(name))
        return out;
    wanted_write_text(&wanted);
    if (name->storage.ss_family == AF_UNIX)
        search_table("/proc/net/unix", &wanted, out);
    else if (!search_table(is_tcp ? "/proc/net/tcp" : "/proc/net/udp", &wanted, out))
        search_table(is_tcp ? "/proc/net/tcp6" : "/proc/net/udp6", &wanted, out);
    return out;
}

/* Says whether a TCP port is still held by a connection that has ended, of a program that listened without
 * SO_REUSEADDR: no process has it then. */
static bool line_is_time_wait(const char *line, unsigned port)
{
    const char *local = strchr(line, ':'); /* "0: 0100007F:1F90 00000000:0000 06 ..." */
    char *end = NULL;
    local = local ? strchr(local + 1, ':') : NULL;
    if (!local || strtoul(local + 1, &end, 16) != port || *end != ' ')
        return false;
    const char *remote = strchr(end + 1, ' ');
    return remote && strtoul(remote, NULL, 16) == TIME_WAIT;
}

static bool port_is_in_time_wait(const struct sockname *name)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    bool found = false;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char line[TABLE_LINE_MAX];
        FILE *file = fopen(tables[i], "re");
        while (file && !found && fgets(line, sizeof line, file))
            found = line_is_time_wait(line, sockname_port(name));
        if (file)
            fclose(file);
    }
    return found;
}

/* Opening */

/* What listener_open is about. */
struct opening {
    struct listener *listener;
    const struct address *address;
    const struct listener_options *options;
    struct resolved resolved;
    struct sockname tried; /* last, and why it failed */
    const char *reason;
    int errnum;          /* the same as a number; 0 where it is no call's */
    bool in_use;         /* somebody else has it */
    const char *refused; /* the socket option that it was, or NULL */
};

static struct listener_socket *listener_add_socket(struct listener *listener, int fd)
{
    struct listener_socket *socket = &listener->sockets[listener->count++];
    *socket = (struct listener_socket){.listener = listener, .watch.fd = fd};
    return socket;
}

char *listener_text(const struct listener_socket *socket, char *out)
{
    int only = 0;
    sockname_text(&socket->name, out);
    if (*out == '*' && sock_get(socket->watch.fd, IPPROTO_IPV6, IPV6_V6ONLY, &only) == 0 && only)
        snprintf(out, SOCKNAME_TEXT_MAX, "[::]:%u", sockname_port(&socket->name));
    return out;
}

static bool listener_takes_clients(const struct listener *listener)
{
    return listener->socktype != SOCK_DGRAM && listener->socktype != SOCK_RAW;
}

static bool is_dual(const struct opening *opening, const struct sockname *name)
{
    return name->storage.ss_family == AF_INET6 && !name->protocol && !*opening->address->host &&
           opening->address->family == AF_UNSPEC;
}

/* Asks the kernel for what it knows of each datagram: where it was sent to, or which user has sent it. */
static void ask_about_datagrams(const struct opening *opening, int fd, int family)
{
    if (family == AF_INET6)
        sock_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    /* What IPv4 sends to an IPv6 socket may have gone to a broadcast address, which looks like any
     * other: here the kernel says which address of ours would answer. */
    if (family == AF_INET || (family == AF_INET6 && opening->listener->socktype == SOCK_DGRAM))
        sock_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    if (family == AF_UNIX && opening->options->ask_users)
        sock_set(fd, SOL_SOCKET, SO_PASSCRED, 1);
}

/* Sets the options of a socket that is to be bound. A TCP port whose last connections are in TIME_WAIT can be
 * listened on again. Nothing of the kind is set for UDP: there, another user's socket could take the port over from
 * ours. */
static int set_options(const struct opening *opening, int fd, const struct sockname *name)
{
    int family = name->storage.ss_family;
    if (!listener_takes_clients(opening->listener)) { /* from its first datagram on */
        ask_about_datagrams(opening, fd, family);
        sock_make_room(fd); /* of a UNIX socket, all receivers share the send buffer */
    }
    if (family == AF_INET6 && !name->protocol && /* a raw socket has one family alone */
        sock_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_dual(opening, name)))
        return -1;
    if (sockname_is_inet(name) && opening->options->reuse_port &&
        sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
        return -1;
    /* A group has any number of listeners. */
    if (sockname_is_inet(name) &&
        (listener_takes_clients(opening->listener) || sockname_is_multicast(name)))
        return sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return 0;
}

/* Joins the groups of --join. Who listens on a group wants to hear it, too: from any source, unless --join says which. */
static int join_groups(struct opening *opening, int fd, const struct sockname *name)
{
    static const struct sockopt none = SOCKOPT_DEFAULTS;
    const struct sockopt *sockopt = opening->options->sockopt ? opening->options->sockopt : &none;
    const bool joins_own = sockname_is_multicast(name) && !memberships_have(&sockopt->join, name);
    const char *reason = memberships_join(&sockopt->join, fd, sockopt->interface,
                                          &opening->refused);
    if (!reason && joins_own)
        reason = multicast_join(fd, name, sockopt->interface);
    errno = ENODEV; /* none of those after which an address is left out */
    opening->reason = reason;
    return reason ? -1 : 0;
}

/* Opens, binds and, for clients, listens on one socket. Returns 0, or -1 and errno; opening->reason says it in words.
 * Nothing comes between bind and listen: until then, another user could bind the port as well. */
static int open_socket(struct opening *opening, const struct sockname *name)
{
    const struct listener_options *options = opening->options;
    struct listener *listener = opening->listener;
    struct sockname bound;
    opening->tried = *name;
    opening->reason = NULL;
    opening->errnum = 0;
    int fd = sockopt_open(options->sockopt, name, listener->socktype, SOCKOPT_LISTEN,
                          &opening->refused);
    int result = fd < 0 ? -1 : set_options(opening, fd, name);
    if (result == 0 && name->storage.ss_family == AF_UNIX) {
        errno = 0;
        opening->reason = socket_file_bind(&listener->file, fd, name, options->mode);
        opening->in_use = opening->reason == socket_file_in_use || errno == EADDRINUSE;
        result = opening->reason ? -1 : 0;
    } else if (result == 0) {
        result = sock_bind(fd, name);
    }
    if (result == 0 && !listener_takes_clients(listener) && sockname_is_inet(name))
        result = join_groups(opening, fd, name);
    if (result == 0 && listener_takes_clients(listener))
        result = sock_listen(fd, options->backlog ? options->backlog : BACKLOG);
    if (result == 0 && sock_name(fd, &bound) == 0) {
        bound.protocol = name->protocol;
        listener_add_socket(listener, fd)->name = bound;
        return 0;
    }
    if (!opening->reason) {
        opening->errnum = errno;
        opening->in_use = errno == EADDRINUSE;
        opening->reason = fd < 0 && !opening->refused ? sockopt_refusal(name, errno)
                                                      : strerror(errno);
    }
    if (fd >= 0)
        sock_close(fd);
    return -1;
}

static void listener_close_sockets(struct listener *listener)
{
    for (; listener->count; listener->count--) {
        struct listener_socket *last = &listener->sockets[listener->count - 1];
        loop_unwatch(listener->loop, &last->watch);
        sock_close(last->watch.fd);
    }
}

/* Opens a socket for each address of the name. -1 and errno. */
static int open_addresses(struct opening *opening)
{
    struct listener *listener = opening->listener;
    for (size_t i = 0; i < opening->resolved.count && i < LISTENER_SOCKETS_MAX; i++) {
        struct sockname name = opening->resolved.names[i];
        struct sockname any = {.storage.ss_family = AF_INET, .length = sizeof(struct sockaddr_in)};
        if (listener->any_port && listener->count)
            sockname_set_port(&name, sockname_port(&listener->sockets[0].name));
        if (open_socket(opening, &name) == 0)
            continue;
        /* One that this machine does not have is left out; where it has no IPv6, IPv4 is in its place. */
        if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
            return -1;
        sockname_set_port(&any, sockname_port(&name));
        if (is_dual(opening, &name) && open_socket(opening, &any))
            return -1;
    }
    return listener->count ? 0 : -1;
}

/* Returns the first port that needs no privilege: ip(7), ip_unprivileged_port_start. */
static unsigned unprivileged_port(void)
{
    char text[16];
    unsigned port = UNPRIVILEGED_PORT;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    if (file && fgets(text, sizeof text, file))
        port = (unsigned)strtoul(text, NULL, 10);
    if (file)
        fclose(file);
    return port;
}

/* Adds who has the address, or what it needs, where that can be said. */
static void open_add_hint(const struct opening *opening, struct error *err)
{
    const struct sockname *tried = &opening->tried;
    const bool is_inet = sockname_is_inet(tried),
               is_tcp = listener_takes_clients(opening->listener);
    char owner[PORT_OWNER_TEXT_MAX];
    if (opening->in_use && *port_owner_text(tried, opening->listener->socktype, owner))
        error_add(err, "%s", owner);
    else if (opening->in_use && is_inet && is_tcp && port_is_in_time_wait(tried))
        error_add(err,
                  " (by no process: a connection that has ended, in TIME_WAIT, keeps it for up "
                  "to a minute)");
    else if (opening->errnum == EACCES && is_inet && !tried->protocol &&
             sockname_port(tried) < unprivileged_port())
        error_add(err,
                  " (ports below %u, net.ipv4.ip_unprivileged_port_start, need "
                  "CAP_NET_BIND_SERVICE)",
                  unprivileged_port());
    else if (opening->errnum == EINVAL && sockname_lacks_zone(tried))
        error_add(err, " (a link-local address needs its zone: fe80::1%%eth0)");
}

/* Says of a host that is no name what it may be meant for. Returns -1. */
static int open_add_name_hint(const char *host, struct error *err)
{
    if (err->status != STATUS_RESOLVE)
        return -1;
    if (if_nametoindex(host))
        return error_add(err, " (of an interface: --interface %s PORT)", host);
    if (strcasecmp(host, "tcp") == 0 || strcasecmp(host, "udp") == 0)
        return error_add(err, " (a protocol: %s:PORT)", host);
    return strcasecmp(host, "port") == 0 || strcasecmp(host, "any") == 0 ||
                   strcasecmp(host, "all") == 0
               ? error_add(err, " (the port alone is for every address)")
               : -1;
}

static int open_resolved(struct opening *opening, struct error *err)
{
    struct listener *listener = opening->listener;
    char asked[ADDRESS_TEXT_MAX];
    const struct resolver_options how = {.listening = true,
                                         .numeric = opening->options->numeric,
                                         .complete = true,
                                         .timeout_ms = opening->options->timeout_ms};
    if (resolver_look_up(listener->loop, opening->address, &how, &opening->resolved, err))
        return open_add_name_hint(opening->address->host, err);
    listener->any_port = opening->address->kind == ADDRESS_INET &&
                         sockname_port(&opening->resolved.names[0]) == 0;
    int result = open_addresses(opening);
    /* The port that the kernel chooses for the first address may be taken on the next one. */
    for (int tries = 1; result && listener->any_port; tries++) {
        const int failure = errno;
        listener_close_sockets(listener);
        if (failure != EADDRINUSE || tries == PORT_TRIES)
            break;
        result = open_addresses(opening);
    }
    resolved_release(&opening->resolved);
    if (result == 0)
        return 0;
    /* "listen on localhost:80: [::1]:80: Address already in use"; the address once, where the user
     * wrote it so. */
    address_text(opening->address, true, asked);
    error_set(err, STATUS_CONNECT, "listen on %s", asked);
    if (!address_says(opening->address, true, &opening->tried)) {
        char tried[SOCKNAME_TEXT_MAX];
        error_add(err, ": %s", sockname_text(&opening->tried, tried));
    }
    if (opening->refused)
        error_add(err, ": %s", opening->refused);
    error_add(err, ": %s", opening->reason);
    open_add_hint(opening, err);
    return -1;
}

/* Inherited sockets */

static int adopt_listening(int fd, const char *text, struct error *err)
{
    int listening;
    if (sock_get(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening))
        return error_system(err, STATUS_CONNECT, errno, "%s", text);
    if (!listening)
        return error_set(err, STATUS_CONNECT, "%s: descriptor %d is not a listening socket", text,
                         fd);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return error_system(err, STATUS_CONNECT, errno, "%s", text);
    return 0;
}

static int open_inherited(const struct opening *opening, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    struct inherited inherited;
    struct listener *listener = opening->listener;
    if (inherited_find(&inherited, opening->address, err))
        return -1;
    address_text(opening->address, true, text);
    listener->socktype = inherited.socktype;
    listener->inherited = true;
    for (size_t i = 0; i < inherited.count && i < LISTENER_SOCKETS_MAX; i++) {
        int fd = inherited.fds[i];
        if (listener_takes_clients(listener) && adopt_listening(fd, text, err))
            return -1;
        struct sockname *name = &listener_add_socket(listener, fd)->name;
        if (sock_name(fd, name))
            return error_system(err, STATUS_CONNECT, errno, "%s", text);
        if (!listener_takes_clients(listener))
            ask_about_datagrams(opening, fd, name->storage.ss_family);
        const char *refused = sockopt_apply(listener->sockopt, fd, name->storage.ss_family,
                                            SOCKOPT_LISTEN);
        if (refused)
            return error_system(err, STATUS_CONNECT, errno, "%s: %s", text, refused);
        const bool may_join = listener->sockopt && !listener_takes_clients(listener) &&
                              sockname_is_inet(name);
        const char *reason = may_join ? memberships_join(&listener->sockopt->join, fd,
                                                         listener->sockopt->interface, &refused)
                                      : NULL;
        if (reason)
            return error_set(err, STATUS_CONNECT, "%s: %s: %s", text, refused, reason);
    }
    return 0;
}

/* Accepting */

static void listener_unwatch(struct listener *listener)
{
    for (size_t i = 0; i < listener->count; i++)
        loop_unwatch(listener->loop, &listener->sockets[i].watch);
}

bool listener_rest(struct listener *listener)
{
    const int64_t now_ms = loop_now_ms();
    listener_unwatch(listener);
    loop_timer_set(listener->loop, &listener->rest, REST_MS);
    if (listener->warned_ms && now_ms - listener->warned_ms < WARNING_MS)
        return false;
    listener->warned_ms = now_ms;
    return true;
}

/* Tells whether the client is gone before it was accepted, or its network is: accept(2), "Error handling". */
static bool is_transient(int errnum)
{
    static const int transient[] = {EINTR,       ECONNABORTED, EPROTO, ENETDOWN,
                                    ENOPROTOOPT, EHOSTDOWN,    ENONET, EHOSTUNREACH,
                                    EOPNOTSUPP,  ENETUNREACH,  EPERM,  ETIMEDOUT};
    for (size_t i = 0; i < sizeof transient / sizeof *transient; i++)
        if (transient[i] == errnum)
            return true;
    return false;
}

static void listener_accept_clients(struct watch *watch, uint32_t events)
{
    struct listener_socket *socket = LOOP_OWNER(watch, struct listener_socket, watch);
    struct listener *listener = socket->listener;
    char text[SOCKNAME_TEXT_MAX];
    (void)events;
    for (int round = 0; round < ACCEPT_ROUND && listener->accepting; round++) {
        struct sockname peer;
        int fd = sock_accept(watch->fd, &peer);
        if (fd >= 0) {
            /* What TCP clients have inherited, others have not: unix(7), vsock(7). */
            if (!sockname_is_inet(&socket->name))
                sockopt_apply(listener->sockopt, fd, AF_UNIX, SOCKOPT_ACCEPTED);
            listener->accepted(listener->context, fd, &peer);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_transient(errno)) {
            const char *reason = strerror(errno);
            if (listener_rest(listener))
                log_warning("accept on %s: %s; new clients wait", listener_text(socket, text),
                            reason);
            return;
        }
    }
}

static void listener_watch(struct listener *listener)
{
    for (size_t i = 0; i < listener->count; i++) {
        listener->sockets[i].watch.ready = listener_accept_clients;
        loop_watch(listener->loop, &listener->sockets[i].watch,
                   EPOLLIN | (listener->shared ? EPOLLEXCLUSIVE : 0));
    }
}

static void listener_rest_over(struct timer *timer)
{
    struct listener *listener = LOOP_OWNER(timer, struct listener, rest);
    if (listener->accepting)
        listener_watch(listener);
}

void listener_accept(struct listener *listener,
                     void (*accepted)(void *context, int fd, const struct sockname *peer),
                     void *context)
{
    listener->accepted = accepted;
    listener->context = context;
    listener->accepting = true;
    if (!loop_timer_is_set(&listener->rest))
        listener_watch(listener);
}

void listener_pause(struct listener *listener)
{
    listener->accepting = false;
    listener_unwatch(listener);
}

void listener_inherit(struct listener *listener, struct loop *loop)
{
    listener->loop = loop;
    listener->shared = true;
    socket_file_forget(&listener->file);
}

/* The whole */

void listener_close(struct listener *listener)
{
    listener->accepting = false;
    if (listener->loop)
        loop_timer_cancel(listener->loop, &listener->rest);
    /* The file first: a closed socket's would look stale to the next server. */
    socket_file_remove(&listener->file);
    listener_close_sockets(listener);
}

int listener_open(struct listener *listener, struct loop *loop, const struct address *address,
                  const struct listener_options *options, struct error *err)
{
    struct opening opening = {.listener = listener, .address = address, .options = options};
    *listener = (struct listener){.loop = loop,
                                  .socktype = address->socktype,
                                  .sockopt = options->sockopt,
                                  .rest.fired = listener_rest_over};
    int result = address->kind == ADDRESS_FD || address->kind == ADDRESS_SYSTEMD
                     ? open_inherited(&opening, err)
                     : open_resolved(&opening, err);
    if (result)
        listener_close(listener);
    return result;
}
