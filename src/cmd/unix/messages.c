/*
 * See messages.h.
 */
#include "cmd/unix/messages.h"

static const char *read_framing(char *text, void *field)
{
    const struct framing *framing = framing_find(text);
    if (!framing)
        return "is not a framing (native, u32be, line, netstring)";
    *(const struct framing **)field = framing;
    return NULL;
}

const struct opt_type opt_framing = {"FRAMING", read_framing};

size_t message_limit(const struct message_options *options)
{
    return options->max_message < FRAME_MESSAGE_MAX ? (size_t)options->max_message
                                                    : FRAME_MESSAGE_MAX;
}

int message_address(struct address *address, const char *path, bool listening, struct error *err)
{
    const struct address_use use = {.listening = listening, .unix_socket = true};
    if (address_parse(address, &path, 1, &use, err))
        return -1;
    bool inherited = address->kind == ADDRESS_FD || address->kind == ADDRESS_SYSTEMD;
    if (!inherited && (address->kind != ADDRESS_UNIX || address->socktype != SOCK_STREAM))
        return error_set(err, STATUS_USAGE, "address '%.100s': not a UNIX stream socket", path);
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
