#include "io/late.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BYTES_MAX = 4 << 20, LETTER_COST = 256 };

struct late_letter {
    struct late_letter *next;
    int64_t due_ms;
    int fd;
    struct sock_message message;
    size_t length;
    char bytes[];
};

static void take_first(struct late *late)
{
    struct late_letter *letter = late->first;
    late->first = letter->next;
    if (!late->first)
        late->last = NULL;
    late->bytes -= letter->length + LETTER_COST;
    free(letter);
}

static void set_timer(struct late *late, int64_t now_ms)
{
    if (late->first)
        loop_timer_set(late->loop, &late->due, late->first->due_ms - now_ms);
}

static void send_due(struct timer *timer)
{
    struct late *late = LOOP_OWNER(timer, struct late, due);
    int64_t now_ms = loop_now_ms();
    while (late->first && late->first->due_ms <= now_ms) {
        struct late_letter *letter = late->first;
        postbox_answer(late->postbox, letter->fd, &letter->message, letter->bytes, letter->length);
        take_first(late);
    }
    set_timer(late, now_ms);
}

void late_init(struct late *late, struct loop *loop, const struct faults *faults,
               struct postbox *postbox)
{
    *late = (struct late){.loop = loop,
                          .faults = faults,
                          .postbox = postbox,
                          .due.fired = send_due};
}

void late_release(struct late *late)
{
    if (!late->loop)
        return;
    loop_timer_cancel(late->loop, &late->due);
    while (late->first)
        take_first(late);
}

/* Behind those that are due at the same time or before. */
static void keep(struct late *late, struct late_letter *letter)
{
    struct late_letter **at = &late->first;
    if (late->last && late->last->due_ms <= letter->due_ms)
        at = &late->last->next;
    while (*at && (*at)->due_ms <= letter->due_ms)
        at = &(*at)->next;
    letter->next = *at;
    *at = letter;
    if (!letter->next)
        late->last = letter;
    late->bytes += letter->length + LETTER_COST;
    if (late->first == letter)
        set_timer(late, loop_now_ms());
}

/* When a datagram of this length, which arrives now, is through. */
static int64_t pass_rate(struct late *late, int64_t now_ms, size_t length)
{
    if (!late->faults->rate)
        return now_ms;
    if (late->free_us < now_ms * 1000)
        late->free_us = now_ms * 1000;
    late->free_us += (int64_t)((uint64_t)length * 1000000 / late->faults->rate);
    return late->free_us / 1000;
}

static void answer_once(struct late *late, int fd, const struct sock_message *message,
                        const struct late_letter *model, const char *bytes)
{
    int64_t now_ms = loop_now_ms();
    if (late->bytes + model->length + LETTER_COST > BYTES_MAX)
        return;
    int64_t due_ms = pass_rate(late, now_ms, model->length) + model->due_ms;
    if (due_ms <= now_ms) {
        postbox_answer(late->postbox, fd, message, bytes, model->length);
        return;
    }
    struct late_letter *letter = memory_new(1, sizeof *letter + model->length);
    *letter = (struct late_letter){.due_ms = due_ms,
                                   .fd = fd,
                                   .message = *message,
                                   .length = model->length};
    memcpy(letter->bytes, bytes, model->length);
    keep(late, letter);
}

void late_answer(struct late *late, int fd, const struct sock_message *message, char *bytes,
                 size_t length)
{
    struct fault fault = faults_decide(late->faults, 0, ++late->pieces);
    const struct late_letter model = {.due_ms = fault.late_ms, .length = length};
    if (fault.drop)
        return;
    fault_corrupt(&fault, bytes, length);
    answer_once(late, fd, message, &model, bytes);
    if (fault.duplicate)
        answer_once(late, fd, message, &model, bytes);
}
