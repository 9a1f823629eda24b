#include "cmd/message_output.h"

#include <errno.h>
#include <unistd.h>

static void outbox_drained(struct outbox *outbox)
{
    struct message_output *output = LOOP_OWNER(outbox, struct message_output, outbox);
    output->drained(output);
}

/* Whoever has nothing to print would otherwise not notice. */
static void reader_gone(struct watch *watch, uint32_t events)
{
    struct message_output *output = LOOP_OWNER(watch, struct message_output, gone);
    (void)events;
    loop_unwatch(output->loop, watch);
    output->outbox.failure = EPIPE;
    output->drained(output);
}

void message_output_start(struct message_output *output, struct loop *loop)
{
    output->loop = loop;
    outbox_init(&output->outbox, loop, end_stdout(), outbox_drained);
    output->batch.outbox = &output->outbox;
    output->gone = (struct watch){.fd = STDOUT_FILENO, .ready = reader_gone};
    /* The outbox may have to watch the same descriptor; then it is the one to notice. */
    if (output->outbox.end.kind == END_PIPE && output->outbox.end.fd != STDOUT_FILENO)
        loop_watch(loop, &output->gone, 0);
}

void message_output_print(struct message_output *output, const struct frame *message)
{
    batch_put(&output->batch, message->message, message->length);
    batch_put(&output->batch, &output->end, 1);
}

void message_output_flush(struct message_output *output)
{
    batch_flush(&output->batch);
}

size_t message_output_waiting(const struct message_output *output)
{
    return output->outbox.length;
}

int message_output_check(const struct message_output *output, struct error *err)
{
    int failure = output->outbox.failure;
    if (!failure)
        return 0;
    if (failure == EPIPE) /* its reader has had enough */
        return error_silent(err, STATUS_LOCAL_IO);
    return error_system(err, STATUS_LOCAL_IO, failure, "write to stdout");
}

int message_output_close(struct message_output *output, struct error *err)
{
    struct end *end = &output->outbox.end;
    if (end->kind != END_FILE || end_close_stdout(end) == 0)
        return 0;
    return error_system(err, STATUS_LOCAL_IO, errno, "write to stdout");
}

void message_output_release(struct message_output *output)
{
    loop_unwatch(output->loop, &output->gone);
    outbox_release(&output->outbox);
}
