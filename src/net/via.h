/*
 * A connection that is a program's stdin and stdout, one end of a socketpair(2): the user's command, as ssh_config(5)
 * has it in ProxyCommand, or openssl(1), which speaks TLS for us.
 *
 * A command counts as connected once it runs; openssl, once it has checked the server's certificate. A program that fails
 * before that, or without having brought a byte, has not connected: via_end turns its end into the connection's.
 */
#ifndef NET_VIA_H
#define NET_VIA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "net/address.h"
#include "net/proxy.h"
#include "sys/loop.h"
#include "sys/process.h"

/* What to connect by. All of it is the owner's, and outlives the programs. */
struct via {
    struct children *children; /* {0} or initialised; via_start initialises it */
    const char *command;       /* for /bin/sh, with %h, %p and %%; NULL: openssl(1) */
    const char *name; /* of TLS: whom the certificate has to name; NULL: the host of the address */
    const char *ca;   /* of TLS: the file of certificates to trust; NULL: the system's */
    const char *alpn; /* of TLS: the protocol that is spoken in it; NULL: none is named */
    bool insecure;    /* of TLS: whoever answers is believed */
    const struct proxy
        *proxy;           /* of TLS: an HTTP proxy, asked to connect us (CONNECT); NULL: none */
    struct list programs; /* via_start's: those that have not ended; {0} at first */
    bool is_drained;      /* via_drain's: the loop runs until there are no more */
};

struct via_program;

/* Checks that the address, and the proxy, can be connected to by `via`: a host and a port, without bytes that mean something
 * to a shell.
 * Returns 0, or -1 with status 2. */
int via_check(const struct via *via, const struct address *address, struct error *err);

/* Starts the program in the background: `done` is called once, from the loop (never before via_start has returned), with
 * our end of its socket, non-blocking and the callee's, or with -1 and why there is none (status 4, or 126 and 127 where
 * it cannot be run); the program has ended then, and is freed. */
struct via_program *via_start(struct loop *loop, struct via *via, const struct address *address,
                              void (*done)(void *context, int fd, const struct error *err),
                              void *context);

/* Says whom to inform, once, from the loop, when the program has ended, of which `done` has got the socket, whether it was left
 * by then or not: `err` is NULL where it ended in order, or by our signal, else why it did not. It is freed by then if it was
 * left, else via_leave still has to follow. It is for an owner who does not call via_end. */
void via_await_end(struct via_program *program,
                   void (*gone)(void *context, const struct error *err), void *context);

/* Ends a program whose socket has been closed, or that has not called `done` (which it does not call any more): it gets
 * a second to end by itself, and a signal then. It is freed when it has ended. */
void via_leave(struct via_program *program);

/* Does the same for a program whose connection was cut: it gets the signal at once, lest it take the end of its socket for that
 * of the stream. */
void via_abort(struct via_program *program);

/* Closes the socket, ends the program as via_leave does, by running the loop, and frees it. Returns `result`, with *err as
 * it was, or -1 where the program failed and that is why the connection came to nothing, or to less than all: status 4
 * where `received` is false, 7 where TLS was cut off, else 1; 126 and 127 as the shell says. What it does after we have
 * closed the socket under it is no failure. */
int via_end(struct via_program *program, int fd, bool received, int result, struct error *err);

/* Runs the loop until all programs, which were left, have ended as via_leave says, or somebody else stops it. */
void via_drain(struct via *via, struct loop *loop);

/* Kills and frees the programs that have not ended. Before the children are released. */
void via_release(struct via *via);

#endif
