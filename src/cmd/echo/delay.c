/*
 * See delay.h. A heap by due time, and one timer for the first of them.
 */
#include "cmd/echo/delay.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BYTES_MAX = 4 << 20, LETTER_COST = 256 };

struct delayed_entry {
    struct delayed_entry *next;
    int64_t due_ms;
    int fd;
    struct sock_message message;
    size_t length;
    char bytes[];
};

static void take_first(struct delay *late)
{
    struct delayed_entry *entry = late->first;
    late->first = entry->next;
    if (!late->first)
        late->last = NULL;
    late->bytes -= entry->length + LETTER_COST;
    free(entry);
}

static void set_timer(struct delay *late, int64_t now_ms)
{
    if (late->first)
        loop_timer_set(late->loop, &late->due, late->first->due_ms - now_ms);
}

static void send_due(struct timer *timer)
{
    struct delay *late = LOOP_OWNER(timer, struct delay, due);
    int64_t now_ms = loop_now_ms();
    while (late->first && late->first->due_ms <= now_ms) {
        struct delayed_entry *entry = late->first;
        send_queue_answer(late->send_queue, entry->fd, &entry->message, entry->bytes,
                          entry->length);
        take_first(late);
    }
    set_timer(late, now_ms);
}

void delay_init(struct delay *late, struct loop *loop, const struct faults *faults,
                struct send_queue *send_queue)
{
    *late = (struct delay){.loop = loop,
                           .faults = faults,
                           .send_queue = send_queue,
                           .due.fired = send_due};
}

void delay_release(struct delay *late)
{
    if (!late->loop)
        return;
    loop_timer_cancel(late->loop, &late->due);
    while (late->first)
        take_first(late);
}

/* Behind those that are due at the same time or before. */
static void keep(struct delay *late, struct delayed_entry *entry)
{
    struct delayed_entry **at = &late->first;
    if (late->last && late->last->due_ms <= entry->due_ms)
        at = &late->last->next;
    while (*at && (*at)->due_ms <= entry->due_ms)
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
    if (!entry->next)
        late->last = entry;
    late->bytes += entry->length + LETTER_COST;
    if (late->first == entry)
        set_timer(late, loop_now_ms());
}

/* When a datagram of this length, which arrives now, is through. */
static int64_t pass_rate(struct delay *late, int64_t now_ms, size_t length)
{
    if (!late->faults->rate)
        return now_ms;
    if (late->free_us < now_ms * 1000)
        late->free_us = now_ms * 1000;
    late->free_us += (int64_t)((uint64_t)length * 1000000 / late->faults->rate);
    return late->free_us / 1000;
}

static void answer_once(struct delay *late, int fd, const struct sock_message *message,
                        const struct delayed_entry *model, const char *bytes)
{
    int64_t now_ms = loop_now_ms();
    if (late->bytes + model->length + LETTER_COST > BYTES_MAX)
        return;
    int64_t due_ms = pass_rate(late, now_ms, model->length) + model->due_ms;
    if (due_ms <= now_ms) {
        send_queue_answer(late->send_queue, fd, message, bytes, model->length);
        return;
    }
    struct delayed_entry *entry = memory_new(1, sizeof *entry + model->length);
    *entry = (struct delayed_entry){.due_ms = due_ms,
                                    .fd = fd,
                                    .message = *message,
                                    .length = model->length};
    memcpy(entry->bytes, bytes, model->length);
    keep(late, entry);
}

void delay_answer(struct delay *late, int fd, const struct sock_message *message, char *bytes,
                  size_t length)
{
    struct fault fault = faults_decide(late->faults, 0, ++late->pieces);
    const struct delayed_entry model = {.due_ms = fault.late_ms, .length = length};
    if (fault.drop)
        return;
    fault_corrupt(&fault, bytes, length);
    answer_once(late, fd, message, &model, bytes);
    if (fault.duplicate)
        answer_once(late, fd, message, &model, bytes);
}
