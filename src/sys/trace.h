/*
 * How a socket call is shown at -vv: "connect(3, 127.0.0.1:80) = -1 ECONNREFUSED (Connection refused)". sys/sock makes
 * them all but splice(2), which is stream/pump's. Any thread may call these.
 */
#ifndef SYS_TRACE_H
#define SYS_TRACE_H

#include <netinet/in.h>

#include "base/log.h"

#ifndef IPPROTO_MPTCP /* libcs older than the protocol */
#define IPPROTO_MPTCP 262
#endif
#ifndef SO_BUF_LOCK /* the same */
#define SO_BUF_LOCK 72
#endif

/* Shows a call that has been made, and its result; the arguments are evaluated only where somebody will read them. It
 * leaves errno as it was. */
#define TRACE(result, ...)                                                                         \
    do {                                                                                           \
        if (log_setting.verbosity >= LOG_LEVEL_TRACE)                                              \
            trace_call(result, __VA_ARGS__);                                                       \
    } while (0)
void trace_call(long result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Is the text of a socket's name, within the expression that it stands in, as an argument of TRACE does. */
#define TEXT_OF(name) sockname_text(name, (char[SOCKNAME_TEXT_MAX]){""})

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
