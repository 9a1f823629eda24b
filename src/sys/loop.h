/*
 * The event loop: descriptors, timers and signals, one thread, level-triggered epoll(7).
 *
 * Watches and timers are embedded in the structs of those who wait; the loop keeps pointers to them and never owns them.
 * Callbacks may watch, unwatch, set, cancel and free anything, themselves included. Times are CLOCK_MONOTONIC milliseconds.
 */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/error.h"

struct loop;

/* A descriptor and what is awaited on it. Error and hang-up are always reported: the callback then reads or writes, which
 * names the cause, or unwatches. */
struct watch {
    int fd;
    void (*ready)(struct watch *watch, uint32_t events);
    uint32_t events;    /* the loop's: what is registered */
    uint32_t slot;      /* the loop's: 1 + its place in the table of watches; 0: none */
    bool watched;       /* the loop's */
    bool always;        /* the loop's: epoll refused it, it counts as ready */
    bool polled;        /* the loop's: epoll has no room for it, it is looked at now and then */
    struct watch *next; /* the loop's: in the list of these, or of those */
};

struct timer {
    void (*fired)(struct timer *timer);
    int64_t due_ms; /* the loop's */
    size_t place;   /* the loop's: 1 + index in the heap, 0 while not set */
};

/* Is the struct of type `type` whose member `member` is at `pointer`. */
#define LOOP_OWNER(pointer, type, member)                                                          \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Makes a loop. Without an epoll instance nothing can go on: then the program ends. */
struct loop *loop_new(void);

/* Frees a loop, which may be NULL, and unblocks its signals. */
void loop_free(struct loop *loop);

/* Awaits `events` (EPOLLIN, EPOLLOUT, or 0 for errors and hang-up alone) on watch->fd; the same again costs nothing, other
 * events replace the old. A descriptor that epoll refuses (a regular file) counts as always ready; one that it has no room
 * for is looked at every 20 ms, until it has. */
void loop_watch(struct loop *loop, struct watch *watch, uint32_t events);

/* Ends a watch, if there is one, before the descriptor is closed. */
void loop_unwatch(struct loop *loop, struct watch *watch);

/* Ends a watch where what follows is the close of the descriptor: that takes it out of the epoll instance by itself, which
 * spares a call. Where a duplicate of it lives on elsewhere it does not; the loop then finds out by the first event that
 * nobody waits for, and starts a new instance. */
void loop_forget(struct loop *loop, struct watch *watch);

/* Makes the timer fire once, `after_ms` from now, which can be 0; a timer that was set is moved. */
void loop_timer_set(struct loop *loop, struct timer *timer, int64_t after_ms);

/* Makes the timer fire no more; it may not be set at all. */
void loop_timer_cancel(struct loop *loop, struct timer *timer);
bool loop_timer_is_set(const struct timer *timer);

/* Returns the time of the clock of timers; any thread may ask. Microseconds are for what is shown. */
int64_t loop_now_ms(void);
int64_t loop_now_us(void);

/* Blocks these signals, which arrive as calls of `arrived` from then on, between other events. There is one handler a
 * loop; loop_free unblocks them. */
void loop_signals(struct loop *loop, const sigset_t *set,
                  void (*arrived)(void *context, int signal_number), void *context);

/* Says whether the signal that has arrived last is the terminal's, which has sent it to the whole process group. */
bool loop_signal_is_of_terminal(const struct loop *loop);

/* Runs until loop_stop, or not at all where that was called before. Returns what was given to the last loop_stop: 0 or -1.
 * It may be run again. After a pause of the process, what waits on descriptors is served before timers fire. */
int loop_run(struct loop *loop);

/* Runs until loop_stop, but no longer than `timeout_ms` (-1: no limit): whoever waits for one thing waits by this.
 * Returns what loop_run would, or 0 where the time is over first; *timed_out, unless NULL, says whether it is. */
int loop_await(struct loop *loop, int64_t timeout_ms, bool *timed_out);

/* Makes loop_run return `result`. */
void loop_stop(struct loop *loop, int result);

#endif
