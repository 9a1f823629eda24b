/*
 * What unix-serve and unix-send have in common: how messages are marked off, and where.
 */
#ifndef CMD_UNIX_MESSAGES_H
#define CMD_UNIX_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/common/options.h"
#include "net/address.h"
#include "proto/frame.h"

#define OPT_CTYPE_framing const struct framing *
extern const struct opt_type opt_framing; /* FRAMING, by its name */

struct message_options {
    const struct framing *framing;
    uint64_t max_message;
    bool log_json;
};
#define MESSAGE_DEFAULTS                                                                           \
    {                                                                                              \
        &framing_native, 1 << 20, false                                                            \
    }
#define MESSAGE_ROWS(options, field)                                                               \
    OPT(0, "framing", framing, options, field.framing,                                             \
        "how messages are marked off: native, u32be, line, netstring"),                            \
        OPT(0, "max-message", size, options, field.max_message, "longest message taken (1M)"),     \
        LOG_ROWS(options, field.log_json)

/* max_message as a reader takes it. */
size_t message_limit(const struct message_options *options);

/* The operand PATH: any address of a UNIX stream, or a socket that was inherited. */
int message_address(struct address *address, const char *path, bool listening, struct error *err);

/* What goes around a message. One that no frame can hold is status 2. */
int message_wrap(struct frame_ends *ends, const struct framing *framing,
                 const struct frame *message, struct error *err);

#endif
