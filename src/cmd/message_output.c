#include "cmd/message_output.h"

static void outbox_drained(struct outbox *outbox)
{
    struct message_output *output = LOOP_OWNER(outbox, struct message_output, outbox);
    output->drained(output);
}

void message_output_start(struct message_output *output, struct loop *loop)
{
    output->loop = loop;
    outbox_init(&output->outbox, loop, end_stdout(), outbox_drained);
    output->batch.outbox = &output->outbox;
    outbox_heed_reader(&output->outbox);
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
    return output->outbox.failure ? outbox_error(&output->outbox, "stdout", err) : 0;
}

int message_output_close(struct message_output *output, struct error *err)
{
    return end_finish_stdout(&output->outbox.end, err);
}

void message_output_release(struct message_output *output)
{
    outbox_release(&output->outbox);
}
