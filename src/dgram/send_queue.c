/*
 * See send_queue.h. An entry is an answer that waits: at first perhaps in `delayed`, in the order in which they are due,
 * with a timer for the first; then, if its receiver cannot take it, in `waiting`, one list for all receivers, which a
 * timer tries again. There one refusal holds back all others for the same receiver in that turn.
 *
 * What a receiver of UNIX datagrams has not read yet stays in the send buffer of the one socket that has sent it
 * (unix(7)): without a bound for each, one that does not read would silence the socket for all others. The kernel tells
 * how much of a send buffer is in use (SIOCOUTQ), but not by whom. So what was sent is kept in a row (shares), with whom
 * it was for, and when the buffer turns out to hold less than the row says, the end of the row is what was read: those
 * who read do so soon, and what was sent before and is still there belongs to those who do not. The kernel is asked only
 * when a receiver's share is used up, or half of the buffer, by what the row says: about once in fifty answers to clients
 * who read each before they ask again.
 */
#include "dgram/send_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    WAITING_MAX = 256, /* entries for all receivers together */
    WAITING_BYTES_MAX = 2 << 20,
    RECEIVER_MAX = 128, /* entries for one of them */
    RECEIVER_BYTES_MAX = 1 << 20,
    AGAIN_MS = 5,
    LIFE_MS = 2000, /* of an entry whose receiver does not read */
    DELAYED_BYTES_MAX = 4 << 20,
    DELAYED_COST = 256, /* in bytes, of an entry beside its own */
    SENT_MAX = 1024,    /* that are kept in the row */
    SENT_COST =
        1024,   /* of a datagram in the buffer, beside twice its length: the kernel rounds up */
    SHARES = 8, /* a receiver has one of so many of the buffer, */
    SHARES_SCARCE = 64 /* or of so many when three quarters of it are in use */
};

struct send_entry {
    struct list_node node;
    struct send_answer answer; /* what it points to is below */
    int64_t due_ms;            /* in `waiting`: when it is given up */
    struct sock_message message;
    char bytes[];
};

struct send_share {
    uint64_t receiver;
    size_t bytes;
};

/* Shares of a send buffer */

/* Tells whether a receiver may be sent something that takes `cost` bytes. One who has read everything may be sent a
 * datagram of any size. */
static bool shares_have_room(const struct send_shares *shares, uint64_t receiver, size_t cost,
                             size_t limit)
{
    size_t used = 0;
    for (size_t i = 0; i < shares->count; i++)
        if (shares->sent[i].receiver == receiver)
            used += shares->sent[i].bytes;
    return !used || used + cost <= limit;
}

static bool shares_allow(struct send_shares *shares, int fd, const struct send_share *share)
{
    if (!shares->room || shares->fd != fd) {
        int size;
        shares->fd = fd;
        shares->room = sock_get(fd, SOL_SOCKET, SO_SNDBUF, &size) == 0 ? (size_t)size : 1;
    }
    const size_t room = shares->room;
    bool doubtful = shares->bytes > room / 2 || shares->count >= SENT_MAX / 2;
    if (!doubtful && shares_have_room(shares, share->receiver, share->bytes, room / SHARES))
        return true;
    int unread = sock_unread(fd);
    size_t left = unread < 0 ? 0 : (size_t)unread;
    while (shares->count && shares->bytes - shares->sent[shares->count - 1].bytes >= left)
        shares->bytes -= shares->sent[--shares->count].bytes;
    size_t limit = room / (shares->bytes > room / 4 * 3 ? SHARES_SCARCE : SHARES);
    return shares_have_room(shares, share->receiver, share->bytes, limit);
}

/* What waits for its receiver */

enum outcome { SENT, LOST, BUSY };

static enum outcome queue_send(struct send_queue *queue, const struct send_answer *answer)
{
    const struct sockname *peer = &answer->message->peer;
    struct send_shares *shares = &queue->shares;
    bool has_share = peer->length && peer->storage.ss_family == AF_UNIX;
    struct send_share share = {.bytes = SENT_COST + 2 * answer->length};
    if (has_share) {
        share.receiver = sockname_hash(peer, (uint64_t)answer->fd + 1);
        if (!shares_allow(shares, answer->fd, &share))
            return BUSY;
    }
    if (sock_send_answer(answer->fd, answer->bytes, answer->length, answer->message) < 0)
        return errno == EAGAIN || errno == ENOBUFS ? BUSY : LOST;
    if (!has_share)
        return SENT;
    if (!shares->sent)
        shares->sent = memory_new(SENT_MAX, sizeof *shares->sent);
    if (shares->count < SENT_MAX) {
        shares->sent[shares->count++] = share;
        shares->bytes += share.bytes;
    }
    return SENT;
}

/* Counts what waits for the receiver of an answer, before the entry `end` (NULL: in all); *bytes is what they take. */
static size_t queue_count_receiver(const struct send_queue *queue, const struct send_entry *end,
                                   const struct send_answer *answer, size_t *bytes)
{
    size_t count = 0;
    *bytes = 0;
    LIST_EACH (struct send_entry, entry, &queue->waiting.entries, node) {
        if (entry == end)
            break;
        if (entry->answer.fd != answer->fd ||
            !sockname_is_same(&entry->message.peer, &answer->message->peer))
            continue;
        count++;
        *bytes += entry->answer.length;
    }
    return count;
}

static struct send_entry *entry_new(const struct send_answer *answer)
{
    struct send_entry *entry = memory_new(1, sizeof *entry + answer->length);
    entry->message = *answer->message;
    memcpy(entry->bytes, answer->bytes, answer->length);
    entry->answer = (struct send_answer){.fd = answer->fd,
                                         .message = &entry->message,
                                         .bytes = entry->bytes,
                                         .length = answer->length};
    return entry;
}

static void row_drop(struct send_row *row, struct send_entry *entry)
{
    list_remove(&row->entries, &entry->node);
    row->bytes -= entry->answer.length;
    free(entry);
}

/* Sends an answer that is due, or keeps it. */
static bool queue_answer_now(struct send_queue *queue, const struct send_answer *answer)
{
    size_t bytes;
    size_t count = queue_count_receiver(queue, NULL, answer, &bytes);
    enum outcome outcome = count ? BUSY : queue_send(queue, answer);
    if (outcome != BUSY || queue->waiting.entries.count >= WAITING_MAX || count >= RECEIVER_MAX ||
        answer->length > WAITING_BYTES_MAX - queue->waiting.bytes ||
        answer->length > RECEIVER_BYTES_MAX - bytes)
        return outcome == SENT;
    struct send_entry *entry = entry_new(answer);
    entry->due_ms = loop_now_ms() + LIFE_MS;
    list_append(&queue->waiting.entries, &entry->node);
    queue->waiting.bytes += answer->length;
    if (!loop_timer_is_set(&queue->again))
        loop_timer_set(queue->loop, &queue->again, AGAIN_MS);
    return true;
}

static void queue_try_again(struct timer *timer)
{
    struct send_queue *queue = LOOP_OWNER(timer, struct send_queue, again);
    int64_t now_ms = loop_now_ms();
    LIST_EACH (struct send_entry, entry, &queue->waiting.entries, node) {
        size_t bytes;
        enum outcome outcome = BUSY;
        /* In order: not before one that still waits for the same receiver. */
        if (!queue_count_receiver(queue, entry, &entry->answer, &bytes))
            outcome = queue_send(queue, &entry->answer);
        if (outcome != BUSY || now_ms >= entry->due_ms)
            row_drop(&queue->waiting, entry);
    }
    if (queue->waiting.entries.count)
        loop_timer_set(queue->loop, &queue->again, AGAIN_MS);
}

/* What is not due */

static void queue_send_due(struct timer *timer)
{
    struct send_queue *queue = LOOP_OWNER(timer, struct send_queue, due);
    int64_t now_ms = loop_now_ms();
    LIST_EACH (struct send_entry, entry, &queue->delayed.entries, node) {
        if (entry->due_ms > now_ms) {
            loop_timer_set(queue->loop, timer, entry->due_ms - now_ms);
            break;
        }
        queue_answer_now(queue, &entry->answer);
        row_drop(&queue->delayed, entry);
    }
}

bool send_queue_can_delay(const struct send_queue *queue, size_t length)
{
    const struct send_row *row = &queue->delayed;
    size_t bytes = row->bytes + row->entries.count * DELAYED_COST;
    return bytes + length + DELAYED_COST <= DELAYED_BYTES_MAX;
}

bool send_queue_answer(struct send_queue *queue, const struct send_answer *answer, int64_t due_ms)
{
    struct send_row *row = &queue->delayed;
    int64_t now_ms = due_ms ? loop_now_ms() : 0;
    if (due_ms <= now_ms)
        return queue_answer_now(queue, answer);
    if (!send_queue_can_delay(queue, answer->length))
        return false;
    struct send_entry *entry = entry_new(answer);
    entry->due_ms = due_ms;
    /* Behind those that are due at the same time or before. */
    struct list_node *before = NULL, *last = row->entries.last;
    for (; last && LIST_ITEM(last, struct send_entry, node)->due_ms > due_ms; last = last->previous)
        before = last;
    list_insert(&row->entries, &entry->node, before);
    row->bytes += answer->length;
    if (!last)
        loop_timer_set(queue->loop, &queue->due, due_ms - now_ms);
    return true;
}

/* From the start to the end */

void send_queue_init(struct send_queue *queue, struct loop *loop)
{
    *queue = (struct send_queue){.loop = loop,
                                 .again.fired = queue_try_again,
                                 .due.fired = queue_send_due};
}

/* Forgets what is to be sent by that socket; with -1, by whatever socket. */
void send_queue_forget(struct send_queue *queue, int fd)
{
    struct send_row *const rows[2] = {&queue->waiting, &queue->delayed};
    for (size_t i = 0; i < 2; i++)
        LIST_EACH (struct send_entry, entry, &rows[i]->entries, node)
            if (fd < 0 || entry->answer.fd == fd)
                row_drop(rows[i], entry);
}

void send_queue_release(struct send_queue *queue)
{
    loop_timer_cancel(queue->loop, &queue->again);
    loop_timer_cancel(queue->loop, &queue->due);
    send_queue_forget(queue, -1);
    free(queue->shares.sent);
    queue->shares = (struct send_shares){0};
}
