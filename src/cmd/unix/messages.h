/*
 * What unix-serve and unix-send have in common: how messages are framed, at which address, and how they are printed.
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
#include "stream/write_queue.h"
#include "sys/loop.h"

/* The kind of option value that is the name of a framing. */
#define OPT_CTYPE_framing const char *
extern const struct opt_type opt_framing;

struct message_options {
    const char *framing; /* its name */
    uint64_t max_message;
    bool log_json;
    bool explain;
};
#define MESSAGE_DEFAULTS                                                                           \
    {                                                                                              \
        "native", 1 << 20, false, false                                                            \
    }
#define MESSAGE_ROWS(options, field)                                                               \
    OPT_GROUP("messages", "Messages"),                                                             \
        OPT(0, "framing", framing, options, field.framing,                                         \
            "message framing: native, u32be, line or netstring"),                                  \
        OPT(0, "max-message", size, options, field.max_message, "longest message taken (1M)")

/* message_framing returns the framing of that name. */
const struct framing *message_framing(const struct message_options *options);

/* message_explain has each call explained from now on, if that was asked for. Returns 0, or -1 and status 2. */
int message_explain(const struct message_options *options, bool serves, struct error *err);

/* message_limit returns max_message as a frame reader takes it. */
size_t message_limit(const struct message_options *options);

/* message_address reads the operand PATH: any address of a UNIX stream, or a socket that was inherited. Returns 0, or
 * -1 and status 2. */
int message_address(struct address *address, const char *path, bool listening, struct error *err);

/* message_wrap finds what goes around a message. Returns 0, or -1 and status 2 for one that no frame can hold. */
int message_wrap(struct frame_ends *ends, const struct framing *framing,
                 const struct frame *message, struct error *err);

/* Messages on their way to stdout, each whole and with the byte that ends it. They are gathered until the owner calls
 * write_queue_uncork; what stdout does not take at once waits in `queue`. The owner releases the queue, and ends with
 * fd_finish_stdout. */
struct message_output {
    struct write_queue queue;
    struct write_cork cork; /* empty at first */
    char end;               /* of each message */
};

/* message_output_init begins. `drained` is called as write_queue.h says, also when the reader of stdout has gone. */
void message_output_init(struct message_output *output, struct loop *loop, char end,
                         void (*drained)(struct write_queue *queue));

/* message_output_print gathers a message, and the byte that ends it. */
void message_output_print(struct message_output *output, const struct frame *message);

/* message_output_check returns 0, or -1 when stdout has failed: status 8, silent where its reader has gone. */
int message_output_check(const struct message_output *output, struct error *err);

#endif
