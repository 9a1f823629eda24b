/*
 * How a call is shown: "connect(3, {AF_INET, 127.0.0.1, port 80}, 16) = -1 ECONNREFUSED (Connection refused)". At -vv
 * are the calls that a lecture on sockets has, at -vvv those that sockctl makes for itself: it asks the kernel how
 * things stand, or finds that nothing is there yet (EAGAIN). sys/sock makes most of them; splice(2) is stream/pump's,
 * programs are sys/process's. Any thread may call these.
 */
#ifndef SYS_TRACE_H
#define SYS_TRACE_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

#ifndef IPPROTO_MPTCP /* libcs older than the protocol */
#define IPPROTO_MPTCP 262
#endif
#ifndef SO_BUF_LOCK /* the same */
#define SO_BUF_LOCK 72
#endif

enum { TRACE_FDS = 256 }; /* descriptors of which something is remembered */

/* Which call an event is of. */
enum trace_kind {
    TRACE_OTHER, /* one that is shown, and not explained */
    TRACE_LOOK_UP,
    TRACE_SOCKET,
    TRACE_SETSOCKOPT,
    TRACE_JOIN,
    TRACE_BIND,
    TRACE_LISTEN,
    TRACE_ACCEPT,
    TRACE_CONNECT,
    TRACE_GETSOCKNAME,
    TRACE_GETPEERNAME,
    TRACE_PEERCRED,
    TRACE_SO_ERROR,
    TRACE_SEND,
    TRACE_SENDTO,
    TRACE_SENDMSG,
    TRACE_SEGMENTS,
    TRACE_RECV,
    TRACE_RECVMSG,
    TRACE_SPLICE,
    TRACE_SHUTDOWN,
    TRACE_CLOSE,
    TRACE_UNLINK,
    TRACE_FORK,
    TRACE_EXEC,
    TRACE_WAIT
};

struct sock_record;

/* A call, for whoever explains it; what a kind of call does not have is 0. All that it points to is the caller's, and is
 * there until trace_call returns. */
struct trace_event {
    enum trace_kind kind;
    int fd;                           /* -1: none */
    int level, option;                /* of an option; option is the family of socket(2) */
    int value;                        /* of the option, or backlog, how, flags, type of socket */
    const struct sockname *name;      /* address of the call */
    const void *bytes;                /* data; NULL: it is not to be shown */
    size_t length;                    /* of it, or of the room for it */
    const struct sock_record *before; /* what close(2) found */
    const char *meaning;              /* follows a call that has not failed, in parentheses */
    long result;                      /* this and errno are set by trace_call */
    int error;
};

#define EVENT(...) (&(struct trace_event){__VA_ARGS__})

/* What is shown beside the calls: all may be {0}. The fields in front are set before anything runs; the others are this
 * module's. */
struct trace {
    const char
        *role; /* "client", "server": said where others write to the same terminal; NULL: never */
    /* Writes the line of a call, with what there is to say of it below; NULL: the line is all. Any thread may call it. */
    void (*explain)(void *context, const struct trace_event *event, const char *line);
    void *context;  /* of explain */
    bool is_shared; /* others do: we are in the background, or have started them (trace_share) */
    int64_t start_us;
    atomic_uint accepted; /* connections, so far */
    atomic_ushort
        numbers[TRACE_FDS]; /* of connections, by descriptor; 0: it is none that was accepted */
    atomic_uint tried;      /* kinds of call that had nothing to do yet, and were shown */
};

/* Begins to show what `trace` says, which stays in use until the program ends, beside the time. */
void trace_begin(struct trace *trace, bool serves);

/* Has each line say whose it is from now on, and those of programs that we start: both write to one terminal. To be
 * called while there is one thread. */
void trace_share(void);

/* Says whether calls are explained. */
bool trace_explains(void);

/* Shows a call that has been made, and its result, from that level of -v on; the arguments are evaluated only where
 * somebody may read them. It leaves errno as it was. */
#define TRACE_AT(level, result, event, ...)                                                        \
    do {                                                                                           \
        if (log_setting.verbosity >= (level))                                                      \
            trace_call(level, result, event, __VA_ARGS__);                                         \
    } while (0)

/* Shows a call of a lecture. */
#define TRACE_CALL(result, event, ...) TRACE_AT(LOG_LEVEL_TRACE, result, event, __VA_ARGS__)
#define TRACE(result, ...) TRACE_CALL(result, EVENT(.fd = -1), __VA_ARGS__)

/* Shows one that does not wait (MSG_DONTWAIT): that there was nothing to do yet is a detail. */
#define TRACE_TRY(result, event, ...)                                                              \
    do {                                                                                           \
        if (log_setting.verbosity >= LOG_LEVEL_TRACE)                                              \
            trace_call((result) < 0 && errno == EAGAIN ? LOG_LEVEL_DETAIL : LOG_LEVEL_TRACE,       \
                       result, event, __VA_ARGS__);                                                \
    } while (0)

/* Shows a call that sockctl makes for itself. */
#define TRACE_DETAIL(result, ...) TRACE_AT(LOG_LEVEL_DETAIL, result, EVENT(.fd = -1), __VA_ARGS__)

/* Writes the line. Where calls are explained, the first one of each kind that had nothing to do yet (EAGAIN) is shown, too. */
void trace_call(int level, long result, struct trace_event *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Writes the line of a call whose result is no number, and is in the text. */
void trace_text(struct trace_event *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Is the name of a socket as its struct sockaddr, within the expression that it stands in, as an argument of TRACE
 * does. */
#define SOCKADDR_OF(name) sockname_struct(name, (char[SOCKNAME_TEXT_MAX]){""})

enum { TRACE_DATA_MAX = 160 };

/* Writes the first 32 bytes as a string of C, in quotes, with "..." behind them where there are more, into `out`, which
 * holds TRACE_DATA_MAX bytes. A negative length is that of a call that has failed: the string is empty. Returns out. */
char *trace_data(const void *bytes, ssize_t length, char *out);

/* Is the same within an expression. */
#define DATA_OF(bytes, length) trace_data(bytes, length, (char[TRACE_DATA_MAX]){""})

/* Shows a waitpid(2) for `asked` that has found the end of `found`. */
void trace_wait(pid_t asked, pid_t found, int end);

/* Returns whether setting this option is a detail: the user has not asked for it, nor does a lecture. */
bool trace_is_detail(int level, int option);

enum trace_constant {
    TRACE_TCP_STATE, /* without "TCP_" */
    TRACE_FAMILY,
    TRACE_SOCKTYPE,
    TRACE_PROTOCOL,
    TRACE_HOW, /* of shutdown(2) */
    TRACE_LEVEL,
    TRACE_ERRNO
};

/* Returns the name of a number as the manual has it, "AF_INET"; "?" for what sockctl does not use. */
const char *trace_name(enum trace_constant of, int value);

enum { TRACE_NUMBER_MAX = 12 };

/* Returns the name of an IP protocol, "IPPROTO_ICMP", or its number, written to `number`, which holds TRACE_NUMBER_MAX
 * bytes. */
const char *trace_protocol(int protocol, char *number);

/* Returns the name of an option of that level, "SO_REUSEADDR"; "?" as above. */
const char *trace_option(int level, int option);

#endif
