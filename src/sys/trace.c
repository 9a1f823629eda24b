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
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/text.h"

struct constant {
    int value;
    const char *name;
};

/* The value and, by stringizing, how the manual spells it. */
#define CONSTANT(name)                                                                             \
    {                                                                                              \
        name, #name                                                                                \
    }

static const struct constant families[] = {CONSTANT(AF_UNSPEC), CONSTANT(AF_INET),
                                           CONSTANT(AF_INET6),  CONSTANT(AF_UNIX),
                                           CONSTANT(AF_VSOCK),  {0, NULL}};
static const struct constant socktypes[] = {CONSTANT(SOCK_STREAM),
                                            CONSTANT(SOCK_DGRAM),
                                            CONSTANT(SOCK_SEQPACKET),
                                            CONSTANT(SOCK_RAW),
                                            {0, NULL}};
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
                                            {0, NULL}};
static const struct constant hows[] = {CONSTANT(SHUT_RD),
                                       CONSTANT(SHUT_WR),
                                       CONSTANT(SHUT_RDWR),
                                       {0, NULL}};
static const struct constant levels[] = {CONSTANT(SOL_SOCKET),   CONSTANT(IPPROTO_IP),
                                         CONSTANT(IPPROTO_IPV6), CONSTANT(IPPROTO_TCP),
                                         CONSTANT(IPPROTO_UDP),  {0, NULL}};
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
    CONSTANT(ESOCKTNOSUPPORT), CONSTANT(ETIMEDOUT),    {0, NULL}};

static const char *constant_name(const struct constant *table, int value)
{
    while (table->name && table->value != value)
        table++;
    return table->name ? table->name : "?";
}

const char *trace_name(enum trace_constant of, int value)
{
    static const struct constant *const tables[] = {
        [TRACE_FAMILY] = families, [TRACE_SOCKTYPE] = socktypes, [TRACE_PROTOCOL] = protocols,
        [TRACE_HOW] = hows,        [TRACE_LEVEL] = levels,       [TRACE_ERRNO] = errors,
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
                                             {0, NULL}};
    static const struct constant ip[] = {CONSTANT(IP_BIND_ADDRESS_NO_PORT),
                                         CONSTANT(IP_HDRINCL),
                                         CONSTANT(IP_PKTINFO),
                                         CONSTANT(IP_RECVERR),
                                         CONSTANT(IP_TOS),
                                         CONSTANT(IP_TTL),
                                         CONSTANT(IP_MULTICAST_TTL),
                                         CONSTANT(IP_MULTICAST_ALL),
                                         CONSTANT(IP_MULTICAST_LOOP),
                                         {0, NULL}};
    static const struct constant ipv6[] = {
        CONSTANT(IPV6_RECVERR),        CONSTANT(IPV6_RECVPKTINFO),
        CONSTANT(IPV6_TCLASS),         CONSTANT(IPV6_UNICAST_HOPS),
        CONSTANT(IPV6_MULTICAST_HOPS), CONSTANT(IPV6_MULTICAST_ALL),
        CONSTANT(IPV6_MULTICAST_IF),   CONSTANT(IPV6_MULTICAST_LOOP),
        CONSTANT(IPV6_V6ONLY),         {0, NULL}};
    static const struct constant tcp[] = {
        CONSTANT(TCP_FASTOPEN),     CONSTANT(TCP_FASTOPEN_CONNECT),
        CONSTANT(TCP_INFO),         CONSTANT(TCP_KEEPCNT),
        CONSTANT(TCP_KEEPIDLE),     CONSTANT(TCP_KEEPINTVL),
        CONSTANT(TCP_NODELAY),      CONSTANT(TCP_QUICKACK),
        CONSTANT(TCP_USER_TIMEOUT), {0, NULL}};
    static const struct constant udp[] = {CONSTANT(UDP_GRO), CONSTANT(UDP_SEGMENT), {0, NULL}};
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
    if (WIFSIGNALED(end))
        TRACE(found, "waitpid(%d, [killed by signal %d])", (int)asked, WTERMSIG(end));
    else
        TRACE(found, "waitpid(%d, [exited with status %d])", (int)asked, WEXITSTATUS(end));
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

void trace_call(int level, long result, const char *meaning, const char *format, ...)
{
    enum { CALL_MAX = 512 };
    int saved = errno;
    char call[CALL_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(call, sizeof call, format, args);
    va_end(args);
    if (result < 0)
        log_note(level, "%s = -1 %s (%s)", call, trace_name(TRACE_ERRNO, saved), strerror(saved));
    else
        log_note(level, "%s = %ld%s%s%s", call, result, meaning ? " (" : "", meaning ? meaning : "",
                 meaning ? ")" : "");
    errno = saved;
}
