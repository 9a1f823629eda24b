/*
 * See send_queue.h. One row for all receivers, in the order in which the answers were given; a timer tries again those whose
 * receiver may have room by now, one refusal holding back all others for the same receiver in that turn.
 */
#include "dgram/send_queue.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    LETTERS_MAX = 256, /* for all receivers together */
    BYTES_MAX = 2 << 20,
    RECEIVER_LETTERS_MAX = 128, /* for one of them */
    RECEIVER_BYTES_MAX = 1 << 20,
    AGAIN_MS = 5,
    LIFE_MS = 2000 /* of a entry whose receiver does not read */
};

struct send_entry {
    struct send_entry *next;
    int fd;
    struct sock_message message;
    int64_t until_ms;
    size_t length;
    char bytes[];
};

static void try_again(struct timer *timer);

void send_queue_init(struct send_queue *send_queue, struct loop *loop)
{
    *send_queue = (struct send_queue){.loop = loop, .again.fired = try_again};
    send_queue->end = &send_queue->first;
}

/* Takes the entry at *link out of the row. */
static void discard(struct send_queue *send_queue, struct send_entry **link)
{
    struct send_entry *entry = *link;
    *link = entry->next;
    if (send_queue->end == &entry->next)
        send_queue->end = link;
    send_queue->all.entries--;
    send_queue->all.bytes -= entry->length;
    free(entry);
}

void send_queue_release(struct send_queue *send_queue)
{
    loop_timer_cancel(send_queue->loop, &send_queue->again);
    while (send_queue->first)
        discard(send_queue, &send_queue->first);
    send_shares_release(&send_queue->shares);
}

void send_queue_forget(struct send_queue *send_queue, int fd)
{
    for (struct send_entry **link = &send_queue->first; *link;) {
        if ((*link)->fd == fd)
            discard(send_queue, link);
        else
            link = &(*link)->next;
    }
}

static bool is_for(const struct send_entry *entry, int fd, const struct sockname *peer)
{
    return entry->fd == fd && entry->message.peer.length == peer->length &&
           memcmp(&entry->message.peer.storage, &peer->storage, peer->length) == 0;
}

/* What waits for one receiver, before the entry `end` (NULL: in all). */
static struct send_queue_share share_of(const struct send_queue *send_queue,
                                        const struct send_entry *end, int fd,
                                        const struct sockname *peer)
{
    struct send_queue_share share = {0, 0};
    for (const struct send_entry *entry = send_queue->first; entry != end; entry = entry->next) {
        if (!is_for(entry, fd, peer))
            continue;
        share.entries++;
        share.bytes += entry->length;
    }
    return share;
}

enum outcome { SENT, LOST, BUSY };

static enum outcome send_now(struct send_queue *send_queue, int fd,
                             const struct sock_message *message, const void *bytes, size_t length)
{
    bool has_share = message->peer.length && message->peer.storage.ss_family == AF_UNIX;
    if (has_share && !send_shares_allow(&send_queue->shares, fd, &message->peer, length))
        return BUSY;
    if (sock_send_answer(fd, bytes, length, message) < 0)
        return errno == EAGAIN || errno == ENOBUFS ? BUSY : LOST;
    if (has_share)
        send_shares_add(&send_queue->shares, fd, &message->peer, length);
    return SENT;
}

static void keep(struct send_queue *send_queue, int fd, const struct sock_message *message,
                 const void *bytes, size_t length)
{
    struct send_entry *entry = memory_new(1, sizeof *entry + length);
    entry->fd = fd;
    entry->message = *message;
    entry->until_ms = loop_now_ms() + LIFE_MS;
    entry->length = length;
    memcpy(entry->bytes, bytes, length);
    *send_queue->end = entry;
    send_queue->end = &entry->next;
    send_queue->all.entries++;
    send_queue->all.bytes += length;
    if (!loop_timer_is_set(&send_queue->again))
        loop_timer_set(send_queue->loop, &send_queue->again, AGAIN_MS);
}

static bool has_room(const struct send_queue *send_queue, struct send_queue_share receiver,
                     size_t length)
{
    return send_queue->all.entries < LETTERS_MAX && receiver.entries < RECEIVER_LETTERS_MAX &&
           length <= BYTES_MAX - send_queue->all.bytes &&
           length <= RECEIVER_BYTES_MAX - receiver.bytes;
}

bool send_queue_answer(struct send_queue *send_queue, int fd, const struct sock_message *message,
                       const void *bytes, size_t length)
{
    struct send_queue_share receiver = share_of(send_queue, NULL, fd, &message->peer);
    enum outcome outcome = receiver.entries ? BUSY
                                            : send_now(send_queue, fd, message, bytes, length);
    if (outcome == BUSY && has_room(send_queue, receiver, length)) {
        keep(send_queue, fd, message, bytes, length);
        return true;
    }
    return outcome == SENT;
}

static void try_again(struct timer *timer)
{
    struct send_queue *send_queue = LOOP_OWNER(timer, struct send_queue, again);
    int64_t now_ms = loop_now_ms();
    struct send_entry **link = &send_queue->first;
    while (*link) {
        struct send_entry *entry = *link;
        enum outcome outcome = BUSY;
        /* In order: not before one that still waits for the same receiver. */
        if (!share_of(send_queue, entry, entry->fd, &entry->message.peer).entries)
            outcome = send_now(send_queue, entry->fd, &entry->message, entry->bytes, entry->length);
        if (outcome == BUSY && now_ms < entry->until_ms)
            link = &entry->next;
        else
            discard(send_queue, link);
    }
    if (send_queue->first)
        loop_timer_set(send_queue->loop, &send_queue->again, AGAIN_MS);
}
