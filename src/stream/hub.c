/*
 * See hub.h. What a client sends is read when it is its turn: at once, or, while the output or the client that is
 * awaited holds everything up, in the order in which they asked (waiting). What several send in one round of the loop
 * is gathered and put out in one write. What the input delivers is queued for each client by its write queue; limits and
 * queues are counted where they change (hub_client_count), so that no walk over all clients is needed to know whether
 * anybody can take more.
 *
 * Who is too slow is decided in three places: hub_send (the client's queue is full), hub_keep_budget (all queues together
 * hold too much), and hub_client_limit_fired (the client has ended, and takes nothing).
 *
 * A client goes by hub_client_drop alone: at its own end, or, where it has to go in the middle of a walk over all of
 * them, marked as lost, by its timer in the next round. A stop reads no more, and waits for what is queued by the
 * rules of sys/drain.
 */
#include "stream/hub.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sys/sock.h"

enum {
    HOLD_MS = 500,    /* for a client that is behind, without it taking anything */
    LARGE_READ = 4096 /* costs more to copy than a write of its own */
};

static const int64_t never_ms = INT64_MAX;

/* The hub: its input, its output, its end */

static bool hub_has_input(const struct hub *hub)
{
    return hub->in.fd >= 0 && !hub->in_ended;
}

/* Tells whether an end now would cut what the input has for the clients. */
static bool hub_cuts_input(const struct hub *hub)
{
    return hub_has_input(hub) && !hub->received && hub->in.kind != FD_TERMINAL;
}

/* Watches the input while some client can take what it delivers. */
static void hub_await_input(struct hub *hub)
{
    bool wanted = hub->clients.list.count > hub->queued_count + hub->lost_count;
    if (wanted && !filter_is_held(hub->tx_filter) && hub_has_input(hub) && !hub->awaited &&
        !hub->clients.stopping)
        loop_watch(hub->clients.loop, &hub->in_watch, EPOLLIN);
    else
        loop_unwatch(hub->clients.loop, &hub->in_watch);
}

static void hub_finish(struct hub *hub, int result)
{
    hub->failed = result < 0;
    hub_release(hub);
    hub->done(hub, result);
}

static void hub_fail_output(struct hub *hub)
{
    hub_finish(hub, write_queue_error(&hub->queue, hub->out_name, hub->err));
}

/* Puts out what was gathered. False: that was the end of the hub. */
static bool hub_put_gathered(struct hub *hub)
{
    loop_timer_cancel(hub->clients.loop, &hub->put);
    if (write_queue_uncork(&hub->queue) < 0)
        hub_fail_output(hub);
    return hub->clients.loop != NULL;
}

static void hub_round_over(struct timer *timer)
{
    hub_put_gathered(LOOP_OWNER(timer, struct hub, put));
}

/* Counts what has not left us, or has not arrived where a reset would overtake it. */
static uint64_t hub_count_left(struct drain *drain)
{
    const struct hub *hub = LOOP_OWNER(drain, struct hub, clients.drain);
    uint64_t left = hub->queue.length;
    LIST_EACH (const struct hub_client, client, &hub->clients.list, peer.node) {
        left += client->queue.length;
        if (client->queued || hub_cuts_input(hub))
            left += peer_count_unacknowledged(client->peer.watch.fd);
    }
    return left;
}

/* Ends a stopping hub that has nothing more to write. Returns true: the hub is over, or was before. */
static bool hub_finish_if_stopped(struct hub *hub)
{
    if (!hub->clients.stopping)
        return false;
    if (!hub_put_gathered(hub))
        return true;
    if (write_queue_has_pending(&hub->queue) || hub->queued_count)
        return false;
    if (hub_cuts_input(hub) && hub_count_left(&hub->clients.drain))
        return false; /* the drain looks again */
    hub_finish(hub, 0);
    return true;
}

/* Waiting for a client that is behind */

/* Holds up what would fill the client's queue, if it is behind and nobody is awaited yet. With half of the
 * memory in use, whoever has something queued is behind. */
static void hub_hold_for(struct hub *hub, struct hub_client *client)
{
    const struct budget *budget = &hub->budget;
    size_t max = budget->used > budget->max / 2 ? 0 : HUB_QUEUE / 2;
    if (hub->awaited || client->lost || client->queue.length <= max)
        return;
    int64_t left_ms = client->taken_ms + HOLD_MS - loop_now_ms();
    if (left_ms <= 0)
        return;
    hub->awaited = client;
    loop_timer_set(hub->clients.loop, &hub->hold, left_ms);
    hub_await_input(hub);
}

/* Waits for the client no more. Who is waited for next is found out by hub_hold_over, not in the middle of
 * something. */
static void hub_hold_no_more(struct hub *hub, const struct hub_client *client)
{
    if (hub->awaited != client)
        return;
    hub->awaited = NULL;
    if (hub->clients.loop)
        loop_timer_set(hub->clients.loop, &hub->hold, 0);
}

/* The end of a client */

static void hub_client_await(struct hub_client *client)
{
    const struct hub *hub = client->hub;
    bool in = !hub->clients.stopping && !client->ended && !client->lost && !client->peer.waits;
    bool out = !client->lost && write_queue_has_pending(&client->queue);
    if (in || out)
        loop_watch(hub->clients.loop, &client->peer.watch,
                   (in ? EPOLLIN : 0U) | (out ? EPOLLOUT : 0U));
    else
        loop_unwatch(hub->clients.loop, &client->peer.watch);
}

/* Counts what has become of the client's queue, whatever that is. */
static void hub_client_count(struct hub_client *client)
{
    struct hub *hub = client->hub;
    bool queued = write_queue_has_pending(&client->queue);
    hub->queued_count += queued;
    hub->queued_count -= client->queued;
    client->queued = queued;
    budget_set(&hub->budget, &client->holder, client->queue.room + client->owned);
}

static void hub_client_forget_queue(struct hub_client *client)
{
    write_queue_release(&client->queue);
    client->owned = 0;
    hub_client_count(client);
}

static void hub_client_drop(struct hub_client *client, enum hub_end how)
{
    struct hub *hub = client->hub;
    /* Whether there was more for it than it has got. */
    bool lacks = client->queued || how == HUB_SLOW || how == HUB_LARGEST ||
                 (how == HUB_STOPPED && hub_cuts_input(hub));
    peer_leave(&client->peer);
    hub->lost_count -= client->lost;
    if (hub->left)
        hub->left(hub, client, how);
    loop_timer_cancel(hub->clients.loop, &client->timer);
    hub_client_forget_queue(client);
    peer_close(&client->peer, lacks);
    hub_hold_no_more(hub, client);
    free(client);
}

/* Drops a client, from the loop: that may be the end of a hub that stops, or let the input go on. */
static void hub_client_leave(struct hub_client *client, enum hub_end how)
{
    struct hub *hub = client->hub;
    hub_client_drop(client, how);
    if (!hub_finish_if_stopped(hub))
        hub_await_input(hub);
}

/* Limits of a client */

static void hub_client_note_move(struct hub_client *client)
{
    client->moved_ms = loop_now_ms();
    idle_limit_moved(&client->peer.idle);
}

/* Returns how long a client that has ended may still be silent, or take nothing of its queue. */
static int64_t hub_client_until_silence_ms(const struct hub_client *client)
{
    const struct hub *hub = client->hub;
    bool may_get_more = hub->received || (hub_has_input(hub) && hub->in.kind != FD_TERMINAL);
    if (may_get_more && hub->silence_ms < 0)
        return never_ms;
    if (client->queued)
        return client->taken_ms + HOLD_MS - loop_now_ms();
    return may_get_more ? client->moved_ms + hub->silence_ms - loop_now_ms() : 0;
}

/* Returns the time until the nearest of its limits but the idle limit: never_ms if it has none, not over 0 if one is
 * reached. */
static int64_t hub_client_until_limit_ms(const struct hub_client *client)
{
    const struct hub *hub = client->hub;
    if (client->lost)
        return 0;
    int64_t limit_ms = client->ended ? hub_client_until_silence_ms(client) : never_ms;
    int64_t quit_ms = hub->in_ended && hub->quit_after_ms >= 0
                          ? hub->in_moved_ms + hub->quit_after_ms - loop_now_ms()
                          : never_ms;
    return quit_ms < limit_ms ? quit_ms : limit_ms;
}

static void hub_client_await_limit(struct hub_client *client)
{
    int64_t left_ms = hub_client_until_limit_ms(client);
    if (left_ms != never_ms)
        loop_timer_set(client->hub->clients.loop, &client->timer, left_ms);
}

/* Tells whether its system has taken more since this was asked last, if only into the socket's queue. */
static bool hub_client_still_takes(struct hub_client *client)
{
    int untaken = sock_unread(client->peer.watch.fd);
    bool takes = untaken != client->untaken;
    client->untaken = untaken;
    return takes;
}

static void hub_client_limit_fired(struct timer *timer)
{
    struct hub_client *client = LOOP_OWNER(timer, struct hub_client, timer);
    if (hub_client_until_limit_ms(client) > 0) {
        hub_client_await_limit(client);
        return;
    }
    enum hub_end how = client->lost ? client->lost_how : HUB_EOF;
    if (!client->lost && client->ended && client->queued &&
        hub_client_until_silence_ms(client) <= 0) {
        if (hub_client_still_takes(client)) {
            client->taken_ms = loop_now_ms();
            hub_client_await_limit(client);
            return;
        }
        how = HUB_SLOW;
    }
    hub_client_leave(client, how);
}

static void hub_client_idle_over(struct idle_limit *limit)
{
    struct hub_client *client = LOOP_OWNER(limit, struct hub_client, peer.idle);
    hub_client_leave(client, client->lost ? client->lost_how : HUB_IDLE);
}

/* To the clients */

/* Gives the client up, which is dropped in the next round: whoever walks through the clients finds them all as they
 * were. What is queued for it is given up now. */
static void hub_client_lose(struct hub_client *client, enum hub_end how)
{
    client->lost = true;
    client->lost_how = how;
    client->failure = client->queue.failure;
    client->hub->lost_count++;
    hub_client_forget_queue(client);
    hub_client_await(client);
    hub_client_await_limit(client);
}

/* Gives up the client with the largest queue, again and again until all queues together are small enough. */
static void hub_keep_budget(struct hub *hub)
{
    struct budget_holder *largest;
    while (budget_is_exceeded(&hub->budget) && (largest = budget_largest(&hub->budget)))
        hub_client_lose(LOOP_OWNER(largest, struct hub_client, holder), HUB_LARGEST);
}

void hub_client_owns(struct hub_client *client, size_t bytes)
{
    if (client->lost || client->owned == bytes)
        return;
    client->owned = bytes;
    hub_client_count(client);
    hub_keep_budget(client->hub);
}

void hub_send(struct hub_client *client, const char *bytes, size_t length)
{
    bool waited = write_queue_has_pending(&client->queue);
    if (client->lost)
        return;
    hub_client_note_move(client);
    if (!waited)
        client->taken_ms = client->moved_ms;
    if (write_queue_put(&client->queue, bytes, length) < 0) {
        hub_client_lose(client, HUB_RESET);
        return;
    }
    if (client->queue.length > HUB_QUEUE) {
        hub_client_lose(client, HUB_SLOW);
        return;
    }
    if (client->queue.length || client->queued) {
        hub_client_count(client);
        hub_keep_budget(client->hub);
    }
    if (!client->lost) {
        hub_client_await(client);
        hub_hold_for(client->hub, client);
    }
}

void hub_send_others(struct hub *hub, const struct hub_client *from, const char *bytes,
                     size_t length)
{
    LIST_EACH (struct hub_client, client, &hub->clients.list, peer.node)
        if (client != from)
            hub_send(client, bytes, length);
}

/* Shows the client the end of the input, once all of it is sent. */
static void hub_client_end_sending(struct hub_client *client)
{
    if (client->hub->in_ended && !client->hub->no_shutdown &&
        !write_queue_has_pending(&client->queue))
        sock_shutdown(client->peer.watch.fd, SHUT_WR);
}

static void hub_client_drained(struct write_queue *queue)
{
    struct hub_client *client = LOOP_OWNER(queue, struct hub_client, queue);
    struct hub *hub = client->hub;
    hub_client_note_move(client);
    if (queue->failure) {
        hub_client_lose(client, HUB_RESET);
        return;
    }
    hub_client_count(client);
    if (hub_finish_if_stopped(hub))
        return;
    hub_client_end_sending(client);
    hub_client_await(client);
    hub_hold_no_more(hub, client);
    hub_await_input(hub);
}

static void hub_input_ready(struct watch *watch, uint32_t events)
{
    struct hub *hub = LOOP_OWNER(watch, struct hub, in_watch);
    (void)events;
    char *bytes = hub->buffer + HUB_READ;
    ssize_t got = fd_read(hub->in_reopened, bytes, HUB_READ);
    if (got < 0 && errno == EAGAIN)
        return;
    bool ended = got == 0;
    if (got > 0 && hub->tx_filter)
        got = hub->tx_filter->pass(hub->tx_filter, &bytes, (size_t)got);
    if (got < 0) {
        error_system(hub->err, STATUS_LOCAL_IO, errno, "read from %s", hub->in_name);
        hub_finish(hub, -1);
        return;
    }
    hub->in_moved_ms = loop_now_ms();
    hub->in_ended = ended;
    hub->in_began |= !ended;
    if (hub->received)
        hub->received(hub, NULL, ended ? NULL : bytes, ended ? 0 : (size_t)got);
    else if (!ended)
        hub_send_others(hub, NULL, bytes, (size_t)got);
    if (ended) {
        LIST_EACH (struct hub_client, client, &hub->clients.list, peer.node) {
            hub_client_end_sending(client);
            hub_client_await_limit(client);
        }
    }
    hub_await_input(hub);
}

/* From the clients to the output, or to the owner */

static void hub_put_out(struct hub *hub, const char *bytes, size_t length)
{
    if (length >= LARGE_READ) {
        if (hub_put_gathered(hub) && write_queue_put(&hub->queue, bytes, length) < 0)
            hub_fail_output(hub);
        return;
    }
    if (!hub->queue.cork) {
        write_queue_cork(&hub->queue, hub->cork);
        loop_timer_set(hub->clients.loop, &hub->put, 0);
    }
    if (write_queue_put(&hub->queue, bytes, length) < 0)
        hub_fail_output(hub);
}

static void hub_read_client(struct hub_client *client)
{
    struct hub *hub = client->hub;
    char *bytes = hub->buffer + HUB_READ;
    ssize_t got = sock_recv(client->peer.watch.fd, bytes, HUB_READ);
    if (got < 0) {
        if (errno == EAGAIN)
            return;
        client->failure = errno;
        hub_client_leave(client, HUB_RESET);
        return;
    }
    if (got == 0) {
        if (hub->received)
            hub->received(hub, client, NULL, 0);
        client->ended = true;
        hub_client_note_move(client);
        client->taken_ms = client->moved_ms;
        if (client->queued)
            hub_client_still_takes(client);
        hub_client_await(client);
        hub_client_await_limit(client);
        return;
    }
    client->bytes_in += (uint64_t)got;
    hub_client_note_move(client);
    if (hub->rx_filter)
        got = hub->rx_filter->pass(hub->rx_filter, &bytes, (size_t)got);
    if (got < 0)
        hub_fail_output(hub);
    else if (hub->received)
        hub->received(hub, client, bytes, (size_t)got);
    else
        hub_put_out(hub, bytes, (size_t)got);
}

/* Tells whether nothing is read of the clients now. */
static bool hub_is_held_up(const struct hub *hub)
{
    return hub->clients.stopping || filter_is_held(hub->rx_filter) ||
           write_queue_has_pending(&hub->queue) || (hub->received && hub->awaited);
}

static void hub_client_ready(struct watch *watch, uint32_t events)
{
    struct hub_client *client = LOOP_OWNER(watch, struct hub_client, peer.watch);
    struct hub *hub = client->hub;
    if (write_queue_has_pending(&client->queue) && events & ~(uint32_t)EPOLLIN) {
        client->taken_ms = loop_now_ms();
        write_queue_flush(&client->queue);
    } else if (!hub_is_held_up(hub)) {
        hub_read_client(client);
    } else {
        /* A turn of its own for each, however many there are and whoever sends most. */
        peer_await_turn(&client->peer);
        hub_client_await(client);
    }
}

/* Reads each of those that wait once, as far as it goes. This may be the end of the hub. */
static void hub_read_waiting(struct hub *hub)
{
    struct peer *next;
    while (hub->clients.loop && !hub_is_held_up(hub) && (next = peers_next_turn(&hub->clients))) {
        struct hub_client *client = LOOP_OWNER(next, struct hub_client, peer);
        hub_client_await(client);
        hub_read_client(client);
    }
}

static void hub_output_drained(struct write_queue *queue)
{
    struct hub *hub = LOOP_OWNER(queue, struct hub, queue);
    if (queue->failure)
        hub_fail_output(hub);
    else if (!hub_finish_if_stopped(hub))
        hub_read_waiting(hub);
}

/* Waits for the next client that is behind, for the one that was awaited is awaited no more. */
static void hub_hold_over(struct timer *timer)
{
    struct hub *hub = LOOP_OWNER(timer, struct hub, hold);
    hub->awaited = NULL;
    LIST_EACH (struct hub_client, client, &hub->clients.list, peer.node)
        if (!hub->awaited)
            hub_hold_for(hub, client);
    hub_await_input(hub);
    hub_read_waiting(hub);
}

/* Goes on, for the filters can take more. */
static void hub_filter_released(struct filter *filter)
{
    struct hub *hub = filter->mover;
    hub_await_input(hub);
    hub_read_waiting(hub);
}

/* The hub's life */

struct hub_client *hub_add(struct hub *hub, int fd, void *user_data)
{
    struct hub_client *client = memory_new(1, sizeof *client);
    client->hub = hub;
    client->user_data = user_data;
    peer_start(&client->peer, &hub->clients, fd, hub_client_ready, hub_client_idle_over);
    client->timer.fired = hub_client_limit_fired;
    client->moved_ms = loop_now_ms();
    write_queue_init(&client->queue, NULL, fd_of_socket(fd), hub_client_drained);
    hub_client_await(client);
    hub_client_await_limit(client);
    if (hub->greeting_length)
        hub_send(client, hub->greeting, hub->greeting_length);
    hub_client_end_sending(client);
    hub_await_input(hub);
    return client;
}

void hub_start(struct hub *hub, struct loop *loop)
{
    hub->clients.loop = loop;
    budget_init(&hub->budget, hub->max_memory);
    hub->buffer = memory_grow(NULL, HUB_READ, 2);
    hub->cork = memory_grow(NULL, sizeof *hub->cork, 1);
    hub->cork->length = 0;
    hub->put.fired = hub_round_over;
    filter_set_mover(hub->tx_filter, hub, hub_filter_released);
    filter_set_mover(hub->rx_filter, hub, hub_filter_released);
    hub->in_watch = (struct watch){.fd = hub->in.fd, .ready = hub_input_ready};
    hub->hold.fired = hub_hold_over;
    write_queue_init(&hub->queue, loop, hub->out, hub_output_drained);
    write_queue_watch_hangup(&hub->queue);
}

static void hub_drain_over(struct drain *drain)
{
    hub_finish(LOOP_OWNER(drain, struct hub, clients.drain), 0);
}

void hub_stop(struct hub *hub)
{
    hub->clients.stopping = true;
    LIST_EACH (struct hub_client, client, &hub->clients.list, peer.node)
        hub_client_await(client);
    hub_await_input(hub);
    if (!hub_finish_if_stopped(hub))
        drain_start(&hub->clients.drain, hub->clients.loop, hub_count_left, hub_drain_over);
}

void hub_release(struct hub *hub)
{
    struct loop *loop = hub->clients.loop;
    if (!loop)
        return;
    write_queue_uncork(&hub->queue);
    hub->awaited = NULL;
    LIST_EACH (struct hub_client, client, &hub->clients.list, peer.node)
        hub_client_drop(client, HUB_STOPPED);
    loop_unwatch(loop, &hub->in_watch);
    drain_stop(&hub->clients.drain);
    loop_timer_cancel(loop, &hub->hold);
    loop_timer_cancel(loop, &hub->put);
    write_queue_release(&hub->queue);
    free(hub->buffer);
    free(hub->cork);
    hub->clients.loop = NULL;
    filter_set_mover(hub->tx_filter, NULL, NULL);
    filter_set_mover(hub->rx_filter, NULL, NULL);
}
