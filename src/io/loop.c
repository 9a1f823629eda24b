#include "io/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { BATCH = 128 };

struct loop {
    int epoll;
    bool stopped;
    int result;
    struct epoll_event batch[BATCH]; /* of the current round; data.ptr NULL: no longer watched */
    int batch_next;
    int batch_end;
    struct watch *always;      /* the always ready */
    struct watch *always_next; /* the one whose turn is next in this round */
    struct timer **heap;
    size_t heap_count;
    size_t heap_room;
    struct watch signals;
    sigset_t signal_set;
    void (*signal_arrived)(void *context, int signal_number);
    void *signal_context;
    bool signal_of_terminal;
};

struct loop *loop_new(void)
{
    struct loop *loop = memory_new(1, sizeof *loop);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0)
        memory_impossible("out of descriptors: epoll_create1 failed");
    loop->signals.fd = -1;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->signals.fd >= 0) {
        close(loop->signals.fd);
        sigprocmask(SIG_UNBLOCK, &loop->signal_set, NULL);
    }
    close(loop->epoll);
    free(loop->heap);
    free(loop);
}

/* Descriptors */

static void control(struct loop *loop, struct watch *watch, int operation)
{
    struct epoll_event event = {.events = watch->events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, operation, watch->fd, &event) == 0)
        return;
    if (errno != EPERM)
        memory_impossible("epoll_ctl failed: out of memory, or not an open descriptor");
    watch->always = true;
    watch->next = loop->always;
    loop->always = watch;
}

void loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
    if (watch->watched && watch->events == events)
        return;
    watch->events = events;
    if (!watch->always)
        control(loop, watch, watch->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
    watch->watched = true;
}

static void leave_always(struct loop *loop, struct watch *watch)
{
    struct watch **at = &loop->always;
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    if (loop->always_next == watch)
        loop->always_next = watch->next;
    watch->always = false;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
    if (watch->watched && !watch->always &&
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL) < 0 && errno != EBADF)
        memory_impossible("epoll_ctl failed: the descriptor is not the one that was watched");
    loop_forget(loop, watch);
}

void loop_forget(struct loop *loop, struct watch *watch)
{
    if (!watch->watched)
        return;
    watch->watched = false;
    watch->events = 0;
    if (watch->always) {
        leave_always(loop, watch);
        return;
    }
    for (int i = loop->batch_next; i < loop->batch_end; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
}

/* Timers: a binary heap, the next one due on top. */

static void heap_put(struct loop *loop, size_t at, struct timer *timer)
{
    loop->heap[at] = timer;
    timer->place = at + 1;
}

/* Moves `timer`, whose slot is `at`, to where it belongs. */
static void heap_settle(struct loop *loop, size_t at, struct timer *timer)
{
    while (at > 0 && loop->heap[(at - 1) / 2]->due_ms > timer->due_ms) {
        heap_put(loop, at, loop->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < loop->heap_count &&
            loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
            child++;
        if (child >= loop->heap_count || loop->heap[child]->due_ms >= timer->due_ms)
            break;
        heap_put(loop, at, loop->heap[child]);
        at = child;
    }
    heap_put(loop, at, timer);
}

int64_t loop_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t loop_now_ms(void)
{
    return loop_now_us() / 1000;
}

void loop_timer_set(struct loop *loop, struct timer *timer, int64_t after_ms)
{
    int64_t now_us = loop_now_us();
    /* The clock is rounded up here and down when it is compared: never early. */
    int64_t now_ms = (now_us + 999) / 1000;
    if (after_ms <= 0)
        timer->due_ms = now_us / 1000;
    else
        timer->due_ms = now_ms + (after_ms < INT64_MAX - now_ms ? after_ms : INT64_MAX - now_ms);
    if (timer->place) {
        heap_settle(loop, timer->place - 1, timer);
        return;
    }
    if (loop->heap_count == loop->heap_room) {
        loop->heap_room = loop->heap_room ? 2 * loop->heap_room : 8;
        loop->heap = memory_grow(loop->heap, loop->heap_room, sizeof(struct timer *));
    }
    heap_settle(loop, loop->heap_count++, timer);
}

void loop_timer_cancel(struct loop *loop, struct timer *timer)
{
    if (!timer->place)
        return;
    size_t at = timer->place - 1;
    struct timer *last = loop->heap[--loop->heap_count];
    timer->place = 0;
    if (last != timer)
        heap_settle(loop, at, last);
}

bool loop_timer_is_set(const struct timer *timer)
{
    return timer->place != 0;
}

/* Those that were due when it began: one that is set again and again, for at once, is over with this
 * millisecond, so that descriptors have their turn. */
static void fire_timers(struct loop *loop)
{
    if (!loop->heap_count)
        return;
    int64_t now_ms = loop_now_ms();
    while (!loop->stopped && loop->heap_count && loop->heap[0]->due_ms <= now_ms) {
        struct timer *timer = loop->heap[0];
        loop_timer_cancel(loop, timer);
        timer->fired(timer);
    }
}

/* Signals */

static void read_signals(struct watch *watch, uint32_t events)
{
    struct loop *loop = LOOP_OWNER(watch, struct loop, signals);
    struct signalfd_siginfo info;
    (void)events;
    while (loop->signals.watched && read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        loop->signal_of_terminal = info.ssi_code == SI_KERNEL;
        loop->signal_arrived(loop->signal_context, (int)info.ssi_signo);
    }
}

bool loop_signal_is_of_terminal(const struct loop *loop)
{
    return loop->signal_of_terminal;
}

void loop_signals(struct loop *loop, const sigset_t *set,
                  void (*arrived)(void *context, int signal_number), void *context)
{
    sigprocmask(SIG_BLOCK, set, NULL);
    loop->signal_set = *set;
    loop->signal_arrived = arrived;
    loop->signal_context = context;
    loop->signals.ready = read_signals;
    loop->signals.fd = signalfd(loop->signals.fd, set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (loop->signals.fd < 0)
        memory_impossible("out of descriptors: signalfd failed");
    loop_watch(loop, &loop->signals, EPOLLIN);
}

/* The rounds */

static int wait_ms(const struct loop *loop)
{
    for (const struct watch *watch = loop->always; watch; watch = watch->next)
        if (watch->events)
            return 0;
    if (!loop->heap_count)
        return -1;
    int64_t left_ms = loop->heap[0]->due_ms - loop_now_ms();
    if (left_ms < 0)
        return 0;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

static void serve_always(struct loop *loop)
{
    loop->always_next = loop->always;
    while (loop->always_next && !loop->stopped) {
        struct watch *watch = loop->always_next;
        loop->always_next = watch->next;
        if (watch->events)
            watch->ready(watch, watch->events);
    }
}

static void serve_batch(struct loop *loop)
{
    while (loop->batch_next < loop->batch_end && !loop->stopped) {
        const struct epoll_event *event = &loop->batch[loop->batch_next++];
        struct watch *watch = event->data.ptr;
        if (watch)
            watch->ready(watch, event->events);
    }
}

int loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped) {
        int count = epoll_wait(loop->epoll, loop->batch, BATCH, wait_ms(loop));
        if (count < 0 && errno != EINTR)
            memory_impossible("epoll_wait failed");
        loop->batch_next = 0;
        loop->batch_end = count < 0 ? 0 : count;
        serve_batch(loop);
        fire_timers(loop);
        serve_always(loop);
    }
    return loop->result;
}

void loop_stop(struct loop *loop, int result)
{
    loop->stopped = true;
    loop->result = result;
}
