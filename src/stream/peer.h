/*
 * What every peer of a server that serves many at a time has, whatever is done with it: a watch of its socket, probes
 * that tell whether it lives, a limit of its idle time, a place among all of them, and a turn, where it has to wait for
 * one. What else it has is the engine's (stream/hub, the echo, the hub of messages), in whose struct for a peer this one
 * is.
 *
 * The life of a peer: peer_start, then its watch, as the engine sets it; peer_leave, when it has gone; the engine
 * informs its owner; peer_close.
 */
#ifndef STREAM_PEER_H
#define STREAM_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "stream/keepalive.h"
#include "sys/drain.h"
#include "sys/idle_limit.h"
#include "sys/loop.h"

/* All peers of one server. The engine, or its owner, sets the first three; the rest is 0. */
struct peers {
    struct loop *loop;
    int64_t idle_ms;      /* of each; -1: no limit */
    int64_t keepalive_ms; /* of its socket, see stream/keepalive */
    struct list list;     /* the one that came last is the first */
    struct list waiting;  /* those that wait for their turn, in that order */
    bool stopping;        /* the engine's: they are to get what is on its way, and to go */
    struct drain drain;   /* of that, while stopping */
};

struct peer {
    struct peers *peers;
    struct list_node node;
    struct list_node turn; /* in peers->waiting, as long as `waits` says so */
    bool waits;
    struct watch watch; /* watch.fd is the peer's */
    struct keepalive *keepalive;
    struct idle_limit idle; /* the engine calls idle_limit_moved for what moves */
};

/* Takes over a connected, non-blocking socket as that of a new peer, which is not watched yet. `ready` is called by its
 * watch, and `idle_over` by its idle limit. */
void peer_start(struct peer *peer, struct peers *peers, int fd,
                void (*ready)(struct watch *watch, uint32_t events),
                void (*idle_over)(struct idle_limit *idle));

/* Makes the peer wait for its turn, behind those that wait already; one that waits keeps its place. With thousands of
 * peers each has its turn, and none has to be looked for. What is watched meanwhile is the engine's affair. */
void peer_await_turn(struct peer *peer);

/* Returns the peer whose turn it is, which waits no more; NULL: none waits. */
struct peer *peers_next_turn(struct peers *peers);

/* Takes a peer that has gone out of all lists, and ends its limits. Its socket is still open. */
void peer_leave(struct peer *peer);

/* Ends the watch, if there is one, and closes the socket: by a reset where `cut` says that the peer has not got all
 * that there was for it, so that it does not take the end of that for the end of all. The struct is the engine's to
 * free. */
void peer_close(struct peer *peer, bool cut);

/* Counts what was sent by a socket and has not arrived, as a drain counts; 0 where nobody can tell. */
uint64_t peer_count_unacknowledged(int fd);

/* Tells whether the server is stopping and the last one has gone, which ends the drain. */
bool peers_are_gone(struct peers *peers);

#endif
