/*
 * See dialog.h. The steps are taken in order (dialog_go_on): one that sends waits until what was sent before it has gone,
 * one that expects until its expression is matched by what has come since the last match. All that comes is printed. While
 * stdout, or a file of --output or --hex-dump, cannot take more, nothing is read.
 */
#include "cmd/connect/dialog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/pattern.h"
#include "base/text.h"
#include "base/units.h"
#include "cmd/common/connection_log.h"
#include "proto/telnet.h"
#include "stream/write_queue.h"
#include "sys/sock.h"

enum {
    RX_MAX = 65536, /* bytes that an expression can look back on, and the longest datagram */
    RX_ROOM = 2 * RX_MAX,
    SHOWN_MAX = 240,        /* of a piece of the transcript */
    LAST_MAX = 64,          /* bytes that are shown where an expression was not matched */
    DATAGRAM_QUIT_MS = 1000 /* without an answer to what was sent last */
};

/* Options */

static const char *script_add(struct script *script, struct script_step step)
{
    if (script->count == SCRIPT_MAX)
        return "is one step too many (64 at most)";
    script->steps[script->count++] = step;
    return NULL;
}

static const char *script_read_send(char *text, void *field)
{
    struct script_step step = {.text = text};
    const char *wrong = text_unescape(text, &step.length);
    return wrong ? wrong : script_add(field, step);
}

static const char *script_read_expect(char *text, void *field)
{
    return script_add(field, (struct script_step){true, text, strlen(text)});
}

const struct opt_type opt_send = {.metavar = "TEXT", .read = script_read_send};
const struct opt_type opt_expect = {.metavar = "REGEX", .read = script_read_expect};

static int script_compile(const struct script_step *step, struct pattern *pattern,
                          struct error *err)
{
    char why[PATTERN_WHY_MAX];
    if (pattern_compile(pattern, step->text, why))
        return 0;
    return error_set(
        err, STATUS_USAGE,
        "option --expect: '%.100s': %s (POSIX extended, as grep -E has it; any text is "
        ".*)",
        step->text, why);
}

/* Refuses what other programs have in their expressions, and POSIX has not: it would match something else. */
static int script_check_syntax(const char *text, struct error *err)
{
    const char *last = strrchr(text, '/');
    for (const char *at = strchr(text, '\\'); at; at = strchr(at + 2, '\\')) {
        if (at[1] == 'd' || at[1] == 'D')
            return error_set(err, STATUS_USAGE,
                             "option --expect: '%.100s' has \\%c, which POSIX has not: a digit is "
                             "[0-9], anything else [^0-9]",
                             text, at[1]);
        if (!at[1])
            break;
    }
    if (*text == '/' && last > text + 1 && !last[1 + strspn(last + 1, "gimsx")])
        log_warning("option --expect: '%.100s': the slashes%s are looked for, too", text,
                    last[1] ? ", and what follows them," : "");
    return 0;
}

int script_check(const struct script *script, bool crlf, struct error *err)
{
    struct pattern pattern;
    bool sends = false;
    for (size_t i = 0; i < script->count; i++) {
        if (!script->steps[i].expects) {
            sends = true;
            continue;
        }
        if (script_check_syntax(script->steps[i].text, err) ||
            script_compile(&script->steps[i], &pattern, err))
            return -1;
        pattern_release(&pattern);
    }
    if (script->count && crlf && !sends)
        return error_set(err, STATUS_USAGE,
                         "option --crlf makes no sense with --expect alone: nothing is sent");
    return 0;
}

/* The dialog */

struct dialog {
    struct loop *loop;
    const struct script *script;
    const struct session *session;
    struct connection_log log;
    bool is_datagram;
    const struct sockname *group; /* of a socket that is not connected: what is sent goes there */
    struct sockname answered;     /* the last who has answered then */
    bool is_full;                 /* the kernel did not take what goes there */
    size_t at;                    /* the step that is under way */
    struct pattern pattern;
    bool compiled;
    struct watch watch;
    struct write_queue tx;  /* to the peer */
    struct write_queue out; /* to stdout */
    char *rx; /* the dialog's, RX_ROOM + 1 bytes: what no expression has matched yet */
    size_t length;
    struct pattern_place place; /* in them */
    char last[LAST_MAX];        /* what has come, matched or not, the newest last */
    uint64_t received;
    bool rx_ended; /* the peer has ended */
    bool shut;     /* our sending half, before that */
    bool over;     /* once all is printed */
    struct idle_limit idle;
    struct timer quit; /* once all is sent */
    struct error *err;
};

static void dialog_fail(struct dialog *dialog, const char *what, int failure)
{
    loop_stop(dialog->loop,
              error_system(dialog->err, STATUS_TRANSFER, failure, "%s %s", what, dialog->log.peer));
}

/* The transcript, at -v. */
static void dialog_log_bytes(char direction, const char *bytes, size_t length)
{
    char text[SHOWN_MAX + 1];
    if (log_setting.verbosity < LOG_LEVEL_INFO)
        return;
    text[text_escape(text, SHOWN_MAX, bytes, length)] = '\0';
    log_note(LOG_LEVEL_INFO, "%c %s%s", direction, text, length > SHOWN_MAX ? "..." : "");
}

/* Those who write the bytes down (--output, --hex-dump) cannot take more now. */
static bool dialog_is_held(const struct dialog *dialog)
{
    const struct filters *filters = dialog->session->filters;
    return filters->tx.filter.held || filters->rx.filter.held;
}

/* NULL: all steps are taken. */
static const struct script_step *dialog_step(const struct dialog *dialog)
{
    return dialog->at < dialog->script->count ? &dialog->script->steps[dialog->at] : NULL;
}

static bool dialog_has_sent_all(const struct dialog *dialog)
{
    return !dialog_step(dialog) && !write_queue_has_pending(&dialog->tx);
}

static void dialog_await(struct dialog *dialog)
{
    bool reads = !dialog->rx_ended && !write_queue_has_pending(&dialog->out) &&
                 !dialog_is_held(dialog);
    uint32_t in = reads ? EPOLLIN : 0U;
    uint32_t out = write_queue_has_pending(&dialog->tx) || dialog->is_full ? EPOLLOUT : 0U;
    if (in | out)
        loop_watch(dialog->loop, &dialog->watch, in | out);
    else
        loop_unwatch(dialog->loop, &dialog->watch);
}

/* The end */

/* From now on the peer may go on for so long; without a limit, until it ends. */
static void dialog_set_quit(struct dialog *dialog)
{
    int64_t after_ms = dialog->session->transfer->quit_after_ms;
    if (after_ms < 0 && dialog->is_datagram)
        after_ms = dialog->session->transfer->send_only ? 0 : DATAGRAM_QUIT_MS;
    if (after_ms >= 0)
        loop_timer_set(dialog->loop, &dialog->quit, after_ms);
}

static void dialog_note_move(struct dialog *dialog)
{
    idle_limit_moved(&dialog->idle);
    if (dialog->is_datagram && loop_timer_is_set(&dialog->quit))
        dialog_set_quit(dialog);
}

static void dialog_end(struct dialog *dialog)
{
    loop_unwatch(dialog->loop, &dialog->watch);
    dialog->over = true;
    if (!write_queue_has_pending(&dialog->out))
        loop_stop(dialog->loop, 0);
}

static void dialog_end_sending(struct dialog *dialog)
{
    if (dialog->rx_ended) {
        dialog_end(dialog);
        return;
    }
    if (!dialog->is_datagram && session_shuts(dialog->session)) {
        sock_shutdown(dialog->watch.fd, SHUT_WR);
        dialog->shut = true;
    }
    dialog_set_quit(dialog);
}

/* Adds, to an end that is not what was wanted, which expression was waited for, and what came instead. */
static void dialog_add_awaited(const struct dialog *dialog, const struct script_step *step)
{
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    char last[4 * LAST_MAX + 1];
    uint64_t received = dialog->received;
    size_t shown = received < LAST_MAX ? (size_t)received : LAST_MAX, number = 0;
    for (const struct script_step *at = dialog->script->steps; at <= step; at++)
        number += at->expects;
    bool is_regular = number % 10 > 3 || number / 10 % 10 == 1;
    last[text_escape(last, sizeof last - 1, dialog->last + LAST_MAX - shown, shown)] = '\0';
    error_add(dialog->err, "; still waiting for '%.200s' (%zu%s --expect); ", step->text, number,
              endings[is_regular ? 0 : number % 10]);
    if (received)
        error_add(dialog->err, "last: \"%s%s\"", received > shown ? "..." : "", last);
    else
        error_add(dialog->err, "nothing has come");
}

/* The steps */

/* Forgets what an expression has matched, or will not match. */
static void dialog_forget(struct dialog *dialog, size_t length)
{
    struct pattern_place *place = &dialog->place;
    if (length)
        place->in_line = dialog->rx[length - 1] != '\n';
    place->searched = 0;
    dialog->length -= length;
    memmove(dialog->rx, dialog->rx + length, dialog->length);
}

/* Whether the expression is matched by what has come so far. */
static bool dialog_matches(struct dialog *dialog, const struct script_step *step)
{
    if (!dialog->compiled && script_compile(step, &dialog->pattern, dialog->err))
        memory_impossible("an expression that was compiled before");
    dialog->compiled = true;
    ptrdiff_t matched = pattern_find(&dialog->pattern, dialog->rx, dialog->length, &dialog->place);
    if (matched < 0)
        return false;
    dialog_forget(dialog, (size_t)matched);
    pattern_release(&dialog->pattern);
    dialog->compiled = false;
    log_note(LOG_LEVEL_INFO, "met: %s", step->text);
    return true;
}

/* One datagram to the group, or the broadcast address. False: it has to wait, or has failed. */
static bool dialog_send_group(struct dialog *dialog, const char *text, size_t length)
{
    const bool goes = sock_send_to(dialog->watch.fd, text, length, dialog->group) >= 0;
    dialog->is_full = !goes && errno == EAGAIN;
    if (!goes && !dialog->is_full)
        dialog_fail(dialog, "send to", errno);
    return goes;
}

/* False: it has to wait, or has failed. */
static bool dialog_send_text(struct dialog *dialog, const char *text, size_t length)
{
    if (dialog->group && !dialog_send_group(dialog, text, length))
        return false;
    dialog_log_bytes('>', text, length);
    if (filters_look_tx(dialog->session->filters, text, length)) {
        loop_stop(dialog->loop, -1);
        return false;
    }
    if (dialog->group) {
        dialog->tx.written += length;
        return true;
    }
    if (write_queue_put(&dialog->tx, text, length) == 0)
        return true;
    dialog_fail(dialog, "write to", dialog->tx.failure);
    return false;
}

/* False: it has to wait for what was sent before, so that each is a datagram, or it has failed. */
static bool dialog_send(struct dialog *dialog, const struct script_step *step)
{
    if (write_queue_has_pending(&dialog->tx) || dialog_is_held(dialog))
        return false;
    if (!dialog->session->filters->options->crlf)
        return dialog_send_text(dialog, step->text, step->length);
    struct telnet_encoder encoder = {.lines = true};
    char *encoded = memory_new(step->length + 1, 2);
    const size_t length = telnet_encode(&encoder, encoded, step->text, step->length);
    const bool is_sent = dialog_send_text(dialog, encoded, length);
    free(encoded);
    return is_sent;
}

/* Takes the steps that can be taken now. */
static void dialog_go_on(struct dialog *dialog)
{
    const struct script *script = dialog->script;
    const struct script_step *step;
    bool had_sent_all = dialog_has_sent_all(dialog);
    while ((step = dialog_step(dialog))) {
        if (step->expects ? !dialog_matches(dialog, step) : !dialog_send(dialog, step))
            break;
        dialog->at++;
    }
    if (!step && script->steps[script->count - 1].expects) {
        dialog_end(dialog);
        return;
    }
    dialog_await(dialog);
    if (!had_sent_all && dialog_has_sent_all(dialog))
        dialog_end_sending(dialog);
}

/* Events */

static void dialog_peer_ended(struct dialog *dialog)
{
    const struct script_step *step = dialog_step(dialog);
    dialog->rx_ended = true;
    if (dialog->shut)
        session_log_silence(dialog->session, dialog->log.peer, dialog->received);
    if (dialog_has_sent_all(dialog))
        dialog_end(dialog);
    else if (!step || !step->expects)
        dialog_await(dialog);
    else
        loop_stop(dialog->loop,
                  error_set(dialog->err, STATUS_EXPECT, "%s has ended", dialog->log.peer));
}

/* Receives what comes next; of a group, from anybody. */
static ssize_t dialog_receive(struct dialog *dialog, char *bytes, size_t room)
{
    struct sock_message message;
    if (!dialog->group)
        return sock_recv(dialog->watch.fd, bytes, room);
    const ssize_t got = sock_recv_message(dialog->watch.fd, bytes, room, &message,
                                          &sock_any_sender);
    if (got >= 0 && !sockname_is_same(&dialog->answered, &message.peer)) {
        dialog->answered = message.peer;
        session_log_answer(&message.peer);
    }
    return got;
}

static void dialog_read(struct dialog *dialog)
{
    if (dialog->length >= RX_MAX)
        dialog_forget(dialog, dialog->length - RX_MAX / 2);
    char *bytes = dialog->rx + dialog->length, *last = dialog->last;
    ssize_t got = dialog_receive(dialog, bytes, RX_ROOM - dialog->length);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0) {
        dialog_fail(dialog, "read from", errno);
        return;
    }
    if (got == 0 && !dialog->is_datagram) {
        dialog_peer_ended(dialog);
        return;
    }
    size_t length = (size_t)got, kept = length < LAST_MAX ? length : LAST_MAX;
    dialog_note_move(dialog);
    dialog_log_bytes('<', bytes, length);
    dialog->length += length;
    dialog->received += length;
    memmove(last, last + kept, LAST_MAX - kept);
    memcpy(last + LAST_MAX - kept, bytes + length - kept, kept);
    if (filters_look_rx(dialog->session->filters, bytes, length))
        loop_stop(dialog->loop, -1);
    else if (write_queue_put(&dialog->out, bytes, length) < 0)
        loop_stop(dialog->loop, write_queue_error(&dialog->out, "stdout", dialog->err));
    else
        dialog_go_on(dialog);
}

static void dialog_ready(struct watch *watch, uint32_t events)
{
    struct dialog *dialog = LOOP_OWNER(watch, struct dialog, watch);
    if (write_queue_has_pending(&dialog->tx) && events & ~(uint32_t)EPOLLIN)
        write_queue_flush(&dialog->tx);
    else if (dialog->is_full && events & EPOLLOUT)
        dialog_go_on(dialog);
    else
        dialog_read(dialog);
}

/* The socket can be written to: the first steps may be taken. */
static void dialog_start(struct watch *watch, uint32_t events)
{
    (void)events;
    watch->ready = dialog_ready;
    dialog_go_on(LOOP_OWNER(watch, struct dialog, watch));
}

static void dialog_sent(struct write_queue *queue)
{
    struct dialog *dialog = LOOP_OWNER(queue, struct dialog, tx);
    dialog_note_move(dialog);
    if (queue->failure) {
        dialog_fail(dialog, "write to", queue->failure);
    } else if (dialog_has_sent_all(dialog)) {
        dialog_await(dialog);
        dialog_end_sending(dialog);
    } else {
        dialog_go_on(dialog);
    }
}

static void dialog_printed(struct write_queue *queue)
{
    struct dialog *dialog = LOOP_OWNER(queue, struct dialog, out);
    if (queue->failure)
        loop_stop(dialog->loop, write_queue_error(queue, "stdout", dialog->err));
    else if (dialog->over)
        loop_stop(dialog->loop, 0);
    else
        dialog_await(dialog);
}

static void dialog_released(struct filter *filter)
{
    dialog_go_on(filter->mover);
}

static void dialog_idle_over(struct idle_limit *limit)
{
    struct dialog *dialog = LOOP_OWNER(limit, struct dialog, idle);
    char text[UNITS_DURATION_MAX];
    loop_stop(dialog->loop,
              error_set(dialog->err, STATUS_TIMEOUT, "%s: nothing moved for %s", dialog->log.peer,
                        units_show_duration(text, limit->limit_ms)));
}

static void dialog_quit_over(struct timer *timer)
{
    struct dialog *dialog = LOOP_OWNER(timer, struct dialog, quit);
    if (dialog->is_datagram && !dialog->group && sock_error(dialog->watch.fd) == ECONNREFUSED)
        dialog_fail(dialog, "send to", ECONNREFUSED);
    else
        dialog_end(dialog);
}

int dialog_run(const struct session *session, const struct script *script,
               const struct connection *connection, struct error *err)
{
    struct filter *filters[] = {&session->filters->tx.filter, &session->filters->rx.filter};
    struct dialog dialog = {.loop = session->loop,
                            .script = script,
                            .session = session,
                            .log.stats = session->transfer->stats,
                            .is_datagram = connection->socktype == SOCK_DGRAM,
                            .group = connection->is_group ? &connection->peer : NULL,
                            .watch = {.fd = connection->fd, .ready = dialog_start},
                            .rx = memory_grow(NULL, RX_ROOM + 1, 1),
                            .quit.fired = dialog_quit_over,
                            .err = err};
    connection_log_open(&dialog.log, connection->fd, &connection->peer);
    write_queue_init(&dialog.tx, NULL, session_socket(connection), dialog_sent);
    write_queue_init(&dialog.out, session->loop, session_output(session), dialog_printed);
    write_queue_watch_hangup(&dialog.out);
    for (size_t i = 0; i < 2; i++) {
        filters[i]->mover = &dialog;
        filters[i]->resume = dialog_released;
    }
    idle_limit_start(&dialog.idle, session->loop, session->limits->idle_ms, dialog_idle_over);
    loop_watch(session->loop, &dialog.watch, EPOLLOUT);
    sandbox_enter(session->sandbox);
    int result = loop_run(session->loop);
    const struct script_step *step = dialog_step(&dialog);
    if (result < 0 && step && step->expects &&
        (err->status == STATUS_TRANSFER || err->status == STATUS_TIMEOUT ||
         err->status == STATUS_EXPECT))
        dialog_add_awaited(&dialog, step);
    connection_log_close(&dialog.log, (struct report_end){.in = dialog.received,
                                                          .out = dialog.tx.written,
                                                          .how = connection_log_how(result, err)});
    for (size_t i = 0; i < 2; i++)
        filters[i]->resume = NULL;
    idle_limit_stop(&dialog.idle);
    loop_timer_cancel(session->loop, &dialog.quit);
    loop_unwatch(session->loop, &dialog.watch);
    write_queue_release(&dialog.tx);
    write_queue_release(&dialog.out);
    if (dialog.compiled)
        pattern_release(&dialog.pattern);
    free(dialog.rx);
    return result;
}
