/*
 * See peer.h. Nothing here decides when a peer is read, or when it goes: an engine does, and its struct for a peer begins
 * and ends with these.
 */
#include "stream/peer.h"

#include "sys/sock.h"

void peer_start(struct peer *peer, struct peers *peers, int fd,
                void (*ready)(struct watch *watch, uint32_t events),
                void (*idle_over)(struct idle_limit *idle))
{
    *peer = (struct peer){.peers = peers,
                          .watch = {.fd = fd, .ready = ready},
                          .keepalive = keepalive_start(peers->loop, fd, peers->keepalive_ms)};
    list_insert(&peers->list, &peer->node, peers->list.first);
    idle_limit_start(&peer->idle, peers->loop, peers->idle_ms, idle_over);
}

void peer_await_turn(struct peer *peer)
{
    if (!peer->waits)
        list_append(&peer->peers->waiting, &peer->turn);
    peer->waits = true;
}

struct peer *peers_next_turn(struct peers *peers)
{
    struct peer *next = LIST_FIRST(&peers->waiting, struct peer, turn);
    if (!next)
        return NULL;
    list_remove(&peers->waiting, &next->turn);
    next->waits = false;
    return next;
}

void peer_leave(struct peer *peer)
{
    struct peers *peers = peer->peers;
    list_remove(&peers->list, &peer->node);
    if (peer->waits)
        list_remove(&peers->waiting, &peer->turn);
    peer->waits = false;
    idle_limit_stop(&peer->idle);
    keepalive_stop(peer->keepalive);
}

void peer_close(struct peer *peer, bool cut)
{
    loop_unwatch(peer->peers->loop, &peer->watch);
    if (cut)
        sock_abort(peer->watch.fd);
    else
        sock_close(peer->watch.fd);
}

uint64_t peer_count_unacknowledged(int fd)
{
    int count = sock_unacknowledged(fd);
    return count > 0 ? (uint64_t)count : 0;
}

bool peers_are_gone(struct peers *peers)
{
    if (!peers->stopping || peers->list.count)
        return false;
    drain_stop(&peers->drain);
    return true;
}
