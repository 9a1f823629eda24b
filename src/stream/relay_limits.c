/*
 * The time limits of a relay.
 */
#include "base/units.h"
#include "stream/relay_steps.h"
#include "stream/undelivered.h"
#include "sys/sock.h"

void relay_idle_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, idle);
    int64_t left_ms = relay->moved_ms + relay->policy.idle_ms - loop_now_ms();
    struct error err;
    if (left_ms > 0) {
        loop_timer_set(relay->loop, timer, left_ms);
        return;
    }
    char limit[UNITS_DURATION_MAX];
    error_set(&err, STATUS_TIMEOUT, "%s: nothing moved for %s", relay->far.in_name,
              units_show_duration(limit, relay->policy.idle_ms));
    undelivered_add(relay, &err);
    relay_fail(relay, &err);
}

/* The far side was lost. A slow reader of near.out may go on; one that stopped would keep us. */
static void end_rest(struct relay *relay)
{
    bool paused = relay->down.state == PUMP_WAITS || relay->down.state == PUMP_HELD;
    if (paused || relay->down.taken + relay->down.moved != relay->silent_at)
        relay_read_rest(relay);
    else
        relay_conclude(relay);
}

/* No more is read from the far side; what has been read is still written. */
void relay_quit_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, quit);
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->far.out.fd) : 0;
    struct error err;
    if (relay->result < 0) {
        end_rest(relay);
        return;
    }
    if (unacknowledged > relay->shut) {
        error_set(&err, STATUS_TRANSFER, "write to %s: the time after the end of input is over",
                  relay->far.out_name);
        undelivered_add(relay, &err);
        relay_note_error(relay, &err);
    }
    relay->down.limit = 0;
    if (relay->down.state == PUMP_WANTS_IN)
        pump_move(&relay->down);
    relay_settle(relay);
}

/* The far side has ended; is near.in silent, and everything it gave delivered? */
void relay_silence_over(struct timer *timer)
{
    struct relay *relay = LOOP_OWNER(timer, struct relay, silence);
    const struct pump *up = &relay->up;
    bool delivered = up->taken == up->moved && up->state != PUMP_HELD &&
                     (!relay->policy.confirm || sock_unacknowledged(relay->far.out.fd) <= 0);
    if (up->taken != relay->silent_at || !delivered) {
        relay->silent_at = up->taken;
        loop_timer_set(relay->loop, timer,
                       relay->policy.silence_ms ? relay->policy.silence_ms : RELAY_CONFIRM_MOST_MS);
        return;
    }
    relay->up_open = false;
    relay_conclude(relay);
}
