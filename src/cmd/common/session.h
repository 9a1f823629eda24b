/*
 * One connection joined to stdin and stdout, from the moment it is up until its end: what connect
 * and listen have in common.
 */
#ifndef CMD_COMMON_SESSION_H
#define CMD_COMMON_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cmd/common/filters.h"
#include "cmd/common/options.h"
#include "dgram/relay.h"
#include "net/address.h"
#include "net/dial.h"
#include "stream/relay.h"
#include "sys/fd.h"
#include "sys/loop.h"

struct session {
    struct loop *loop;
    const struct transfer_options *transfer;
    const struct limit_options *limits;
    int64_t keepalive_ms; /* as in struct sockopt */
    struct filters *filters;
    const char *greeting; /* sent first */
    size_t greeting_length;
    bool no_input; /* stdin is somebody else's */
    bool serving;  /* a listener: stdin that is /dev/null is no input, rather than empty */
    bool proxied;  /* the connection is a proxy's, which would take a half-close for a hang-up */
};

/* A stream: runs the loop until both directions have ended. Closes nothing but stdout; where a limit
 * or a failure cut the stream, closing the socket will reset it. */
int session_stream(const struct session *session, struct fd socket, const struct sockname *peer,
                   struct error *err);

/* Messages, by one socket or the several of a listener, until their end. */
int session_datagrams(const struct session *session, const int *sockets, size_t count,
                      const struct datagram_policy *policy, struct error *err);

/* What connect has connected. */
struct fd session_socket(const struct connection *connection);
/* stdin and stdout as this session uses them; an fd of -1: there is no input. */
struct fd session_input(const struct session *session);
struct fd session_output(const struct session *session);

/* What happens to a connection before its relay starts. */
int session_greet(const struct session *session, int fd, const struct sockname *peer,
                  struct error *err);
/* The rules of its relay. */
struct relay_policy session_policy(const struct session *session);

/* Whether the sending half is shut down when all is said. */
bool session_shuts(const struct session *session);
/* Of a stream whose sending half was shut down: says at -v that the peer has ended, `received` bytes
 * later, if there was none, and that may be why. */
void session_log_silence(const struct session *session, const char *peer, uint64_t received);

/* How long the input may be silent after the other end has ended, as relay.h and hub.h take it. */
int64_t session_silence_ms(const struct session *session);

#endif
