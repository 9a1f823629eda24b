/*
 * sockctl unix-send: sends messages to a UNIX socket, and makes sure that they were read.
 *
 * Messages are taken from the source (the command line, or stdin) while the socket takes them; with --reply the next
 * one is sent when the reply to the one before has come (sender_proceed). When all are sent the server is told
 * (`shut`), and read until it ends. A server that closes with messages unread has refused them: how many it has read
 * is looked at now and then (sender_check_unread).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/report.h"
#include "cmd/common/connect_retry.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/limit.h"
#include "cmd/common/options.h"
#include "cmd/unix/messages.h"
#include "command.h"
#include "sys/idle_limit.h"
#include "sys/sandbox.h"
#include "sys/sock.h"

enum {
    READ_BYTES = 65536,
    UNREAD_LOOK_MS = 20, /* at most, between two looks at what the server has not read */
    SILENCE_MS = 500     /* of stdin, before a server that has closed is the end */
};

struct send_options {
    struct message_options messages;
    struct limit_options limits;
    struct connect_retry_options retry; /* its wait_ms alone */
    bool null;
    bool reply;
    int passed;
};

static const struct opt options[] = {
    MESSAGE_ROWS(struct send_options, messages),
    OPT('0', "null", flag, struct send_options, null, "NUL ends a message on stdin, not newline"),
    OPT(0, "reply", flag, struct send_options, reply,
        "wait for a message in answer to each, and print it"),
    OPT(0, "fd", descriptor, struct send_options, passed, "pass descriptor FD with each message"),
    LIMIT_ROWS(struct send_options, limits, OPT_ALL, "limit for connecting"),
    CONNECT_WAIT_ROW(struct send_options, retry),
    EXPLAIN_ROW(struct send_options, messages.explain),
    LOG_ROWS(struct send_options, messages.log_json),
    OPT_END,
};

static const struct send_options defaults = {.messages = MESSAGE_DEFAULTS,
                                             .limits = LIMIT_DEFAULTS,
                                             .retry = CONNECT_RETRY_DEFAULTS,
                                             .passed = -1};

/* The messages that are to be sent: the words of the command line, or else what comes on stdin, cut at newlines or
 * NULs. */
struct message_source {
    const char *const *words; /* the next one; NULL: stdin is read */
    struct fd in;
    struct fd reopened; /* the same, to be read: see fd_reopened */
    struct watch watch; /* of `in` */
    bool waits;         /* for stdin */
    bool ended;         /* no more comes from stdin */
    struct frame_reader reader;
    char *buffer; /* the source's own */
};

struct sender {
    const struct send_options *given;
    struct connection_log log;
    struct loop *loop;
    struct error *err;
    struct watch watch; /* the socket's */
    struct write_queue out;
    struct write_cork cork; /* of messages that leave together */
    struct message_source source;
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
    struct idle_limit idle;
    uint64_t bytes_in;
    uint64_t bytes_out;
    char buffer[READ_BYTES];
};

/* The source */

/* Takes the next message. FRAME_MESSAGE: it is *message, until the next call. FRAME_MORE: there is none, for now where
 * `waits` says so, or at all. FRAME_MALFORMED: *err says why. */
static enum frame_step source_next(struct message_source *source, struct frame *message,
                                   struct error *err)
{
    source->waits = false;
    if (source->words) {
        const char *word = *source->words;
        if (!word)
            return FRAME_MORE;
        *message = (struct frame){word, strlen(word)};
        source->words++;
        return FRAME_MESSAGE;
    }
    enum frame_step step = frame_reader_next(&source->reader, message);
    if (step == FRAME_MALFORMED)
        error_set(err, STATUS_USAGE, "stdin: %s", source->reader.wrong);
    source->waits = step == FRAME_MORE && !source->ended;
    return step;
}

/* What is awaited */

static bool sender_may_send(const struct sender *sender)
{
    return !sender->reply_due && !sender->out.failure && !write_queue_has_pending(&sender->out) &&
           !write_queue_has_pending(&sender->output.queue);
}

/* Tells whether the server is read. What comes unasked is thrown away; between two replies it waits. */
static bool sender_may_read(const struct sender *sender)
{
    bool wanted = !sender->given->reply || sender->reply_due || sender->shut;
    return wanted && !sender->server_ended && !write_queue_has_pending(&sender->output.queue);
}

/* Sets the watches. Once both have said that they send no more, the kernel calls that a hang-up, though the server may
 * not have read everything: then the socket is not watched. */
static void sender_await(struct sender *sender)
{
    uint32_t in = sender_may_read(sender) ? EPOLLIN : 0U;
    uint32_t out = write_queue_has_pending(&sender->out) ? EPOLLOUT : 0U;
    bool hung_up = sender->server_gone || (sender->server_ended && sender->shut);
    if (hung_up || write_queue_has_pending(&sender->output.queue))
        loop_unwatch(sender->loop, &sender->watch);
    else
        loop_watch(sender->loop, &sender->watch, in | out);
    if (sender->source.waits && sender_may_send(sender))
        loop_watch(sender->loop, &sender->source.watch, EPOLLIN);
    else
        loop_unwatch(sender->loop, &sender->source.watch);
}

/* Ends */

/* Ends the loop where a callback of its has come to -1. */
static void sender_stop_if_failed(struct sender *sender, int result)
{
    if (result)
        loop_stop(sender->loop, -1);
}

static int sender_fail(struct sender *sender, int failure)
{
    if (failure != EPIPE && failure != ECONNRESET)
        return error_system(sender->err, STATUS_TRANSFER, failure, "send to %s", sender->log.peer);
    return error_set(sender->err, STATUS_TRANSFER,
                     "send to %s: the server went away before it had read everything (%s)",
                     sender->log.peer, strerror(failure));
}

/* Looks whether the server has read everything, which is the end with status 0: it may be busy with others, and only
 * then come to us. The kernel tells nobody when that happens, so this looks again and again. */
static int sender_check_unread(struct sender *sender)
{
    int unread = sock_unread(sender->watch.fd);
    if (unread == 0 || (unread < 0 && sender->server_ended)) {
        int failure = sock_error(sender->watch.fd);
        if (failure)
            return sender_fail(sender, failure);
        loop_stop(sender->loop, 0);
        return 0;
    }
    if (unread != sender->unread_seen)
        idle_limit_moved(&sender->idle);
    sender->unread_seen = unread;
    sender->unread_ms = 2 * sender->unread_ms < UNREAD_LOOK_MS ? 2 * sender->unread_ms
                                                               : UNREAD_LOOK_MS;
    loop_timer_set(sender->loop, &sender->unread, sender->unread_ms);
    return 0;
}

static void sender_unread_due(struct timer *timer)
{
    struct sender *sender = LOOP_OWNER(timer, struct sender, unread);
    sender_stop_if_failed(sender, sender_check_unread(sender));
}

static void sender_silence_over(struct timer *timer)
{
    loop_stop(LOOP_OWNER(timer, struct sender, silence)->loop, 0);
}

static void sender_idle_over(struct idle_limit *idle)
{
    struct sender *sender = LOOP_OWNER(idle, struct sender, idle);
    char limit[UNITS_DURATION_MAX];
    units_show_duration(limit, idle->limit_ms);
    error_set(sender->err, STATUS_TIMEOUT, "%s: nothing moved for %s", sender->log.peer, limit);
    loop_stop(sender->loop, -1);
}

/* Messages there, and replies back */

/* Sends as many messages as the socket takes; with --reply, one. */
static int sender_send(struct sender *sender)
{
    const uint64_t before = sender->bytes_out;
    enum frame_step step = FRAME_MESSAGE;
    while (step == FRAME_MESSAGE && sender_may_send(sender)) {
        struct frame message;
        struct frame_ends ends;
        step = source_next(&sender->source, &message, sender->err);
        if (step == FRAME_MESSAGE) {
            if (message_wrap(&ends, sender->replies.framing, &message, sender->err))
                return -1;
            sender->out.passed = sender->given->passed;
            write_queue_cork(&sender->out, &sender->cork);
            write_queue_put(&sender->out, ends.head, ends.head_length);
            write_queue_put(&sender->out, message.message, message.length);
            write_queue_put(&sender->out, ends.tail, ends.tail_length);
            sender->bytes_out += ends.head_length + message.length + ends.tail_length;
            sender->reply_due = sender->given->reply;
        }
        if (sender->given->passed >= 0)
            write_queue_uncork(&sender->out);
    }
    write_queue_uncork(&sender->out);
    if (sender->bytes_out != before)
        idle_limit_moved(&sender->idle);
    if (sender->out.failure)
        return sender_fail(sender, sender->out.failure);
    if (step != FRAME_MORE)
        sender->source.waits = false;
    bool ended = step == FRAME_MORE && !sender->source.waits;
    if (ended && !write_queue_has_pending(&sender->out) && !sender->shut) {
        sender->shut = true;
        sock_shutdown(sender->watch.fd, SHUT_WR);
        return sender_check_unread(sender);
    }
    return step == FRAME_MALFORMED ? -1 : 0;
}

/* Sends messages and takes replies as far as that goes now. */
static int sender_proceed(struct sender *sender)
{
    enum frame_step step;
    do {
        struct frame reply;
        if (sender_send(sender))
            return -1;
        step = sender->reply_due ? frame_reader_next(&sender->replies, &reply) : FRAME_MORE;
        if (step == FRAME_MESSAGE) {
            sender->reply_due = false;
            message_output_print(&sender->output, &reply);
            write_queue_uncork(&sender->output.queue);
        }
        if (step == FRAME_MALFORMED)
            error_set(sender->err, STATUS_MALFORMED, "reply from %s: malformed frame: %s",
                      sender->log.peer, sender->replies.wrong);
        if (message_output_check(&sender->output, sender->err))
            return -1;
    } while (step == FRAME_MESSAGE);
    if (step == FRAME_MALFORMED)
        return -1;
    frame_reader_keep(&sender->replies);
    sender_await(sender);
    return 0;
}

static void sender_source_ready(struct watch *watch, uint32_t events)
{
    struct sender *sender = LOOP_OWNER(watch, struct sender, source.watch);
    struct message_source *source = &sender->source;
    ssize_t got = fd_read(source->reopened, source->buffer, READ_BYTES);
    (void)events;
    if (got < 0 && errno != EAGAIN) {
        error_system(sender->err, STATUS_LOCAL_IO, errno, "read from stdin");
        loop_stop(sender->loop, -1);
        return;
    }
    if (got > 0)
        frame_reader_feed(&source->reader, source->buffer, (size_t)got);
    if (got == 0) {
        /* What is left at the end counts as a message, though nothing ends it. */
        struct frame_ends ends;
        source->ended = true;
        frame_wrap(&ends, source->reader.framing, "", 0);
        if (frame_reader_rest(&source->reader).length)
            frame_reader_feed(&source->reader, ends.tail, ends.tail_length);
    }
    sender_stop_if_failed(sender, sender_proceed(sender));
}

static void sender_output_drained(struct write_queue *queue)
{
    struct sender *sender = LOOP_OWNER(queue, struct sender, output.queue);
    sender_stop_if_failed(sender, message_output_check(&sender->output, sender->err) ||
                                      sender_proceed(sender));
}

static void sender_out_drained(struct write_queue *queue)
{
    struct sender *sender = LOOP_OWNER(queue, struct sender, out);
    idle_limit_moved(&sender->idle);
    sender_stop_if_failed(sender, sender_proceed(sender));
}

/* The server */

static int sender_read_server(struct sender *sender)
{
    ssize_t got = sock_recv(sender->watch.fd, sender->buffer, sizeof sender->buffer);
    if (got < 0)
        return errno == EAGAIN ? 0 : sender_fail(sender, errno);
    if (got > 0) {
        idle_limit_moved(&sender->idle);
        sender->bytes_in += (uint64_t)got;
        if (!sender->reply_due)
            return 0;
        frame_reader_feed(&sender->replies, sender->buffer, (size_t)got);
        return sender_proceed(sender);
    }
    /* It sends no more. It may read on: only a hang-up says that it has closed. */
    size_t rest = frame_reader_rest(&sender->replies).length;
    sender->server_ended = true;
    if (sender->reply_due && rest)
        return error_set(sender->err, STATUS_MALFORMED,
                         "reply from %s: frame cut short after %zu %s", sender->log.peer, rest,
                         units_bytes(rest));
    if (sender->reply_due)
        return error_set(sender->err, STATUS_TRANSFER,
                         "reply from %s: the connection was closed before it came",
                         sender->log.peer);
    sender_await(sender);
    return sender->shut ? sender_check_unread(sender) : 0;
}

/* Goes on after a server that has closed, as after a quit: if it has read all and stdin has nothing more to say, that
 * is a good end. */
static int sender_lose_server(struct sender *sender)
{
    int failure = sock_error(sender->watch.fd);
    if (failure)
        return sender_fail(sender, failure);
    if (sender->shut)
        return sender_check_unread(sender);
    sender->server_gone = true;
    sender_await(sender);
    loop_timer_set(sender->loop, &sender->silence,
                   sender->source.in.kind == FD_TERMINAL ? 0 : SILENCE_MS);
    return 0;
}

static void sender_server_ready(struct watch *watch, uint32_t events)
{
    struct sender *sender = LOOP_OWNER(watch, struct sender, watch);
    if (write_queue_has_pending(&sender->out) && events & ~(uint32_t)EPOLLIN)
        write_queue_flush(&sender->out);
    else
        sender_stop_if_failed(sender, sender_may_read(sender) ? sender_read_server(sender)
                                                              : sender_lose_server(sender));
}

/* The command */

static void sender_start(struct sender *sender, const struct connection *connection,
                         const char *const *messages)
{
    const struct send_options *given = sender->given;
    struct message_source *source = &sender->source;
    int fd = connection->fd;
    sender->watch = (struct watch){.fd = fd, .ready = sender_server_ready};
    write_queue_init(&sender->out, NULL, connection->inherited ? fd_of(fd) : fd_of_socket(fd),
                     sender_out_drained);
    frame_reader_init(&source->reader, given->null ? &framing_nul : &framing_line,
                      FRAME_MESSAGE_MAX);
    if (*messages) {
        source->words = messages;
    } else {
        source->in = fd_of(STDIN_FILENO);
        source->reopened = fd_reopened(source->in);
        source->buffer = memory_grow(NULL, READ_BYTES, 1);
    }
    source->watch = (struct watch){.fd = source->in.fd, .ready = sender_source_ready};
    frame_reader_init(&sender->replies, message_framing(&given->messages),
                      message_limit(&given->messages));
    message_output_init(&sender->output, sender->loop, '\n', sender_output_drained);
    sender->unread.fired = sender_unread_due;
    sender->unread_ms = 1;
    sender->silence.fired = sender_silence_over;
    idle_limit_start(&sender->idle, sender->loop, given->limits.idle_ms, sender_idle_over);
}

static void sender_free(struct sender *sender)
{
    struct message_source *source = &sender->source;
    loop_unwatch(sender->loop, &sender->watch);
    loop_unwatch(sender->loop, &source->watch);
    loop_timer_cancel(sender->loop, &sender->unread);
    loop_timer_cancel(sender->loop, &sender->silence);
    idle_limit_stop(&sender->idle);
    frame_reader_release(&sender->replies);
    frame_reader_release(&source->reader);
    free(source->buffer);
    if (source->reopened.fd != source->in.fd)
        close(source->reopened.fd);
    write_queue_release(&sender->out);
    write_queue_release(&sender->output.queue);
    free(sender);
}

/* Runs the loop. Status 1 when the server goes away before it has read everything; 7 for a reply that is malformed or
 * cut. When somebody else stops the loop with -1, *err is left as it was. */
static int send_messages(const struct send_options *given, const struct connection *connection,
                         const struct operands *operands, struct loop *loop, struct error *err)
{
    char local[SOCKNAME_TEXT_MAX];
    struct sender *sender = memory_new(1, sizeof *sender);
    sender->given = given;
    sender->loop = loop;
    sender->err = err;
    connection_log_open(&sender->log, connection->fd, &connection->peer);
    report_connected(sender->log.peer, sockname_text(&connection->local, local));
    if (connection->socktype != SOCK_STREAM) {
        error_set(err, STATUS_USAGE, "send to %s: not a stream socket", sender->log.peer);
        free(sender);
        return -1;
    }
    sender_start(sender, connection, operands->words + 1);
    if (!operands->no_sandbox) {
        struct sandbox sandbox;
        sandbox_init(&sandbox, 0);
        sandbox_enter(&sandbox);
    }
    int result = sender_proceed(sender);
    if (!result)
        result = loop_run(loop);
    if (!result)
        result = fd_finish_stdout(&sender->output.queue.fd, err);
    connection_log_close(&sender->log, (struct report_end){.in = sender->bytes_in,
                                                           .out = sender->bytes_out,
                                                           .how = connection_log_how(result, err)});
    sender_free(sender);
    return result;
}

/* Checks the messages of the command line: what no frame can hold is refused before anything is sent. */
static int check_messages(const struct send_options *given, const char *const *messages,
                          struct error *err)
{
    const struct framing *framing = message_framing(&given->messages);
    if (given->null && *messages)
        return error_set(err, STATUS_USAGE, "option --null is for messages on stdin");
    if (given->messages.max_message != defaults.messages.max_message && !given->reply)
        return error_set(err, STATUS_USAGE, "option --max-message is for --reply");
    for (; *messages; messages++) {
        const struct frame message = {*messages, strlen(*messages)};
        struct frame_ends ends;
        if (message_wrap(&ends, framing, &message, err))
            return -1;
    }
    if (given->passed < 0 || fcntl(given->passed, F_GETFD) >= 0)
        return 0;
    return error_set(err, STATUS_USAGE, "option --fd: descriptor %d is not open", given->passed);
}

/* Says what may be meant by operands whose PATH is none. */
static void add_operand_hint(const struct operands *operands, struct error *err)
{
    struct stat status;
    const char *path = operands->words[0], *second = operands->words[1];
    if (operands->count < 2 || strchr(path, '/') || access(path, F_OK) == 0)
        return;
    const char *last = operands->words[operands->count - 1];
    if (text_is_digits(second, strlen(second)))
        error_add(err, " (for a port: sockctl connect %.60s %.20s)", path, second);
    else if (stat(last, &status) == 0 && S_ISSOCK(status.st_mode))
        error_add(err, " (the PATH stands first: sockctl unix-send %.60s MESSAGE)", last);
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct send_options *given = chosen;
    const struct dial_options how = {.timeout_ms = given->limits.timeout_ms};
    struct connection connection;
    struct address address;
    const struct connect_retry whom = {.address = &address,
                                       .options = &given->retry,
                                       .dial = &how,
                                       .idle_ms = -1};
    struct limit limit;
    struct signals signals;
    if (given->messages.log_json)
        report_as_objects();
    if (message_explain(&given->messages, false, err))
        return -1;
    if (message_address(&address, operands->words[0], false, err) ||
        check_messages(given, operands->words + 1, err))
        return -1;
    struct loop *loop = loop_new();
    if (connection_log_is_wanted())
        signals_catch(&signals, loop, err);
    limit_command(&limit, loop, given->limits.max_time_ms, err);
    int result = connect_with_retry(loop, &whom, &connection, err);
    if (result)
        add_operand_hint(operands, err);
    if (!result) {
        result = send_messages(given, &connection, operands, loop, err);
        connection_close(&connection);
    }
    loop_free(loop);
    return result;
}

const struct command unix_send_command = {
    .name = "unix-send",
    .operands = "PATH [MESSAGE...]",
    .summary = "Send messages, or the lines of stdin, to a UNIX socket",
    .operand_forms = "./PATH, unix:@NAME (abstract), or fd:N (a socket that is connected already)",
    .used_most = "framing null reply fd timeout verbose",
    .examples = "sockctl unix-send /tmp/app.sock hello quit\n"
                "seq 1000 | sockctl unix-send /tmp/app.sock",
    .min_operands = 1,
    .max_operands = -1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
