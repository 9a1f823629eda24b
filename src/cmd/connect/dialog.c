/*
 * See dialog.h. The steps are taken in order: one that sends waits until what was sent before it has gone, one that
 * expects until its expression is matched by what has come since the last match. All that comes is printed.
 */
#include "cmd/connect/dialog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "cmd/common/connection_log.h"
#include "stream/write_queue.h"
#include "sys/sock.h"

enum {
    HEARD_MAX = 65536, /* bytes that an expression can look back on, and a datagram's most */
    HEARD_ROOM = 2 * HEARD_MAX,
    SHOWN_MAX = 240,        /* of a piece of the transcript */
    LAST_MAX = 64,          /* bytes that are shown where an expression was not met */
    DATAGRAM_QUIT_MS = 1000 /* without an answer to what was said last */
};

struct conversation {
    struct loop *loop;
    const struct script *script;
    const struct session *session;
    struct connection_log log;
    bool is_datagram;
    size_t at; /* the step that is under way */
    struct pattern pattern;
    bool compiled;
    struct watch watch;
    struct write_queue saying;
    struct write_queue printing;
    char *heard; /* the conversation's, HEARD_ROOM + 1 bytes: what no expression has met yet */
    size_t length;
    struct pattern_place place; /* in them */
    char last[LAST_MAX];        /* what has come, met or not, the newest last */
    uint64_t received;
    bool heard_all; /* the peer has ended */
    bool shut;      /* our sending half, before that */
    bool over;      /* once all is printed */
    struct timer idle;
    struct timer quit; /* once all is said */
    struct error *err;
};

static void stop(struct conversation *conversation, int result)
{
    loop_stop(conversation->loop, result);
}

static void fail(struct conversation *conversation, const char *what)
{
    stop(conversation, error_system(conversation->err, STATUS_TRANSFER, errno, "%s %s", what,
                                    conversation->log.peer));
}

/* The transcript, at -v. */
static void show(char direction, const char *bytes, size_t length)
{
    char text[SHOWN_MAX + 1];
    if (log_setting.verbosity < LOG_LEVEL_INFO)
        return;
    text[text_escape(text, SHOWN_MAX, bytes, length)] = '\0';
    log_note(LOG_LEVEL_INFO, "%c %s%s", direction, text, length > SHOWN_MAX ? "..." : "");
}

/* Those who want to see the bytes cannot take more now. */
static bool is_held(const struct conversation *conversation)
{
    const struct filter *tx = flow_filter(&conversation->session->filters->tx);
    const struct filter *rx = flow_filter(&conversation->session->filters->rx);
    return (tx && tx->held) || (rx && rx->held);
}

static const struct script_step *step_of(const struct conversation *conversation)
{
    return conversation->at < conversation->script->count
               ? &conversation->script->steps[conversation->at]
               : NULL;
}

static bool has_said_all(const struct conversation *conversation)
{
    return !step_of(conversation) && !write_queue_has_pending(&conversation->saying);
}

/* How long the peer may go on once all is said; -1: until it ends. */
static int64_t quit_after_ms(const struct conversation *conversation)
{
    int64_t given_ms = conversation->session->transfer->quit_after_ms;
    return given_ms < 0 && conversation->is_datagram ? DATAGRAM_QUIT_MS : given_ms;
}

static void set_quit(struct conversation *conversation)
{
    int64_t after_ms = quit_after_ms(conversation);
    if (after_ms >= 0)
        loop_timer_set(conversation->loop, &conversation->quit, after_ms);
}

static void note_move(struct conversation *conversation)
{
    int64_t idle_ms = conversation->session->limits->idle_ms;
    if (idle_ms >= 0)
        loop_timer_set(conversation->loop, &conversation->idle, idle_ms);
    if (conversation->is_datagram && loop_timer_is_set(&conversation->quit))
        set_quit(conversation);
}

static void end(struct conversation *conversation)
{
    loop_unwatch(conversation->loop, &conversation->watch);
    conversation->over = true;
    if (!write_queue_has_pending(&conversation->printing))
        stop(conversation, 0);
}

/* What an expression has met, or will not meet, is behind us. */
static void forget(struct conversation *conversation, size_t length)
{
    struct pattern_place *place = &conversation->place;
    if (length)
        place->in_line = conversation->heard[length - 1] != '\n';
    place->searched = 0;
    conversation->length -= length;
    memmove(conversation->heard, conversation->heard + length, conversation->length);
}

static void remember_last(struct conversation *conversation, const char *bytes, size_t length)
{
    char *last = conversation->last;
    size_t taken = length < LAST_MAX ? length : LAST_MAX;
    memmove(last, last + taken, LAST_MAX - taken);
    memcpy(last + LAST_MAX - taken, bytes + length - taken, taken);
}

static const char *ordinal(size_t number)
{
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    bool is_regular = number % 10 > 3 || number / 10 % 10 == 1;
    return endings[is_regular ? 0 : number % 10];
}

/* After an end that is not what was wanted: which expression was waited for, and what came instead. */
static void tell_awaited(const struct conversation *conversation, const struct script_step *step)
{
    char last[4 * LAST_MAX + 1];
    uint64_t received = conversation->received;
    size_t shown = received < LAST_MAX ? (size_t)received : LAST_MAX, number = 0;
    for (const struct script_step *at = conversation->script->steps; at <= step; at++)
        number += at->expects;
    last[text_escape(last, sizeof last - 1, conversation->last + LAST_MAX - shown, shown)] = '\0';
    error_add(conversation->err, "; still waiting for '%.200s' (%zu%s --expect); ", step->text,
              number, ordinal(number));
    if (received)
        error_add(conversation->err, "last: \"%s%s\"", received > shown ? "..." : "", last);
    else
        error_add(conversation->err, "nothing has come");
}

/* Whether the expression is met by what has come so far. */
static bool is_met(struct conversation *conversation, const struct script_step *step)
{
    if (!conversation->compiled && script_compile(step, &conversation->pattern, conversation->err))
        memory_impossible("an expression that was compiled before");
    conversation->compiled = true;
    ptrdiff_t met = pattern_find(&conversation->pattern, conversation->heard, conversation->length,
                                 &conversation->place);
    if (met < 0)
        return false;
    forget(conversation, (size_t)met);
    pattern_release(&conversation->pattern);
    conversation->compiled = false;
    log_note(LOG_LEVEL_INFO, "met: %s", step->text);
    return true;
}

static void await(struct conversation *conversation)
{
    bool hears = !conversation->heard_all && !write_queue_has_pending(&conversation->printing) &&
                 !is_held(conversation);
    uint32_t in = hears ? EPOLLIN : 0U;
    uint32_t out = write_queue_has_pending(&conversation->saying) ? EPOLLOUT : 0U;
    if (in | out)
        loop_watch(conversation->loop, &conversation->watch, in | out);
    else
        loop_unwatch(conversation->loop, &conversation->watch);
}

/* False: it has to wait for what was said before, so that each is a datagram, or it has failed. */
static bool say(struct conversation *conversation, const struct script_step *step)
{
    if (write_queue_has_pending(&conversation->saying) || is_held(conversation))
        return false;
    show('>', step->text, step->length);
    if (filters_look_tx(conversation->session->filters, step->text, step->length)) {
        stop(conversation, -1);
        return false;
    }
    if (write_queue_put(&conversation->saying, step->text, step->length) == 0)
        return true;
    errno = conversation->saying.failure;
    fail(conversation, "write to");
    return false;
}

/* Takes the steps that can be taken now. False: one of them waits, or has failed. */
static bool take_steps(struct conversation *conversation)
{
    const struct script_step *step;
    for (; (step = step_of(conversation)); conversation->at++)
        if (step->expects ? !is_met(conversation, step) : !say(conversation, step))
            return false;
    return true;
}

/* Nothing more will be said. */
static void end_saying(struct conversation *conversation)
{
    if (conversation->heard_all) {
        end(conversation);
        return;
    }
    if (!conversation->is_datagram && session_shuts(conversation->session)) {
        sock_shutdown(conversation->watch.fd, SHUT_WR);
        conversation->shut = true;
    }
    set_quit(conversation);
}

static void go_on(struct conversation *conversation)
{
    const struct script *script = conversation->script;
    bool had_said_all = has_said_all(conversation);
    if (take_steps(conversation) && script->steps[script->count - 1].expects) {
        end(conversation);
        return;
    }
    await(conversation);
    if (!had_said_all && has_said_all(conversation))
        end_saying(conversation);
}

static void end_peer(struct conversation *conversation)
{
    const struct script_step *step = step_of(conversation);
    conversation->heard_all = true;
    if (conversation->shut)
        session_log_silence(conversation->session, conversation->log.peer, conversation->received);
    if (has_said_all(conversation))
        end(conversation);
    else if (!step || !step->expects)
        await(conversation);
    else
        stop(conversation,
             error_set(conversation->err, STATUS_EXPECT, "%s has ended", conversation->log.peer));
}

static void take(struct conversation *conversation, char *bytes, size_t length)
{
    show('<', bytes, length);
    conversation->length += length;
    conversation->received += length;
    remember_last(conversation, bytes, length);
    if (filters_look_rx(conversation->session->filters, bytes, length))
        stop(conversation, -1);
    else if (write_queue_put(&conversation->printing, bytes, length) < 0)
        stop(conversation, write_queue_error(&conversation->printing, "stdout", conversation->err));
    else
        go_on(conversation);
}

static void hear(struct conversation *conversation)
{
    if (conversation->length >= HEARD_MAX)
        forget(conversation, conversation->length - HEARD_MAX / 2);
    char *bytes = conversation->heard + conversation->length;
    ssize_t got = sock_recv(conversation->watch.fd, bytes, HEARD_ROOM - conversation->length);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0) {
        fail(conversation, "read from");
        return;
    }
    if (got == 0 && !conversation->is_datagram) {
        end_peer(conversation);
        return;
    }
    note_move(conversation);
    take(conversation, bytes, (size_t)got);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct conversation *conversation = LOOP_OWNER(watch, struct conversation, watch);
    if (write_queue_has_pending(&conversation->saying) && events & ~(uint32_t)EPOLLIN)
        write_queue_flush(&conversation->saying);
    else
        hear(conversation);
}

static void said(struct write_queue *queue)
{
    struct conversation *conversation = LOOP_OWNER(queue, struct conversation, saying);
    note_move(conversation);
    if (queue->failure) {
        errno = queue->failure;
        fail(conversation, "write to");
    } else if (has_said_all(conversation)) {
        await(conversation);
        end_saying(conversation);
    } else {
        go_on(conversation);
    }
}

static void printed(struct write_queue *queue)
{
    struct conversation *conversation = LOOP_OWNER(queue, struct conversation, printing);
    if (queue->failure)
        stop(conversation, write_queue_error(queue, "stdout", conversation->err));
    else if (conversation->over)
        stop(conversation, 0);
    else
        await(conversation);
}

static void idle_too_long(struct timer *timer)
{
    struct conversation *conversation = LOOP_OWNER(timer, struct conversation, idle);
    char limit[UNITS_DURATION_MAX];
    units_show_duration(limit, conversation->session->limits->idle_ms);
    stop(conversation, error_set(conversation->err, STATUS_TIMEOUT, "%s: nothing moved for %s",
                                 conversation->log.peer, limit));
}

static void waited_enough(struct timer *timer)
{
    end(LOOP_OWNER(timer, struct conversation, quit));
}

static void released(struct filter *filter)
{
    go_on(filter->mover);
}

static void listen_to_filter(struct conversation *conversation, struct filter *filter,
                             void (*resume)(struct filter *filter))
{
    if (!filter)
        return;
    filter->mover = conversation;
    filter->resume = resume;
}

static void listen_to_filters(struct conversation *conversation,
                              void (*resume)(struct filter *filter))
{
    listen_to_filter(conversation, flow_filter(&conversation->session->filters->tx), resume);
    listen_to_filter(conversation, flow_filter(&conversation->session->filters->rx), resume);
}

static void start(struct watch *watch, uint32_t events)
{
    struct conversation *conversation = LOOP_OWNER(watch, struct conversation, watch);
    (void)events;
    watch->ready = ready;
    go_on(conversation);
}

static void tell_failure(const struct conversation *conversation)
{
    const struct script_step *step = step_of(conversation);
    int status = conversation->err->status;
    bool is_theirs = status == STATUS_TRANSFER || status == STATUS_TIMEOUT ||
                     status == STATUS_EXPECT;
    if (step && step->expects && is_theirs)
        tell_awaited(conversation, step);
}

static void release(struct conversation *conversation)
{
    listen_to_filters(conversation, NULL);
    loop_timer_cancel(conversation->loop, &conversation->idle);
    loop_timer_cancel(conversation->loop, &conversation->quit);
    loop_unwatch(conversation->loop, &conversation->watch);
    write_queue_release(&conversation->saying);
    write_queue_release(&conversation->printing);
    if (conversation->compiled)
        pattern_release(&conversation->pattern);
    free(conversation->heard);
}

int dialog_run(const struct session *session, const struct script *script,
               const struct connection *connection, struct error *err)
{
    int fd = connection->fd;
    struct conversation conversation = {.loop = session->loop,
                                        .script = script,
                                        .session = session,
                                        .log.stats = session->transfer->stats,
                                        .is_datagram = connection->socktype == SOCK_DGRAM,
                                        .watch = {.fd = fd, .ready = start},
                                        .heard = memory_grow(NULL, HEARD_ROOM + 1, 1),
                                        .idle.fired = idle_too_long,
                                        .quit.fired = waited_enough,
                                        .err = err};
    connection_log_open(&conversation.log, fd, &connection->peer);
    write_queue_init(&conversation.saying, NULL, session_socket(connection), said);
    write_queue_init(&conversation.printing, session->loop, session_output(session), printed);
    write_queue_watch_hangup(&conversation.printing);
    listen_to_filters(&conversation, released);
    note_move(&conversation);
    loop_watch(session->loop, &conversation.watch, EPOLLOUT);
    int result = loop_run(session->loop);
    if (result < 0)
        tell_failure(&conversation);
    connection_log_close(&conversation.log,
                         (struct report_end){.in = conversation.received,
                                             .out = conversation.saying.written,
                                             .how = connection_log_how(result, err)});
    release(&conversation);
    return result;
}
