/*
 * sockctl unix-send: sends messages to a UNIX socket, and makes sure that they were read.
 */
#include <fcntl.h>
#include <string.h>

#include "cli/report.h"
#include "cmd/common/connection_log.h"
#include "cmd/common/limit.h"
#include "cmd/common/options.h"
#include "cmd/common/signals.h"
#include "cmd/unix/message_sender.h"
#include "cmd/unix/messages.h"
#include "command.h"
#include "net/dial.h"

struct send_options {
    struct message_options messages;
    struct limit_options limits;
    bool null;
    bool reply;
    int passed;
};

static const struct opt options[] = {
    MESSAGE_ROWS(struct send_options, messages),
    OPT('0', "null", flag, struct send_options, null, "NUL ends a message on stdin, not newline"),
    OPT(0, "reply", flag, struct send_options, reply,
        "wait for a message in answer to each, and print it"),
    OPT(0, "fd", descriptor, struct send_options, passed, "pass descriptor N with each message"),
    LIMIT_ROWS(struct send_options, limits, "limit for connecting"),
    OPT_END,
};

static const struct send_options defaults = {.messages = MESSAGE_DEFAULTS,
                                             .limits = LIMIT_DEFAULTS,
                                             .passed = -1};

static int transfer(const struct send_options *given, const struct connection *connection,
                    const char *const *messages, struct loop *loop, struct error *err)
{
    char local[SOCKNAME_TEXT_MAX];
    struct connection_log log = {0};
    const struct sending sending = {
        .connection = connection,
        .log = &log,
        .framing = given->messages.framing,
        .messages = messages,
        .by_nul = given->null,
        .reply = given->reply,
        .max_reply = message_limit(&given->messages),
        .passed = given->passed,
        .idle_ms = given->limits.idle_ms,
    };
    connection_log_open(&log, connection->fd, &connection->peer);
    report_connected(log.peer, sockname_text(&connection->local, local));
    if (connection->socktype != SOCK_STREAM)
        return error_set(err, STATUS_USAGE, "send to %s: not a stream socket", log.peer);
    return message_sender_run(&sending, loop, err);
}

static int check_passed(const struct send_options *given, struct error *err)
{
    if (given->passed < 0 || fcntl(given->passed, F_GETFD) >= 0)
        return 0;
    return error_set(err, STATUS_USAGE, "option --fd: descriptor %d is not open", given->passed);
}

/* What no frame can hold is refused before anything is sent. */
static int check_messages(const struct send_options *given, const char *const *messages,
                          struct error *err)
{
    struct frame_ends ends;
    for (; *messages; messages++) {
        const struct frame message = {*messages, strlen(*messages)};
        if (message_wrap(&ends, given->messages.framing, &message, err))
            return -1;
    }
    return 0;
}

static int run(const void *chosen, const struct operands *operands, struct error *err)
{
    const struct send_options *given = chosen;
    const char *const *messages = operands->words + 1;
    const struct dial_options how = {.timeout_ms = given->limits.timeout_ms};
    struct connection connection;
    struct address address;
    struct limit limit;
    struct signals signals;
    if (given->messages.log_json)
        report_as_objects();
    if (message_address(&address, operands->words[0], false, err) ||
        check_messages(given, messages, err) || check_passed(given, err))
        return -1;
    struct loop *loop = loop_new();
    if (connection_log_is_wanted())
        signals_catch(&signals, loop, err);
    limit_command(&limit, loop, given->limits.max_time_ms, err);
    int result = dial(loop, &address, &how, &connection, err);
    if (!result) {
        result = transfer(given, &connection, messages, loop, err);
        connection_close(&connection);
    }
    loop_free(loop);
    return result;
}

const struct command unix_send_command = {
    .name = "unix-send",
    .operands = "PATH [MESSAGE...]",
    .summary = "Send messages, or the lines of stdin, to a UNIX socket",
    .min_operands = 1,
    .max_operands = -1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
