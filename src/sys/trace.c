/*
 * The tables give numbers the names that the man pages use; each ends with a row without a name.
 */
#include "sys/trace.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/text.h"

struct constant {
    int value;
    char name[28]; /* empty behind the last one */
};

/* The value and, by stringizing, how the manual spells it. */
#define CONSTANT(name)                                                                             \
    {                                                                                              \
        name, #name                                                                                \
    }

static const struct constant families[] = {CONSTANT(AF_UNSPEC), CONSTANT(AF_INET),
                                           CONSTANT(AF_INET6),  CONSTANT(AF_UNIX),
                                           CONSTANT(AF_VSOCK),  {0, ""}};
static const struct constant socktypes[] = {CONSTANT(SOCK_STREAM),
                                            CONSTANT(SOCK_DGRAM),
                                            CONSTANT(SOCK_SEQPACKET),
                                            CONSTANT(SOCK_RAW),
                                            {0, ""}};
static const struct constant protocols[] = {{0, "0"},
                                            CONSTANT(IPPROTO_TCP),
                                            CONSTANT(IPPROTO_UDP),
                                            CONSTANT(IPPROTO_MPTCP),
                                            CONSTANT(IPPROTO_ICMP),
                                            CONSTANT(IPPROTO_ICMPV6),
                                            CONSTANT(IPPROTO_IGMP),
                                            CONSTANT(IPPROTO_IPIP),
                                            CONSTANT(IPPROTO_IPV6),
                                            CONSTANT(IPPROTO_GRE),
                                            CONSTANT(IPPROTO_ESP),
                                            CONSTANT(IPPROTO_AH),
                                            CONSTANT(IPPROTO_PIM),
                                            CONSTANT(IPPROTO_SCTP),
                                            CONSTANT(IPPROTO_UDPLITE),
                                            CONSTANT(IPPROTO_RAW),
                                            {0, ""}};
static const struct constant tcp_states[] = {{TCP_ESTABLISHED, "ESTABLISHED"},
                                             {TCP_SYN_SENT, "SYN_SENT"},
                                             {TCP_SYN_RECV, "SYN_RECV"},
                                             {TCP_FIN_WAIT1, "FIN_WAIT1"},
                                             {TCP_FIN_WAIT2, "FIN_WAIT2"},
                                             {TCP_TIME_WAIT, "TIME_WAIT"},
                                             {TCP_CLOSE, "CLOSED"},
                                             {TCP_CLOSE_WAIT, "CLOSE_WAIT"},
                                             {TCP_LAST_ACK, "LAST_ACK"},
                                             {TCP_LISTEN, "LISTEN"},
                                             {TCP_CLOSING, "CLOSING"},
                                             {0, ""}};
static const struct constant hows[] = {CONSTANT(SHUT_RD),
                                       CONSTANT(SHUT_WR),
                                       CONSTANT(SHUT_RDWR),
                                       {0, ""}};
static const struct constant levels[] = {CONSTANT(SOL_SOCKET),   CONSTANT(IPPROTO_IP),
                                         CONSTANT(IPPROTO_IPV6), CONSTANT(IPPROTO_TCP),
                                         CONSTANT(IPPROTO_UDP),  {0, ""}};
/* glibc alone has strerrorname_np(3). */
static const struct constant errors[] = {
    CONSTANT(EACCES),          CONSTANT(EADDRINUSE),   CONSTANT(EADDRNOTAVAIL),
    CONSTANT(EAFNOSUPPORT),    CONSTANT(EAGAIN),       CONSTANT(EALREADY),
    CONSTANT(EBADF),           CONSTANT(ECONNABORTED), CONSTANT(ECONNREFUSED),
    CONSTANT(ECONNRESET),      CONSTANT(EDESTADDRREQ), CONSTANT(EFAULT),
    CONSTANT(EHOSTDOWN),       CONSTANT(EHOSTUNREACH), CONSTANT(EINPROGRESS),
    CONSTANT(EINTR),           CONSTANT(EINVAL),       CONSTANT(EIO),
    CONSTANT(EISCONN),         CONSTANT(ELOOP),        CONSTANT(EMFILE),
    CONSTANT(EMSGSIZE),        CONSTANT(ENAMETOOLONG), CONSTANT(ENETDOWN),
    CONSTANT(ENETRESET),       CONSTANT(ENETUNREACH),  CONSTANT(ENFILE),
    CONSTANT(ENOBUFS),         CONSTANT(ENODEV),       CONSTANT(ENOENT),
    CONSTANT(ENOMEM),          CONSTANT(ENONET),       CONSTANT(ENOPROTOOPT),
    CONSTANT(ENOSPC),          CONSTANT(ENOTCONN),     CONSTANT(ENOTDIR),
    CONSTANT(ENOTSOCK),        CONSTANT(EOPNOTSUPP),   CONSTANT(EPERM),
    CONSTANT(EPIPE),           CONSTANT(EPROTO),       CONSTANT(EPROTONOSUPPORT),
    CONSTANT(EPROTOTYPE),      CONSTANT(EROFS),        CONSTANT(ESHUTDOWN),
    CONSTANT(ESOCKTNOSUPPORT), CONSTANT(ETIMEDOUT),    {0, ""}};

static const char *constant_name(const struct constant *table, int value)
{
    while (*table->name && table->value != value)
        table++;
    return *table->name ? table->name : "?";
}

const char *trace_name(enum trace_constant of, int value)
{
    static const struct constant *const tables[] = {
        [TRACE_FAMILY] = families,      [TRACE_SOCKTYPE] = socktypes, [TRACE_PROTOCOL] = protocols,
        [TRACE_TCP_STATE] = tcp_states, [TRACE_HOW] = hows,           [TRACE_LEVEL] = levels,
        [TRACE_ERRNO] = errors,
    };
    return constant_name(tables[of], value);
}

const char *trace_protocol(int protocol, char *number)
{
    const char *name = trace_name(TRACE_PROTOCOL, protocol);
    if (*name != '?')
        return name;
    snprintf(number, TRACE_NUMBER_MAX, "%d", protocol);
    return number;
}

const char *trace_option(int level, int option)
{
    static const struct constant socket[] = {CONSTANT(SO_ACCEPTCONN),
                                             CONSTANT(SO_BINDTODEVICE),
                                             CONSTANT(SO_BROADCAST),
                                             CONSTANT(SO_BUF_LOCK),
                                             CONSTANT(SO_DOMAIN),
                                             CONSTANT(SO_ERROR),
                                             CONSTANT(SO_KEEPALIVE),
                                             CONSTANT(SO_LINGER),
                                             CONSTANT(SO_MARK),
                                             CONSTANT(SO_OOBINLINE),
                                             CONSTANT(SO_PASSCRED),
                                             CONSTANT(SO_PEERCRED),
                                             CONSTANT(SO_PROTOCOL),
                                             CONSTANT(SO_RCVBUF),
                                             CONSTANT(SO_REUSEADDR),
                                             CONSTANT(SO_REUSEPORT),
                                             CONSTANT(SO_SNDBUF),
                                             CONSTANT(SO_TYPE),
                                             {0, ""}};
    static const struct constant ip[] = {CONSTANT(IP_BIND_ADDRESS_NO_PORT),
                                         CONSTANT(IP_HDRINCL),
                                         CONSTANT(IP_PKTINFO),
                                         CONSTANT(IP_RECVERR),
                                         CONSTANT(IP_TOS),
                                         CONSTANT(IP_TTL),
                                         CONSTANT(IP_MULTICAST_TTL),
                                         CONSTANT(IP_MULTICAST_ALL),
                                         CONSTANT(IP_MULTICAST_LOOP),
                                         {0, ""}};
    static const struct constant ipv6[] = {
        CONSTANT(IPV6_RECVERR),        CONSTANT(IPV6_RECVPKTINFO),
        CONSTANT(IPV6_TCLASS),         CONSTANT(IPV6_UNICAST_HOPS),
        CONSTANT(IPV6_MULTICAST_HOPS), CONSTANT(IPV6_MULTICAST_ALL),
        CONSTANT(IPV6_MULTICAST_IF),   CONSTANT(IPV6_MULTICAST_LOOP),
        CONSTANT(IPV6_V6ONLY),         {0, ""}};
    static const struct constant tcp[] = {
        CONSTANT(TCP_FASTOPEN),     CONSTANT(TCP_FASTOPEN_CONNECT),
        CONSTANT(TCP_INFO),         CONSTANT(TCP_KEEPCNT),
        CONSTANT(TCP_KEEPIDLE),     CONSTANT(TCP_KEEPINTVL),
        CONSTANT(TCP_NODELAY),      CONSTANT(TCP_QUICKACK),
        CONSTANT(TCP_USER_TIMEOUT), {0, ""}};
    static const struct constant udp[] = {CONSTANT(UDP_GRO), CONSTANT(UDP_SEGMENT), {0, ""}};
    switch (level) {
    case SOL_SOCKET:
        return constant_name(socket, option);
    case IPPROTO_IP:
        return constant_name(ip, option);
    case IPPROTO_IPV6:
        return constant_name(ipv6, option);
    case IPPROTO_TCP:
        return constant_name(tcp, option);
    case IPPROTO_UDP:
        return constant_name(udp, option);
    default:
        return "?";
    }
}

bool trace_is_detail(int level, int option)
{
    static const struct {
        int level;
        int option;
    } details[] = {
        {SOL_SOCKET, SO_OOBINLINE},   {SOL_SOCKET, SO_PASSCRED},
        {IPPROTO_IP, IP_PKTINFO},     {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT},
        {IPPROTO_IP, IP_RECVERR},     {IPPROTO_IPV6, IPV6_RECVPKTINFO},
        {IPPROTO_IPV6, IPV6_RECVERR}, {IPPROTO_UDP, UDP_GRO},
    };
    for (size_t i = 0; i < sizeof details / sizeof *details; i++)
        if (details[i].level == level && details[i].option == option)
            return true;
    return false;
}

void trace_wait(pid_t asked, pid_t found, int end)
{
    struct trace_event *event = EVENT(.kind = TRACE_WAIT, .fd = -1, .value = (int)found);
    if (WIFSIGNALED(end))
        TRACE_CALL(found, event, "waitpid(%d, [killed by signal %d])", (int)asked, WTERMSIG(end));
    else
        TRACE_CALL(found, event, "waitpid(%d, [exited with status %d])", (int)asked,
                   WEXITSTATUS(end));
}

/* Returns the letter that a backslash stands before in C; 0: there is none for the byte. */
static char escape_char(char byte)
{
    static const char bytes[] = "\n\r\t\"\\", escapes[] = "nrt\"\\";
    const char *at = byte ? strchr(bytes, byte) : NULL;
    if (!at)
        return '\0';
    return escapes[at - bytes];
}

char *trace_data(const void *bytes, ssize_t length, char *out)
{
    enum { SHOWN_MAX = 32 };
    const char *at = bytes;
    char *to = out;
    *to++ = '"';
    for (ssize_t i = 0; i < length && i < SHOWN_MAX; i++) {
        const char escaped = escape_char(at[i]);
        if (escaped) {
            *to++ = '\\';
            *to++ = escaped;
        } else {
            to += text_escape(to, 4, at + i, 1);
        }
    }
    stpcpy(to, length > SHOWN_MAX ? "\"..." : "\"");
    return out;
}

static const char shared[] = "SOCKCTL_SHARED"; /* in the environment: what we write to is shared */

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void trace_begin(struct trace *trace, bool serves)
{
    trace->role = serves ? "server" : "client";
    trace->start_us = now_us();
    trace->is_shared = getenv(shared) || log_is_in_background();
    log_setting.trace = trace;
}

void trace_share(void)
{
    if (log_setting.verbosity >= LOG_LEVEL_TRACE)
        setenv(shared, "1", 1);
    if (log_setting.trace)
        log_setting.trace->is_shared = true;
}

bool trace_explains(void)
{
    return log_setting.trace && log_setting.trace->explain;
}

/* Gives a connection that has been accepted its number, and one that has been closed none. Returns that of the call. */
static unsigned trace_number(struct trace *trace, const struct trace_event *event)
{
    const bool is_known = event->fd >= 0 && event->fd < TRACE_FDS;
    const unsigned number = is_known ? atomic_load(&trace->numbers[event->fd]) : 0;
    if (event->kind == TRACE_ACCEPT && event->result >= 0 && event->result < TRACE_FDS)
        atomic_store(&trace->numbers[event->result],
                     (unsigned short)(atomic_fetch_add(&trace->accepted, 1) + 1));
    else if (event->kind == TRACE_CLOSE && is_known)
        atomic_store(&trace->numbers[event->fd], 0);
    return number;
}

/* Writes what stands before the call, "0.012 [server 3] ". Returns the end. */
static char *trace_put_prefix(struct trace *trace, const struct trace_event *event, char *at,
                              size_t room)
{
    const unsigned number = trace_number(trace, event);
    const bool numbered = number && atomic_load(&trace->accepted) > 1;
    const char *role = trace->role && trace->is_shared ? trace->role : NULL;
    char shown[TRACE_NUMBER_MAX] = "";
    int length = 0;
    if (numbered)
        snprintf(shown, sizeof shown, "%u", number);
    length = snprintf(at, room, "%.3f ", (double)(now_us() - trace->start_us) / 1000000);
    if (role || numbered)
        length += snprintf(at + length, room - (size_t)length, "[%s%s%s] ", role ? role : "",
                           role && numbered ? " " : "", shown);
    return at + length;
}

/* Says whether a call that had nothing to do yet is the first one of its kind, and is explained. */
static bool trace_is_first_try(const struct trace_event *event)
{
    struct trace *trace = log_setting.trace;
    const unsigned kind = 1U << event->kind;
    return trace_explains() && event->kind != TRACE_OTHER &&
           !(atomic_fetch_or(&trace->tried, kind) & kind);
}

enum { CALL_MAX = 512, PREFIX_MAX = 64 };

static void trace_show(int level, const struct trace_event *event, const char *call)
{
    struct trace *trace = log_setting.trace;
    char line[CALL_MAX + 2 * PREFIX_MAX + TRACE_DATA_MAX];
    if (!trace || log_setting.as_object) {
        log_note(level, "%s", call);
        return;
    }
    char *end = trace_put_prefix(trace, event, line, PREFIX_MAX);
    snprintf(end, sizeof line - (size_t)(end - line), "%s", call);
    if (trace->explain)
        trace->explain(trace->context, event, line);
    else
        log_note(level, "%s", line);
}

void trace_call(int level, long result, struct trace_event *event, const char *format, ...)
{
    const int saved = errno;
    char call[CALL_MAX + TRACE_DATA_MAX];
    va_list args;
    event->result = result;
    event->error = result < 0 ? saved : 0;
    if (log_setting.verbosity < level && !trace_is_first_try(event)) {
        errno = saved;
        return;
    }
    va_start(args, format);
    int length = vsnprintf(call, CALL_MAX, format, args);
    va_end(args);
    length = length < CALL_MAX ? length : CALL_MAX - 1;
    if (result < 0)
        snprintf(call + length, TRACE_DATA_MAX, " = -1 %s (%s)", trace_name(TRACE_ERRNO, saved),
                 strerror(saved));
    else
        snprintf(call + length, TRACE_DATA_MAX, " = %ld%s%s%s", result, event->meaning ? " (" : "",
                 event->meaning ? event->meaning : "", event->meaning ? ")" : "");
    trace_show(level, event, call);
    errno = saved;
}

void trace_text(struct trace_event *event, const char *format, ...)
{
    const int saved = errno;
    char call[CALL_MAX + TRACE_DATA_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(call, sizeof call, format, args);
    va_end(args);
    trace_show(LOG_LEVEL_TRACE, event, call);
    errno = saved;
}
