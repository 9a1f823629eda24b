/*
 * See echo_print.h. What arrives is put into a write queue. While that waits for stdout the servers are held: they read
 * nothing, and go on when it has drained.
 */
#include "cmd/echo/echo_print.h"

static void fail(struct echo_print *print)
{
    write_queue_error(&print->queue, "stdout", print->err);
    loop_stop(print->loop, -1);
}

static int look(struct tap *tap, const char *bytes, size_t length)
{
    struct echo_print *print = LOOP_OWNER(tap, struct echo_print, tap);
    if (write_queue_put(&print->queue, bytes, length)) {
        fail(print);
    } else if (write_queue_has_pending(&print->queue)) {
        echo_hold(print->echo);
        echo_datagrams_hold(print->datagrams);
    }
    return 0; /* a stdout that failed has stopped the loop */
}

static void drained(struct write_queue *queue)
{
    struct echo_print *print = LOOP_OWNER(queue, struct echo_print, queue);
    if (queue->failure) {
        fail(print);
    } else if (print->finishing) {
        loop_stop(print->loop, 0);
    } else {
        echo_datagrams_go_on(print->datagrams);
        echo_go_on(print->echo);
    }
}

static uint64_t count_left(struct drain *drain)
{
    return LOOP_OWNER(drain, struct echo_print, drain)->queue.length;
}

static void drain_over(struct drain *drain)
{
    struct echo_print *print = LOOP_OWNER(drain, struct echo_print, drain);
    print->given_up = true;
    if (print->finishing)
        loop_stop(print->loop, 0);
}

void echo_print_start(struct echo_print *print)
{
    print->tap.look = look;
    write_queue_init(&print->queue, print->loop, fd_stdout(), drained);
    write_queue_watch_hangup(&print->queue);
}

struct tap *echo_print_tap(struct echo_print *print)
{
    return print->loop ? &print->tap : NULL;
}

void echo_print_stop(struct echo_print *print)
{
    if (print->loop && write_queue_has_pending(&print->queue))
        drain_start(&print->drain, print->loop, count_left, drain_over);
}

void echo_print_finish(struct echo_print *print)
{
    print->finishing = true;
    if (print->given_up || !write_queue_has_pending(&print->queue))
        loop_stop(print->loop, 0);
    else if (!drain_is_started(&print->drain))
        echo_print_stop(print);
}

int echo_print_close(struct echo_print *print, int result)
{
    if (!print->loop)
        return result;
    drain_stop(&print->drain);
    write_queue_release(&print->queue);
    return result ? result : fd_finish_stdout(&print->queue.fd, print->err);
}
