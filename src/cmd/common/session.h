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
#include "sys/sandbox.h"

/* What may be connected to where an address of a name refuses the first datagrams: its other addresses. */
struct session_name {
    const struct address *address;
    const struct dial_options *dial;
    struct connection *connection; /* the owner's; replaced by the one to the next address */
};

/* stdin and stdout, as a session uses them. */
struct session_files {
    bool are_open; /* by session_open; else the session opens them */
    struct fd in;
    struct fd in_reopened; /* see fd_reopened */
    struct fd out;
};

struct session {
    struct loop *loop;
    const struct transfer_options *transfer;
    const struct limit_options *limits;
    int64_t keepalive_ms; /* as in struct sockopt */
    struct filters *filters;
    const char *greeting; /* sent first; the owner's, as all of these */
    size_t greeting_length;
    bool no_input; /* stdin is somebody else's */
    bool serving;  /* a listener: stdin that is /dev/null is no input, rather than empty */
    bool
        proxied; /* the connection is a proxy's or a program's, which would take a half-close for a hang-up */
    struct sandbox *sandbox;    /* entered when all is open, before the first byte; NULL: none */
    struct session_files files; /* of session_open */
    const struct session_name *name; /* of datagrams; NULL: there is no other address */
    uint64_t *received; /* set at a stream's end: the bytes that came; NULL: nobody asks */
};

/* Opens stdin and stdout before there is a connection, so that nothing has to be opened when it comes. They are the
 * session's that is run after it, or last until the process ends. */
void session_open(struct session *session);

/* Joins a stream to stdin and stdout: runs the loop until both directions have ended. Closes nothing but stdout; where a
 * limit or a failure cut the stream, closing the socket will reset it. The status is the relay's. */
int session_stream(const struct session *session, struct fd socket, const struct sockname *peer,
                   struct error *err);

/* Does the same for messages, by one socket or the several of a listener, until their end. */
int session_datagrams(const struct session *session, const int *sockets, size_t count,
                      const struct datagram_policy *policy, struct error *err);

/* Says at -v who has answered what was sent to a group or a broadcast address: anybody may. */
void session_log_answer(const struct sockname *peer);

/* Returns the socket of a connection as it is to be used: what was inherited may be shared with others. */
struct fd session_socket(const struct connection *connection);

/* Returns stdin as this session uses it; an fd of -1: there is no input. */
struct fd session_input(const struct session *session);

/* Returns stdout, or with --send-only /dev/null, as this session uses it. */
struct fd session_output(const struct session *session);

/* Does what comes before a connection's relay: dumps the greeting, sends the urgent byte. Status 1, or a filter's error. */
int session_greet(const struct session *session, int fd, const struct sockname *peer,
                  struct error *err);

/* Returns the rules of a connection's relay, as the options make them. */
struct relay_policy session_policy(const struct session *session);

/* Tells whether the sending half is shut down when all is sent. */
bool session_shuts(const struct session *session);

/* Says at -v of a stream whose sending half was shut down, and whose peer has ended after `received` bytes: if these are 0,
 * the first may be why. */
void session_log_silence(const struct session *session, const char *peer, uint64_t received);

/* Returns how long the input may be silent after the other end has ended, as relay.h and hub.h take it. */
int64_t session_silence_ms(const struct session *session);

#endif
