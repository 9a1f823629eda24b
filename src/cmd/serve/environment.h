/*
 * The environment of a program that is started: ours, but for what is for us alone, and what the program is to know of
 * its connection, or of the socket that we listen on.
 */
#ifndef CMD_SERVE_ENVIRONMENT_H
#define CMD_SERVE_ENVIRONMENT_H

#include <stddef.h>

#include "net/listener.h"
#include "sys/sockname.h"

struct environment {
    char **list; /* NULL-terminated */
    size_t count;
    size_t own; /* the last of them, which are the environment's own; the others are environ's */
};

/* environment_init makes a copy of environ, without what a service manager has passed to this process: its sockets
 * (LISTEN_PID and the like), and where it waits for word of us (NOTIFY_SOCKET). */
void environment_init(struct environment *environment);

/* environment_release frees the list and what is its own. */
void environment_release(struct environment *environment);

/* environment_describe_listener sets how to connect to a socket of ours that listens: SOCKCTL_ADDR and, where it has
 * one, SOCKCTL_PORT. */
void environment_describe_listener(struct environment *environment,
                                   const struct listener_socket *listens);

/* environment_describe sets what is known of the stream `fd` and its peer, by our own names and those of ncat, socat
 * and UCSPI tools: see sockctl-listen(1), PROGRAMS. Variables that do not apply are removed. `proxied`, unless it is
 * NULL or of length 0, is our end as the peer, who is not the one at the other end, has it. */
void environment_describe(struct environment *environment, int fd, const struct sockname *peer,
                          const struct sockname *proxied);

#endif
