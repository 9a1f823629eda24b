#include "io/postbox.h"

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
    LIFE_MS = 2000 /* of a letter whose receiver does not read */
};

struct letter {
    struct letter *next;
    int fd;
    struct sock_message message;
    int64_t until_ms;
    size_t length;
    char bytes[];
};

static void try_again(struct timer *timer);

void postbox_init(struct postbox *postbox, struct loop *loop)
{
    *postbox = (struct postbox){.loop = loop, .again.fired = try_again};
    postbox->end = &postbox->first;
}

/* Takes the letter at *link out of the row. */
static void discard(struct postbox *postbox, struct letter **link)
{
    struct letter *letter = *link;
    *link = letter->next;
    if (postbox->end == &letter->next)
        postbox->end = link;
    postbox->all.letters--;
    postbox->all.bytes -= letter->length;
    free(letter);
}

void postbox_release(struct postbox *postbox)
{
    loop_timer_cancel(postbox->loop, &postbox->again);
    while (postbox->first)
        discard(postbox, &postbox->first);
    send_shares_release(&postbox->shares);
}

void postbox_forget(struct postbox *postbox, int fd)
{
    for (struct letter **link = &postbox->first; *link;) {
        if ((*link)->fd == fd)
            discard(postbox, link);
        else
            link = &(*link)->next;
    }
}

static bool is_for(const struct letter *letter, int fd, const struct sockname *peer)
{
    return letter->fd == fd && letter->message.peer.length == peer->length &&
           memcmp(&letter->message.peer.storage, &peer->storage, peer->length) == 0;
}

/* What waits for one receiver, before the letter `end` (NULL: in all). */
static struct postbox_share share_of(const struct postbox *postbox, const struct letter *end,
                                     int fd, const struct sockname *peer)
{
    struct postbox_share share = {0, 0};
    for (const struct letter *letter = postbox->first; letter != end; letter = letter->next) {
        if (!is_for(letter, fd, peer))
            continue;
        share.letters++;
        share.bytes += letter->length;
    }
    return share;
}

enum outcome { SENT, LOST, BUSY };

static enum outcome send_now(struct postbox *postbox, int fd, const struct sock_message *message,
                             const void *bytes, size_t length)
{
    bool has_share = message->peer.length && message->peer.storage.ss_family == AF_UNIX;
    if (has_share && !send_shares_allow(&postbox->shares, fd, &message->peer, length))
        return BUSY;
    if (sock_send_answer(fd, bytes, length, message) < 0)
        return errno == EAGAIN || errno == ENOBUFS ? BUSY : LOST;
    if (has_share)
        send_shares_add(&postbox->shares, fd, &message->peer, length);
    return SENT;
}

static void keep(struct postbox *postbox, int fd, const struct sock_message *message,
                 const void *bytes, size_t length)
{
    struct letter *letter = memory_new(1, sizeof *letter + length);
    letter->fd = fd;
    letter->message = *message;
    letter->until_ms = loop_now_ms() + LIFE_MS;
    letter->length = length;
    memcpy(letter->bytes, bytes, length);
    *postbox->end = letter;
    postbox->end = &letter->next;
    postbox->all.letters++;
    postbox->all.bytes += length;
    if (!loop_timer_is_set(&postbox->again))
        loop_timer_set(postbox->loop, &postbox->again, AGAIN_MS);
}

static bool has_room(const struct postbox *postbox, struct postbox_share receiver, size_t length)
{
    return postbox->all.letters < LETTERS_MAX && receiver.letters < RECEIVER_LETTERS_MAX &&
           length <= BYTES_MAX - postbox->all.bytes &&
           length <= RECEIVER_BYTES_MAX - receiver.bytes;
}

bool postbox_answer(struct postbox *postbox, int fd, const struct sock_message *message,
                    const void *bytes, size_t length)
{
    struct postbox_share receiver = share_of(postbox, NULL, fd, &message->peer);
    enum outcome outcome = receiver.letters ? BUSY : send_now(postbox, fd, message, bytes, length);
    if (outcome == BUSY && has_room(postbox, receiver, length)) {
        keep(postbox, fd, message, bytes, length);
        return true;
    }
    return outcome == SENT;
}

static void try_again(struct timer *timer)
{
    struct postbox *postbox = LOOP_OWNER(timer, struct postbox, again);
    int64_t now_ms = loop_now_ms();
    struct letter **link = &postbox->first;
    while (*link) {
        struct letter *letter = *link;
        enum outcome outcome = BUSY;
        /* In order: not before one that still waits for the same receiver. */
        if (!share_of(postbox, letter, letter->fd, &letter->message.peer).letters)
            outcome = send_now(postbox, letter->fd, &letter->message, letter->bytes,
                               letter->length);
        if (outcome == BUSY && now_ms < letter->until_ms)
            link = &letter->next;
        else
            discard(postbox, link);
    }
    if (postbox->first)
        loop_timer_set(postbox->loop, &postbox->again, AGAIN_MS);
}
