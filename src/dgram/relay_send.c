#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "dgram/relay_steps.h"

enum {
    SEGMENTS_BYTES = 63 * 1024, /* that leave in one call: with the headers below 64 KiB */
    AGAIN_MS = 1                /* where nobody tells when the kernel can take more */
};

static void fail_input(struct datagram_relay *relay, int failure)
{
    error_system(&relay->error, STATUS_LOCAL_IO, failure, "read from %s", relay->in_name);
    datagram_finish(relay, -1);
}

bool datagram_waits(const struct datagram_relay *relay)
{
    return relay->next < relay->count;
}

/* Finds the lines in what has been read. */
static void find_lines(struct datagram_relay *relay)
{
    const char *line = relay->sending + relay->start;
    size_t left = relay->held;
    relay->next = relay->count = 0;
    while (left && relay->count < DATAGRAM_BURST) {
        const char *feed = memchr(line, '\n', left);
        size_t length = feed ? (size_t)(feed - line) + 1 : left;
        bool is_last = relay->in_exhausted && !relay->in_failure;
        if (!feed && !is_last && left <= relay->policy.most)
            return; /* the rest of the line is still to come */
        relay->lengths[relay->count++] = length;
        line += length;
        left -= length;
    }
}

/* Says how many of the next datagrams can leave in one call, and how long they are together. */
static size_t count_alike(const struct datagram_relay *relay, size_t *together)
{
    const size_t *lengths = relay->lengths;
    size_t at = relay->next, size = lengths[at];
    *together = size;
    if (size == 0 || size > relay->segment_most)
        return 1;
    while (++at < relay->count && lengths[at] <= size && lengths[at - 1] == size) {
        if (lengths[at] == 0 || *together + lengths[at] > SEGMENTS_BYTES)
            break;
        *together += lengths[at];
    }
    return at - relay->next;
}

/* The next datagram as it is to be sent, seen by the filter once. False: the filter has failed. */
static bool filter_next(struct datagram_relay *relay)
{
    if (!relay->up_filter || relay->outgoing)
        return true;
    size_t length = relay->lengths[relay->next];
    char *bytes = relay->filtered + relay->policy.most + 1;
    memcpy(bytes, relay->sending + relay->start, length);
    ssize_t left = relay->up_filter->pass(relay->up_filter, &bytes, length);
    if (left < 0)
        return false;
    relay->outgoing = bytes;
    relay->outgoing_length = (size_t)left;
    return true;
}

/* Until the pace allows the next one, nothing is sent. Each datagram is a line. */
static void slow_down(struct datagram_relay *relay, size_t sent)
{
    struct pace *pace = relay->up_pace;
    int64_t now_ms = loop_now_ms();
    pace_spend(pace, now_ms, NULL, sent);
    pace->next_line_ms = now_ms + pace->line_ms;
    if (!pace_allow(pace, now_ms, "", 1))
        loop_timer_set(relay->loop, &relay->wait, pace->wait_ms);
}

/* They have been sent, or will never be. */
static void pass_over(struct datagram_relay *relay, size_t count)
{
    relay->outgoing = NULL;
    for (; count; count--) {
        size_t length = relay->lengths[relay->next++];
        relay->start += length;
        relay->held -= length;
    }
}

static bool refuses_segments(int failure)
{
    return failure == EINVAL || failure == EMSGSIZE || failure == EIO || failure == EOPNOTSUPP;
}

/* False when nothing more can be sent now, or ever. */
static bool meet_failure(struct datagram_relay *relay, size_t count)
{
    if (count > 1 && refuses_segments(errno)) {
        /* Longer than the path takes whole, or never on this interface: one by one. */
        relay->segment_most = relay->lengths[relay->next] - 1;
        return true;
    }
    if (errno == EAGAIN && relay->policy.peer == DATAGRAM_CONNECTED)
        return false;
    if (errno == EAGAIN || errno == ENOBUFS) {
        loop_timer_set(relay->loop, &relay->wait, AGAIN_MS);
        return false;
    }
    if (relay->policy.peer != DATAGRAM_ANY) {
        datagram_fail(relay, "send to");
        return false;
    }
    log_warning("warning: send to the peer heard last: %s", strerror(errno));
    relay->has_peer = false;
    pass_over(relay, 1);
    return false;
}

/* An answer leaves from the address that the peer has spoken to. */
static ssize_t send_one(const struct datagram_relay *relay, int fd, const char *bytes,
                        size_t length)
{
    if (relay->policy.peer == DATAGRAM_CONNECTED)
        return sock_send(fd, bytes, length);
    return sock_send_answer(fd, bytes, length, &relay->heard_last);
}

static ssize_t send_alike(const struct datagram_relay *relay, size_t count, size_t length)
{
    const char *bytes = relay->sending + relay->start;
    int fd = relay->sockets[relay->speaking].watch.fd;
    if (count > 1)
        return sock_send_segments(fd, bytes, length, relay->lengths[relay->next],
                                  relay->policy.peer == DATAGRAM_CONNECTED ? NULL
                                                                           : &relay->heard_last);
    if (relay->outgoing)
        return send_one(relay, fd, relay->outgoing, relay->outgoing_length);
    return send_one(relay, fd, bytes, length);
}

/* As meet_failure. */
static bool send_next(struct datagram_relay *relay)
{
    size_t length;
    size_t count = count_alike(relay, &length);
    if (relay->lengths[relay->next] > relay->policy.most) {
        error_set(&relay->error, STATUS_MALFORMED,
                  "%s: a line is longer than a datagram can be (%zu bytes)", relay->in_name,
                  relay->policy.most);
        datagram_finish(relay, -1);
        return false;
    }
    if (!filter_next(relay)) {
        fail_input(relay, errno);
        return false;
    }
    ssize_t sent = send_alike(relay, count, length);
    if (sent < 0)
        return meet_failure(relay, count);
    relay->bytes_out += (uint64_t)sent;
    pass_over(relay, count);
    if (sent > 0 && relay->up_pace)
        slow_down(relay, (size_t)sent);
    return true;
}

static void end_input(struct datagram_relay *relay)
{
    relay->in_ended = true;
    if (relay->in_failure) {
        fail_input(relay, relay->in_failure);
        return;
    }
    if (datagram_is_over(relay)) {
        datagram_finish(relay, 0);
        return;
    }
    if (relay->policy.has_end)
        sock_shutdown(relay->sockets[0].watch.fd, SHUT_WR);
    if (relay->policy.quit_after_ms >= 0)
        loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
    datagram_await(relay);
}

void datagram_send(struct datagram_relay *relay)
{
    while (datagram_waits(relay) && datagram_can_send(relay))
        if (!send_next(relay))
            break;
    if (!relay->loop)
        return;
    datagram_note_move(relay);
    if (relay->policy.lines && !datagram_waits(relay))
        find_lines(relay);
    if (relay->in_exhausted && !datagram_waits(relay))
        end_input(relay);
    else
        datagram_await(relay);
}

/* Reads once, at most `room` bytes. */
static size_t read_once(struct datagram_relay *relay, size_t room)
{
    ssize_t got = fd_read(relay->in_ahead, relay->sending + relay->held, room);
    if (got > 0) {
        relay->held += (size_t)got;
        return (size_t)got;
    }
    relay->in_exhausted = got == 0 || errno != EAGAIN;
    relay->in_failure = relay->in_exhausted && got < 0 ? errno : 0;
    return 0;
}

/* A read is a datagram; one after the other, as far as there is room for the largest. */
static void read_datagrams(struct datagram_relay *relay)
{
    bool goes_on = fd_reads_without_waiting(relay->in_ahead);
    relay->next = relay->count = 0;
    do {
        size_t got = read_once(relay, relay->policy.most);
        if (!got)
            return;
        relay->lengths[relay->count++] = got;
    } while (goes_on && relay->count < DATAGRAM_BURST && relay->held <= relay->policy.most);
}

void datagram_read(struct datagram_relay *relay)
{
    if (relay->start)
        memmove(relay->sending, relay->sending + relay->start, relay->held);
    relay->start = 0;
    if (relay->policy.lines) {
        read_once(relay, 2 * (relay->policy.most + 1) - relay->held);
        find_lines(relay);
    } else {
        read_datagrams(relay);
    }
    if (relay->peer_ended && loop_timer_is_set(&relay->quit))
        loop_timer_set(relay->loop, &relay->quit, relay->policy.silence_ms);
    datagram_send(relay);
}

void datagram_allow_segments(struct datagram_relay *relay)
{
    bool alone = relay->up_filter || relay->up_pace;
    bool has_segments = relay->socket_count && sock_has_segments(relay->sockets[0].watch.fd);
    relay->segment_most = has_segments && !alone ? SEGMENTS_BYTES / 2 : 0;
    for (size_t i = 0; has_segments && !relay->policy.inherited && i < relay->socket_count; i++)
        sock_receive_segments(relay->sockets[i].watch.fd);
}
