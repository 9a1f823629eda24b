/*
 * The kernel tells how much of a send buffer is in use (SIOCOUTQ), but not by whom. So what was sent is
 * kept in a row, with whom it was for, and when the buffer turns out to hold less than the row says, the
 * end of the row is what was read: those who read do so soon, and what was sent before and is still
 * there belongs to those who do not.
 *
 * The kernel is asked only when a receiver's share is used up, or half of the buffer, by what the row
 * says: about once in fifty answers to clients who read each before they ask again.
 */
#include "dgram/send_shares.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
    SENT_MAX = 1024, /* more are not kept */
    DATAGRAM_COST = 1024,
    SHARES = 8,        /* a receiver has one of so many of the buffer, */
    SHARES_SCARCE = 64 /* or of so many when three quarters of it are in use */
};

struct send_share {
    uint64_t receiver;
    size_t bytes;
};

static uint64_t receiver_of(int fd, const struct sockname *peer)
{
    const unsigned char *bytes = (const unsigned char *)&peer->storage;
    uint64_t hash = (uint64_t)fd + 1;
    for (socklen_t i = 0; i < peer->length; i++)
        hash = (hash ^ bytes[i]) * 1099511628211U;
    return hash;
}

/* What a datagram takes in the buffer, at most: the kernel rounds up to powers of two. */
static size_t cost_of(size_t length)
{
    return DATAGRAM_COST + 2 * length;
}

static size_t share_of(const struct send_shares *shares, uint64_t receiver)
{
    size_t bytes = 0;
    for (size_t i = 0; i < shares->count; i++)
        if (shares->sent[i].receiver == receiver)
            bytes += shares->sent[i].bytes;
    return bytes;
}

static void forget_what_was_read(struct send_shares *shares, int fd)
{
    int unread = sock_unread(fd);
    size_t left = unread < 0 ? 0 : (size_t)unread;
    while (shares->count && shares->bytes - shares->sent[shares->count - 1].bytes >= left)
        shares->bytes -= shares->sent[--shares->count].bytes;
}

static size_t room_of(struct send_shares *shares, int fd)
{
    int room;
    if (!shares->room || shares->fd != fd) {
        shares->fd = fd;
        shares->room = sock_get(fd, SOL_SOCKET, SO_SNDBUF, &room) == 0 ? (size_t)room : 1;
    }
    return shares->room;
}

/* A receiver who has read everything may be sent a datagram of any size. */
static bool fits(size_t used, size_t cost, size_t limit)
{
    return !used || used + cost <= limit;
}

bool send_shares_allow(struct send_shares *shares, int fd, const struct sockname *peer,
                       size_t length)
{
    uint64_t receiver = receiver_of(fd, peer);
    size_t cost = cost_of(length);
    size_t room = room_of(shares, fd);
    bool doubtful = shares->bytes > room / 2 || shares->count >= SENT_MAX / 2;
    if (!doubtful && fits(share_of(shares, receiver), cost, room / SHARES))
        return true;
    forget_what_was_read(shares, fd);
    size_t limit = room / (shares->bytes > room / 4 * 3 ? SHARES_SCARCE : SHARES);
    return fits(share_of(shares, receiver), cost, limit);
}

void send_shares_add(struct send_shares *shares, int fd, const struct sockname *peer, size_t length)
{
    if (!shares->sent)
        shares->sent = memory_new(SENT_MAX, sizeof *shares->sent);
    if (shares->count == SENT_MAX)
        return;
    shares->sent[shares->count++] = (struct send_share){.receiver = receiver_of(fd, peer),
                                                        .bytes = cost_of(length)};
    shares->bytes += cost_of(length);
}

void send_shares_release(struct send_shares *shares)
{
    free(shares->sent);
    *shares = (struct send_shares){0};
}
