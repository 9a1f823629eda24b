/*
 * Options that several commands share: one struct, one macro for its defaults and one for its rows each, so that an option
 * is written once and means the same everywhere. All strings are words of argv.
 */
#ifndef CMD_COMMON_OPTIONS_H
#define CMD_COMMON_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "cli/opt.h"
#include "net/sockopt.h"

/* Multicast groups, each time one more: [SOURCE@]GROUP[%INTERFACE]. */
#define OPT_CTYPE_group struct memberships
extern const struct opt_type opt_group;

/* The modes of a command: what it does, and over which kind of socket. A row lists those that its option is for
 * (cli/opt.h), mostly by leaving some out; modes_check (cmd/common/modes.h) holds against them what a run is about. */
enum {
    MODE_STDIO = 1 << 0,    /* stdin and stdout are one peer's */
    MODE_SHARED = 1 << 1,   /* they are all clients' (--keep-open) */
    MODE_BROKER = 1 << 2,   /* --broker, --chat */
    MODE_PROGRAM = 1 << 3,  /* --exec, --sh-exec, for one connection */
    MODE_PROGRAMS = 1 << 4, /* the same for each of many clients */
    MODE_SCRIPT = 1 << 5,   /* --send, --expect */
    MODE_FORWARD = 1 << 6,  /* --to */
    MODE_PROBE = 1 << 7,    /* --probe */
    MODE_PASS = 1 << 8,     /* --pass-fd */
    MODE_WAYS = (1 << 9) - 1,

    MODE_TCP = 1 << 9,
    MODE_UDP = 1 << 10,
    MODE_UNIX_STREAM = 1 << 11,
    MODE_VSOCK = 1 << 12,
    MODE_SEQPACKET = 1 << 13,
    MODE_UNIX_DGRAM = 1 << 14,
    MODE_RAW = 1 << 15,
    MODE_PING = 1 << 16, /* what is said of raw sockets holds for it, too */
    MODE_KINDS = ((1 << 17) - 1) & ~MODE_WAYS,

    /* Who has the bytes, or the socket, instead of us. */
    MODE_INETD = 1 << 24, /* --inetd: the program of --exec has the socket itself */
    MODE_VIA = 1 << 25,   /* --via: a command has made the connection */
    MODE_TLS = 1 << 26,   /* --tls: openssl(1) has */

    MODE_PORTS = MODE_TCP | MODE_UDP,
    MODE_IP = MODE_RAW | MODE_PING,
    MODE_INET = MODE_PORTS | MODE_IP,
    MODE_UNIX = MODE_UNIX_STREAM | MODE_SEQPACKET | MODE_UNIX_DGRAM,
    MODE_STREAMS = MODE_TCP | MODE_UNIX_STREAM | MODE_VSOCK,
    MODE_DATAGRAMS = MODE_UDP | MODE_UNIX_DGRAM | MODE_IP,
    MODE_MESSAGES = MODE_DATAGRAMS | MODE_SEQPACKET,
    MODE_MANY = MODE_SHARED | MODE_BROKER | MODE_PROGRAMS | MODE_FORWARD, /* clients */
    MODE_NO_STDIO = MODE_FORWARD | MODE_PROBE | MODE_PASS /* neither stdin nor stdout is a peer's */
};
/* The modes of an option that is for these kinds of socket, or these ways, alone. */
#define MODE_ONLY_KINDS(kinds) (~MODE_KINDS | (kinds))
#define MODE_ONLY_WAYS(ways) (~MODE_WAYS | (ways))
/* The modes of an option of the socket that we connect, over these kinds alone. */
#define MODE_OWN_SOCKET(kinds) (MODE_ONLY_KINDS(kinds) & ~(MODE_VIA | MODE_TLS))

/* The groups of options that several commands have. Shared rows that are a group of their own bring its heading along; what
 * follows them in a table begins with one. */
#define GROUP_ADDRESS OPT_GROUP("address", "Address")
#define GROUP_CLIENTS OPT_GROUP("clients", "Clients")
#define GROUP_ACCESS OPT_GROUP("access", "Access")
#define GROUP_PROGRAMS OPT_GROUP("programs", "Programs")
#define GROUP_PROXY OPT_GROUP("proxy", "Proxy")
#define GROUP_READINESS OPT_GROUP("readiness", "Readiness")
#define GROUP_LIMITS OPT_GROUP("limits", "Time limits")
#define GROUP_ENDS OPT_GROUP("ends", "When a side ends")
#define GROUP_DATA OPT_GROUP("data", "Data on its way")
#define GROUP_OUTPUT OPT_GROUP("output", "Output")
#define GROUP_DATAGRAMS OPT_GROUP("datagrams", "Datagrams only")
#define GROUP_SOCKET OPT_GROUP("socket", "Socket options")

/* Which addresses a name may give. */
struct family_options {
    int family;
    bool numeric;
};
#define FAMILY_DEFAULTS                                                                            \
    {                                                                                              \
        AF_UNSPEC, false                                                                           \
    }
#define FAMILY_ONLY_ROWS(options, field)                                                           \
    OPT_FOR('4', "ipv4", ipv4, options, field.family, MODE_ONLY_KINDS(MODE_INET) & ~MODE_VIA,      \
            "IPv4 only"),                                                                          \
        OPT_FOR('6', "ipv6", ipv6, options, field.family, MODE_ONLY_KINDS(MODE_INET) & ~MODE_VIA,  \
                "IPv6 only")
#define FAMILY_ROWS(options, field)                                                                \
    FAMILY_ONLY_ROWS(options, field),                                                              \
        OPT_FOR('n', "numeric", flag, options, field.numeric, MODE_OWN_SOCKET(MODE_KINDS),         \
                "no name or service look-up")

/* The protocol, where the address does not say. */
struct protocol_options {
    bool udp;
    bool unix_socket;
};
#define PROTOCOL_ROWS(options, field)                                                              \
    OPT('u', "udp", flag, options, field.udp, "UDP, or UNIX datagrams with -U"),                   \
        OPT('U', "unix", flag, options, field.unix_socket, "the address is a UNIX socket's path")

/* How events are logged; `field` is a bool: as objects. */
#define LOG_ROWS(options, field)                                                                   \
    OPT_GROUP_GENERAL,                                                                             \
        OPT(0, "log", log, options, field, "json: tell what happens as objects, one a line")

/* Whether each call is explained; `field` is a bool. See cli/explain.h. */
#define EXPLAIN_ROW(options, field)                                                                \
    OPT_GROUP_GENERAL,                                                                             \
        OPT(0, "explain", flag, options, field, "show each call (-vv), and explain it")

/* Time limits; -1: none. */
struct limit_options {
    int64_t timeout_ms;
    int64_t idle_ms;
    int64_t max_time_ms;
};
#define LIMIT_DEFAULTS                                                                             \
    {                                                                                              \
        -1, -1, -1                                                                                 \
    }
/* `idle_modes` are those in which -i does something. */
#define LIMIT_ROWS(options, field, idle_modes, timeout_help)                                       \
    GROUP_LIMITS, OPT('w', "timeout", limit, options, field.timeout_ms, timeout_help),             \
        OPT_FOR('i', "idle-timeout", limit, options, field.idle_ms, idle_modes,                    \
                "end a connection on which nothing moved for TIME"),                               \
        OPT(0, "max-time", limit, options, field.max_time_ms, "limit for the whole command")

/* Socket options: struct sockopt. */
#define SOCKET_ROWS(options, field)                                                                \
    GROUP_ADDRESS,                                                                                 \
        OPT_FOR(0, "interface", interface, options, field.interface, MODE_OWN_SOCKET(MODE_INET),   \
                "use this network interface only"),                                                \
        GROUP_SOCKET,                                                                              \
        OPT_ROW(0, "ttl", ttl, "HOPS", options, field.ttl, 0, MODE_OWN_SOCKET(MODE_INET),          \
                "hops that packets may take"),                                                     \
        OPT_FOR(0, "tos", tos, options, field.tos, MODE_OWN_SOCKET(MODE_INET),                     \
                "type of service: 0-255, or a DSCP word"),                                         \
        OPT_FOR(0, "rcvbuf", size, options, field.rcvbuf, MODE_OWN_SOCKET(MODE_KINDS),             \
                "the socket's receive buffer"),                                                    \
        OPT_FOR(0, "sndbuf", size, options, field.sndbuf, MODE_OWN_SOCKET(MODE_KINDS),             \
                "the socket's send buffer"),                                                       \
        OPT_FOR(0, "no-delay", flag, options, field.no_delay, MODE_OWN_SOCKET(MODE_TCP),           \
                "TCP: send small segments at once"),                                               \
        OPT_ROW(0, "keepalive", keepalive, NULL, options, field.keepalive_ms, OPT_OPTIONAL,        \
                MODE_OWN_SOCKET(MODE_TCP), "TCP: notice a dead peer within twice TIME"),           \
        OPT_FOR(0, "mptcp", flag, options, field.mptcp, MODE_OWN_SOCKET(MODE_TCP),                 \
                "Multipath TCP"),                                                                  \
        OPT_FOR(0, "fastopen", flag, options, field.fastopen,                                      \
                MODE_OWN_SOCKET(MODE_TCP) & ~MODE_PROBE, "TCP: data in the first packet"),         \
        OPT_FOR(0, "mark", mark, options, field.mark, MODE_OWN_SOCKET(MODE_INET),                  \
                "mark packets for routing and filters"),                                           \
        OPT_FOR('b', "broadcast", flag, options, field.broadcast,                                  \
                MODE_OWN_SOCKET(MODE_UDP | MODE_IP), "allow broadcast addresses"),                 \
        OPT_FOR(0, "join", group, options, field.join,                                             \
                MODE_OWN_SOCKET(MODE_UDP | MODE_IP) & ~(MODE_PROBE | MODE_INETD),                  \
                "also hear a multicast group: [SOURCE@]GROUP[%INTERFACE]"),                        \
        OPT_FOR(0, "no-loopback", flag, options, field.no_loopback,                                \
                MODE_OWN_SOCKET(MODE_UDP | MODE_IP),                                               \
                "do not hear on this machine what it sends to groups")

/* What raw sockets have; `field` is a bool of struct sockopt. */
#define RAW_ROWS(options, field)                                                                   \
    GROUP_DATAGRAMS, OPT_FOR(0, "ip-header", flag, options, field, MODE_OWN_SOCKET(MODE_RAW),      \
                             "raw sockets: packets have their IPv4 header, both ways")

/* The mode of a UNIX socket's file, unless --mode says otherwise. */
enum { SOCKET_FILE_MODE = 0600 };

/* How a server says that it listens. */
struct readiness_options {
    const char *port_file;
    int ready_fd; /* -1: none */
    bool run;     /* the command that follows `--` */
};
#define READINESS_DEFAULTS                                                                         \
    {                                                                                              \
        .ready_fd = -1                                                                             \
    }
#define READINESS_ROWS(options, field)                                                             \
    GROUP_READINESS,                                                                               \
        OPT_FOR(0, "port-file", file, options, field.port_file, ~MODE_IP,                          \
                "write the port to FILE when listening"),                                          \
        OPT(0, "ready-fd", descriptor, options, field.ready_fd,                                    \
            "write a newline to descriptor FD when listening, and close it"),                      \
        OPT(0, "run", flag, options, field.run,                                                    \
            "when listening, run what follows --, and end with it")

/* How many programs run at a time, where -m does not say otherwise. */
enum { PROGRAMS_MAX = 100 };

/* What servers have in common. */
struct server_options {
    int64_t max_conns; /* 0: not given */
    int64_t backlog;
    bool reuse_port;
    int mode;
    struct readiness_options readiness;
    struct opt_list allow;
    struct opt_list deny;
    struct opt_list proxy_from;
    struct opt_list allow_uid;
};
#define SERVER_DEFAULTS                                                                            \
    {                                                                                              \
        .mode = -1, .readiness = READINESS_DEFAULTS                                                \
    }
/* `max_modes` are those in which there are several clients. */
#define MAX_CONNS_ROWS(options, field, max_modes)                                                  \
    GROUP_CLIENTS, OPT_FOR('m', "max-conns", number, options, field.max_conns, max_modes,          \
                           "at most N clients at a time")
#define SERVER_ROWS(options, field, max_modes)                                                     \
    MAX_CONNS_ROWS(options, field, max_modes),                                                     \
        OPT_FOR(0, "backlog", number, options, field.backlog, ~MODE_DATAGRAMS,                     \
                "clients that may wait"),                                                          \
        OPT_FOR(0, "reuse-port", flag, options, field.reuse_port, MODE_ONLY_KINDS(MODE_PORTS),     \
                "share the port with others that do (SO_REUSEPORT)")
#define ACCESS_ROWS(options, field)                                                                \
    GROUP_ACCESS,                                                                                  \
        OPT(0, "allow", entries, options, field.allow, "addresses and networks that may connect"), \
        OPT(0, "deny", entries, options, field.deny, "addresses and networks that may not")
#define WORKERS_ROWS(options, field)                                                               \
    GROUP_CLIENTS, OPT(0, "workers", number, options, field, "N processes that share the clients")
/* How much may be queued for clients, see base/budget; `field` is a uint64_t. */
#define MEMORY_ROWS(options, field, memory_modes)                                                  \
    GROUP_CLIENTS, OPT_FOR(0, "max-memory", memory, options, field, memory_modes,                  \
                           "all clients' queues together (64M); the largest goes first")
/* What servers on UNIX sockets have. */
#define SOCKET_FILE_ROWS(options, field)                                                           \
    GROUP_ACCESS, OPT_FOR(0, "mode", mode, options, field.mode, MODE_ONLY_KINDS(MODE_UNIX),        \
                          "permissions of the socket file (0600)")
#define USER_ROWS(options, field)                                                                  \
    GROUP_ACCESS, OPT(0, "allow-uid", entries, options, field.allow_uid,                           \
                      "users that may connect to a UNIX socket")

/* What moves between stdin, the socket and stdout. */
struct transfer_options {
    bool shutdown;
    bool no_shutdown;
    bool recv_only;
    bool send_only;
    bool exit_on_eof;
    bool until_stdin_ends;
    bool no_confirm;
    bool crlf;
    bool append;
    bool telnet;
    const char *output;
    const char *hex_dump;
    bool hex_dump_drop;
    int64_t delay_ms;
    uint64_t rate;
    bool stats;
    bool progress;
    bool lines;
    struct opt_bytes separator;
    int64_t max_messages;
    int64_t urgent; /* the byte; -1: none */
    int64_t quit_after_ms;
};
#define TRANSFER_DEFAULTS                                                                          \
    {                                                                                              \
        .quit_after_ms = -1, .urgent = -1                                                          \
    }
#define TRANSFER_ROWS(options, field)                                                              \
    GROUP_LIMITS,                                                                                  \
        OPT_FOR('q', "quit-after", duration, options, field.quit_after_ms,                         \
                ~(MODE_NO_STDIO | MODE_INETD), "after stdin ends, wait at most TIME more"),        \
        GROUP_ENDS,                                                                                \
        OPT_FOR('N', "shutdown", flag, options, field.shutdown, ~MODE_INETD,                       \
                "shut down the sending half when stdin ends (the default without a proxy)"),       \
        OPT_FOR(0, "no-shutdown", flag, options, field.no_shutdown,                                \
                ~(MODE_NO_STDIO | MODE_DATAGRAMS | MODE_INETD),                                    \
                "keep the sending half open when stdin ends"),                                     \
        OPT_FOR('d', "recv-only", flag, options, field.recv_only,                                  \
                ~(MODE_NO_STDIO | MODE_PROGRAM | MODE_PROGRAMS | MODE_SCRIPT),                     \
                "do not read stdin"),                                                              \
        OPT_FOR(0, "send-only", flag, options, field.send_only,                                    \
                ~(MODE_NO_STDIO | MODE_PROGRAM | MODE_PROGRAMS | MODE_BROKER),                     \
                "throw away what arrives"),                                                        \
        OPT_FOR(0, "exit-on-eof", flag, options, field.exit_on_eof,                                \
                ~(MODE_NO_STDIO | MODE_SCRIPT | MODE_DATAGRAMS | MODE_INETD),                      \
                "done when the peer ends"),                                                        \
        OPT_FOR(0, "until-stdin-ends", flag, options, field.until_stdin_ends,                      \
                ~(MODE_NO_STDIO | MODE_PROGRAM | MODE_PROGRAMS | MODE_SCRIPT | MODE_DATAGRAMS),    \
                "when the peer ends first, send until stdin ends too"),                            \
        OPT_FOR(0, "no-confirm", flag, options, field.no_confirm,                                  \
                ~(MODE_NO_STDIO | MODE_SHARED | MODE_BROKER | MODE_SCRIPT | MODE_MESSAGES |        \
                  MODE_INETD),                                                                     \
                "do not wait until the peer's TCP has acknowledged every byte"),                   \
        GROUP_DATA,                                                                                \
        OPT_FOR('C', "crlf", flag, options, field.crlf, ~(MODE_NO_STDIO | MODE_INETD),             \
                "send each LF as CR LF"),                                                          \
        OPT_FOR('t', "telnet", flag, options, field.telnet,                                        \
                MODE_STDIO | MODE_PROGRAM | MODE_PROGRAMS | MODE_STREAMS | MODE_VIA | MODE_TLS,    \
                "refuse telnet negotiation"),                                                      \
        OPT_FOR(0, "delay", duration, options, field.delay_ms,                                     \
                ~(MODE_NO_STDIO | MODE_SHARED | MODE_BROKER | MODE_SCRIPT | MODE_INETD),           \
                "pause between lines sent"),                                                       \
        OPT_FOR(0, "rate-limit", size, options, field.rate,                                        \
                ~(MODE_NO_STDIO | MODE_SHARED | MODE_BROKER | MODE_SCRIPT | MODE_INETD),           \
                "at most SIZE bytes a second each way"),                                           \
        OPT_FOR(0, "oob", byte, options, field.urgent,                                             \
                MODE_STDIO | MODE_PROGRAM | MODE_PROGRAMS | MODE_TCP,                              \
                "send BYTE as TCP urgent data first"),                                             \
        GROUP_OUTPUT,                                                                              \
        OPT_FOR('o', "output", file, options, field.output,                                        \
                ~(MODE_PROBE | MODE_PASS | MODE_INETD),                                            \
                "also write what arrives to FILE; with --to, both directions"),                    \
        OPT_FOR('a', "append", flag, options, field.append,                                        \
                ~(MODE_PROBE | MODE_PASS | MODE_INETD), "add to FILE instead of replacing it"),    \
        OPT_FOR(0, "hex-dump", file, options, field.hex_dump,                                      \
                ~(MODE_PROBE | MODE_PASS | MODE_INETD),                                            \
                "hex dump of both directions to FILE (-: stderr)"),                                \
        OPT_FOR(0, "hex-dump-drop", flag, options, field.hex_dump_drop,                            \
                ~(MODE_PROBE | MODE_PASS | MODE_INETD),                                            \
                "leave out of the dump what FILE does not take in time"),                          \
        OPT_FOR(0, "stats", flag, options, field.stats, ~(MODE_NO_STDIO | MODE_INETD),             \
                "tell the totals at the end, on stderr"),                                          \
        OPT_FOR(0, "progress", flag, options, field.progress, MODE_ONLY_WAYS(MODE_STDIO),          \
                "a live line on stderr"),                                                          \
        GROUP_DATAGRAMS,                                                                           \
        OPT_FOR(0, "lines", flag, options, field.lines, MODE_STDIO | MODE_SHARED | MODE_MESSAGES,  \
                "datagrams: send a line in each"),                                                 \
        OPT_FOR(0, "separator", bytes, options, field.separator,                                   \
                MODE_STDIO | MODE_SHARED | MODE_MESSAGES,                                          \
                "write TEXT (with C escapes) after each datagram"),                                \
        OPT_FOR('W', "max-messages", number, options, field.max_messages,                          \
                MODE_STDIO | MODE_SHARED | MODE_MESSAGES,                                          \
                "datagrams: done when N have been received")

#endif
