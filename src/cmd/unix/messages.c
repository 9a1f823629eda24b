/*
 * See messages.h. Options first, then the output: a write queue with a cork.
 */
#include "cmd/unix/messages.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/explain.h"

static const char *read_framing(char *text, void *field)
{
    if (!framing_find(text))
        return "is not a framing (native, u32be, line, netstring)";
    *(const char **)field = text;
    return NULL;
}

const struct opt_type opt_framing = {.metavar = "FRAMING", .read = read_framing};

const struct framing *message_framing(const struct message_options *options)
{
    return framing_find(options->framing);
}

int message_explain(const struct message_options *options, bool serves, struct error *err)
{
    const bool is_native = strcmp(options->framing, "native") == 0,
               is_big = strcmp(options->framing, "u32be") == 0;
    const struct explain_setup setup = {.serves = serves,
                                        .frame = is_native ? EXPLAIN_FRAME_NATIVE
                                                 : is_big  ? EXPLAIN_FRAME_BIG
                                                           : EXPLAIN_NO_FRAME};
    return options->explain ? explain_begin(&setup, err) : 0;
}

size_t message_limit(const struct message_options *options)
{
    return options->max_message < FRAME_MESSAGE_MAX ? (size_t)options->max_message
                                                    : FRAME_MESSAGE_MAX;
}

/* Says whether a path is PORT or HOST:PORT, or has a scheme, as addresses of other kinds have it. A server's socket may
 * have any name. */
static bool is_port(const char *path, bool listening)
{
    const char *colon = strrchr(path, ':');
    if (text_is_digits(path, strlen(path)))
        return true;
    if (!colon || colon == path || text_starts_with(path, "unix"))
        return false;
    const bool is_url = text_starts_with(strchr(path, ':'), "://");
    const bool has_port = text_is_digits(colon + 1, strlen(colon + 1));
    return (is_url || (has_port && !strchr(path, '/'))) && (listening || access(path, F_OK) != 0);
}

int message_address(struct address *address, const char *path, bool listening, struct error *err)
{
    const struct address_use use = {.listening = listening, .unix_socket = true};
    if (address_parse(address, &path, 1, &use, err))
        return -1;
    if (address->kind == ADDRESS_UNIX && is_port(path, listening))
        return error_set(err, STATUS_USAGE,
                         "%.100s is taken for a path (./%.100s); for a port: sockctl %s %.100s",
                         path, path, listening ? "listen" : "connect", path);
    bool inherited = address->kind == ADDRESS_FD || address->kind == ADDRESS_SYSTEMD;
    if (!inherited && (address->kind != ADDRESS_UNIX || address->socktype != SOCK_STREAM))
        return error_set(err, STATUS_USAGE,
                         "address '%.100s': not a UNIX stream socket (./PATH, or unix:@NAME)",
                         path);
    return 0;
}

int message_wrap(struct frame_ends *ends, const struct framing *framing,
                 const struct frame *message, struct error *err)
{
    const size_t length = message->length;
    const char *wrong = frame_wrap(ends, framing, message->message, length);
    if (!wrong)
        return 0;
    return error_set(err, STATUS_USAGE, "message '%.*s' %s", (int)(length < 60 ? length : 60),
                     message->message, wrong);
}

void message_output_init(struct message_output *output, struct loop *loop, char end,
                         void (*drained)(struct write_queue *queue))
{
    output->end = end;
    write_queue_init(&output->queue, loop, fd_output(STDOUT_FILENO), drained);
    write_queue_watch_hangup(&output->queue);
}

void message_output_print(struct message_output *output, const struct frame *message)
{
    write_queue_cork(&output->queue, &output->cork);
    write_queue_put(&output->queue, message->message, message->length);
    write_queue_put(&output->queue, &output->end, 1);
}

int message_output_check(const struct message_output *output, struct error *err)
{
    return output->queue.failure ? write_queue_error(&output->queue, "stdout", err) : 0;
}
