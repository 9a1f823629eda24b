/*
 * One round of loop_run: epoll_wait(2) for a batch of events or until the first timer is due; the events of the batch are
 * served; then the timers that are due fire, the earliest of a heap first; then what is always ready has its turn. What is
 * freed meanwhile is distinguished from what takes its place by the generation of its slot.
 */
#include "sys/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

enum {
    BATCH = 128,
    SLOTS_MIN = 64,
    LATE_MS = 5,   /* a timer that is so late: we have been stopped, or are slow */
    POLLED_MS = 20 /* between two looks at descriptors that epoll has no room for */
};

/* What the kernel gives back with an event is not a pointer but a place in a table, and how often that
 * was given away: an event of a watch that is gone is distinguished from one of its successor's. */
struct slot {
    struct watch *watch; /* NULL: free */
    uint32_t generation;
    uint32_t next;       /* of the free ones, counted from 1; 0: the last */
    uint64_t left_round; /* when it became free */
};

struct loop {
    int epoll;
    bool stopped; /* and loop_run has not returned `result` yet */
    int result;
    size_t watch_count;
    struct slot *slots;
    uint32_t slot_count;
    uint32_t slot_free; /* the first, counted from 1; 0: none */
    uint64_t round;
    bool has_orphan; /* epoll has a socket that was closed here, and lives on elsewhere */
    struct epoll_event batch[BATCH]; /* of the current round */
    int batch_next;
    int batch_end;
    struct watch *always;      /* the always ready */
    struct watch *always_next; /* the one whose turn is next in this round */
    struct watch *polled;      /* those that epoll has no room for */
    struct watch *polled_next;
    struct timer look; /* at these */
    bool warned;
    struct timer **heap;
    size_t heap_count;
    size_t heap_room;
    struct watch signals;
    sigset_t signal_set;
    void (*signal_arrived)(void *context, int signal_number);
    void *signal_context;
    bool signal_of_terminal;
};

static void polled_look(struct timer *timer);

struct loop *loop_new(void)
{
    struct loop *loop = memory_new(1, sizeof *loop);
    loop->look.fired = polled_look;
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
    free(loop->slots);
    free(loop);
}

/* The table */

static void watch_take_slot(struct loop *loop, struct watch *watch)
{
    const uint32_t before = loop->slot_count;
    if (!loop->slot_free) {
        loop->slot_count = before ? 2 * before : SLOTS_MIN;
        loop->slots = memory_grow(loop->slots, loop->slot_count, sizeof *loop->slots);
    }
    for (uint32_t i = loop->slot_count; i > before; i--) {
        loop->slots[i - 1] = (struct slot){.next = loop->slot_free};
        loop->slot_free = i;
    }
    watch->slot = loop->slot_free;
    struct slot *slot = &loop->slots[watch->slot - 1];
    loop->slot_free = slot->next;
    slot->watch = watch;
}

static void watch_leave_slot(struct loop *loop, struct watch *watch)
{
    struct slot *slot = &loop->slots[watch->slot - 1];
    slot->watch = NULL;
    slot->generation++;
    slot->left_round = loop->round;
    slot->next = loop->slot_free;
    loop->slot_free = watch->slot;
    watch->slot = 0;
}

/* Descriptors */

static bool watch_add_to_epoll(struct loop *loop, struct watch *watch, int operation)
{
    if (!watch->slot)
        watch_take_slot(loop, watch);
    const uint64_t generation = loop->slots[watch->slot - 1].generation;
    struct epoll_event event = {.events = watch->events,
                                .data.u64 = generation << 32 | (watch->slot - 1)};
    if (epoll_ctl(loop->epoll, operation, watch->fd, &event) == 0)
        return true;
    watch_leave_slot(loop, watch);
    return false;
}

static void watch_enter_list(struct watch **list, struct watch *watch)
{
    watch->next = *list;
    *list = watch;
}

static void watch_register(struct loop *loop, struct watch *watch, int operation)
{
    if (watch_add_to_epoll(loop, watch, operation))
        return;
    /* The user's watches are used up (ENOSPC, see epoll(7), max_user_watches), or the kernel has no memory: that is no
     * end of anything, only slower. */
    if (operation == EPOLL_CTL_ADD && (errno == ENOSPC || errno == ENOMEM)) {
        const char *reason = errno == ENOSPC ? "fs.epoll.max_user_watches is reached"
                                             : "out of memory";
        if (!loop->warned)
            log_warning("warning: epoll cannot watch more: %s; some are looked at every %d ms",
                        reason, POLLED_MS);
        loop->warned = true;
        watch->polled = true;
        watch_enter_list(&loop->polled, watch);
        if (!loop_timer_is_set(&loop->look))
            loop_timer_set(loop, &loop->look, POLLED_MS);
        return;
    }
    if (errno != EPERM)
        memory_impossible("epoll_ctl failed: not an open descriptor");
    watch->always = true;
    watch_enter_list(&loop->always, watch);
}

void loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
    if (watch->watched && watch->events == events)
        return;
    watch->events = events;
    if (!watch->always && !watch->polled)
        watch_register(loop, watch, watch->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
    loop->watch_count += !watch->watched;
    watch->watched = true;
}

/* Takes a watch out of a list, in which the turn of *next is the next. */
static void watch_leave_list(struct watch **list, struct watch **next, struct watch *watch)
{
    struct watch **at = list;
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    if (*next == watch)
        *next = watch->next;
    watch->always = watch->polled = false;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
    if (watch->watched && !watch->always && !watch->polled &&
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL) < 0 && errno != EBADF)
        memory_impossible("epoll_ctl failed: the descriptor is not the one that was watched");
    loop_forget(loop, watch);
}

void loop_forget(struct loop *loop, struct watch *watch)
{
    if (!watch->watched)
        return;
    loop->watch_count--;
    watch->watched = false;
    watch->events = 0;
    if (watch->always)
        watch_leave_list(&loop->always, &loop->always_next, watch);
    else if (watch->polled)
        watch_leave_list(&loop->polled, &loop->polled_next, watch);
    else
        watch_leave_slot(loop, watch);
}

/* Replaces the epoll instance: a closed descriptor of which there is a duplicate can be taken out of it in no other way.
 * The new one has the old one's number. Where it cannot be had now, the next round tries again. */
static void loop_renew_epoll(struct loop *loop)
{
    int fresh = epoll_create1(EPOLL_CLOEXEC);
    if (fresh < 0)
        return;
    if (dup3(fresh, loop->epoll, O_CLOEXEC) < 0)
        memory_impossible("dup3 failed");
    close(fresh);
    loop->has_orphan = false;
    for (uint32_t i = 0; i < loop->slot_count; i++)
        if (loop->slots[i].watch)
            watch_register(loop, loop->slots[i].watch, EPOLL_CTL_ADD);
}

/* Looks whether epoll has room for them by now, and else whether something has happened there. */
static void polled_look(struct timer *timer)
{
    struct loop *loop = LOOP_OWNER(timer, struct loop, look);
    bool full = false;
    loop->polled_next = loop->polled;
    while (loop->polled_next && !loop->stopped) {
        struct watch *watch = loop->polled_next;
        struct pollfd now = {.fd = watch->fd,
                             .events = (short)(watch->events & (EPOLLIN | EPOLLOUT))};
        loop->polled_next = watch->next;
        full = full || !watch_add_to_epoll(loop, watch, EPOLL_CTL_ADD);
        if (!full)
            watch_leave_list(&loop->polled, &loop->polled_next, watch);
        else if (poll(&now, 1, 0) > 0)
            watch->ready(watch, (uint32_t)now.revents);
    }
    if (loop->polled)
        loop_timer_set(loop, timer, POLLED_MS);
}

/* Timers: a binary heap, the next one due on top. */

static void heap_put(struct loop *loop, size_t at, struct timer *timer)
{
    loop->heap[at] = timer;
    timer->place = at + 1;
}

/* Moves `timer`, whose slot is `at`, to where it belongs. */
static void heap_sift(struct loop *loop, size_t at, struct timer *timer)
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
        heap_sift(loop, timer->place - 1, timer);
        return;
    }
    if (loop->heap_count == loop->heap_room) {
        loop->heap_room = loop->heap_room ? 2 * loop->heap_room : 8;
        loop->heap = memory_grow(loop->heap, loop->heap_room, sizeof(struct timer *));
    }
    heap_sift(loop, loop->heap_count++, timer);
}

void loop_timer_cancel(struct loop *loop, struct timer *timer)
{
    if (!timer->place)
        return;
    size_t at = timer->place - 1;
    struct timer *last = loop->heap[--loop->heap_count];
    timer->place = 0;
    if (last != timer)
        heap_sift(loop, at, last);
}

bool loop_timer_is_set(const struct timer *timer)
{
    return timer->place != 0;
}

/* Signals */

static void signals_read(struct watch *watch, uint32_t events)
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
    loop->signals.ready = signals_read;
    loop->signals.fd = signalfd(loop->signals.fd, set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (loop->signals.fd < 0)
        memory_impossible("out of descriptors: signalfd failed");
    loop_watch(loop, &loop->signals, EPOLLIN);
}

/* The rounds */

static int loop_wait_ms(const struct loop *loop)
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

static void loop_serve_always(struct loop *loop)
{
    loop->always_next = loop->always;
    while (loop->always_next && !loop->stopped) {
        struct watch *watch = loop->always_next;
        loop->always_next = watch->next;
        if (watch->events)
            watch->ready(watch, watch->events);
    }
}

static void loop_serve_batch(struct loop *loop)
{
    while (loop->batch_next < loop->batch_end && !loop->stopped) {
        const struct epoll_event *event = &loop->batch[loop->batch_next++];
        const struct slot *slot = &loop->slots[(uint32_t)event->data.u64];
        if (slot->watch && slot->generation == (uint32_t)(event->data.u64 >> 32))
            slot->watch->ready(slot->watch, event->events);
        else /* if it was not watched any more when the round began either, its descriptor has a duplicate */
            loop->has_orphan |= slot->left_round != loop->round;
    }
    if (loop->has_orphan)
        loop_renew_epoll(loop);
}

/* Waits for events. False: a signal came in between, such as SIGCONT. */
static bool loop_await_batch(struct loop *loop, int timeout_ms)
{
    int count = epoll_wait(loop->epoll, loop->batch, BATCH, timeout_ms);
    if (count < 0 && errno != EINTR)
        memory_impossible("epoll_wait failed");
    loop->round++;
    loop->batch_next = 0;
    loop->batch_end = count < 0 ? 0 : count;
    return count >= 0;
}

static void loop_serve_timers(struct loop *loop, bool interrupted)
{
    if (!loop->heap_count)
        return;
    const int64_t now_ms = loop_now_ms();
    if (interrupted || loop->heap[0]->due_ms + LATE_MS < now_ms) {
        /* After a pause (SIGSTOP, or that of a virtual machine) limits are over, and what came before they were is still
         * to be read: everything that waits now, wherever, is served before any limit is. */
        size_t rounds = loop->watch_count / BATCH + 1;
        do {
            loop_await_batch(loop, 0);
            loop_serve_batch(loop);
        } while (loop->batch_end == BATCH && --rounds && !loop->stopped);
    }
    /* Those that were due at `now_ms`: one that is set again and again, for at once, is over with this millisecond, so
     * that descriptors have their turn. */
    while (!loop->stopped && loop->heap_count && loop->heap[0]->due_ms <= now_ms) {
        struct timer *timer = loop->heap[0];
        loop_timer_cancel(loop, timer);
        timer->fired(timer);
    }
}

int loop_run(struct loop *loop)
{
    while (!loop->stopped) {
        bool interrupted = !loop_await_batch(loop, loop_wait_ms(loop));
        loop_serve_batch(loop);
        loop_serve_timers(loop, interrupted);
        loop_serve_always(loop);
    }
    loop->stopped = false;
    return loop->result;
}

void loop_stop(struct loop *loop, int result)
{
    loop->stopped = true;
    loop->result = result;
}

struct awaiting {
    struct timer limit;
    struct loop *loop;
    bool timed_out;
};

static void awaiting_timed_out(struct timer *timer)
{
    struct awaiting *awaiting = LOOP_OWNER(timer, struct awaiting, limit);
    awaiting->timed_out = true;
    loop_stop(awaiting->loop, 0);
}

int loop_await(struct loop *loop, int64_t timeout_ms, bool *timed_out)
{
    struct awaiting awaiting = {.limit.fired = awaiting_timed_out, .loop = loop};
    if (timeout_ms >= 0)
        loop_timer_set(loop, &awaiting.limit, timeout_ms);
    int result = loop_run(loop);
    loop_timer_cancel(loop, &awaiting.limit);
    if (timed_out)
        *timed_out = awaiting.timed_out;
    return result;
}
