#include <errno.h>

#include "base/log.h"
#include "dgram/relay_steps.h"

static void fail_output(struct datagram_relay *relay)
{
    datagram_finish(relay, write_queue_error(&relay->queue, relay->out_name, &relay->error));
}

static void note_answer(struct datagram_relay *relay, const struct sockname *from)
{
    if (sockname_is_same(&relay->answered, from))
        return;
    relay->answered = *from;
    if (relay->heard)
        relay->heard(relay, from);
}

/* Whether a datagram from there is to be taken; notes who speaks. */
static bool is_peer(struct datagram_relay *relay, struct datagram_socket *socket,
                    const struct sock_message *message)
{
    const struct sockname *from = &message->peer;
    if (relay->policy.peer == DATAGRAM_GROUP)
        note_answer(relay, from);
    if (relay->policy.peer == DATAGRAM_CONNECTED || relay->policy.peer == DATAGRAM_GROUP)
        return true;
    bool known = relay->has_peer && sockname_is_same(&relay->heard_last.peer, from);
    if (!known && relay->policy.peer == DATAGRAM_FIRST && datagram_has_peer(relay))
        return false;
    relay->speaking = (size_t)(socket - relay->sockets);
    relay->heard_last = *message;
    loop_timer_cancel(relay->loop, &relay->first);
    if (known)
        return true;
    /* A UNIX socket that was never bound has no name: nothing can be sent there. */
    relay->has_peer = from->length > sizeof(sa_family_t);
    if (relay->heard)
        relay->heard(relay, from);
    return true;
}

/* The end of a seqpacket connection. What the input says within the next while is still sent. */
static void end_peer(struct datagram_relay *relay)
{
    int64_t silence_ms = relay->in.kind == FD_TERMINAL ? 0 : relay->policy.silence_ms;
    relay->peer_ended = true;
    if (relay->in.kind != FD_FILE && silence_ms >= 0 && !relay->in_ended)
        loop_timer_set(relay->loop, &relay->quit, silence_ms);
}

static bool has_enough(const struct datagram_relay *relay)
{
    return relay->policy.most_received && relay->received_count >= relay->policy.most_received;
}

/* One datagram. What is gathered is where it has to be. -1: the filter or the output failed. */
static int hand_on(struct datagram_relay *relay, char *bytes, size_t received)
{
    ssize_t length = (ssize_t)received;
    relay->received_count++;
    relay->bytes_in += received;
    if (relay->gathers) {
        relay->gathered += received;
        return 0;
    }
    if (relay->down_filter)
        length = relay->down_filter->pass(relay->down_filter, &bytes, received);
    return length < 0 ? -1 : write_queue_put(&relay->queue, bytes, (size_t)length);
}

/* The datagrams of one sender that came together, each of `segment` bytes, the last of what is
 * left; an empty one came alone. */
static int hand_on_all(struct datagram_relay *relay, char *bytes, size_t length, size_t segment)
{
    do {
        size_t part = length < segment ? length : segment;
        if (hand_on(relay, bytes, part) < 0)
            return -1;
        bytes += part;
        length -= part;
    } while (length && !has_enough(relay));
    return 0;
}

static size_t check_length(const struct datagram_relay *relay, size_t length)
{
    if (length <= DATAGRAM_MAX)
        return length;
    log_warning("warning: a datagram from %s was cut to %d bytes", relay->peer_name, DATAGRAM_MAX);
    return DATAGRAM_MAX;
}

enum received { RECEIVED, NOTHING, FAILED, FAILED_OUTPUT };

static enum received receive(struct datagram_relay *relay, struct datagram_socket *socket)
{
    struct sock_message message;
    char *bytes = relay->received + (relay->gathers ? relay->gathered : DATAGRAM_MAX + 1);
    ssize_t got = sock_recv_message(socket->watch.fd, bytes, DATAGRAM_MAX + 1, &message,
                                    &relay->policy.senders);
    if (got < 0)
        return errno == EAGAIN ? NOTHING : FAILED;
    if (got == 0 && relay->policy.has_end) {
        end_peer(relay);
        return NOTHING;
    }
    if (!is_peer(relay, socket, &message))
        return RECEIVED;
    size_t length = check_length(relay, (size_t)got);
    size_t segment = message.segment ? message.segment : length;
    return hand_on_all(relay, bytes, length, segment) < 0 ? FAILED_OUTPUT : RECEIVED;
}

/* What comes now, as far as there is room for it. */
static enum received receive_some(struct datagram_relay *relay, struct datagram_socket *socket)
{
    enum received last = RECEIVED;
    for (int i = 0; i < DATAGRAM_BURST && last == RECEIVED; i++) {
        if (has_enough(relay) || relay->gathered > DATAGRAM_MAX + 1 ||
            write_queue_has_pending(&relay->queue) || datagram_is_held(relay->down_filter))
            break;
        last = receive(relay, socket);
    }
    return last;
}

static int write_gathered(struct datagram_relay *relay)
{
    size_t length = relay->gathered;
    relay->gathered = 0;
    return length ? write_queue_put(&relay->queue, relay->received, length) : 0;
}

static void note_received(struct datagram_relay *relay)
{
    datagram_note_move(relay);
    if (loop_timer_is_set(&relay->quit) && !relay->peer_ended)
        loop_timer_set(relay->loop, &relay->quit, relay->policy.quit_after_ms);
}

bool datagram_is_over(const struct datagram_relay *relay)
{
    bool ended = relay->peer_ended && relay->in_ended;
    return (ended || has_enough(relay)) && !write_queue_has_pending(&relay->queue);
}

void datagram_receive(struct datagram_socket *socket)
{
    struct datagram_relay *relay = socket->relay;
    int64_t before = relay->received_count;
    enum received last = receive_some(relay, socket);
    int failure = errno;
    if (last == FAILED_OUTPUT || write_gathered(relay) < 0) {
        fail_output(relay);
        return;
    }
    if (relay->received_count != before)
        note_received(relay);
    errno = failure;
    if (last == FAILED)
        datagram_fail(relay, "read from");
    else if (datagram_is_over(relay))
        datagram_finish(relay, 0);
    else
        datagram_await(relay);
}

static void output_drained(struct write_queue *queue)
{
    struct datagram_relay *relay = LOOP_OWNER(queue, struct datagram_relay, queue);
    if (queue->failure)
        fail_output(relay);
    else if (datagram_is_over(relay))
        datagram_finish(relay, 0);
    else
        datagram_await(relay);
}

void datagram_open_output(struct datagram_relay *relay)
{
    relay->gathers = !relay->down_filter && !fd_keeps_messages(relay->out);
    write_queue_init(&relay->queue, relay->loop, relay->out, output_drained);
    write_queue_watch_hangup(&relay->queue);
}
