/*
 * Each call comes to explain_call, which has the explanation of its kind add rows to a block, and writes the block below the
 * call's line. Rows are of four kinds: what goes over the wire and the state (put_wire), bytes (put_bytes), and
 * sentences, wrapped (say). What is known of a descriptor's socket is in its entry: what it is, and how far it has come.
 *
 * A sentence is said once. Bytes of addresses, and the wire, which differ from call to call, are shown a few times.
 */
#include "cli/explain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/memory.h"
#include "cli/explain_rows.h"
#include "sys/sock.h"
#include "sys/sockname.h"
#include "sys/trace.h"

enum {
    STRUCTS_MAX = 2, /* times that the same kind of call has the bytes of its address shown */
    WIRES_MAX = 4,   /* and what goes over the wire; ends and failures are kinds of their own */
    KINDS = TRACE_WAIT + 1,
    WIRE_END = KINDS,
    WIRE_FAILURE,
    WIRE_KINDS
};

/* What has become of a descriptor's socket. */
struct explained {
    bool is_known;
    bool has_begun;   /* it has called connect */
    bool is_joined;   /* the connection has stood */
    bool is_accepted; /* by accept(2) */
    bool fin_sent;
    bool fin_received;
    bool ended_first;
    bool was_reset;  /* by the peer */
    bool will_reset; /* SO_LINGER */
    bool has_name;   /* bind(2) was called */
    bool has_port;   /* with a port other than 0 */
    struct sock_record record;
};

struct explain {
    pthread_mutex_t lock;
    struct trace trace;
    struct explain_rows rows;
    enum explain_frame frame;
    bool is_http;
    unsigned char wires[WIRE_KINDS];     /* rows shown, by kind of call */
    unsigned char structs[KINDS];        /* the same, of addresses */
    uint64_t names[KINDS * STRUCTS_MAX]; /* hashes of the addresses whose bytes were shown */
    unsigned name_count;
    unsigned char frames;
    struct explained
        sockets[TRACE_FDS + 1]; /* by descriptor; the last one stands for those beyond */
};

/* Shows what went over the wire, such as ">SYN;<SYN+ACK;>ACK", and the state, where it is another than before. Either may be
 * missing: NULL, 0. */
static void put_wire(struct explain *explain, unsigned kind, const char *packets, int before,
                     int state)
{
    const bool has_state = state && state != before;
    if ((!packets && !has_state) || explain->wires[kind] >= WIRES_MAX)
        return;
    explain->wires[kind]++;
    rows_begin(&explain->rows);
    if (packets) {
        rows_put(&explain->rows, sentence_text(SAY_WIRE, explain->rows.language));
        for (size_t length; *packets; packets += length + (packets[length] == ';')) {
            length = strcspn(packets, ";");
            rows_put_arrow(&explain->rows, packets, length);
        }
        rows_put(&explain->rows, has_state ? "   " : "");
    }
    if (has_state) {
        char text[EXPLAIN_PHRASE_MAX];
        const char *name = trace_name(TRACE_TCP_STATE, state);
        rows_put(&explain->rows, sentence_text(SAY_STATE, explain->rows.language));
        rows_put(&explain->rows, " ");
        const char *shown = before ? rows_phrase(&explain->rows, text, SAY_STATE_WAS, name,
                                                 trace_name(TRACE_TCP_STATE, before))
                                   : name;
        rows_put(&explain->rows, shown);
    }
    rows_end(&explain->rows);
}

/* Shows the bytes of the call's address, if they are new. */
static void put_name(struct explain *explain, const struct trace_event *event, bool is_given)
{
    const struct sockname *name = event->name;
    const int family = name->storage.ss_family;
    const uint64_t hash = sockname_hash(name, 0);
    char text[EXPLAIN_PHRASE_MAX];
    if (name->protocol || (family != AF_INET && family != AF_INET6 && family != AF_UNIX))
        return;
    for (unsigned i = 0; i < explain->name_count; i++)
        if (explain->names[i] == hash)
            return;
    if (explain->structs[event->kind] >= STRUCTS_MAX)
        return;
    explain->structs[event->kind]++;
    explain->names[explain->name_count++] = hash;
    rows_put_wrapped(&explain->rows, rows_phrase(&explain->rows, text,
                                                 is_given ? SAY_STRUCT_GIVEN : SAY_STRUCT_FILLED,
                                                 family == AF_INET    ? "struct sockaddr_in"
                                                 : family == AF_INET6 ? "struct sockaddr_in6"
                                                                      : "struct sockaddr_un",
                                                 NUMBER(name->length)));
    if (family == AF_INET)
        rows_put_ipv4(&explain->rows, name);
    else if (family == AF_INET6)
        rows_put_ipv6(&explain->rows, name);
    else
        rows_put_unix(&explain->rows, name);
    if (sockname_port(name))
        rows_say_byte_order(&explain->rows, sockname_port(name));
}

/* Sockets */

/* Returns what is known of the call's socket, and asks the kernel for what is not. *state is that of TCP before the call. */
static struct explained *socket_of(struct explain *explain, int fd, int *state)
{
    const bool has_entry = fd >= 0 && fd < TRACE_FDS;
    struct explained *entry = &explain->sockets[has_entry ? fd : TRACE_FDS];
    if (!has_entry)
        *entry = (struct explained){0};
    *state = entry->is_known ? entry->record.tcp_state : 0;
    entry->is_known = sock_look(fd, &entry->record);
    return entry;
}

static bool is_tcp(const struct explained *entry)
{
    return entry->record.tcp_state;
}

static bool is_stream(const struct explained *entry)
{
    return entry->record.socktype == SOCK_STREAM;
}

static bool is_udp(const struct explained *entry)
{
    return entry->record.socktype == SOCK_DGRAM && entry->record.family != AF_UNIX;
}

static const char *family_text(int family)
{
    return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* Shows the bytes that a call has moved, of TCP or UDP. */
static void put_moved(struct explain *explain, const struct trace_event *event,
                      const struct explained *entry, bool is_sent)
{
    char packet[48];
    if (!is_tcp(entry) && !is_udp(entry))
        return;
    snprintf(packet, sizeof packet, "%c%s%ld byte%s", is_sent ? '>' : '<',
             is_udp(entry) ? "UDP, " : "", event->result, event->result == 1 ? "" : "s");
    put_wire(explain, event->kind, packet, 0, 0);
}

/* Kinds of calls: what each adds to the block. `state` is that of TCP before the call. */

static void explain_look_up(struct explain *explain, const struct trace_event *event,
                            struct explained *entry, int state)
{
    (void)entry;
    (void)state;
    rows_say(&explain->rows, event->result ? SAY_LOOK_UP_FAILED : SAY_LOOK_UP,
             (const char *)event->bytes);
}

static void explain_socket(struct explain *explain, const struct trace_event *event,
                           struct explained *entry, int state)
{
    const char *family = family_text(event->option);
    (void)state;
    if (event->result < 0) {
        rows_say(&explain->rows, SAY_FAILED);
        return;
    }
    const struct sock_record record = entry->record;
    *entry = (struct explained){.is_known = true, .record = record};
    if (event->option == AF_UNIX)
        rows_say(&explain->rows,
                 event->value == SOCK_STREAM ? SAY_SOCKET_UNIX_STREAM : SAY_SOCKET_UNIX_MESSAGES,
                 NUMBER(event->fd));
    else if (is_tcp(entry))
        rows_say(&explain->rows, SAY_SOCKET_TCP, family, NUMBER(event->fd));
    else if (event->value == SOCK_RAW)
        rows_say(&explain->rows, SAY_SOCKET_RAW, family, NUMBER(event->fd));
    else if (event->value == SOCK_DGRAM && record.protocol == IPPROTO_UDP)
        rows_say(&explain->rows, SAY_SOCKET_UDP, family, NUMBER(event->fd));
    else
        rows_say(&explain->rows, SAY_SOCKET_OTHER, NUMBER(event->fd));
    rows_say(&explain->rows, SAY_SOCKET_FLAGS);
}

static void explain_option(struct explain *explain, const struct trace_event *event,
                           struct explained *entry, int state)
{
    enum sentence sentence = SAY_OPTION_OTHER;
    (void)state;
    if (event->result < 0)
        sentence = SAY_FAILED;
    else if (event->level == IPPROTO_IPV6 && event->option == IPV6_V6ONLY)
        sentence = event->value ? SAY_OPTION_V6ONLY : SAY_OPTION_BOTH;
    else if (event->level == IPPROTO_TCP && event->option == TCP_NODELAY)
        sentence = SAY_OPTION_NODELAY;
    else if (event->level == SOL_SOCKET &&
             (event->option == SO_RCVBUF || event->option == SO_SNDBUF))
        sentence = SAY_OPTION_BUFFER;
    else if (event->level == SOL_SOCKET && event->option == SO_REUSEADDR)
        sentence = SAY_OPTION_REUSEADDR;
    else if (event->level == SOL_SOCKET && event->option == SO_REUSEPORT)
        sentence = SAY_OPTION_REUSEPORT;
    else if (event->level == SOL_SOCKET && event->option == SO_LINGER)
        sentence = SAY_OPTION_LINGER;
    else if (event->level == SOL_SOCKET && event->option == SO_BROADCAST)
        sentence = SAY_OPTION_BROADCAST;
    else if (event->level == SOL_SOCKET && event->option == SO_KEEPALIVE)
        sentence = SAY_OPTION_KEEPALIVE;
    entry->will_reset = entry->will_reset || sentence == SAY_OPTION_LINGER;
    rows_say(&explain->rows, sentence);
}

static void explain_join(struct explain *explain, const struct trace_event *event,
                         struct explained *entry, int state)
{
    (void)entry;
    (void)state;
    rows_say(&explain->rows, event->result < 0 ? SAY_FAILED : SAY_JOIN);
}

static void explain_bind_failure(struct explain *explain, const struct trace_event *event)
{
    const bool is_unix = event->name->storage.ss_family == AF_UNIX;
    if (event->error == EADDRINUSE)
        rows_say(&explain->rows, is_unix ? SAY_BIND_UNIX_EXISTS : SAY_BIND_IN_USE);
    else if (event->error == EACCES)
        rows_say(&explain->rows, is_unix ? SAY_BIND_UNIX_DENIED : SAY_BIND_DENIED);
    else if (event->error == EADDRNOTAVAIL)
        rows_say(&explain->rows, SAY_BIND_NOT_OURS);
    else
        rows_say(&explain->rows, SAY_FAILED);
    put_name(explain, event, true);
}

static void explain_bind(struct explain *explain, const struct trace_event *event,
                         struct explained *entry, int state)
{
    const struct sockname *name = event->name;
    char host[SOCKNAME_TEXT_MAX];
    (void)state;
    entry->has_name = !event->error;
    entry->has_port = entry->has_name && !name->protocol && sockname_port(name);
    if (event->error) {
        explain_bind_failure(explain, event);
        return;
    }
    if (name->storage.ss_family == AF_UNIX) {
        const char *path = ((const struct sockaddr_un *)(const void *)&name->storage)->sun_path;
        rows_say(&explain->rows, *path ? SAY_BIND_UNIX : SAY_BIND_ABSTRACT);
        put_name(explain, event, true);
        return;
    }
    rows_say(&explain->rows, SAY_BIND_INET);
    static const unsigned char any[16];
    size_t length = 0;
    const unsigned char *address = sockname_inet(name, &length);
    if (address && memcmp(address, any, length) == 0)
        rows_say(&explain->rows, SAY_BIND_ANY,
                 name->storage.ss_family == AF_INET6 ? "::" : "0.0.0.0");
    else if (sockname_is_loopback(name))
        rows_say(&explain->rows, SAY_BIND_LOOPBACK, sockname_host(name, host));
    if (!name->protocol && !sockname_port(name))
        rows_say(&explain->rows, SAY_BIND_PORT_0);
    put_name(explain, event, true);
}

static void explain_listen(struct explain *explain, const struct trace_event *event,
                           struct explained *entry, int state)
{
    if (event->result < 0) {
        rows_say(&explain->rows, SAY_FAILED);
        return;
    }
    const unsigned backlog = entry->record.backlog, asked = (unsigned)event->value;
    put_wire(explain, event->kind, NULL, state, entry->record.tcp_state);
    rows_say(&explain->rows, SAY_LISTEN, NUMBER(backlog ? backlog : asked));
    if (backlog && backlog < asked)
        rows_say(&explain->rows, SAY_LISTEN_CAPPED, NUMBER(asked));
}

static void explain_accept(struct explain *explain, const struct trace_event *event,
                           struct explained *entry, int state)
{
    (void)state;
    if (event->result < 0) {
        rows_say(&explain->rows, event->error == EAGAIN ? SAY_ACCEPT_AGAIN : SAY_FAILED);
        return;
    }
    int none;
    const int fd = (int)event->result;
    const bool listens_tcp = is_tcp(entry);
    if (fd < TRACE_FDS)
        explain->sockets[fd] = (struct explained){0};
    struct explained *client = socket_of(explain, fd, &none);
    client->is_accepted = client->is_joined = true;
    if (listens_tcp)
        put_wire(explain, event->kind, "<SYN;>SYN+ACK;<ACK", 0, client->record.tcp_state);
    rows_say(&explain->rows, SAY_ACCEPT, NUMBER(fd), NUMBER(event->fd));
    if (listens_tcp)
        rows_say(&explain->rows, SAY_ACCEPT_HANDSHAKE);
    rows_say(&explain->rows, SAY_ACCEPT_FLAGS);
    if (client->record.tcp_state == TCP_CLOSE_WAIT)
        rows_say(&explain->rows, SAY_ACCEPT_ENDED);
    put_name(explain, event, false);
    if (event->name->storage.ss_family == AF_UNIX &&
        event->name->length <= offsetof(struct sockaddr_un, sun_path))
        rows_say(&explain->rows, SAY_ACCEPT_UNNAMED);
}

static void explain_connect_failure(struct explain *explain, const struct trace_event *event,
                                    const struct explained *entry)
{
    const bool is_unix = event->name->storage.ss_family == AF_UNIX;
    if (event->error == ECONNREFUSED)
        rows_say(&explain->rows, is_unix ? SAY_CONNECT_REFUSED_UNIX : SAY_CONNECT_REFUSED);
    else if (event->error == ENOENT)
        rows_say(&explain->rows, SAY_CONNECT_NO_FILE);
    else if (event->error == EHOSTUNREACH || event->error == ENETUNREACH)
        rows_say(&explain->rows, SAY_CONNECT_NO_ROUTE);
    else if (event->error == ETIMEDOUT)
        rows_say(&explain->rows, SAY_CONNECT_SILENCE);
    else if (event->error == EAGAIN && is_stream(entry))
        rows_say(&explain->rows, SAY_CONNECT_FULL);
    else
        rows_say(&explain->rows, SAY_FAILED);
}

/* Explains connect(2) of TCP. Within one machine the first call finds the answer there already, though it still says
 * EINPROGRESS. */
static void explain_connect_tcp(struct explain *explain, const struct trace_event *event,
                                struct explained *entry, int state)
{
    const bool is_first = !entry->has_begun;
    const int now = entry->record.tcp_state;
    const bool is_up = now == TCP_ESTABLISHED || now == TCP_CLOSE_WAIT;
    entry->has_begun = true;
    if (event->error == EINPROGRESS) {
        const bool is_refused = now == TCP_CLOSE;
        put_wire(explain, event->kind,
                 is_up        ? ">SYN;<SYN+ACK;>ACK"
                 : is_refused ? ">SYN;<RST"
                              : ">SYN",
                 state, now);
        entry->is_joined = is_up;
        rows_say(&explain->rows, SAY_CONNECT);
        rows_say(&explain->rows, SAY_CONNECT_STARTED);
        if (is_up || is_refused)
            rows_say(&explain->rows, SAY_CONNECT_FAST);
        put_name(explain, event, true);
        return;
    }
    const bool was_open = state == TCP_SYN_SENT;
    if (event->result == 0) {
        put_wire(explain, event->kind, entry->is_joined ? NULL : "<SYN+ACK;>ACK", state, now);
        entry->is_joined = true;
        rows_say(&explain->rows, SAY_CONNECT_DONE);
    } else {
        put_wire(explain, event->kind, event->error == ECONNREFUSED && was_open ? "<RST" : NULL,
                 state, now);
        explain_connect_failure(explain, event, entry);
    }
    if (is_first)
        put_name(explain, event, true);
}

static void explain_connect(struct explain *explain, const struct trace_event *event,
                            struct explained *entry, int state)
{
    if (is_tcp(entry)) {
        explain_connect_tcp(explain, event, entry, state);
        return;
    }
    entry->has_begun = true;
    entry->is_joined = event->result == 0;
    if (event->result < 0)
        explain_connect_failure(explain, event, entry);
    else
        rows_say(&explain->rows, is_udp(entry) ? SAY_CONNECT_UDP : SAY_CONNECT_AT_ONCE);
    put_name(explain, event, true);
}

static void explain_own_name(struct explain *explain, const struct trace_event *event,
                             struct explained *entry, int state)
{
    const struct sockname *name = event->name;
    (void)state;
    if (event->result < 0) {
        rows_say(&explain->rows, SAY_FAILED);
        return;
    }
    if (entry->is_accepted)
        rows_say(&explain->rows, SAY_NAME_ACCEPTED);
    else if (name->storage.ss_family == AF_UNIX && !entry->has_name)
        rows_say(&explain->rows, SAY_NAME_NONE);
    else
        rows_say(&explain->rows, entry->has_name ? SAY_NAME_BOUND : SAY_NAME_CHOSEN);
    if (entry->has_name && !entry->has_port && !name->protocol && sockname_port(name))
        rows_say(&explain->rows, SAY_NAME_PORT, NUMBER(sockname_port(name)));
    put_name(explain, event, false);
}

static void explain_peer_name(struct explain *explain, const struct trace_event *event,
                              struct explained *entry, int state)
{
    (void)entry;
    (void)state;
    rows_say(&explain->rows, event->result < 0 ? SAY_FAILED : SAY_NAME_PEER);
}

static void explain_credentials(struct explain *explain, const struct trace_event *event,
                                struct explained *entry, int state)
{
    (void)entry;
    (void)state;
    rows_say(&explain->rows, event->result < 0 ? SAY_FAILED : SAY_CREDENTIALS);
}

/* Shows the first message of what went through a UNIX stream byte by byte, if it is whole. */
static void put_frame(struct explain *explain, const unsigned char *bytes, size_t length)
{
    enum { LENGTH = 4 };
    uint32_t size;
    char text[EXPLAIN_PHRASE_MAX];
    const bool is_native = explain->frame == EXPLAIN_FRAME_NATIVE;
    if (explain->frame == EXPLAIN_NO_FRAME || explain->frames >= STRUCTS_MAX || length < LENGTH)
        return;
    memcpy(&size, bytes, sizeof size);
    if (!is_native)
        size = ntohl(size);
    if (size > length - LENGTH || size < is_native || (is_native && bytes[LENGTH + size - 1]))
        return;
    explain->frames++;
    rows_say(&explain->rows, SAY_FRAME);
    rows_put_meaning(&explain->rows, bytes, LENGTH,
                     rows_phrase(&explain->rows, text, is_native ? SAY_FRAME_NATIVE : SAY_FRAME_BIG,
                                 NUMBER(size)));
    rows_put_characters(&explain->rows, bytes + LENGTH, size - is_native);
    if (!is_native)
        return;
    rows_put_meaning(&explain->rows, bytes + LENGTH + size - 1, 1,
                     rows_phrase(&explain->rows, text, SAY_FRAME_NUL));
    rows_say(&explain->rows, SAY_FRAME_ORDER);
}

/* Takes note that the peer has broken the connection off, and shows it once. */
static void put_reset(struct explain *explain, struct explained *entry, int state)
{
    if (!entry->was_reset && is_tcp(entry))
        put_wire(explain, WIRE_FAILURE, "<RST", state == entry->record.tcp_state ? 0 : state,
                 entry->record.tcp_state);
    entry->was_reset = true;
}

static void explain_send_failure(struct explain *explain, const struct trace_event *event,
                                 const struct explained *entry)
{
    if (event->error == EAGAIN)
        rows_say(&explain->rows, SAY_SEND_AGAIN);
    else if (event->error == EPIPE)
        rows_say(&explain->rows, SAY_SEND_PIPE);
    else if (event->error == EMSGSIZE)
        rows_say(&explain->rows, SAY_SEND_TOO_LONG);
    else if (event->error == ECONNRESET)
        rows_say(&explain->rows, SAY_RECV_RESET);
    else if (event->error == ECONNREFUSED && is_udp(entry))
        rows_say(&explain->rows, SAY_RECV_REFUSED);
    else
        rows_say(&explain->rows, SAY_FAILED);
}

static void explain_send(struct explain *explain, const struct trace_event *event,
                         struct explained *entry, int state)
{
    if (event->result < 0) {
        if (is_tcp(entry) && (event->error == ECONNRESET || event->error == EPIPE))
            put_reset(explain, entry, state);
        else if (is_udp(entry) && event->error == ECONNREFUSED)
            put_wire(explain, WIRE_FAILURE, "<ICMP port unreachable", 0, 0);
        explain_send_failure(explain, event, entry);
        return;
    }
    put_moved(explain, event, entry, true);
    if (event->kind == TRACE_SEGMENTS)
        rows_say(&explain->rows, SAY_SEND_SEGMENTS, NUMBER(event->value));
    if (!is_stream(entry)) {
        rows_say(&explain->rows, SAY_SEND_DATAGRAM);
        if (event->name && event->name->length) {
            rows_say(&explain->rows, SAY_SENDTO);
            put_name(explain, event, true);
        }
        return;
    }
    rows_say(&explain->rows, SAY_SEND);
    rows_say(&explain->rows, SAY_DONTWAIT);
    if (event->value == MSG_OOB)
        rows_say(&explain->rows, SAY_SEND_OOB);
    if ((size_t)event->result < event->length)
        rows_say(&explain->rows, SAY_SEND_SHORT, NUMBER(event->result), NUMBER(event->length));
    if (explain->is_http)
        rows_say(&explain->rows, SAY_HTTP_REQUEST);
    if (entry->record.family == AF_UNIX && event->bytes)
        put_frame(explain, event->bytes, (size_t)event->result);
}

static void explain_recv_failure(struct explain *explain, const struct trace_event *event,
                                 struct explained *entry, int state)
{
    if (is_tcp(entry) && (event->error == ECONNRESET || event->error == EPIPE))
        put_reset(explain, entry, state);
    else if (is_udp(entry) && event->error == ECONNREFUSED)
        put_wire(explain, WIRE_FAILURE, "<ICMP port unreachable", 0, 0);
    if (event->error == EAGAIN)
        rows_say(&explain->rows, SAY_RECV_AGAIN);
    else if (event->error == ECONNRESET)
        rows_say(&explain->rows, SAY_RECV_RESET);
    else if (event->error == ECONNREFUSED)
        rows_say(&explain->rows, SAY_RECV_REFUSED);
    else if (event->error == ETIMEDOUT)
        rows_say(&explain->rows, SAY_RECV_SILENCE);
    else
        rows_say(&explain->rows, SAY_FAILED);
}

/* Explains the end of a stream. The kernel keeps TIME_WAIT of the one that ended first, and its socket is CLOSED then. */
static void explain_end(struct explain *explain, struct explained *entry, int state)
{
    const bool is_new = !entry->fin_received;
    if (is_tcp(entry) && entry->record.tcp_state == TCP_CLOSE &&
        (entry->was_reset || !entry->fin_sent)) {
        put_reset(explain, entry, state);
        rows_say(&explain->rows, SAY_RECV_GONE);
        return;
    }
    entry->fin_received = true;
    int now = entry->record.tcp_state;
    if (now == TCP_CLOSE && entry->ended_first)
        now = TCP_TIME_WAIT;
    if (is_tcp(entry) && is_new)
        put_wire(explain, WIRE_END, "<FIN", state, now);
    rows_say(&explain->rows, SAY_RECV_END);
    rows_say(&explain->rows, entry->fin_sent ? SAY_RECV_END_BOTH : SAY_RECV_END_HALF);
    if (now == TCP_TIME_WAIT)
        rows_say(&explain->rows, SAY_TIME_WAIT_HERE);
}

static void explain_recv(struct explain *explain, const struct trace_event *event,
                         struct explained *entry, int state)
{
    if (event->result < 0) {
        explain_recv_failure(explain, event, entry, state);
        return;
    }
    if (!is_stream(entry)) {
        put_moved(explain, event, entry, false);
        rows_say(&explain->rows,
                 event->result || !is_udp(entry) ? SAY_RECV_DATAGRAM : SAY_RECV_EMPTY);
        if (event->kind == TRACE_RECVMSG && event->name->length) {
            rows_say(&explain->rows, SAY_RECV_FROM);
            put_name(explain, event, false);
        }
        return;
    }
    if (event->result == 0 && event->length) {
        explain_end(explain, entry, state);
        return;
    }
    put_moved(explain, event, entry, false);
    if (event->value == MSG_TRUNC)
        rows_say(&explain->rows, SAY_RECV_DISCARD);
    else
        rows_say(&explain->rows, SAY_RECV, NUMBER(event->length), NUMBER(event->result));
    rows_say(&explain->rows, SAY_DONTWAIT);
    if (event->value == MSG_PEEK)
        rows_say(&explain->rows, SAY_RECV_PEEK);
    if (explain->is_http)
        rows_say(&explain->rows, SAY_HTTP_ANSWER);
    if (entry->record.family == AF_UNIX && event->value != MSG_TRUNC)
        put_frame(explain, event->bytes, (size_t)event->result);
}

static void explain_splice(struct explain *explain, const struct trace_event *event,
                           struct explained *entry, int state)
{
    (void)event;
    (void)entry;
    (void)state;
    rows_say(&explain->rows, SAY_SPLICE);
}

static void explain_pending(struct explain *explain, const struct trace_event *event,
                            struct explained *entry, int state)
{
    if (!event->value)
        return;
    if (event->value == ECONNRESET || event->value == EPIPE)
        put_reset(explain, entry, state);
    rows_say(&explain->rows, SAY_PENDING);
    if (event->value == ECONNRESET)
        rows_say(&explain->rows, SAY_RECV_RESET);
}

static void explain_shutdown(struct explain *explain, const struct trace_event *event,
                             struct explained *entry, int state)
{
    const int now = entry->record.tcp_state;
    const char *packets = now == TCP_FIN_WAIT1 || now == TCP_LAST_ACK ? ">FIN" : ">FIN;<ACK";
    if (event->result < 0) {
        if (event->error == ENOTCONN && entry->is_joined)
            put_reset(explain, entry, state);
        rows_say(&explain->rows, event->error == ENOTCONN ? SAY_SHUTDOWN_GONE : SAY_FAILED);
        return;
    }
    if (event->value == SHUT_RD) {
        rows_say(&explain->rows, SAY_SHUTDOWN_OTHER);
        return;
    }
    if (is_tcp(entry) && !entry->fin_sent)
        put_wire(explain, event->kind, packets, state, now);
    entry->fin_sent = true;
    const bool peer_first = entry->fin_received || state == TCP_CLOSE_WAIT;
    entry->ended_first = !peer_first;
    rows_say(&explain->rows, peer_first ? SAY_SHUTDOWN_LAST : SAY_SHUTDOWN_WR);
    if (is_tcp(entry) && peer_first)
        rows_say(&explain->rows, SAY_TIME_WAIT_THERE);
}

/* Explains what close(2) does to a TCP connection, by its state a moment before. */
static void explain_close_tcp(struct explain *explain, const struct trace_event *event,
                              const struct explained *entry)
{
    const struct sock_record *before = event->before;
    const int state = before->tcp_state;
    const bool stands = state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
    if (state == TCP_LISTEN) {
        rows_say(&explain->rows, SAY_CLOSE_LISTENER);
    } else if (state == TCP_SYN_SENT) {
        rows_say(&explain->rows, SAY_CLOSE_NO_ANSWER, NUMBER(before->retransmits));
    } else if (state != TCP_CLOSE && (entry->will_reset || before->has_unread)) {
        put_wire(explain, event->kind, ">RST", state, TCP_CLOSE);
        rows_say(&explain->rows, entry->will_reset ? SAY_CLOSE_RESET : SAY_CLOSE_UNREAD);
    } else if (stands) {
        put_wire(explain, event->kind, ">FIN", 0, 0);
        rows_say(&explain->rows, state == TCP_ESTABLISHED ? SAY_CLOSE_BOTH : SAY_CLOSE_LAST);
        if (state == TCP_CLOSE_WAIT)
            rows_say(&explain->rows, SAY_TIME_WAIT_THERE);
    } else if (!entry->is_joined) {
        rows_say(&explain->rows, SAY_CLOSE_UNCONNECTED);
    } else if (entry->was_reset) {
        rows_say(&explain->rows, SAY_CLOSE_BROKEN);
    } else if (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2) {
        rows_say(&explain->rows, SAY_CLOSE_ORPHAN);
    } else {
        rows_say(&explain->rows, SAY_CLOSE_DONE);
    }
}

static void explain_close(struct explain *explain, const struct trace_event *event,
                          struct explained *entry, int state)
{
    (void)state;
    if (event->before->tcp_state)
        explain_close_tcp(explain, event, entry);
    else if (event->before->family == AF_UNIX && entry->is_joined && !entry->fin_sent)
        rows_say(&explain->rows, SAY_CLOSE_UNIX);
    rows_say(&explain->rows, SAY_CLOSE_FREE, NUMBER(event->fd));
    *entry = (struct explained){0};
}

static void explain_unlink(struct explain *explain, const struct trace_event *event,
                           struct explained *entry, int state)
{
    (void)entry;
    (void)state;
    rows_say(&explain->rows, event->result < 0 ? SAY_FAILED : SAY_UNLINK);
}

static void explain_process(struct explain *explain, const struct trace_event *event,
                            struct explained *entry, int state)
{
    (void)entry;
    (void)state;
    if (event->kind == TRACE_WAIT)
        rows_say(&explain->rows, SAY_WAIT);
    else if (event->result < 0)
        rows_say(&explain->rows, event->kind == TRACE_EXEC ? SAY_EXEC_FAILED : SAY_FAILED);
    else if (event->kind == TRACE_EXEC)
        rows_say(&explain->rows, SAY_EXEC);
    else
        rows_say(&explain->rows, SAY_FORK, NUMBER(event->result));
    if (event->kind == TRACE_FORK && event->value)
        rows_say(&explain->rows, SAY_FORK_WORKER);
}

static void explain_call(void *context, const struct trace_event *event, const char *line)
{
    static void (*const kinds[KINDS])(struct explain *, const struct trace_event *,
                                      struct explained *, int) = {
        [TRACE_LOOK_UP] = explain_look_up,
        [TRACE_SOCKET] = explain_socket,
        [TRACE_SETSOCKOPT] = explain_option,
        [TRACE_JOIN] = explain_join,
        [TRACE_BIND] = explain_bind,
        [TRACE_LISTEN] = explain_listen,
        [TRACE_ACCEPT] = explain_accept,
        [TRACE_CONNECT] = explain_connect,
        [TRACE_GETSOCKNAME] = explain_own_name,
        [TRACE_GETPEERNAME] = explain_peer_name,
        [TRACE_PEERCRED] = explain_credentials,
        [TRACE_SO_ERROR] = explain_pending,
        [TRACE_SEND] = explain_send,
        [TRACE_SENDTO] = explain_send,
        [TRACE_SENDMSG] = explain_send,
        [TRACE_SEGMENTS] = explain_send,
        [TRACE_RECV] = explain_recv,
        [TRACE_RECVMSG] = explain_recv,
        [TRACE_SPLICE] = explain_splice,
        [TRACE_SHUTDOWN] = explain_shutdown,
        [TRACE_CLOSE] = explain_close,
        [TRACE_UNLINK] = explain_unlink,
        [TRACE_FORK] = explain_process,
        [TRACE_EXEC] = explain_process,
        [TRACE_WAIT] = explain_process,
    };
    struct explain *explain = context;
    int state;
    pthread_mutex_lock(&explain->lock);
    explain->rows.length = 0;
    if (kinds[event->kind]) {
        const bool is_closed = event->kind == TRACE_CLOSE && event->fd >= 0 &&
                               event->fd < TRACE_FDS;
        struct explained *entry = is_closed ? &explain->sockets[event->fd]
                                            : socket_of(explain, event->fd, &state);
        kinds[event->kind](explain, event, entry, is_closed ? 0 : state);
    }
    log_note_with(line, explain->rows.block, explain->rows.length);
    pthread_mutex_unlock(&explain->lock);
}

/* Says whether the locale names a charset that is not UTF-8; one that names none may well be used with it. */
static bool charset_is_other(void)
{
    static const char names[][12] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *word = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !(word && *word); i++)
        word = getenv(names[i]);
    const char *charset = word ? strchr(word, '.') : NULL;
    return charset && strncasecmp(charset, ".utf-8", 6) != 0 &&
           strncasecmp(charset, ".utf8", 5) != 0;
}

int explain_begin(const struct explain_setup *setup, struct error *err)
{
    if (log_setting.as_object)
        return error_set(err, STATUS_USAGE, "options --explain and --log exclude each other");
    struct explain *explain = memory_new(1, sizeof *explain);
    pthread_mutex_init(&explain->lock, NULL);
    explain->rows.language = sentence_language();
    explain->rows.has_colour = log_setting.colours.note;
    explain->rows.is_ascii = charset_is_other();
    explain->frame = setup->frame;
    explain->is_http = setup->is_http;
    explain->trace.explain = explain_call;
    explain->trace.context = explain;
    if (log_setting.verbosity < LOG_LEVEL_TRACE)
        log_setting.verbosity = LOG_LEVEL_TRACE;
    trace_begin(&explain->trace, setup->serves);
    return 0;
}
