/*
 * See message_sender.h. Messages are taken from the source while the socket takes them; with --reply one is sent when the
 * reply to the one before has come. When all are sent the server is told (shut), and read until it ends. A server that
 * closes with messages unread has refused them: how many it has read is looked at now and then.
 */
#include "cmd/unix/message_sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "cmd/unix/message_output.h"
#include "cmd/unix/message_source.h"
#include "cmd/unix/messages.h"
#include "stream/batch.h"
#include "stream/write_queue.h"
#include "sys/loop.h"
#include "sys/sock.h"

enum {
    READ_BYTES = 65536,
    UNREAD_LOOK_MS = 20, /* at most, between two looks at what the server has not read */
    SILENCE_MS = 500     /* of stdin, before a server that has closed is the end */
};

struct sender {
    const struct sending *sending;
    struct loop *loop;
    struct error *err;
    struct watch watch; /* the socket's */
    struct write_queue out;
    struct batch frames;
    struct message_source source;
    struct watch source_watch;
    bool source_waits;
    struct frame_reader replies;
    struct message_output output;
    bool reply_due;      /* to the message sent last */
    bool shut;           /* all is sent; the server has been told */
    bool server_ended;   /* it sends no more */
    bool server_gone;    /* it has closed, and had read all that was sent */
    struct timer unread; /* until the next look */
    int64_t unread_ms;
    int unread_seen;
    struct timer silence; /* of stdin, when the server has gone */
    struct timer idle;
    int64_t moved_ms;
    uint64_t bytes_in;
    uint64_t bytes_out;
    char buffer[READ_BYTES];
};

static int fail_to_send(struct sender *sender, int failure)
{
    if (failure != EPIPE && failure != ECONNRESET)
        return error_system(sender->err, STATUS_TRANSFER, failure, "send to %s",
                            sender->sending->log->peer);
    return error_set(sender->err, STATUS_TRANSFER,
                     "send to %s: the server went away before it had read everything (%s)",
                     sender->sending->log->peer, strerror(failure));
}

/* What a callback of the loop comes to. */
static void settle(struct sender *sender, int result)
{
    if (result)
        loop_stop(sender->loop, -1);
}

static int finish(struct sender *sender)
{
    loop_stop(sender->loop, 0);
    return 0;
}

/* What is awaited */

static bool may_send(const struct sender *sender)
{
    return !sender->reply_due && !sender->out.failure && !write_queue_has_pending(&sender->out) &&
           !message_output_waiting(&sender->output);
}

/* What comes unasked is thrown away; between two replies it waits. */
static bool may_read(const struct sender *sender)
{
    bool wanted = !sender->sending->reply || sender->reply_due || sender->shut;
    return wanted && !sender->server_ended && !message_output_waiting(&sender->output);
}

/* Once both have said that they send no more, the kernel calls that a hang-up, though the server
 * may not have read everything. */
static void await(struct sender *sender)
{
    uint32_t in = may_read(sender) ? EPOLLIN : 0U;
    uint32_t out = write_queue_has_pending(&sender->out) ? EPOLLOUT : 0U;
    bool hung_up = sender->server_gone || (sender->server_ended && sender->shut);
    if (hung_up || message_output_waiting(&sender->output))
        loop_unwatch(sender->loop, &sender->watch);
    else
        loop_watch(sender->loop, &sender->watch, in | out);
    if (sender->source_waits && may_send(sender))
        loop_watch(sender->loop, &sender->source_watch, EPOLLIN);
    else
        loop_unwatch(sender->loop, &sender->source_watch);
}

/* The end */

/* Status 0 says that the server has read everything: it may be busy with others, and only then come
 * to us. The kernel tells nobody when that happens. */
static int look_at_unread(struct sender *sender)
{
    int unread = sock_unread(sender->watch.fd);
    if (unread == 0 || (unread < 0 && sender->server_ended)) {
        int failure = sock_error(sender->watch.fd);
        return failure ? fail_to_send(sender, failure) : finish(sender);
    }
    if (unread != sender->unread_seen)
        sender->moved_ms = loop_now_ms();
    sender->unread_seen = unread;
    sender->unread_ms = 2 * sender->unread_ms < UNREAD_LOOK_MS ? 2 * sender->unread_ms
                                                               : UNREAD_LOOK_MS;
    loop_timer_set(sender->loop, &sender->unread, sender->unread_ms);
    return 0;
}

static void unread_due(struct timer *timer)
{
    struct sender *sender = LOOP_OWNER(timer, struct sender, unread);
    settle(sender, look_at_unread(sender));
}

static int end_sending(struct sender *sender)
{
    if (sender->shut)
        return 0;
    sender->shut = true;
    sock_shutdown(sender->watch.fd, SHUT_WR);
    return look_at_unread(sender);
}

/* From the source to the server */

static int send_message(struct sender *sender, const struct frame *message)
{
    struct frame_ends ends;
    if (message_wrap(&ends, sender->sending->framing, message, sender->err))
        return -1;
    sender->out.passed = sender->sending->passed;
    batch_put(&sender->frames, ends.head, ends.head_length);
    batch_put(&sender->frames, message->message, message->length);
    batch_put(&sender->frames, ends.tail, ends.tail_length);
    sender->bytes_out += ends.head_length + message->length + ends.tail_length;
    sender->reply_due = sender->sending->reply;
    return 0;
}

/* As many as the socket takes; with --reply, one. */
static int send_messages(struct sender *sender)
{
    const uint64_t before = sender->bytes_out;
    enum source_step step = SOURCE_MESSAGE;
    while (step == SOURCE_MESSAGE && may_send(sender)) {
        struct frame message;
        step = message_source_next(&sender->source, &message, sender->err);
        if (step == SOURCE_MESSAGE && send_message(sender, &message))
            return -1;
        if (sender->sending->passed >= 0)
            batch_flush(&sender->frames);
    }
    batch_flush(&sender->frames);
    if (sender->bytes_out != before)
        sender->moved_ms = loop_now_ms();
    if (sender->out.failure)
        return fail_to_send(sender, sender->out.failure);
    sender->source_waits = step == SOURCE_WAIT;
    if (step == SOURCE_END && !write_queue_has_pending(&sender->out))
        return end_sending(sender);
    return step == SOURCE_FAILED ? -1 : 0;
}

/* From the server to stdout */

static enum frame_step take_reply(struct sender *sender)
{
    struct frame reply;
    if (!sender->reply_due)
        return FRAME_MORE;
    enum frame_step step = frame_reader_next(&sender->replies, &reply);
    if (step == FRAME_MESSAGE) {
        sender->reply_due = false;
        message_output_print(&sender->output, &reply);
        message_output_flush(&sender->output);
    } else if (step == FRAME_MALFORMED) {
        error_set(sender->err, STATUS_MALFORMED, "reply from %s: malformed frame: %s",
                  sender->sending->log->peer, sender->replies.wrong);
    }
    return step;
}

/* Sends and takes replies as far as it goes now. */
static int proceed(struct sender *sender)
{
    enum frame_step step;
    do {
        if (send_messages(sender))
            return -1;
        step = take_reply(sender);
        if (message_output_check(&sender->output, sender->err))
            return -1;
    } while (step == FRAME_MESSAGE);
    if (step == FRAME_MALFORMED)
        return -1;
    frame_reader_keep(&sender->replies);
    await(sender);
    return 0;
}

static void source_ready(struct watch *watch, uint32_t events)
{
    struct sender *sender = LOOP_OWNER(watch, struct sender, source_watch);
    (void)events;
    settle(sender, message_source_read(&sender->source, sender->err) || proceed(sender));
}

static void output_drained(struct message_output *output)
{
    struct sender *sender = LOOP_OWNER(output, struct sender, output);
    settle(sender, message_output_check(output, sender->err) || proceed(sender));
}

static void out_drained(struct write_queue *queue)
{
    struct sender *sender = LOOP_OWNER(queue, struct sender, out);
    sender->moved_ms = loop_now_ms();
    settle(sender, proceed(sender));
}

/* The server's end */

/* It sends no more. It may read on: only a hang-up says that it has closed. */
static int end_server(struct sender *sender)
{
    size_t rest = frame_reader_rest(&sender->replies).length;
    sender->server_ended = true;
    if (sender->reply_due && rest)
        return error_set(sender->err, STATUS_MALFORMED,
                         "reply from %s: frame cut short after %zu bytes",
                         sender->sending->log->peer, rest);
    if (sender->reply_due)
        return error_set(sender->err, STATUS_TRANSFER,
                         "reply from %s: the connection was closed before it came",
                         sender->sending->log->peer);
    await(sender);
    return sender->shut ? look_at_unread(sender) : 0;
}

static void silence_over(struct timer *timer)
{
    finish(LOOP_OWNER(timer, struct sender, silence));
}

/* It has closed, as after a quit. If it has read all and stdin has nothing more to say, that is a
 * good end. */
static int lose_server(struct sender *sender)
{
    int failure = sock_error(sender->watch.fd);
    if (failure)
        return fail_to_send(sender, failure);
    if (sender->shut)
        return look_at_unread(sender);
    sender->server_gone = true;
    await(sender);
    loop_timer_set(sender->loop, &sender->silence,
                   sender->source.in.kind == FD_TERMINAL ? 0 : SILENCE_MS);
    return 0;
}

static int read_server(struct sender *sender)
{
    ssize_t got = sock_recv(sender->watch.fd, sender->buffer, sizeof sender->buffer);
    if (got < 0)
        return errno == EAGAIN ? 0 : fail_to_send(sender, errno);
    if (got == 0)
        return end_server(sender);
    sender->moved_ms = loop_now_ms();
    sender->bytes_in += (uint64_t)got;
    if (!sender->reply_due)
        return 0;
    frame_reader_feed(&sender->replies, sender->buffer, (size_t)got);
    return proceed(sender);
}

static void server_ready(struct watch *watch, uint32_t events)
{
    struct sender *sender = LOOP_OWNER(watch, struct sender, watch);
    if (write_queue_has_pending(&sender->out) && events & ~(uint32_t)EPOLLIN)
        write_queue_flush(&sender->out);
    else if (may_read(sender))
        settle(sender, read_server(sender));
    else
        settle(sender, lose_server(sender));
}

static void idle_over(struct timer *timer)
{
    struct sender *sender = LOOP_OWNER(timer, struct sender, idle);
    int64_t left_ms = sender->moved_ms + sender->sending->idle_ms - loop_now_ms();
    char limit[UNITS_DURATION_MAX];
    if (left_ms > 0) {
        loop_timer_set(sender->loop, timer, left_ms);
        return;
    }
    units_show_duration(limit, sender->sending->idle_ms);
    settle(sender, error_set(sender->err, STATUS_TIMEOUT, "%s: nothing moved for %s",
                             sender->sending->log->peer, limit));
}

static void prepare(struct sender *sender)
{
    const struct sending *sending = sender->sending;
    int fd = sending->connection->fd;
    sender->watch = (struct watch){.fd = fd, .ready = server_ready};
    write_queue_init(&sender->out, NULL,
                     sending->connection->inherited ? fd_of(fd) : fd_of_socket(fd), out_drained);
    sender->frames.queue = &sender->out;
    message_source_init(&sender->source, sending->messages, sending->by_nul);
    sender->source_watch = (struct watch){.fd = sender->source.in.fd, .ready = source_ready};
    frame_reader_init(&sender->replies, sending->framing, sending->max_reply);
    sender->output.end = '\n';
    sender->output.drained = output_drained;
    message_output_start(&sender->output, sender->loop);
    sender->unread = (struct timer){.fired = unread_due};
    sender->unread_ms = 1;
    sender->silence = (struct timer){.fired = silence_over};
    sender->idle = (struct timer){.fired = idle_over};
    sender->moved_ms = loop_now_ms();
    if (sending->idle_ms >= 0)
        loop_timer_set(sender->loop, &sender->idle, sending->idle_ms);
}

static void release(struct sender *sender)
{
    loop_unwatch(sender->loop, &sender->watch);
    loop_unwatch(sender->loop, &sender->source_watch);
    loop_timer_cancel(sender->loop, &sender->unread);
    loop_timer_cancel(sender->loop, &sender->silence);
    loop_timer_cancel(sender->loop, &sender->idle);
    frame_reader_release(&sender->replies);
    message_source_release(&sender->source);
    write_queue_release(&sender->out);
    message_output_release(&sender->output);
    free(sender);
}

int message_sender_run(const struct sending *sending, struct loop *loop, struct error *err)
{
    struct sender *sender = memory_new(1, sizeof *sender);
    sender->sending = sending;
    sender->loop = loop;
    sender->err = err;
    prepare(sender);
    int result = proceed(sender);
    if (!result)
        result = loop_run(loop);
    if (!result)
        result = message_output_close(&sender->output, err);
    connection_log_close(sending->log, (struct report_end){.in = sender->bytes_in,
                                                           .out = sender->bytes_out,
                                                           .how = connection_log_how(result, err)});
    release(sender);
    return result;
}
