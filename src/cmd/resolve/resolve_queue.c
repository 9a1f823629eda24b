/*
 * Threads take names from the input into slots of a window, look them up, and put the answers there;
 * who asks for answers takes them out in the order of the window. With -w a slot has until its limit,
 * from when it was taken: a third and two thirds on, another thread asks for the same name, and the
 * first answer counts. A thread that is stuck, in getaddrinfo(3), with a slot that has left the window
 * goes on alone; another one takes names in its place, so that the next ones are not late.
 */
#include "cmd/resolve/resolve_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/hostname.h"
#include "sys/loop.h"

/* The names to resolve: the operands, and the lines of stdin where one of those is "-". */
struct resolve_input {
    const char *const *words; /* what is left of them, NULL-terminated; not owned */
    char *name;               /* the one that is asked for in the next type; NULL: none yet */
    size_t name_length;
    size_t next_type; /* of the plan's */
    size_t at;        /* in the block that was read from stdin */
    size_t end;
    int errnum; /* of a read that failed, which is the end */
    char block[4096];
};

/* The next byte of stdin, or EOF. Not getc(3): a thread that waits in it for a terminal would hold up
 * exit(3), which wants stdin's lock. */
static int input_byte(struct resolve_input *input)
{
    while (input->at == input->end) {
        ssize_t length = read(STDIN_FILENO, input->block, sizeof input->block);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            input->errnum = errno;
        if (length <= 0)
            return EOF;
        input->at = 0;
        input->end = (size_t)length;
    }
    return (unsigned char)input->block[input->at++];
}

static bool is_blank_or_cr(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool input_keep_name(struct resolve_input *input, const char *name, size_t length)
{
    input->name = memory_copy(name, length);
    input->name_length = length;
    return true;
}

/* Takes the next line of stdin that is not blank, without the blanks around it; of one that is longer than any name,
 * it takes the beginning. False at the end. */
static bool input_read_line(struct resolve_input *input)
{
    char line[1024];
    size_t length = 0;
    int c;
    while (!length && (c = input_byte(input)) != EOF) {
        for (; c != EOF && c != '\n'; c = input_byte(input))
            if (length + 1 < sizeof line && (length || !is_blank_or_cr(c)))
                line[length++] = (char)c;
        while (length && is_blank_or_cr(line[length - 1]))
            length--;
    }
    return length && input_keep_name(input, line, length);
}

/* Takes the next name, which may have to be waited for; false at the end. */
static bool input_read_name(struct resolve_input *input)
{
    free(input->name);
    input->name = NULL;
    input->next_type = 0;
    while (!input->errnum && *input->words) {
        const char *word = *input->words;
        const bool is_stdin = strcmp(word, "-") == 0;
        if (is_stdin && input_read_line(input))
            return true;
        input->words++;
        if (!is_stdin)
            return input_keep_name(input, word, strlen(word));
    }
    return false;
}

/* Makes an answer for the next question: each name in each type. NULL at the end. */
static struct resolve_answer *input_next(struct resolve_input *input,
                                         const struct resolve_plan *plan)
{
    const bool has_more_types = input->name && input->next_type < plan->type_count;
    if (!has_more_types && !input_read_name(input))
        return NULL;
    return resolve_answer_new(input->name, input->name_length, plan->types[input->next_type++]);
}

enum {
    TAKERS_MAX = 32,
    THREADS_MAX = 256,      /* with those that are stuck */
    WINDOW = 256,           /* questions that were taken and not yet shown */
    STACK_SIZE = 512 << 10, /* enough for the modules of nsswitch, and thirty of them cost little */
    TRIES = 3,              /* within a limit */
    TRY_MIN_MS = 100,
    LIBC_TRY_MS = 5000 /* until libc asks again by itself: resolv.conf(5) */
};

/* A name that was taken, in one type. Once it has left the window it is its last thread's to free. */
struct slot {
    char *query;
    size_t length;
    uint16_t type;
    struct resolve_answer *answer; /* the first that came */
    int64_t since_ms;
    int tries;
    size_t threads;    /* that look it up */
    bool has_taker;    /* one of them has taken it, and is to take the next */
    bool is_abandoned; /* it has left the window */
};

struct resolve_queue {
    struct resolve_plan plan;
    struct resolve_input input;
    const char **words;
    pthread_mutex_t reading; /* of one thread at a time, in `input` */
    pthread_mutex_t lock;    /* of what follows */
    pthread_cond_t changed;
    struct slot *window[WINDOW];
    size_t questions; /* 0: nobody knows */
    size_t taken;
    size_t shown;
    bool ended;    /* no more names */
    size_t takers; /* threads that take names; those that are stuck do not count */
    size_t takers_max;
    size_t threads;   /* all of them */
    size_t abandoned; /* slots with threads that go on */
};

struct resolve_queue *resolve_queue_new(const struct resolve_plan *plan, const char *const *words)
{
    struct resolve_queue *queue = memory_new(1, sizeof *queue);
    pthread_condattr_t monotonic;
    size_t count = 0;
    while (words[count])
        count++;
    queue->words = memory_new(count + 1, sizeof *queue->words);
    memcpy(queue->words, words, count * sizeof *queue->words);
    queue->plan = *plan;
    queue->input.words = queue->words;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&queue->reading, NULL);
    pthread_mutex_init(&queue->lock, NULL);
    return queue;
}

/* The threads. They take names one after the other, so that the numbers are in order. One that is
 * stuck with a name that was given up is replaced; a name may have more threads, that ask once more. */

/* Takes the next name into the window. NULL: there are no more. */
static struct slot *take_name(struct resolve_queue *queue)
{
    struct slot *slot = NULL;
    pthread_mutex_lock(&queue->reading);
    pthread_mutex_lock(&queue->lock);
    while (queue->taken - queue->shown == WINDOW) /* until there is room */
        pthread_cond_wait(&queue->changed, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
    struct resolve_answer *answer = queue->ended ? NULL : input_next(&queue->input, &queue->plan);
    pthread_mutex_lock(&queue->lock);
    if (answer) {
        slot = memory_new(1, sizeof *slot);
        *slot = (struct slot){.query = memory_copy(answer->query, answer->length),
                              .length = answer->length,
                              .type = answer->type,
                              .since_ms = loop_now_ms(),
                              .tries = 1,
                              .threads = 1,
                              .has_taker = true};
        resolve_answer_free(answer);
        queue->window[queue->taken++ % WINDOW] = slot;
    }
    queue->ended = !answer || queue->taken == queue->questions;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    pthread_mutex_unlock(&queue->reading);
    return slot;
}

static void slot_free(struct slot *slot)
{
    if (slot->answer)
        resolve_answer_free(slot->answer);
    free(slot->query);
    free(slot);
}

/* A thread has looked the slot up; its answer counts if it is the first. The lock is held. */
static void slot_answer(struct resolve_queue *queue, struct slot *slot,
                        struct resolve_answer *answer)
{
    slot->threads--;
    if (slot->answer || slot->is_abandoned)
        resolve_answer_free(answer);
    else
        slot->answer = answer;
    if (slot->is_abandoned && !slot->threads) {
        queue->abandoned--;
        slot_free(slot);
    }
}

/* What a thread is started with. */
struct slot_try {
    struct resolve_queue *queue;
    struct slot *slot; /* NULL: one is to be taken first */
};

static void *thread_look_up(void *argument)
{
    const struct slot_try own = *(struct slot_try *)argument;
    struct resolve_queue *queue = own.queue;
    struct slot *slot = own.slot ? own.slot : take_name(queue);
    bool is_taker = !own.slot;
    free(argument);
    while (slot) {
        struct resolve_answer *answer = resolve_answer_new(slot->query, slot->length, slot->type);
        resolve_answer_find(answer, &queue->plan);
        pthread_mutex_lock(&queue->lock);
        if (is_taker) {
            is_taker = slot->has_taker; /* else it was replaced */
            slot->has_taker = false;
        }
        slot_answer(queue, slot, answer);
        if (!is_taker && !queue->ended && queue->takers < queue->takers_max) {
            is_taker = true;
            queue->takers++;
        }
        pthread_cond_broadcast(&queue->changed);
        pthread_mutex_unlock(&queue->lock);
        slot = is_taker ? take_name(queue) : NULL;
    }
    pthread_mutex_lock(&queue->lock);
    queue->takers -= is_taker;
    queue->threads--;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* Starts a thread for this slot, or to take names (NULL). Returns 0 or the errno; the lock is held. */
static int start_thread(struct resolve_queue *queue, struct slot *slot)
{
    pthread_attr_t attributes;
    pthread_t thread;
    struct slot_try *own = memory_new(1, sizeof *own);
    *own = (struct slot_try){queue, slot};
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failure = queue->threads < THREADS_MAX
                      ? pthread_create(&thread, &attributes, thread_look_up, own)
                      : EAGAIN;
    pthread_attr_destroy(&attributes);
    if (failure) {
        free(own);
        return failure;
    }
    queue->threads++;
    if (slot)
        slot->threads++;
    else
        queue->takers++;
    return 0;
}

int resolve_queue_start(struct resolve_queue *queue, size_t questions, struct error *err)
{
    int failure = 0;
    queue->questions = questions;
    queue->takers_max = questions && questions < TAKERS_MAX ? questions : TAKERS_MAX;
    pthread_mutex_lock(&queue->lock);
    for (size_t i = 0; i < queue->takers_max && !failure; i++)
        failure = start_thread(queue, NULL);
    const bool has_started = queue->threads > 0;
    pthread_mutex_unlock(&queue->lock);
    if (has_started)
        return 0; /* with fewer, then */
    return error_system(err, STATUS_RESOLVE, failure, "start a look-up");
}

/* Whether the queue has to keep the limit (-w): DNS knows it by itself, but the system's resolver may let a thread
 * wait for as long as it likes. */
static bool is_limited(const struct resolve_queue *queue)
{
    return queue->plan.given.timeout_ms >= 0 && !queue->plan.types[0];
}

/* Returns when the slot is to be asked for once more, as a datagram may be lost; -1: never. */
static int64_t slot_next_try_ms(const struct resolve_queue *queue, const struct slot *slot)
{
    const int64_t limit_ms = queue->plan.given.timeout_ms, part_ms = limit_ms / TRIES;
    if (slot->answer || slot->tries >= TRIES || limit_ms >= TRIES * (int64_t)LIBC_TRY_MS)
        return -1;
    return slot->since_ms + slot->tries * (part_ms < TRY_MIN_MS ? TRY_MIN_MS : part_ms);
}

/* Asks again for what is due. Returns when the next thing is, at the latest at `end_ms`. */
static int64_t retry_slots(struct resolve_queue *queue, int64_t end_ms)
{
    const int64_t now_ms = loop_now_ms();
    for (size_t i = queue->shown; i < queue->taken; i++) {
        struct slot *slot = queue->window[i % WINDOW];
        int64_t at_ms = slot_next_try_ms(queue, slot);
        if (at_ms >= 0 && at_ms <= now_ms) {
            slot->tries++;
            if (queue->threads < THREADS_MAX / 2) /* the others are to take names */
                start_thread(queue, slot); /* that it cannot be is no failure: there is one */
            at_ms = slot_next_try_ms(queue, slot);
        }
        if (at_ms >= 0 && at_ms < end_ms)
            end_ms = at_ms;
    }
    return end_ms;
}

/* Waits until the next slot is done, its time is over, or there is none; the lock is held. */
static struct slot *await_slot(struct resolve_queue *queue)
{
    for (;;) {
        struct slot *slot = queue->shown < queue->taken ? queue->window[queue->shown % WINDOW]
                                                        : NULL;
        if (slot ? slot->answer != NULL : queue->ended)
            return slot;
        if (!is_limited(queue) || !slot) {
            pthread_cond_wait(&queue->changed, &queue->lock);
            continue;
        }
        const int64_t end_ms = slot->since_ms + queue->plan.given.timeout_ms;
        if (loop_now_ms() >= end_ms)
            return slot;
        const int64_t at_ms = retry_slots(queue, end_ms);
        const struct timespec until = {(time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000};
        pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
    }
}

/* The slot leaves the window; threads that go on with it are none that take names. */
static void slot_leave_window(struct resolve_queue *queue, struct slot *slot)
{
    queue->shown++;
    pthread_cond_broadcast(&queue->changed);
    if (!slot->threads) {
        slot_free(slot);
        return;
    }
    slot->is_abandoned = true;
    queue->abandoned++;
    if (!slot->has_taker)
        return;
    slot->has_taker = false;
    queue->takers--;
    if (!queue->ended)
        start_thread(queue, NULL);
}

struct resolve_answer *resolve_queue_next(struct resolve_queue *queue, int *errnum)
{
    struct resolve_answer *answer = NULL;
    pthread_mutex_lock(&queue->lock);
    struct slot *slot = await_slot(queue);
    if (slot) {
        answer = slot->answer;
        slot->answer = NULL;
        if (!answer) {
            answer = resolve_answer_new(slot->query, slot->length, slot->type);
            struct error err;
            hostname_fail(slot->query, "no answer within the time limit", &err);
            err.status = STATUS_TIMEOUT;
            error_keep(&answer->failure, &err);
            answer->took_us = (loop_now_ms() - slot->since_ms) * 1000;
        }
        slot_leave_window(queue, slot);
    }
    *errnum = answer ? 0 : queue->input.errnum;
    pthread_mutex_unlock(&queue->lock);
    return answer;
}

bool resolve_queue_free(struct resolve_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    const bool has_stuck = queue->abandoned;
    while (!has_stuck && queue->threads)
        pthread_cond_wait(&queue->changed, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
    if (has_stuck)
        return false;
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    pthread_mutex_destroy(&queue->reading);
    free(queue->input.name);
    free(queue->words);
    free(queue);
    return true;
}
