/*
 * See faults.h. Every decision is drawn from the seed, the client's number and the piece's place (faults_decide), so that a
 * run repeats however the bytes are read.
 *
 * A connection's bytes go through a list of pieces: they are read and cut (faulty_read), changed piece by piece
 * (faulty_add_piece), and sent when each is due (faulty_send); then, where it is asked for, the end, the reset or the stall
 * comes (faulty_end).
 */
#include "cmd/echo/faults.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "stream/channel.h"
#include "sys/loop.h"
#include "sys/sock.h"

enum {
    ROUNDS = 16,           /* reads or writes in one move */
    READ = 16384,          /* bytes of a stream in one read */
    CONFIRM_MS = 5,        /* between two looks whether what was sent has arrived, */
    CONFIRM_MAX_MS = 1000, /* and in all */
    KEEPALIVE_S = 10       /* of a stalled connection, so that a client that has gone is noticed */
};

/* Decisions */

/* Tells whether any of them needs the data in pieces. */
static bool faults_cut(const struct faults *faults)
{
    return faults->drop || faults->duplicate || faults->corrupt;
}

bool faults_any(const struct faults *faults)
{
    return faults_cut(faults) || faults->close_after != UINT64_MAX ||
           faults->reset_after != UINT64_MAX || faults->stall_after != UINT64_MAX ||
           faults->delay_ms || faults->jitter_ms || faults->rate || faults->chunk;
}

static bool fault_happens(uint32_t share, uint64_t *state)
{
    return random_next(state) % FAULTS_WHOLE < share;
}

/* A number is drawn for each kind, asked for or not: one option does not change what another does. */
struct fault faults_decide(const struct faults *faults, uint64_t client, uint64_t piece)
{
    uint64_t state = random_mix(random_mix(random_mix(faults->seed) + client) + piece);
    struct fault fault;
    fault.drop = fault_happens(faults->drop, &state);
    fault.duplicate = fault_happens(faults->duplicate, &state);
    fault.corrupt = fault_happens(faults->corrupt, &state);
    fault.bit = random_next(&state);
    fault.late_ms = (int64_t)(random_next(&state) % ((uint64_t)faults->jitter_ms + 1));
    fault.late_ms += faults->delay_ms;
    return fault;
}

void fault_corrupt(const struct fault *fault, char *bytes, size_t length)
{
    if (!fault->corrupt || !length)
        return;
    uint64_t bit = fault->bit % ((uint64_t)length * 8);
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
}

/* A connection */

struct faulty_piece {
    struct list_node node;
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
        sock_set(fd, SOL_SOCKET, SO_PASSCRED, 1); /* see channel_init */
}

static void faulty_drop_piece(struct faulty *faulty, struct faulty_piece *piece)
{
    list_remove(&faulty->under_way, &piece->node);
    faulty->held -= piece->length + sizeof *piece;
    free(piece);
}

void faulty_release(struct faulty *faulty)
{
    LIST_EACH (struct faulty_piece, piece, &faulty->under_way, node)
        faulty_drop_piece(faulty, piece);
    free(faulty->open);
    faulty->open = NULL;
}

/* In: pieces */

static void faulty_add_piece(struct faulty *faulty, const char *bytes, size_t length)
{
    struct fault fault = faults_decide(faulty->faults, faulty->number, ++faulty->pieces);
    for (int left = fault.drop ? 0 : 1 + fault.duplicate; left; left--) {
        struct faulty_piece *piece = memory_new(1, sizeof *piece + length);
        const struct faulty_piece *last = LIST_ITEM(faulty->under_way.last, struct faulty_piece,
                                                    node);
        piece->due_ms = fault.late_ms ? loop_now_ms() + fault.late_ms : 0;
        if (last && last->due_ms > piece->due_ms)
            piece->due_ms = last->due_ms; /* a stream keeps its order */
        piece->length = length;
        memcpy(piece->bytes, bytes, length);
        fault_corrupt(&fault, piece->bytes, length);
        list_append(&faulty->under_way, &piece->node);
        faulty->held += length + sizeof *piece;
    }
}

static void faulty_close_piece(struct faulty *faulty)
{
    if (faulty->open_length)
        faulty_add_piece(faulty, faulty->open, faulty->open_length);
    faulty->open_length = 0;
}

/* Takes what came, as one piece or cut into several. */
static void faulty_take(struct faulty *faulty, const char *bytes, size_t length)
{
    const uint64_t chunk = faulty->faults->chunk;
    const size_t max = chunk && chunk < FAULTY_PIECE ? (size_t)chunk : FAULTY_PIECE;
    faulty->taken += length;
    if (faulty->tap)
        faulty->tap->look(faulty->tap, bytes, length);
    if (faulty->by_message || !faults_cut(faulty->faults)) {
        faulty_add_piece(faulty, bytes, length);
        return;
    }
    if (!faulty->open)
        faulty->open = memory_new(FAULTY_PIECE, 1);
    for (size_t i = 0; i < length; i++) {
        faulty->open[faulty->open_length++] = bytes[i];
        if (bytes[i] == '\n' || faulty->open_length == max)
            faulty_close_piece(faulty);
    }
    faulty->open_ms = loop_now_ms();
}

static bool faulty_may_read(const struct faulty *faulty)
{
    return !faulty->in_ended && faulty->held < FAULTY_HELD;
}

/* Reads what has come, a bounded amount. Returns 0, or -1 and errno. */
static int faulty_read(struct faulty *faulty, char *buffer)
{
    for (int round = 0; round < ROUNDS && faulty_may_read(faulty); round++) {
        struct sock_message message = {.has_user = false};
        ssize_t got = faulty->by_message ? sock_recv_message(faulty->fd, buffer, SEQPACKET_MAX,
                                                             &message, &sock_any_sender)
                                         : sock_recv(faulty->fd, buffer, READ);
        if (got > SEQPACKET_MAX && faulty->by_message) {
            errno = EMSGSIZE;
            return -1;
        }
        if (got < 0)
            return errno == EAGAIN ? 0 : -1;
        if (got > 0)
            faulty_take(faulty, buffer, (size_t)got);
        else if (message.has_user) /* an empty message, not the end */
            faulty_add_piece(faulty, buffer, 0);
        else
            faulty->in_ended = true;
    }
    return 0;
}

/* Out */

static enum pump_state faulty_wait(struct faulty *faulty, bool may_read, int64_t wait_ms)
{
    faulty->may_read = may_read;
    faulty->wait_ms = wait_ms;
    return PUMP_WAITS;
}

static enum pump_state faulty_fail(struct faulty *faulty, enum pump_state state, int failure)
{
    faulty->failure = failure;
    return state;
}

/* Returns how many more bytes the client gets before its connection ends or stalls. */
static uint64_t faulty_left_to_send(const struct faulty *faulty)
{
    const struct faults *faults = faulty->faults;
    uint64_t max = faults->close_after;
    if (faults->reset_after < max)
        max = faults->reset_after;
    if (faults->stall_after < max)
        max = faults->stall_after;
    return max > faulty->moved ? max - faulty->moved : 0; /* a message is sent whole */
}

/* Ends, stalls or resets the connection. What has been sent before a reset is to arrive: the reset would overtake it. */
static enum pump_state faulty_end(struct faulty *faulty)
{
    const struct faults *faults = faulty->faults;
    if (faults->stall_after <= faulty->moved) {
        if (faulty->stalled) { /* there was an error or a hang-up */
            int failure = sock_error(faulty->fd);
            return failure ? faulty_fail(faulty, PUMP_FAILED_IN, failure) : PUMP_ENDED;
        }
        faulty->stalled = true;
        sock_set(faulty->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        sock_set(faulty->fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
        return faulty_wait(faulty, false, -1);
    }
    if (faults->close_after <= faulty->moved)
        return PUMP_ENDED;
    int64_t now_ms = loop_now_ms();
    if (!faulty->reset_ms)
        faulty->reset_ms = now_ms + CONFIRM_MAX_MS;
    if (now_ms < faulty->reset_ms && sock_unacknowledged(faulty->fd) > 0)
        return faulty_wait(faulty, false, CONFIRM_MS);
    sock_reset_on_close(faulty->fd);
    return faulty_fail(faulty, PUMP_FAILED_OUT, 0);
}

/* Returns how much of a piece that is not empty may leave now; 0: wait_ms says when some may. */
static size_t faulty_may_send(struct faulty *faulty, const struct faulty_piece *piece,
                              int64_t now_ms)
{
    const uint64_t chunk = faulty->faults->chunk;
    size_t length = piece->length - piece->offset;
    faulty->wait_ms = piece->due_ms - now_ms;
    if (faulty->wait_ms <= 0)
        faulty->wait_ms = faulty->next_chunk_ms - now_ms;
    if (faulty->wait_ms > 0)
        return 0;
    uint64_t left = faulty_left_to_send(faulty);
    if (length > left && !faulty->by_message)
        length = (size_t)left;
    if (chunk && length > chunk && !faulty->by_message)
        length = (size_t)chunk;
    size_t allowed = faulty->faults->rate ? pace_allow(&faulty->pace, now_ms, NULL, length)
                                          : length;
    faulty->wait_ms = faulty->pace.wait_ms;
    return faulty->by_message && allowed ? length : allowed;
}

/* Sends some of a piece. Returns true if there may be more to do; else *state says why not. */
static bool faulty_send(struct faulty *faulty, struct faulty_piece *piece, enum pump_state *state)
{
    int64_t now_ms = loop_now_ms();
    bool is_empty = !piece->length && piece->due_ms <= now_ms;
    size_t length = is_empty ? 0 : faulty_may_send(faulty, piece, now_ms);
    if (!length && !is_empty) {
        *state = faulty_wait(faulty, faulty_may_read(faulty), faulty->wait_ms);
        return false;
    }
    ssize_t sent = sock_send(faulty->fd, piece->bytes + piece->offset, length);
    if (sent < 0) {
        bool full = errno == EAGAIN;
        *state = full ? PUMP_WANTS_OUT : faulty_fail(faulty, PUMP_FAILED_OUT, errno);
        return false;
    }
    pace_spend(&faulty->pace, now_ms, NULL, (size_t)sent);
    if (faulty->faults->chunk)
        faulty->next_chunk_ms = now_ms + 1 + FAULTY_CHUNK_MS;
    piece->offset += (size_t)sent;
    faulty->moved += (size_t)sent;
    if (piece->offset == piece->length)
        faulty_drop_piece(faulty, piece);
    return true;
}

enum pump_state faulty_move(struct faulty *faulty, char *buffer)
{
    if (!faulty_left_to_send(faulty))
        return faulty_end(faulty);
    if (faulty_read(faulty, buffer))
        return faulty_fail(faulty, PUMP_FAILED_IN, errno);
    if (faulty->in_ended)
        faulty_close_piece(faulty);
    for (int round = 0; round < ROUNDS; round++) {
        enum pump_state state = PUMP_WANTS_OUT;
        struct faulty_piece *piece = LIST_FIRST(&faulty->under_way, struct faulty_piece, node);
        if (!piece)
            break;
        if (!faulty_send(faulty, piece, &state))
            return state;
        if (!faulty_left_to_send(faulty))
            return faulty_end(faulty);
    }
    if (faulty->under_way.count)
        return PUMP_WANTS_OUT;
    /* All that is due has left; a pause closes the piece that is open. */
    int64_t silent_ms = faulty->open_length ? loop_now_ms() - faulty->open_ms : 0;
    if (faulty->open_length && !faulty->in_ended && silent_ms < FAULTY_PAUSE_MS)
        return faulty_wait(faulty, faulty_may_read(faulty), FAULTY_PAUSE_MS - silent_ms);
    faulty_close_piece(faulty);
    if (faulty->under_way.count)
        return PUMP_WANTS_OUT;
    return faulty->in_ended ? PUMP_ENDED : PUMP_WANTS_IN;
}
