#include "cmd/resolve_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "io/loop.h"
#include "net/hostname.h"

enum {
    THREADS_MAX = 32,
    WINDOW = 256,          /* names that were taken and not yet shown */
    STACK_SIZE = 512 << 10 /* enough for the modules of nsswitch, and thirty of them cost little */
};

/* A name that was taken. `late` is the thread's to free, when it is back. */
struct slot {
    struct resolve_answer *answer;
    int64_t since_ms;
    bool done;
    bool late;
};

struct resolve_queue {
    struct resolve_plan plan;
    struct resolve_input input;
    const char **words;
    pthread_mutex_t reading; /* of one thread at a time, in `input` */
    pthread_mutex_t lock;    /* of what follows */
    pthread_cond_t changed;
    struct slot *window[WINDOW];
    size_t taken;
    size_t shown;
    bool ended;        /* no more names */
    size_t late_count; /* look-ups that were given up, and go on */
    pthread_t threads[THREADS_MAX];
    size_t thread_count;
};

struct resolve_queue *resolve_queue_new(const struct resolve_plan *plan,
                                        const struct resolve_input *input)
{
    struct resolve_queue *queue = memory_new(1, sizeof *queue);
    pthread_condattr_t monotonic;
    size_t count = 0;
    while (input->words[count])
        count++;
    queue->words = memory_new(count + 1, sizeof *queue->words);
    memcpy(queue->words, input->words, count * sizeof *queue->words);
    queue->plan = *plan;
    queue->input = *input;
    queue->input.words = queue->words;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&queue->reading, NULL);
    pthread_mutex_init(&queue->lock, NULL);
    return queue;
}

/* The threads. They take names one after the other, so that the numbers are in order. */

static void wait_for_room(struct resolve_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->taken - queue->shown == WINDOW)
        pthread_cond_wait(&queue->changed, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
}

/* NULL: there are no more. */
static struct slot *take_name(struct resolve_queue *queue)
{
    struct slot *slot = NULL;
    pthread_mutex_lock(&queue->reading);
    wait_for_room(queue);
    struct resolve_answer *answer = queue->ended ? NULL : resolve_input_next(&queue->input);
    pthread_mutex_lock(&queue->lock);
    if (answer) {
        slot = memory_new(1, sizeof *slot);
        *slot = (struct slot){.answer = answer, .since_ms = loop_now_ms()};
        queue->window[queue->taken++ % WINDOW] = slot;
    }
    queue->ended = !answer;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    pthread_mutex_unlock(&queue->reading);
    return slot;
}

static void slot_free(struct slot *slot)
{
    if (slot->answer)
        resolve_answer_free(slot->answer);
    free(slot);
}

static void *look_up(void *argument)
{
    struct resolve_queue *queue = argument;
    struct slot *slot;
    while ((slot = take_name(queue))) {
        resolve_answer_find(slot->answer, &queue->plan);
        pthread_mutex_lock(&queue->lock);
        slot->done = true;
        if (slot->late) {
            queue->late_count--;
            slot_free(slot);
        }
        pthread_cond_broadcast(&queue->changed);
        pthread_mutex_unlock(&queue->lock);
    }
    return NULL;
}

int resolve_queue_start(struct resolve_queue *queue, size_t names, struct error *err)
{
    const size_t wanted = names && names < THREADS_MAX ? names : THREADS_MAX;
    pthread_attr_t attributes;
    int failure = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    while (!failure && queue->thread_count < wanted) {
        failure = pthread_create(&queue->threads[queue->thread_count], &attributes, look_up, queue);
        queue->thread_count += !failure;
    }
    pthread_attr_destroy(&attributes);
    if (queue->thread_count)
        return 0; /* with fewer, then */
    return error_system(err, STATUS_RESOLVE, failure, "start a look-up");
}

/* The answers */

/* -w: DNS knows the limit by itself; of the system's resolver a thread may wait for as long as it
 * likes. Until when; false: without limit. */
static bool limit_of(const struct resolve_queue *queue, const struct slot *slot,
                     struct timespec *until)
{
    const int64_t limit_ms = queue->plan.given.timeout_ms;
    if (!slot || limit_ms < 0 || queue->plan.type)
        return false;
    *until = (struct timespec){(time_t)((slot->since_ms + limit_ms) / 1000),
                               (long)((slot->since_ms + limit_ms) % 1000) * 1000000};
    return true;
}

/* Waits until the next slot is done, its time is over, or there is none; the lock is held. */
static struct slot *await_slot(struct resolve_queue *queue)
{
    struct timespec until;
    for (;;) {
        struct slot *slot = queue->shown < queue->taken ? queue->window[queue->shown % WINDOW]
                                                        : NULL;
        if (slot ? slot->done : queue->ended)
            return slot;
        if (!limit_of(queue, slot, &until))
            pthread_cond_wait(&queue->changed, &queue->lock);
        else if (pthread_cond_timedwait(&queue->changed, &queue->lock, &until) == ETIMEDOUT)
            return slot;
    }
}

static struct resolve_answer *give_up(struct slot *slot)
{
    const struct resolve_answer *own = slot->answer;
    struct resolve_answer *answer = resolve_answer_new(own->query, own->length);
    hostname_fail(own->query, "no answer within the time limit", &answer->error);
    answer->error.status = STATUS_TIMEOUT;
    answer->took_us = (loop_now_ms() - slot->since_ms) * 1000;
    return answer;
}

struct resolve_answer *resolve_queue_next(struct resolve_queue *queue, int *errnum)
{
    struct resolve_answer *answer = NULL;
    pthread_mutex_lock(&queue->lock);
    struct slot *slot = await_slot(queue);
    if (slot) {
        queue->shown++;
        pthread_cond_broadcast(&queue->changed);
    }
    if (slot && slot->done) {
        answer = slot->answer;
        slot->answer = NULL;
        slot_free(slot);
    } else if (slot) {
        answer = give_up(slot);
        slot->late = true;
        queue->late_count++;
    }
    *errnum = answer ? 0 : queue->input.errnum;
    pthread_mutex_unlock(&queue->lock);
    return answer;
}

bool resolve_queue_free(struct resolve_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    const bool has_late = queue->late_count;
    pthread_mutex_unlock(&queue->lock);
    if (has_late)
        return false;
    for (size_t i = 0; i < queue->thread_count; i++)
        pthread_join(queue->threads[i], NULL);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    pthread_mutex_destroy(&queue->reading);
    free(queue->words);
    free(queue);
    return true;
}
