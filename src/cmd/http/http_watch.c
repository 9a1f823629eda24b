#include "cmd/http/http_watch.h"

#include "base/units.h"

/* The more often it looks, the closer to the limit it ends. */
enum { IDLE_LOOKS = 8 };

static uint64_t count_moved(const struct http_watch *watch)
{
    uint64_t moved = watch->exchange->sent + watch->exchange->received;
    if (watch->body)
        moved += body_taken(&watch->body->framed) + watch->body->framed.pump.moved;
    return moved;
}

static void look(struct timer *timer)
{
    struct http_watch *watch = LOOP_OWNER(timer, struct http_watch, timer);
    int64_t now_ms = loop_now_ms();
    uint64_t moved = count_moved(watch);
    if (moved != watch->seen) {
        watch->seen = moved;
        watch->moved_ms = now_ms;
    }
    int64_t left_ms = watch->moved_ms + watch->idle_ms - now_ms;
    if (left_ms > 0) {
        int64_t step_ms = watch->idle_ms / IDLE_LOOKS + 1;
        loop_timer_set(watch->loop, timer, left_ms < step_ms ? left_ms : step_ms);
        return;
    }
    char limit[UNITS_DURATION_MAX];
    error_set(watch->err, STATUS_TIMEOUT, "%s: nothing moved for %s", watch->exchange->name,
              units_show_duration(limit, watch->idle_ms));
    loop_stop(watch->loop, -1);
}

static void hung_up(struct watch *hang_up, uint32_t events)
{
    struct http_watch *watch = LOOP_OWNER(hang_up, struct http_watch, hang_up);
    (void)events;
    loop_unwatch(watch->loop, hang_up);
    error_silent(watch->err, STATUS_LOCAL_IO);
    loop_stop(watch->loop, -1);
}

static void watch_reader(struct http_watch *watch)
{
    if (watch->reader.fd >= 0 && watch->reader.kind == FD_PIPE)
        loop_watch(watch->loop, &watch->hang_up, 0);
}

void http_watch_start(struct http_watch *watch)
{
    watch->hang_up = (struct watch){.fd = watch->reader.fd, .ready = hung_up};
    watch->timer.fired = look;
    watch_reader(watch);
}

void http_watch_idle(struct http_watch *watch)
{
    watch->moved_ms = loop_now_ms();
    watch->seen = 0;
    if (watch->idle_ms >= 0)
        loop_timer_set(watch->loop, &watch->timer, watch->idle_ms / IDLE_LOOKS + 1);
}

void http_watch_rest(struct http_watch *watch)
{
    loop_timer_cancel(watch->loop, &watch->timer);
}

void http_watch_body(struct http_watch *watch, const struct http_body *body)
{
    watch->body = body;
    if (body)
        loop_unwatch(watch->loop, &watch->hang_up);
    else
        watch_reader(watch);
}

void http_watch_stop(struct http_watch *watch)
{
    http_watch_rest(watch);
    loop_unwatch(watch->loop, &watch->hang_up);
}
