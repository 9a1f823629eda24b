#include "cmd/converse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/text.h"
#include "io/outbox.h"
#include "net/sock.h"
#include "proto/pattern.h"

enum {
    HEARD_MAX = 65536, /* bytes that an expression can look back on */
    SHOWN_MAX = 240    /* of a piece of the transcript */
};

/* Options */

static const char *add_step(struct script *script, struct script_step step)
{
    if (script->count == SCRIPT_MOST)
        return "is one step too many (64 at most)";
    script->steps[script->count++] = step;
    return NULL;
}

static const char *read_send(char *text, void *field)
{
    struct script_step step = {.text = text};
    const char *wrong = text_unescape(text, &step.length);
    return wrong ? wrong : add_step(field, step);
}

static const char *read_expect(char *text, void *field)
{
    return add_step(field, (struct script_step){true, text, strlen(text)});
}

const struct opt_type opt_send = {"TEXT", read_send};
const struct opt_type opt_expect = {"REGEX", read_expect};

static int compile(struct pattern *pattern, const struct script_step *step, struct error *err)
{
    char why[PATTERN_WHY_MAX];
    if (pattern_compile(pattern, step->text, why))
        return 0;
    return error_set(err, STATUS_USAGE, "option --expect: '%.100s': %s", step->text, why);
}

int script_check(const struct script *script, struct error *err)
{
    struct pattern pattern;
    for (size_t i = 0; i < script->count; i++) {
        if (!script->steps[i].expects)
            continue;
        if (compile(&pattern, &script->steps[i], err))
            return -1;
        pattern_release(&pattern);
    }
    return 0;
}

/* The conversation */

struct conversation {
    struct loop *loop;
    const struct script *script;
    const char *peer;
    size_t at; /* the step that is under way */
    struct pattern pattern;
    bool compiled;
    struct watch watch;
    struct outbox saying;
    struct outbox printing;
    char *heard; /* the conversation's, HEARD_MAX + 1 bytes: what no expression has met yet */
    size_t length;
    size_t searched; /* of them, see pattern.h */
    bool over;       /* once all is printed */
    struct timer idle;
    int64_t idle_ms;
    struct error *err;
};

static void stop(struct conversation *conversation, int result)
{
    loop_stop(conversation->loop, result);
}

static void fail(struct conversation *conversation, const char *what)
{
    stop(conversation, error_system(conversation->err, STATUS_TRANSFER, errno, "%s %s", what,
                                    conversation->peer));
}

/* The transcript, at -v. */
static void show(char direction, const char *bytes, size_t length)
{
    char text[SHOWN_MAX + 1];
    if (message_setting.verbosity < MESSAGE_STORY)
        return;
    text[text_escape(text, SHOWN_MAX, bytes, length)] = '\0';
    message_tell(MESSAGE_STORY, "%c %s%s", direction, text, length > SHOWN_MAX ? "..." : "");
}

static void note_move(struct conversation *conversation)
{
    if (conversation->idle_ms >= 0)
        loop_timer_set(conversation->loop, &conversation->idle, conversation->idle_ms);
}

static const struct script_step *step_of(const struct conversation *conversation)
{
    return conversation->at < conversation->script->count
               ? &conversation->script->steps[conversation->at]
               : NULL;
}

static void end(struct conversation *conversation)
{
    loop_unwatch(conversation->loop, &conversation->watch);
    conversation->over = true;
    if (!outbox_is_full(&conversation->printing))
        stop(conversation, 0);
}

/* What an expression has met is behind us. */
static void forget(struct conversation *conversation, size_t length)
{
    conversation->length -= length;
    memmove(conversation->heard, conversation->heard + length, conversation->length);
    conversation->searched = 0;
}

/* Whether the expression is met by what has come so far. */
static bool is_met(struct conversation *conversation, const struct script_step *step)
{
    if (!conversation->compiled && compile(&conversation->pattern, step, conversation->err))
        memory_impossible("an expression that was compiled before");
    conversation->compiled = true;
    ptrdiff_t met = pattern_find(&conversation->pattern, conversation->heard, conversation->length,
                                 &conversation->searched);
    if (met < 0)
        return false;
    forget(conversation, (size_t)met);
    pattern_release(&conversation->pattern);
    conversation->compiled = false;
    message_tell(MESSAGE_STORY, "met: %s", step->text);
    return true;
}

static void await(struct conversation *conversation)
{
    uint32_t in = outbox_is_full(&conversation->printing) ? 0U : EPOLLIN;
    uint32_t out = outbox_is_full(&conversation->saying) ? EPOLLOUT : 0U;
    if (in | out)
        loop_watch(conversation->loop, &conversation->watch, in | out);
    else
        loop_unwatch(conversation->loop, &conversation->watch);
}

static int say(struct conversation *conversation, const struct script_step *step)
{
    show('>', step->text, step->length);
    if (outbox_put(&conversation->saying, step->text, step->length) == 0)
        return 0;
    errno = conversation->saying.failure;
    fail(conversation, "write to");
    return -1;
}

/* Takes the steps that can be taken now. False: one of them waits, or has failed. */
static bool take_steps(struct conversation *conversation)
{
    const struct script_step *step;
    for (; (step = step_of(conversation)); conversation->at++)
        if (step->expects ? !is_met(conversation, step) : say(conversation, step) != 0)
            return false;
    return true;
}

/* Nothing more will be said. */
static void end_saying(struct conversation *conversation)
{
    if (!step_of(conversation) && !outbox_is_full(&conversation->saying))
        sock_shutdown(conversation->watch.fd, SHUT_WR);
}

static void go_on(struct conversation *conversation)
{
    const struct script *script = conversation->script;
    bool was_over = !step_of(conversation);
    bool is_over = take_steps(conversation);
    if (is_over && script->steps[script->count - 1].expects) {
        end(conversation);
        return;
    }
    if (is_over && !was_over)
        end_saying(conversation);
    await(conversation);
}

static void end_peer(struct conversation *conversation)
{
    const struct script_step *step = step_of(conversation);
    if (!step) {
        end(conversation);
        return;
    }
    stop(conversation,
         error_set(conversation->err, STATUS_EXPECT, "%s ended without what was expected: %.200s",
                   conversation->peer, step->text));
}

static void hear(struct conversation *conversation)
{
    if (conversation->length == HEARD_MAX)
        forget(conversation, HEARD_MAX / 2);
    char *bytes = conversation->heard + conversation->length;
    ssize_t got = sock_recv(conversation->watch.fd, bytes, HEARD_MAX - conversation->length);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0) {
        fail(conversation, "read from");
        return;
    }
    if (got == 0) {
        end_peer(conversation);
        return;
    }
    note_move(conversation);
    show('<', bytes, (size_t)got);
    conversation->length += (size_t)got;
    if (outbox_put(&conversation->printing, bytes, (size_t)got) < 0)
        stop(conversation, outbox_error(&conversation->printing, "stdout", conversation->err));
    else
        go_on(conversation);
}

static void ready(struct watch *watch, uint32_t events)
{
    struct conversation *conversation = LOOP_OWNER(watch, struct conversation, watch);
    if (outbox_is_full(&conversation->saying) && events & ~(uint32_t)EPOLLIN)
        outbox_flush(&conversation->saying);
    else
        hear(conversation);
}

static void said(struct outbox *outbox)
{
    struct conversation *conversation = LOOP_OWNER(outbox, struct conversation, saying);
    note_move(conversation);
    if (outbox->failure) {
        errno = outbox->failure;
        fail(conversation, "write to");
        return;
    }
    end_saying(conversation);
    await(conversation);
}

static void printed(struct outbox *outbox)
{
    struct conversation *conversation = LOOP_OWNER(outbox, struct conversation, printing);
    if (outbox->failure)
        stop(conversation, outbox_error(outbox, "stdout", conversation->err));
    else if (conversation->over)
        stop(conversation, 0);
    else
        await(conversation);
}

static void idle_too_long(struct timer *timer)
{
    struct conversation *conversation = LOOP_OWNER(timer, struct conversation, idle);
    stop(conversation,
         error_set(conversation->err, STATUS_TIMEOUT, "%s: nothing moved for %.3g seconds",
                   conversation->peer, (double)conversation->idle_ms / 1000));
}

static void start(struct watch *watch, uint32_t events)
{
    struct conversation *conversation = LOOP_OWNER(watch, struct conversation, watch);
    (void)events;
    watch->ready = ready;
    go_on(conversation);
}

int converse(const struct session *session, const struct script *script, int fd, const char *peer,
             struct error *err)
{
    struct conversation conversation = {.loop = session->loop,
                                        .script = script,
                                        .peer = peer,
                                        .watch = {.fd = fd, .ready = start},
                                        .heard = memory_grow(NULL, HEARD_MAX + 1, 1),
                                        .idle.fired = idle_too_long,
                                        .idle_ms = session->limits->idle_ms,
                                        .err = err};
    outbox_init(&conversation.saying, NULL, end_of_socket(fd), said);
    outbox_init(&conversation.printing, session->loop, session_output(session), printed);
    outbox_heed_reader(&conversation.printing);
    note_move(&conversation);
    loop_watch(session->loop, &conversation.watch, EPOLLOUT);
    int result = loop_run(session->loop);
    loop_timer_cancel(session->loop, &conversation.idle);
    loop_unwatch(session->loop, &conversation.watch);
    outbox_release(&conversation.saying);
    outbox_release(&conversation.printing);
    if (conversation.compiled)
        pattern_release(&conversation.pattern);
    free(conversation.heard);
    return result;
}
