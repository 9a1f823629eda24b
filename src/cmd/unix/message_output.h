/*
 * Messages on their way to stdout, each whole and with the byte that ends it.
 */
#ifndef CMD_UNIX_MESSAGE_OUTPUT_H
#define CMD_UNIX_MESSAGE_OUTPUT_H

#include <stddef.h>

#include "base/error.h"
#include "proto/frame.h"
#include "stream/batch.h"
#include "stream/write_queue.h"
#include "sys/loop.h"

struct message_output {
    struct loop *loop;
    char end; /* of each message */
    struct write_queue queue;
    struct batch batch;
    /* Nothing waits any more, or message_output_check knows why. */
    void (*drained)(struct message_output *output);
};

/* Zeroed by the owner, which then sets `end` and `drained`. */
void message_output_start(struct message_output *output, struct loop *loop);
void message_output_print(struct message_output *output, const struct frame *message);
/* What was printed goes to stdout, or waits for it. */
void message_output_flush(struct message_output *output);
/* So many bytes wait. */
size_t message_output_waiting(const struct message_output *output);
/* 0, or -1 when stdout has failed: status 8, silent where its reader has gone. */
int message_output_check(const struct message_output *output, struct error *err);
/* At the end; see fd_finish_stdout. */
int message_output_close(struct message_output *output, struct error *err);
/* Forgets what waits. */
void message_output_release(struct message_output *output);

#endif
