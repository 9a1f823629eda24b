/*
 * Two flows share one loop. tx: the input is read (datagram_read) into as many datagrams as fit, which leave one
 * by one, or several of one size in one call (datagram_send); nothing more is read before all of them have left.
 * rx: what the sockets receive is written to the output (datagram_receive), or waits in the write queue, and
 * nothing more is received before it is empty. After each step datagram_await says what is watched now.
 *
 * Where the peer's name has several addresses, what is sent is kept (datagram_keep) until something comes. If the address
 * refuses it before (datagram_refused), the owner finds the next one (datagram_move), which gets all of it
 * (datagram_resend).
 *
 * It is over (datagram_finish) when something fails, when enough has come, when both ends have ended, or when
 * one of three limits passes: until the first datagram, while nothing moves, and after the end of the input.
 */
#include "dgram/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/units.h"
#include "proto/ip_header.h"

enum {
    SEGMENTS_BYTES = 63 * 1024, /* that leave in one call: with the headers below 64 KiB */
    AGAIN_MS = 1,               /* where nobody tells when the kernel can take more */
    LOOK_AGAIN_MS = 20
};

/* Ends */

static void kept_forget(struct datagram_kept *kept)
{
    free(kept->bytes);
    *kept = (struct datagram_kept){0};
}

void datagram_release(struct datagram_relay *relay)
{
    struct loop *loop = relay->loop;
    if (!loop)
        return;
    for (size_t i = 0; i < relay->socket_count; i++)
        loop_unwatch(loop, &relay->sockets[i].watch);
    loop_unwatch(loop, &relay->tx.watch);
    idle_limit_stop(&relay->idle);
    loop_timer_cancel(loop, &relay->first);
    loop_timer_cancel(loop, &relay->quit);
    loop_timer_cancel(loop, &relay->tx.wait);
    write_queue_release(&relay->rx.queue);
    free(relay->rx.bytes);
    free(relay->rx.separated);
    free(relay->tx.bytes);
    free(relay->tx.filtered);
    relay->rx.bytes = relay->rx.separated = relay->tx.bytes = relay->tx.filtered = NULL;
    kept_forget(&relay->kept);
    relay->loop = NULL;
    filter_set_mover(relay->tx_filter, NULL, NULL);
    filter_set_mover(relay->rx_filter, NULL, NULL);
}

static void datagram_finish(struct datagram_relay *relay, int result)
{
    relay->result = result;
    datagram_release(relay);
    relay->done(relay);
}

/* The error is "WHAT NAME: the message of `failure`, an errno". */
static void datagram_fail(struct datagram_relay *relay, int status, int failure, const char *what,
                          const char *name)
{
    error_system(relay->err, status, failure, "%s %s", what, name);
    datagram_finish(relay, -1);
}

/* An ICMP message, or a UNIX socket's owner that has gone, says that nobody is there for what was sent. */
static void datagram_fail_refused(struct datagram_relay *relay, int failure)
{
    const bool is_port = failure == ECONNREFUSED; /* or else a protocol, of a raw socket */
    const bool is_ipv6_loopback = !relay->refused && strncmp(relay->peer_name, "[::1]:", 6) == 0;
    error_system(relay->err, STATUS_TRANSFER, failure, "send to %s", relay->peer_name);
    error_add(relay->err, " (nothing %s there%s)", is_port ? "listens" : "takes this protocol",
              is_ipv6_loopback ? "; -4 for 127.0.0.1" : "");
    datagram_finish(relay, -1);
}

static void datagram_fail_output(struct datagram_relay *relay)
{
    datagram_finish(relay, write_queue_error(&relay->rx.queue, relay->out_name, relay->err));
}

static bool datagram_has_enough(const struct datagram_relay *relay)
{
    return relay->policy.max_received && relay->rx.count >= relay->policy.max_received;
}

/* All has been written, and nothing more is to come. */
static bool datagram_is_over(const struct datagram_relay *relay)
{
    bool ended = relay->rx.ended && relay->tx.ended;
    return (ended || datagram_has_enough(relay)) && !write_queue_has_pending(&relay->rx.queue);
}

/* The input has ended: the limit for what may still come begins. */
static void datagram_set_quit(struct datagram_relay *relay)
{
    const struct datagram_policy *policy = &relay->policy;
    if (policy->quit_after_ms >= 0)
        loop_timer_set(relay->loop, &relay->quit,
                       policy->quit_after_ms > policy->refusal_ms ? policy->quit_after_ms
                                                                  : policy->refusal_ms);
}

/* What is awaited */

/* There is somebody to be sent to, who has not lost the right to speak to us meanwhile. */
static bool datagram_has_peer(const struct datagram_relay *relay)
{
    const struct sock_senders *senders = &relay->policy.senders;
    return relay->policy.peer == DATAGRAM_CONNECTED ||
           (relay->has_peer && senders->admit(senders->context, &relay->rx_last));
}

/* There is, and a datagram may leave now. */
static bool datagram_can_send(const struct datagram_relay *relay)
{
    return datagram_has_peer(relay) && !relay->kept.moving && !loop_timer_is_set(&relay->tx.wait) &&
           !filter_is_held(relay->tx_filter);
}

/* A datagram has been read, and not sent yet. */
static bool tx_has_pending(const struct datagram_tx *tx)
{
    return tx->next < tx->count;
}

/* Something has to be sent: for the first time, or again. */
static bool datagram_has_pending(const struct datagram_relay *relay)
{
    return tx_has_pending(&relay->tx) || relay->kept.next < relay->kept.length;
}

static void datagram_await(struct datagram_relay *relay)
{
    bool sends = datagram_can_send(relay);
    bool waits = datagram_has_pending(relay);
    if (sends && !waits && !relay->tx.ended)
        loop_watch(relay->loop, &relay->tx.watch, EPOLLIN);
    else
        loop_unwatch(relay->loop, &relay->tx.watch);
    bool receives = !write_queue_has_pending(&relay->rx.queue) && !relay->rx.ended &&
                    !filter_is_held(relay->rx_filter) && !relay->kept.moving;
    uint32_t in = receives ? EPOLLIN : 0;
    for (size_t i = 0; i < relay->socket_count; i++) {
        uint32_t out = sends && waits && i == relay->tx_socket ? EPOLLOUT : 0;
        if (in | out)
            loop_watch(relay->loop, &relay->sockets[i].watch, in | out);
        else
            loop_unwatch(relay->loop, &relay->sockets[i].watch);
    }
}

static void datagram_finish_or_await(struct datagram_relay *relay)
{
    if (datagram_is_over(relay))
        datagram_finish(relay, 0);
    else
        datagram_await(relay);
}

/* tx: from the input to the network */

/* Finds the lines in what has been read. */
static void datagram_find_lines(struct datagram_relay *relay)
{
    struct datagram_tx *tx = &relay->tx;
    const char *line = tx->bytes + tx->start;
    size_t left = tx->held;
    tx->next = tx->count = 0;
    while (left && tx->count < DATAGRAM_BURST) {
        const char *feed = memchr(line, '\n', left);
        size_t length = feed ? (size_t)(feed - line) + 1 : left;
        bool is_last = tx->exhausted && !tx->failure;
        if (!feed && !is_last && left <= relay->policy.max_bytes)
            return; /* the rest of the line is still to come */
        tx->lengths[tx->count++] = length;
        line += length;
        left -= length;
    }
}

/* Returns how many of the next datagrams can leave in one call; *together is how long they are. */
static size_t tx_count_segments(const struct datagram_tx *tx, size_t *together)
{
    const size_t *lengths = tx->lengths;
    size_t at = tx->next, size = lengths[at];
    *together = size;
    if (size == 0 || size > tx->segment_max)
        return 1;
    while (++at < tx->count && lengths[at] <= size && lengths[at - 1] == size) {
        if (lengths[at] == 0 || *together + lengths[at] > SEGMENTS_BYTES)
            break;
        *together += lengths[at];
    }
    return at - tx->next;
}

/* The next `count` datagrams have been sent, or will never be. */
static void tx_drop(struct datagram_tx *tx, size_t count)
{
    tx->outgoing = NULL;
    for (; count; count--) {
        size_t length = tx->lengths[tx->next++];
        tx->start += length;
        tx->held -= length;
    }
}

/* One call for the next `count` datagrams, `length` bytes together. An answer leaves from the address that
 * the peer has spoken to. */
static ssize_t datagram_send_segments(const struct datagram_relay *relay, size_t count,
                                      size_t length)
{
    const struct datagram_tx *tx = &relay->tx;
    const char *bytes = tx->bytes + tx->start;
    int fd = relay->sockets[relay->tx_socket].watch.fd;
    const struct sock_message *to = relay->policy.peer == DATAGRAM_CONNECTED ? NULL
                                                                             : &relay->rx_last;
    if (count > 1)
        return sock_send_segments(fd, bytes, length, tx->lengths[tx->next], to);
    if (tx->outgoing) {
        bytes = tx->outgoing;
        length = tx->outgoing_length;
    }
    return to ? sock_send_answer(fd, bytes, length, to) : sock_send(fd, bytes, length);
}

/* Keeps the next `count` datagrams, which have been sent, while there is room for all that was sent. */
static void datagram_keep(struct datagram_relay *relay, size_t count)
{
    const struct datagram_tx *tx = &relay->tx;
    struct datagram_kept *kept = &relay->kept;
    const char *bytes = tx->outgoing ? tx->outgoing : tx->bytes + tx->start;
    for (size_t i = tx->next; kept->bytes && i < tx->next + count; i++) {
        size_t length = tx->outgoing ? tx->outgoing_length : tx->lengths[i];
        if (length + sizeof length > DATAGRAM_KEPT_MAX - kept->length) {
            kept_forget(kept);
            return;
        }
        memcpy(kept->bytes + kept->length, &length, sizeof length);
        memcpy(kept->bytes + kept->length + sizeof length, bytes, length);
        kept->next = kept->length += sizeof length + length;
        bytes += length;
    }
}

/* Nobody there has the port, or takes the protocol. */
static bool is_refusal(int errnum)
{
    return errnum == ECONNREFUSED || errnum == ENOPROTOOPT;
}

/* The peer has refused what was sent: there may be another address, as long as all of it can be sent again. */
static void datagram_refused(struct datagram_relay *relay, int failure)
{
    if (!relay->kept.bytes || !relay->refused(relay)) {
        datagram_fail_refused(relay, failure);
        return;
    }
    relay->kept.moving = true;
    datagram_await(relay);
}

/* After a send of `count` datagrams has failed with errno. False when nothing more can be sent now, or ever. */
static bool datagram_handle_send_error(struct datagram_relay *relay, size_t count)
{
    bool refuses_segments = errno == EINVAL || errno == EMSGSIZE || errno == EIO ||
                            errno == EOPNOTSUPP;
    if (count > 1 && refuses_segments) {
        /* Longer than the path takes whole, or never on this interface: one by one. */
        relay->tx.segment_max = relay->tx.lengths[relay->tx.next] - 1;
        return true;
    }
    if (errno == EAGAIN && relay->policy.peer == DATAGRAM_CONNECTED)
        return false;
    if (errno == EAGAIN || errno == ENOBUFS) {
        loop_timer_set(relay->loop, &relay->tx.wait, AGAIN_MS);
        return false;
    }
    if (is_refusal(errno) && relay->policy.peer == DATAGRAM_CONNECTED) {
        datagram_refused(relay, errno);
        return false;
    }
    if (errno == ENETUNREACH && relay->policy.peer == DATAGRAM_GROUP) {
        error_system(relay->err, STATUS_TRANSFER, errno, "send to %s", relay->peer_name);
        error_add(relay->err, " (no route says by which interface: --interface NAME)");
        datagram_finish(relay, -1);
        return false;
    }
    if (relay->policy.peer != DATAGRAM_ANY) {
        datagram_fail(relay, STATUS_TRANSFER, errno, "send to", relay->peer_name);
        return false;
    }
    log_warning("warning: send to the peer heard last: %s", strerror(errno));
    relay->has_peer = false;
    tx_drop(&relay->tx, 1);
    return false;
}

/* Sends the next datagram, seen by the filter once, and those that can leave with it. False when nothing more can be
 * sent now, or ever. */
static bool datagram_send_next(struct datagram_relay *relay)
{
    struct datagram_tx *tx = &relay->tx;
    struct filter *filter = relay->tx_filter;
    struct pace *pace = relay->tx_pace;
    const size_t next_length = tx->lengths[tx->next];
    size_t length;
    size_t count = tx_count_segments(tx, &length);
    if (next_length > relay->policy.max_bytes) {
        error_set(relay->err, STATUS_MALFORMED,
                  "%s: a line is longer than a datagram can be (%zu bytes)", relay->in_name,
                  relay->policy.max_bytes);
        datagram_finish(relay, -1);
        return false;
    }
    if (filter && !tx->outgoing) {
        char *bytes = tx->filtered + relay->policy.max_bytes + 1;
        memcpy(bytes, tx->bytes + tx->start, next_length);
        ssize_t left = filter->pass(filter, &bytes, next_length);
        if (left < 0) {
            datagram_fail(relay, STATUS_LOCAL_IO, errno, "read from", relay->in_name);
            return false;
        }
        tx->outgoing = bytes;
        tx->outgoing_length = (size_t)left;
    }
    ssize_t sent = datagram_send_segments(relay, count, length);
    if (sent < 0)
        return datagram_handle_send_error(relay, count);
    relay->bytes_out += (uint64_t)sent;
    datagram_keep(relay, count);
    tx_drop(tx, count);
    if (sent > 0 && pace) { /* each datagram is a line */
        int64_t now_ms = loop_now_ms();
        pace_spend(pace, now_ms, NULL, (size_t)sent);
        pace->next_line_ms = now_ms + pace->line_ms;
        if (!pace_allow(pace, now_ms, "", 1))
            loop_timer_set(relay->loop, &tx->wait, pace->wait_ms);
    }
    return true;
}

/* Sends what an address has refused to the next one, before anything else. */
static void datagram_resend(struct datagram_relay *relay)
{
    struct datagram_kept *kept = &relay->kept;
    while (kept->next < kept->length && datagram_can_send(relay)) {
        size_t length;
        memcpy(&length, kept->bytes + kept->next, sizeof length);
        if (sock_send(relay->sockets[0].watch.fd, kept->bytes + kept->next + sizeof length,
                      length) < 0) {
            datagram_handle_send_error(relay, 1);
            return;
        }
        kept->next += sizeof length + length;
    }
}

static void datagram_send(struct datagram_relay *relay)
{
    struct datagram_tx *tx = &relay->tx;
    datagram_resend(relay);
    if (!relay->loop)
        return;
    if (relay->kept.next < relay->kept.length) {
        datagram_await(relay);
        return;
    }
    while (tx_has_pending(tx) && datagram_can_send(relay))
        if (!datagram_send_next(relay))
            break;
    if (!relay->loop)
        return;
    idle_limit_moved(&relay->idle);
    if (relay->policy.lines && !tx_has_pending(tx))
        datagram_find_lines(relay);
    if (tx->exhausted && !tx_has_pending(tx) && !tx->ended) {
        tx->ended = true;
        if (tx->failure) {
            datagram_fail(relay, STATUS_LOCAL_IO, tx->failure, "read from", relay->in_name);
            return;
        }
        if (!datagram_is_over(relay) && relay->policy.has_end)
            sock_shutdown(relay->sockets[0].watch.fd, SHUT_WR);
        datagram_set_quit(relay);
    }
    datagram_finish_or_await(relay);
}

/* Reads once, at most `room` bytes. */
static size_t datagram_read_once(struct datagram_relay *relay, size_t room)
{
    struct datagram_tx *tx = &relay->tx;
    ssize_t got = fd_read(relay->in_reopened, tx->bytes + tx->held, room);
    if (got > 0) {
        tx->held += (size_t)got;
        return (size_t)got;
    }
    tx->exhausted = got == 0 || errno != EAGAIN;
    tx->failure = tx->exhausted && got < 0 ? errno : 0;
    return 0;
}

static void datagram_read(struct watch *watch, uint32_t events)
{
    struct datagram_relay *relay = LOOP_OWNER(watch, struct datagram_relay, tx.watch);
    struct datagram_tx *tx = &relay->tx;
    const size_t max = relay->policy.max_bytes;
    (void)events;
    if (tx->start)
        memmove(tx->bytes, tx->bytes + tx->start, tx->held);
    tx->start = 0;
    if (relay->policy.lines) {
        datagram_read_once(relay, 2 * (max + 1) - tx->held);
        datagram_find_lines(relay);
    } else {
        /* A read is a datagram; one after the other, as far as there is room for the largest. */
        const struct fd in = relay->in_reopened;
        const bool goes_on = !in.shared || in.kind == FD_FILE || in.kind == FD_SOCKET ||
                             in.kind == FD_NULL; /* EAGAIN says that there is no more */
        size_t got;
        tx->next = tx->count = 0;
        do {
            got = datagram_read_once(relay, max);
            if (got)
                tx->lengths[tx->count++] = got;
        } while (got && goes_on && tx->count < DATAGRAM_BURST && tx->held <= max);
    }
    if (relay->rx.ended && loop_timer_is_set(&relay->quit))
        loop_timer_set(relay->loop, &relay->quit, relay->policy.silence_ms);
    datagram_send(relay);
}

static void datagram_resume(struct datagram_relay *relay)
{
    if (datagram_has_pending(relay))
        datagram_send(relay);
    else
        datagram_await(relay);
}

static void datagram_wait_over(struct timer *timer)
{
    datagram_resume(LOOP_OWNER(timer, struct datagram_relay, tx.wait));
}

static void datagram_filter_released(struct filter *filter)
{
    datagram_resume(filter->mover);
}

/* rx: from the network to the output */

/* The lists have admitted the sender (sock_recv_message): is it our peer? Notes who speaks. */
static bool datagram_accepts(struct datagram_relay *relay, struct datagram_socket *socket,
                             const struct sock_message *message)
{
    const struct sockname *from = &message->peer;
    if (relay->policy.peer == DATAGRAM_CONNECTED)
        return true;
    if (relay->policy.peer == DATAGRAM_GROUP) {
        if (sockname_is_same(&relay->answered, from))
            return true;
        relay->answered = *from;
        if (relay->peer_changed)
            relay->peer_changed(relay, from);
        return true;
    }
    bool known = relay->has_peer && sockname_is_same(&relay->rx_last.peer, from);
    if (!known && relay->policy.peer == DATAGRAM_FIRST && datagram_has_peer(relay))
        return false;
    relay->tx_socket = (size_t)(socket - relay->sockets);
    relay->rx_last = *message;
    loop_timer_cancel(relay->loop, &relay->first);
    if (known)
        return true;
    /* A UNIX socket that was never bound has no name: nothing can be sent there. */
    relay->has_peer = from->length > sizeof(sa_family_t);
    if (relay->peer_changed)
        relay->peer_changed(relay, from);
    return true;
}

/* One datagram in one write, the separator included. -1: the output failed. */
static int datagram_put_one(struct datagram_relay *relay, const char *bytes, size_t length)
{
    const struct datagram_policy *policy = &relay->policy;
    char *separated = relay->rx.separated;
    if (!separated)
        return write_queue_put(&relay->rx.queue, bytes, length);
    memcpy(separated, bytes, length);
    memcpy(separated + length, policy->separator, policy->separator_length);
    return write_queue_put(&relay->rx.queue, separated, length + policy->separator_length);
}

/* The datagrams of one sender that came together, each of `segment` bytes, the last of what is left; an empty
 * one came alone. What is gathered is where it has to be. -1: the filter or the output failed. */
static int datagram_put(struct datagram_relay *relay, char *bytes, size_t length, size_t segment)
{
    do {
        size_t part = length < segment ? length : segment;
        relay->rx.count++;
        relay->bytes_in += part;
        if (relay->rx.gathers) {
            relay->rx.gathered += part;
        } else {
            char *passed = bytes;
            ssize_t left = (ssize_t)part;
            if (relay->rx_filter)
                left = relay->rx_filter->pass(relay->rx_filter, &passed, part);
            if (left < 0 || datagram_put_one(relay, passed, (size_t)left) < 0)
                return -1;
        }
        bytes += part;
        length -= part;
    } while (length && !datagram_has_enough(relay));
    return 0;
}

/* A raw socket gives packets of IPv4 with their header, of IPv6 without: raw(7). Returns the length of the payload,
 * which is where the packet was; -1: the header is none. */
static ssize_t datagram_strip_header(const struct datagram_relay *relay, char *bytes, size_t length,
                                     const struct sockname *from)
{
    const short protocol = relay->policy.protocol;
    if (!protocol || protocol == SOCKNAME_PING || relay->policy.ip_header ||
        from->storage.ss_family != AF_INET)
        return (ssize_t)length;
    const size_t header = ip_header_length(bytes, length);
    if (!header)
        return -1;
    memmove(bytes, bytes + header, length - header);
    return (ssize_t)(length - header);
}

enum received { RECEIVED, NOTHING, FAILED, FAILED_OUTPUT };

static enum received datagram_receive_one(struct datagram_relay *relay,
                                          struct datagram_socket *socket)
{
    struct sock_message message;
    char *bytes = relay->rx.bytes + (relay->rx.gathers ? relay->rx.gathered : DATAGRAM_MAX + 1);
    ssize_t got = sock_recv_message(socket->watch.fd, bytes, DATAGRAM_MAX + 1, &message,
                                    &relay->policy.senders);
    if (got < 0)
        return errno == EAGAIN ? NOTHING : FAILED;
    if (got == 0 && relay->policy.has_end) {
        /* The end of a seqpacket connection. What the input says within the next while is still sent. */
        int64_t silence_ms = relay->in.kind == FD_TERMINAL ? 0 : relay->policy.silence_ms;
        relay->rx.ended = true;
        if (relay->in.kind != FD_FILE && silence_ms >= 0 && !relay->tx.ended)
            loop_timer_set(relay->loop, &relay->quit, silence_ms);
        return NOTHING;
    }
    message.peer.protocol = relay->policy.protocol;
    if (!datagram_accepts(relay, socket, &message))
        return RECEIVED;
    got = datagram_strip_header(relay, bytes, (size_t)got, &message.peer);
    if (got < 0) {
        log_warning("warning: a packet to %s has no IPv4 header: left out", relay->peer_name);
        return RECEIVED;
    }
    size_t length = (size_t)got;
    if (length > DATAGRAM_MAX) {
        log_warning("warning: a datagram from %s was cut to %d bytes", relay->peer_name,
                    DATAGRAM_MAX);
        length = DATAGRAM_MAX;
    }
    size_t segment = message.segment ? message.segment : length;
    return datagram_put(relay, bytes, length, segment) < 0 ? FAILED_OUTPUT : RECEIVED;
}

/* Takes what comes now, as far as there is room for it. */
static void datagram_receive(struct datagram_relay *relay, struct datagram_socket *socket)
{
    struct datagram_rx *rx = &relay->rx;
    int64_t before = rx->count;
    enum received last = RECEIVED;
    for (int i = 0; i < DATAGRAM_BURST && last == RECEIVED; i++) {
        if (datagram_has_enough(relay) || rx->gathered > DATAGRAM_MAX + 1 ||
            write_queue_has_pending(&rx->queue) || filter_is_held(relay->rx_filter))
            break;
        last = datagram_receive_one(relay, socket);
    }
    int failure = errno;
    if (last == FAILED_OUTPUT) {
        datagram_fail_output(relay);
        return;
    }
    size_t length = rx->gathered;
    rx->gathered = 0;
    if (length && write_queue_put(&rx->queue, rx->bytes, length) < 0) {
        datagram_fail_output(relay);
        return;
    }
    if (rx->count != before) {
        kept_forget(&relay->kept); /* somebody is there */
        idle_limit_moved(&relay->idle);
        if (loop_timer_is_set(&relay->quit) && !rx->ended)
            loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
    }
    if (last == FAILED && is_refusal(failure))
        datagram_refused(relay, failure);
    else if (last == FAILED)
        datagram_fail(relay, STATUS_TRANSFER, failure, "read from", relay->peer_name);
    else
        datagram_finish_or_await(relay);
}

static void datagram_output_drained(struct write_queue *queue)
{
    struct datagram_relay *relay = LOOP_OWNER(queue, struct datagram_relay, rx.queue);
    if (queue->failure)
        datagram_fail_output(relay);
    else
        datagram_finish_or_await(relay);
}

static void datagram_socket_ready(struct watch *watch, uint32_t events)
{
    struct datagram_socket *socket = LOOP_OWNER(watch, struct datagram_socket, watch);
    if (events & EPOLLOUT && datagram_has_pending(socket->relay))
        datagram_send(socket->relay);
    else
        datagram_receive(socket->relay, socket);
}

/* Limits */

static void datagram_quit_due(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, quit);
    const bool can_be_refused = relay->policy.peer == DATAGRAM_CONNECTED && !relay->policy.has_end;
    if (datagram_has_pending(relay) || relay->kept.moving ||
        write_queue_has_pending(&relay->rx.queue)) {
        loop_timer_set(relay->loop, timer, LOOK_AGAIN_MS);
        return;
    }
    const int failure = can_be_refused ? sock_error(relay->sockets[0].watch.fd) : 0;
    if (is_refusal(failure))
        datagram_refused(relay, failure);
    else
        datagram_finish(relay, 0);
}

static void datagram_first_over(struct timer *timer)
{
    struct datagram_relay *relay = LOOP_OWNER(timer, struct datagram_relay, first);
    char limit[UNITS_DURATION_MAX];
    error_set(relay->err, STATUS_TIMEOUT, "listen on %s: no datagram came in %s", relay->peer_name,
              units_show_duration(limit, relay->policy.first_ms));
    datagram_finish(relay, -1);
}

static void datagram_idle_over(struct idle_limit *idle)
{
    struct datagram_relay *relay = LOOP_OWNER(idle, struct datagram_relay, idle);
    char limit[UNITS_DURATION_MAX];
    error_set(relay->err, STATUS_TIMEOUT, "%s: nothing moved for %s", relay->peer_name,
              units_show_duration(limit, relay->policy.idle_ms));
    datagram_finish(relay, -1);
}

/* Start */

size_t datagram_max(const struct sockname *name, bool ip_header)
{
    if (name->storage.ss_family == AF_UNIX || ip_header)
        return DATAGRAM_MAX;
    return name->protocol ? DATAGRAM_RAW_MAX : DATAGRAM_UDP_MAX;
}

/* Finds out whether datagrams of one size can leave and arrive several at a time. */
static void datagram_try_segments(struct datagram_relay *relay)
{
    int segment;
    bool has_segments = relay->socket_count && sock_get(relay->sockets[0].watch.fd, IPPROTO_UDP,
                                                        UDP_SEGMENT, &segment) == 0;
    if (has_segments && !relay->tx_filter && !relay->tx_pace)
        relay->tx.segment_max = SEGMENTS_BYTES / 2;
    for (size_t i = 0; has_segments && !relay->policy.inherited && i < relay->socket_count; i++)
        sock_set(relay->sockets[i].watch.fd, IPPROTO_UDP, UDP_GRO, 1);
}

void datagram_move(struct datagram_relay *relay, int socket)
{
    loop_forget(relay->loop, &relay->sockets[0].watch);
    relay->sockets[0].watch = (struct watch){.fd = socket, .ready = datagram_socket_ready};
    relay->kept.moving = false;
    relay->kept.next = 0;
    datagram_try_segments(relay);
    if (relay->tx.ended)
        datagram_set_quit(relay);
    datagram_resume(relay);
}

void datagram_give_up(struct datagram_relay *relay)
{
    datagram_fail_refused(relay, ECONNREFUSED);
}

void datagram_start(struct datagram_relay *relay, struct loop *loop, const int *sockets,
                    size_t count)
{
    struct datagram_tx *tx = &relay->tx;
    struct datagram_rx *rx = &relay->rx;
    relay->loop = loop;
    relay->socket_count = count;
    for (size_t i = 0; i < count; i++)
        relay->sockets[i] = (struct datagram_socket){relay,
                                                     {.fd = sockets[i],
                                                      .ready = datagram_socket_ready}};
    rx->bytes = memory_grow(NULL, DATAGRAM_MAX + 1, 2);
    tx->bytes = memory_grow(NULL, relay->policy.max_bytes + 1, 2);
    if (relay->tx_filter)
        tx->filtered = memory_grow(NULL, relay->policy.max_bytes + 1, 2);
    tx->watch = (struct watch){.fd = relay->in.fd, .ready = datagram_read};
    tx->ended = relay->in.fd < 0;
    tx->wait.fired = datagram_wait_over;
    relay->first.fired = datagram_first_over;
    relay->quit.fired = datagram_quit_due;
    if (relay->policy.peer == DATAGRAM_GROUP)
        relay->rx_last.peer = *relay->policy.group;
    relay->has_peer = relay->policy.peer == DATAGRAM_GROUP;
    filter_set_mover(relay->tx_filter, relay, datagram_filter_released);
    filter_set_mover(relay->rx_filter, relay, datagram_filter_released);
    if (relay->refused)
        relay->kept.bytes = memory_new(DATAGRAM_KEPT_MAX, 1);
    if (relay->policy.separator_length)
        rx->separated = memory_new((size_t)2 * (DATAGRAM_MAX + 1) + relay->policy.separator_length,
                                   1);
    rx->gathers = !relay->rx_filter && !rx->separated && !fd_keeps_messages(relay->out);
    write_queue_init(&rx->queue, relay->loop, relay->out, datagram_output_drained);
    write_queue_watch_hangup(&rx->queue);
    datagram_try_segments(relay);
    idle_limit_start(&relay->idle, loop, relay->policy.idle_ms, datagram_idle_over);
    if (relay->policy.first_ms >= 0)
        loop_timer_set(loop, &relay->first, relay->policy.first_ms);
    datagram_await(relay);
}
