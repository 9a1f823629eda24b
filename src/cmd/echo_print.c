#include "cmd/echo_print.h"

enum { PATIENCE_MS = 300 };

static void fail(struct echo_print *print)
{
    outbox_error(&print->outbox, "stdout", print->err);
    loop_stop(print->loop, -1);
}

static ssize_t pass(struct filter *filter, char **bytes, size_t length)
{
    struct echo_print *print = LOOP_OWNER(filter, struct echo_print, filter);
    if (outbox_put(&print->outbox, *bytes, length)) {
        fail(print);
    } else if (outbox_is_full(&print->outbox)) {
        echo_hold(print->echo);
        echo_datagrams_hold(print->datagrams);
    }
    return (ssize_t)length;
}

static void drained(struct outbox *outbox)
{
    struct echo_print *print = LOOP_OWNER(outbox, struct echo_print, outbox);
    if (outbox->failure) {
        fail(print);
    } else if (print->finishing) {
        loop_stop(print->loop, 0);
    } else {
        echo_datagrams_go_on(print->datagrams);
        echo_go_on(print->echo);
    }
}

static void lose_patience(struct timer *timer)
{
    loop_stop(LOOP_OWNER(timer, struct echo_print, patience)->loop, 0);
}

void echo_print_start(struct echo_print *print)
{
    print->filter.pass = pass;
    print->patience.fired = lose_patience;
    outbox_init(&print->outbox, print->loop, end_stdout(), drained);
    outbox_heed_reader(&print->outbox);
}

struct filter *echo_print_filter(struct echo_print *print)
{
    return print->loop ? &print->filter : NULL;
}

void echo_print_finish(struct echo_print *print)
{
    print->finishing = true;
    loop_timer_set(print->loop, &print->patience, PATIENCE_MS);
}

int echo_print_close(struct echo_print *print, int result)
{
    if (!print->loop)
        return result;
    loop_timer_cancel(print->loop, &print->patience);
    outbox_release(&print->outbox);
    return result ? result : end_finish_stdout(&print->outbox.end, print->err);
}
