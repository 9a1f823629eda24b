/*
 * How a call is shown: "connect(3, {AF_INET, 127.0.0.1, port 80}, 16) = -1 ECONNREFUSED (Connection refused)". At -vv
 * are the calls that a lecture on sockets has, at -vvv those that sockctl makes for itself: it asks the kernel how
 * things stand, or finds that nothing is there yet (EAGAIN). sys/sock makes most of them; splice(2) is stream/pump's,
 * programs are sys/process's. Any thread may call these.
 */
#ifndef SYS_TRACE_H
#define SYS_TRACE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/log.h"

#ifndef IPPROTO_MPTCP /* libcs older than the protocol */
#define IPPROTO_MPTCP 262
#endif
#ifndef SO_BUF_LOCK /* the same */
#define SO_BUF_LOCK 72
#endif

/* Shows a call that has been made, and its result, from that level of -v on; the arguments are evaluated only where
 * somebody will read them. It leaves errno as it was. */
#define TRACE_AT(level, result, ...)                                                               \
    do {                                                                                           \
        if (log_setting.verbosity >= (level))                                                      \
            trace_call(level, result, NULL, __VA_ARGS__);                                          \
    } while (0)

/* Shows a call of a lecture. */
#define TRACE(result, ...) TRACE_AT(LOG_LEVEL_TRACE, result, __VA_ARGS__)

/* Shows one that does not wait (MSG_DONTWAIT): that there was nothing to do yet is a detail. */
#define TRACE_TRY(result, ...)                                                                     \
    TRACE_AT((result) < 0 && errno == EAGAIN ? LOG_LEVEL_DETAIL : LOG_LEVEL_TRACE, result,         \
             __VA_ARGS__)

/* Shows a call that sockctl makes for itself. */
#define TRACE_DETAIL(result, ...) TRACE_AT(LOG_LEVEL_DETAIL, result, __VA_ARGS__)

/* Writes the line, where `meaning`, unless it is NULL, follows a call that has not failed, in parentheses. */
void trace_call(int level, long result, const char *meaning, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

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
