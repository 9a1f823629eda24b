/*
 * How a socket call is shown at -vv: "connect(3, 127.0.0.1:80) = -1 ECONNREFUSED (Connection
 * refused)". Only net/sock.c needs it.
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

/* A call that has been made, and its result; the arguments are evaluated only where somebody will
 * read them. Leaves errno as it was. */
#define TRACE(result, ...)                                                                         \
    do {                                                                                           \
        if (log_setting.verbosity >= LOG_LEVEL_TRACE)                                              \
            trace_call(result, __VA_ARGS__);                                                       \
    } while (0)
void trace_call(long result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Of a socket's name, within the expression it stands in, as an argument of TRACE does. */
#define TEXT_OF(name) sockname_text(name, (char[SOCKNAME_TEXT_MAX]){""})

/* Names as in the manual ("AF_INET", "SO_REUSEADDR"); "?" for what sockctl does not use. */
const char *trace_family(int family);
const char *trace_socktype(int socktype);
const char *trace_protocol(int protocol);
const char *trace_how(int how);
const char *trace_level(int level);
const char *trace_option(int level, int option);
const char *trace_errno(int errnum);

#endif
