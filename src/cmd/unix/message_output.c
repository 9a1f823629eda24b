/*
 * See message_output.h. Messages are gathered in a batch; what stdout does not take at once waits in a write queue.
 */
#include "cmd/unix/message_output.h"

static void write_queue_drained(struct write_queue *queue)
{
    struct message_output *output = LOOP_OWNER(queue, struct message_output, queue);
    output->drained(output);
}

void message_output_start(struct message_output *output, struct loop *loop)
{
    output->loop = loop;
    write_queue_init(&output->queue, loop, fd_stdout(), write_queue_drained);
    output->batch.queue = &output->queue;
    write_queue_watch_hangup(&output->queue);
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
    return output->queue.length;
}

int message_output_check(const struct message_output *output, struct error *err)
{
    return output->queue.failure ? write_queue_error(&output->queue, "stdout", err) : 0;
}

int message_output_close(struct message_output *output, struct error *err)
{
    return fd_finish_stdout(&output->queue.fd, err);
}

void message_output_release(struct message_output *output)
{
    write_queue_release(&output->queue);
}
