#include <stdlib.h>

#include "base/memory.h"
#include "stream/hub_steps.h"
#include "sys/sock.h"

static void leave_list(struct hub_client *client)
{
    client->hub->client_count--;
    client->hub->lost_count -= client->lost;
    if (client->previous)
        client->previous->next = client->next;
    else
        client->hub->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
}

/* A turn of its own for each, however many there are and whoever says most. */
void hub_client_wait(struct hub_client *client)
{
    struct hub *hub = client->hub;
    if (!client->waits_at) {
        client->waits_next = NULL;
        client->waits_at = hub->waiting_end;
        *hub->waiting_end = client;
        hub->waiting_end = &client->waits_next;
    }
    hub_client_await(client);
}

void hub_client_wait_no_more(struct hub_client *client)
{
    struct hub *hub = client->hub;
    if (!client->waits_at)
        return;
    *client->waits_at = client->waits_next;
    if (client->waits_next)
        client->waits_next->waits_at = client->waits_at;
    else
        hub->waiting_end = client->waits_at;
    client->waits_at = NULL;
}

/* Whatever becomes of its queue is counted here. */
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

/* Whether there was more for it than it has got. */
static bool lacks_something(const struct hub_client *client, enum hub_end how)
{
    if (how == HUB_STOPPED && hub_cuts_input(client->hub))
        return true;
    return client->queued || how == HUB_SLOW || how == HUB_LARGEST;
}

void hub_client_drop(struct hub_client *client, enum hub_end how)
{
    struct hub *hub = client->hub;
    bool lacks = lacks_something(client, how);
    leave_list(client);
    hub_client_wait_no_more(client);
    if (hub->left)
        hub->left(hub, client, how);
    loop_unwatch(hub->loop, &client->watch);
    loop_timer_cancel(hub->loop, &client->timer);
    keepalive_stop(client->keepalive);
    hub_client_forget_queue(client);
    if (lacks)
        sock_abort(client->watch.fd);
    else
        sock_close(client->watch.fd);
    if (hub->awaited == client)
        hub_look_again(hub);
    free(client);
}

void hub_client_await(struct hub_client *client)
{
    const struct hub *hub = client->hub;
    bool in = !hub->stopping && !client->ended && !client->lost && !client->waits_at;
    bool out = !client->lost && write_queue_has_pending(&client->queue);
    if (in || out)
        loop_watch(hub->loop, &client->watch, (in ? EPOLLIN : 0U) | (out ? EPOLLOUT : 0U));
    else
        loop_unwatch(hub->loop, &client->watch);
}

/* Limits */

static const int64_t never_ms = INT64_MAX;

/* Until it has been silent for long enough after its end, or has taken nothing of what is queued. */
static int64_t until_silence_ms(const struct hub_client *client)
{
    const struct hub *hub = client->hub;
    bool told = hub->heard || (hub_has_input(hub) && hub->in.kind != FD_TERMINAL);
    if (told && hub->silence_ms < 0)
        return never_ms;
    if (client->queued)
        return client->taken_ms + HUB_HOLD_MS - loop_now_ms();
    return told ? client->moved_ms + hub->silence_ms - loop_now_ms() : 0;
}

static int64_t until_idle_ms(const struct hub_client *client)
{
    int64_t idle_ms = client->hub->idle_ms;
    return idle_ms < 0 ? never_ms : client->moved_ms + idle_ms - loop_now_ms();
}

/* Until the nearest of its limits: never_ms if it has none, not over 0 if one is reached. */
static int64_t until_limit_ms(const struct hub_client *client)
{
    const struct hub *hub = client->hub;
    int64_t limit_ms = never_ms, quit_ms = never_ms;
    if (client->lost)
        return 0;
    if (client->ended)
        limit_ms = until_silence_ms(client);
    if (hub->in_ended && hub->quit_after_ms >= 0)
        quit_ms = hub->in_moved_ms + hub->quit_after_ms - loop_now_ms();
    if (quit_ms < limit_ms)
        limit_ms = quit_ms;
    return until_idle_ms(client) < limit_ms ? until_idle_ms(client) : limit_ms;
}

void hub_client_await_limit(struct hub_client *client)
{
    int64_t left_ms = until_limit_ms(client);
    if (left_ms != never_ms)
        loop_timer_set(client->hub->loop, &client->timer, left_ms);
}

static enum hub_end how_over(const struct hub_client *client)
{
    if (client->lost)
        return client->lost_how;
    if (until_idle_ms(client) <= 0)
        return HUB_IDLE;
    return client->ended && client->queued && until_silence_ms(client) <= 0 ? HUB_SLOW : HUB_EOF;
}

/* Whether its system has taken more since this was asked last, if only into the socket's queue. */
static bool still_takes(struct hub_client *client)
{
    int untaken = sock_unread(client->watch.fd);
    bool takes = untaken != client->untaken;
    client->untaken = untaken;
    return takes;
}

static void limit_fired(struct timer *timer)
{
    struct hub_client *client = LOOP_OWNER(timer, struct hub_client, timer);
    struct hub *hub = client->hub;
    if (until_limit_ms(client) > 0) {
        hub_client_await_limit(client);
        return;
    }
    enum hub_end how = how_over(client);
    if (how == HUB_SLOW && !client->lost && still_takes(client)) {
        client->taken_ms = loop_now_ms();
        hub_client_await_limit(client);
        return;
    }
    hub_client_drop(client, how);
    if (!hub_finish_if_stopped(hub))
        hub_await_input(hub);
}

void hub_client_end(struct hub_client *client)
{
    client->ended = true;
    client->moved_ms = client->taken_ms = loop_now_ms();
    if (client->queued)
        still_takes(client);
    hub_client_await(client);
    hub_client_await_limit(client);
}

/* Its queue */

/* Not at once: whoever walks through the clients finds them all as they were. But what is queued for it
 * is given up now. */
static void lose(struct hub_client *client, enum hub_end how)
{
    client->lost = true;
    client->lost_how = how;
    client->failure = client->queue.failure;
    client->hub->lost_count++;
    hub_client_forget_queue(client);
    hub_client_await(client);
    hub_client_await_limit(client);
}

/* Until all queues together are small enough, the largest goes. */
static void hub_keep_budget(struct hub *hub)
{
    struct budget_holder *largest;
    while (budget_is_exceeded(&hub->budget) && (largest = budget_largest(&hub->budget)))
        lose(LOOP_OWNER(largest, struct hub_client, holder), HUB_LARGEST);
}

void hub_client_owns(struct hub_client *client, size_t bytes)
{
    if (client->lost || client->owned == bytes)
        return;
    client->owned = bytes;
    hub_client_count(client);
    hub_keep_budget(client->hub);
}

void hub_tell(struct hub_client *client, const char *bytes, size_t length)
{
    bool waited = write_queue_has_pending(&client->queue);
    if (client->lost)
        return;
    client->moved_ms = loop_now_ms();
    if (!waited)
        client->taken_ms = client->moved_ms;
    if (write_queue_put(&client->queue, bytes, length) < 0) {
        lose(client, HUB_RESET);
        return;
    }
    if (client->queue.length > HUB_QUEUE) {
        lose(client, HUB_SLOW);
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

void hub_tell_others(struct hub *hub, const struct hub_client *from, const char *bytes,
                     size_t length)
{
    for (struct hub_client *client = hub->clients; client; client = client->next)
        if (client != from)
            hub_tell(client, bytes, length);
}

void hub_client_end_sending(struct hub_client *client)
{
    if (client->hub->in_ended && !client->hub->no_shutdown &&
        !write_queue_has_pending(&client->queue))
        sock_shutdown(client->watch.fd, SHUT_WR);
}

void hub_client_flush(struct hub_client *client)
{
    client->taken_ms = loop_now_ms();
    write_queue_flush(&client->queue);
}

static void drained(struct write_queue *queue)
{
    struct hub_client *client = LOOP_OWNER(queue, struct hub_client, queue);
    struct hub *hub = client->hub;
    client->moved_ms = loop_now_ms();
    if (queue->failure) {
        lose(client, HUB_RESET);
        return;
    }
    hub_client_count(client);
    if (hub_finish_if_stopped(hub))
        return;
    hub_client_end_sending(client);
    hub_client_await(client);
    if (hub->awaited == client)
        hub_look_again(hub);
    hub_await_input(hub);
}

struct hub_client *hub_add(struct hub *hub, int fd, void *user_data)
{
    struct hub_client *client = memory_new(1, sizeof *client);
    client->hub = hub;
    client->user_data = user_data;
    client->watch = (struct watch){.fd = fd, .ready = hub_client_ready};
    client->keepalive = keepalive_start(hub->loop, fd, hub->keepalive_ms);
    client->timer.fired = limit_fired;
    client->moved_ms = loop_now_ms();
    write_queue_init(&client->queue, NULL, fd_of_socket(fd), drained);
    client->next = hub->clients;
    if (hub->clients)
        hub->clients->previous = client;
    hub->clients = client;
    hub->client_count++;
    hub_client_await(client);
    hub_client_await_limit(client);
    if (hub->greeting_length)
        hub_tell(client, hub->greeting, hub->greeting_length);
    hub_client_end_sending(client);
    hub_await_input(hub);
    return client;
}
