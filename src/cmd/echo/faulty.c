/*
 * See faulty.h. A client's bytes go through a buffer: read, cut into the pieces that the options ask for, changed piece by
 * piece as faults.c decides, and sent when each is due; then, where it is asked for, the end, the reset or the stall.
 */
#include "cmd/echo/faulty.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "stream/channel.h"
#include "sys/loop.h"
#include "sys/sock.h"

enum {
    ROUNDS = 16,            /* reads or writes in one move */
    READ = 16384,           /* bytes of a stream in one read */
    CONFIRM_MS = 5,         /* between two looks whether what was sent has arrived, */
    CONFIRM_MOST_MS = 1000, /* and in all */
    KEEPALIVE_S = 10        /* of a stalled connection, so that a client that has gone is noticed */
};

struct faulty_piece {
    struct faulty_piece *next;
    int64_t due_ms;
    size_t length;
    size_t offset;
    char bytes[];
};

void faulty_init(struct faulty *faulty, int fd, bool by_message, const struct faults *faults)
{
    *faulty = (struct faulty){.fd = fd,
                              .by_message = by_message,
                              .faults = faults,
                              .pace.rate = faults->rate};
    if (by_message)
        sock_set(fd, SOL_SOCKET, SO_PASSCRED, 1); /* see seqpacket.c */
}

static void free_first(struct faulty *faulty)
{
    struct faulty_piece *piece = faulty->first;
    faulty->first = piece->next;
    if (!faulty->first)
        faulty->last = NULL;
    faulty->held -= piece->length + sizeof *piece;
    free(piece);
}

void faulty_release(struct faulty *faulty)
{
    while (faulty->first)
        free_first(faulty);
    free(faulty->open);
    faulty->open = NULL;
}

/* In: pieces */

static void append(struct faulty *faulty, const char *bytes, size_t length,
                   const struct fault *fault)
{
    struct faulty_piece *piece = memory_new(1, sizeof *piece + length);
    piece->due_ms = fault->late_ms ? loop_now_ms() + fault->late_ms : 0;
    /* A stream keeps its order. */
    if (faulty->last && faulty->last->due_ms > piece->due_ms)
        piece->due_ms = faulty->last->due_ms;
    piece->length = length;
    memcpy(piece->bytes, bytes, length);
    fault_corrupt(fault, piece->bytes, length);
    if (faulty->last)
        faulty->last->next = piece;
    else
        faulty->first = piece;
    faulty->last = piece;
    faulty->held += length + sizeof *piece;
}

static void add_piece(struct faulty *faulty, const char *bytes, size_t length)
{
    struct fault fault = faults_decide(faulty->faults, faulty->number, ++faulty->pieces);
    if (fault.drop)
        return;
    append(faulty, bytes, length, &fault);
    if (fault.duplicate)
        append(faulty, bytes, length, &fault);
}

static void close_piece(struct faulty *faulty)
{
    if (faulty->open_length)
        add_piece(faulty, faulty->open, faulty->open_length);
    faulty->open_length = 0;
}

static size_t piece_most(const struct faulty *faulty)
{
    uint64_t chunk = faulty->faults->chunk;
    return chunk && chunk < FAULTY_PIECE ? (size_t)chunk : FAULTY_PIECE;
}

static void cut(struct faulty *faulty, const char *bytes, size_t length)
{
    size_t most = piece_most(faulty);
    if (!faulty->open)
        faulty->open = memory_new(FAULTY_PIECE, 1);
    for (size_t i = 0; i < length; i++) {
        faulty->open[faulty->open_length++] = bytes[i];
        if (bytes[i] == '\n' || faulty->open_length == most)
            close_piece(faulty);
    }
    faulty->open_ms = loop_now_ms();
}

static ssize_t receive(struct faulty *faulty, char *buffer)
{
    struct sock_message message;
    if (!faulty->by_message)
        return sock_recv(faulty->fd, buffer, READ);
    ssize_t length = sock_recv_message(faulty->fd, buffer, SEQPACKET_MAX, &message,
                                       &sock_any_sender);
    if (length > SEQPACKET_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    if (length == 0 && message.has_user) /* an empty message, not the end */
        add_piece(faulty, buffer, 0);
    faulty->in_ended = length == 0 && !message.has_user;
    return length;
}

static void take(struct faulty *faulty, const char *buffer, size_t length)
{
    faulty->taken += length;
    if (faulty->tap)
        faulty->tap->look(faulty->tap, buffer, length);
    if (faulty->by_message || !faults_cut(faulty->faults))
        add_piece(faulty, buffer, length);
    else
        cut(faulty, buffer, length);
}

static bool has_room(const struct faulty *faulty)
{
    return !faulty->in_ended && faulty->held < FAULTY_HELD;
}

/* -1 and errno. */
static int read_on(struct faulty *faulty, char *buffer)
{
    for (int round = 0; round < ROUNDS && has_room(faulty); round++) {
        ssize_t got = receive(faulty, buffer);
        if (got < 0)
            return errno == EAGAIN ? 0 : -1;
        if (got > 0)
            take(faulty, buffer, (size_t)got);
        else if (!faulty->by_message)
            faulty->in_ended = true;
    }
    return 0;
}

/* Out */

static enum pump_state wait_for(struct faulty *faulty, int64_t wait_ms)
{
    faulty->may_read = has_room(faulty);
    faulty->wait_ms = wait_ms;
    return PUMP_WAITS;
}

static enum pump_state fail(struct faulty *faulty, enum pump_state state, int failure)
{
    faulty->failure = failure;
    return state;
}

/* How many more bytes the client gets before its connection ends or stalls. */
static uint64_t left_to_send(const struct faulty *faulty)
{
    const struct faults *faults = faulty->faults;
    uint64_t most = faults->close_after;
    if (faults->reset_after < most)
        most = faults->reset_after;
    if (faults->stall_after < most)
        most = faults->stall_after;
    return most > faulty->moved ? most - faulty->moved : 0; /* a message is sent whole */
}

static enum pump_state stall(struct faulty *faulty)
{
    if (faulty->stalled) { /* there was an error or a hang-up */
        int failure = sock_error(faulty->fd);
        return failure ? fail(faulty, PUMP_FAILED_IN, failure) : PUMP_ENDED;
    }
    faulty->stalled = true;
    sock_set(faulty->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    sock_set(faulty->fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
    faulty->may_read = false;
    faulty->wait_ms = -1;
    return PUMP_WAITS;
}

/* What has been sent before the end is to arrive: a reset would overtake it. */
static enum pump_state come_to_end(struct faulty *faulty)
{
    const struct faults *faults = faulty->faults;
    if (faults->stall_after <= faulty->moved)
        return stall(faulty);
    if (faults->close_after <= faulty->moved)
        return PUMP_ENDED;
    int64_t now_ms = loop_now_ms();
    if (!faulty->reset_ms)
        faulty->reset_ms = now_ms + CONFIRM_MOST_MS;
    if (now_ms < faulty->reset_ms && sock_unacknowledged(faulty->fd) > 0) {
        faulty->may_read = false;
        faulty->wait_ms = CONFIRM_MS;
        return PUMP_WAITS;
    }
    sock_reset_on_close(faulty->fd);
    return fail(faulty, PUMP_FAILED_OUT, 0);
}

/* How much of the first piece may leave now; 0: see wait_ms. */
static size_t may_send(struct faulty *faulty, int64_t now_ms)
{
    const struct faulty_piece *piece = faulty->first;
    size_t length = piece->length - piece->offset;
    faulty->wait_ms = piece->due_ms - now_ms;
    if (faulty->wait_ms <= 0)
        faulty->wait_ms = faulty->next_chunk_ms - now_ms;
    if (faulty->wait_ms > 0)
        return 0;
    uint64_t left = left_to_send(faulty);
    if (length > left && !faulty->by_message)
        length = (size_t)left;
    if (faulty->faults->chunk && length > faulty->faults->chunk && !faulty->by_message)
        length = (size_t)faulty->faults->chunk;
    size_t allowed = faulty->faults->rate ? pace_allow(&faulty->pace, now_ms, NULL, length)
                                          : length;
    faulty->wait_ms = faulty->pace.wait_ms;
    return faulty->by_message && allowed ? length : allowed;
}

static bool may_send_empty(const struct faulty *faulty, int64_t now_ms)
{
    return !faulty->first->length && faulty->first->due_ms <= now_ms;
}

/* Sends some of the first piece. True if there may be more to do; else *state says why not. */
static bool send_some(struct faulty *faulty, enum pump_state *state)
{
    struct faulty_piece *piece = faulty->first;
    int64_t now_ms = loop_now_ms();
    size_t length = may_send_empty(faulty, now_ms) ? 0 : may_send(faulty, now_ms);
    if (!length && !may_send_empty(faulty, now_ms)) {
        *state = wait_for(faulty, faulty->wait_ms);
        return false;
    }
    ssize_t sent = sock_send(faulty->fd, piece->bytes + piece->offset, length);
    if (sent < 0) {
        bool full = errno == EAGAIN;
        *state = full ? PUMP_WANTS_OUT : fail(faulty, PUMP_FAILED_OUT, errno);
        return false;
    }
    pace_spend(&faulty->pace, now_ms, NULL, (size_t)sent);
    if (faulty->faults->chunk)
        faulty->next_chunk_ms = now_ms + 1 + FAULTY_CHUNK_MS;
    piece->offset += (size_t)sent;
    faulty->moved += (size_t)sent;
    if (piece->offset == piece->length)
        free_first(faulty);
    return true;
}

/* All that is due has left. */
static enum pump_state rest(struct faulty *faulty)
{
    int64_t silent_ms = faulty->open_length ? loop_now_ms() - faulty->open_ms : 0;
    if (faulty->open_length && !faulty->in_ended && silent_ms < FAULTY_PAUSE_MS)
        return wait_for(faulty, FAULTY_PAUSE_MS - silent_ms);
    close_piece(faulty);
    if (faulty->first)
        return PUMP_WANTS_OUT;
    return faulty->in_ended ? PUMP_ENDED : PUMP_WANTS_IN;
}

enum pump_state faulty_move(struct faulty *faulty, char *buffer)
{
    enum pump_state state = PUMP_WANTS_OUT;
    if (!left_to_send(faulty))
        return come_to_end(faulty);
    if (read_on(faulty, buffer))
        return fail(faulty, PUMP_FAILED_IN, errno);
    if (faulty->in_ended)
        close_piece(faulty);
    for (int round = 0; round < ROUNDS && faulty->first; round++) {
        if (!send_some(faulty, &state))
            return state;
        if (!left_to_send(faulty))
            return come_to_end(faulty);
    }
    return faulty->first ? PUMP_WANTS_OUT : rest(faulty);
}
