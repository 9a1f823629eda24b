#include "stream/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "stream/hub_steps.h"
#include "sys/sock.h"

enum {
    GRACE_MS = 500,   /* with what is queued, while stopping */
    LOOK_MS = 10,     /* between two looks at what is not acknowledged */
    LARGE_READ = 4096 /* costs more to copy than a write of its own */
};

static void finish(struct hub *hub, int result)
{
    hub_release(hub);
    hub->done(hub, result);
}

static void fail_output(struct hub *hub)
{
    finish(hub, write_queue_error(&hub->queue, hub->out_name, &hub->error));
}

bool hub_has_input(const struct hub *hub)
{
    return hub->in.fd >= 0 && !hub->in_ended;
}

bool hub_cuts_input(const struct hub *hub)
{
    return hub_has_input(hub) && !hub->heard && hub->in.kind != FD_TERMINAL;
}

/* From the clients to the output, or to whoever hears them */

static char *gathering_place(const struct hub *hub)
{
    return hub->buffer + (size_t)HUB_READ * 2;
}

/* False: that was the end of the hub. */
static bool put_gathered(struct hub *hub)
{
    size_t length = hub->gathered;
    hub->gathered = 0;
    loop_timer_cancel(hub->loop, &hub->put);
    if (length && write_queue_put(&hub->queue, gathering_place(hub), length) < 0)
        fail_output(hub);
    return hub->loop != NULL;
}

static void round_over(struct timer *timer)
{
    put_gathered(LOOP_OWNER(timer, struct hub, put));
}

static void put_out(struct hub *hub, const char *bytes, size_t length)
{
    if (length >= LARGE_READ) {
        if (put_gathered(hub) && write_queue_put(&hub->queue, bytes, length) < 0)
            fail_output(hub);
        return;
    }
    if (length > HUB_READ - hub->gathered && !put_gathered(hub))
        return;
    if (!hub->gathered)
        loop_timer_set(hub->loop, &hub->put, 0);
    memcpy(gathering_place(hub) + hub->gathered, bytes, length);
    hub->gathered += length;
}

static void end_client(struct hub_client *client)
{
    if (client->hub->heard)
        client->hub->heard(client->hub, client, NULL, 0);
    hub_client_end(client);
}

static void lose_client(struct hub_client *client, int failure)
{
    struct hub *hub = client->hub;
    client->failure = failure;
    hub_client_drop(client, HUB_RESET);
    hub_await_input(hub);
}

static void read_client(struct hub_client *client)
{
    struct hub *hub = client->hub;
    char *bytes = hub->buffer + HUB_READ;
    ssize_t got = sock_recv(client->watch.fd, bytes, HUB_READ);
    if (got < 0) {
        if (errno != EAGAIN)
            lose_client(client, errno);
        return;
    }
    if (got == 0) {
        end_client(client);
        return;
    }
    client->bytes_in += (uint64_t)got;
    client->moved_ms = loop_now_ms();
    if (hub->down_filter)
        got = hub->down_filter->pass(hub->down_filter, &bytes, (size_t)got);
    if (got < 0)
        fail_output(hub);
    else if (hub->heard)
        hub->heard(hub, client, bytes, (size_t)got);
    else
        put_out(hub, bytes, (size_t)got);
}

/* Nothing is read of the clients now. */
static bool is_held_up(const struct hub *hub)
{
    bool held = hub->down_filter && hub->down_filter->held;
    return hub->stopping || held || write_queue_has_pending(&hub->queue) ||
           (hub->heard && hub->awaited);
}

void hub_client_ready(struct watch *watch, uint32_t events)
{
    struct hub_client *client = LOOP_OWNER(watch, struct hub_client, watch);
    if (write_queue_has_pending(&client->queue) && events & ~(uint32_t)EPOLLIN)
        hub_client_flush(client);
    else if (is_held_up(client->hub))
        hub_client_wait(client);
    else
        read_client(client);
}

/* Each of those that wait once, as far as it goes. This may be the end of the hub. */
static void read_waiting(struct hub *hub)
{
    while (hub->loop && hub->waiting && !is_held_up(hub)) {
        struct hub_client *client = hub->waiting;
        hub_client_wait_no_more(client);
        hub_client_await(client);
        read_client(client);
    }
}

/* Waiting for a client that is behind */

/* With half of the memory in use, whoever has something queued is behind. */
static bool is_behind(const struct hub_client *client)
{
    const struct budget *budget = &client->hub->budget;
    size_t most = budget->used > budget->most / 2 ? 0 : HUB_QUEUE / 2;
    return !client->lost && client->queue.length > most;
}

static int64_t until_given_up_ms(const struct hub_client *client)
{
    return is_behind(client) ? client->taken_ms + HUB_HOLD_MS - loop_now_ms() : 0;
}

void hub_hold_for(struct hub *hub, struct hub_client *client)
{
    int64_t left_ms = hub->awaited ? 0 : until_given_up_ms(client);
    if (left_ms <= 0)
        return;
    hub->awaited = client;
    loop_timer_set(hub->loop, &hub->hold, left_ms);
    hub_await_input(hub);
}

void hub_look_again(struct hub *hub)
{
    hub->awaited = NULL;
    if (hub->loop)
        loop_timer_set(hub->loop, &hub->hold, 0); /* not in the middle of something */
}

static void hold_over(struct timer *timer)
{
    struct hub *hub = LOOP_OWNER(timer, struct hub, hold);
    hub->awaited = NULL;
    for (struct hub_client *client = hub->clients; client && !hub->awaited; client = client->next)
        hub_hold_for(hub, client);
    hub_await_input(hub);
    read_waiting(hub);
}

/* Whether a reset would overtake something on its way to a client. */
static bool is_under_way(const struct hub *hub)
{
    bool found = false;
    for (const struct hub_client *client = hub->clients; client && !found; client = client->next)
        found = sock_unacknowledged(client->watch.fd) > 0;
    return found;
}

bool hub_finish_if_stopped(struct hub *hub)
{
    if (!hub->stopping)
        return false;
    if (!put_gathered(hub))
        return true;
    if (write_queue_has_pending(&hub->queue) || hub->queued_count)
        return false;
    if (hub_cuts_input(hub) && is_under_way(hub)) {
        loop_timer_set(hub->loop, &hub->look, LOOK_MS);
        return false;
    }
    finish(hub, 0);
    return true;
}

static void output_drained(struct write_queue *queue)
{
    struct hub *hub = LOOP_OWNER(queue, struct hub, queue);
    if (queue->failure)
        fail_output(hub);
    else if (!hub_finish_if_stopped(hub))
        read_waiting(hub);
}

/* From the input to the clients */

void hub_await_input(struct hub *hub)
{
    bool wanted = hub->client_count > hub->queued_count + hub->lost_count;
    bool held = hub->up_filter && hub->up_filter->held;
    if (wanted && !held && hub_has_input(hub) && !hub->awaited && !hub->stopping)
        loop_watch(hub->loop, &hub->in_watch, EPOLLIN);
    else
        loop_unwatch(hub->loop, &hub->in_watch);
}

static void end_input(struct hub *hub)
{
    hub->in_ended = true;
    if (hub->heard)
        hub->heard(hub, NULL, NULL, 0);
    for (struct hub_client *client = hub->clients; client; client = client->next) {
        hub_client_end_sending(client);
        hub_client_await_limit(client);
    }
}

static void input_ready(struct watch *watch, uint32_t events)
{
    struct hub *hub = LOOP_OWNER(watch, struct hub, in_watch);
    (void)events;
    char *bytes = hub->buffer + HUB_READ;
    ssize_t got = fd_read(hub->in_ahead, bytes, HUB_READ);
    if (got < 0 && errno == EAGAIN)
        return;
    bool ended = got == 0;
    if (got > 0 && hub->up_filter)
        got = hub->up_filter->pass(hub->up_filter, &bytes, (size_t)got);
    if (got < 0) {
        error_system(&hub->error, STATUS_LOCAL_IO, errno, "read from %s", hub->in_name);
        finish(hub, -1);
        return;
    }
    hub->in_moved_ms = loop_now_ms();
    if (ended)
        end_input(hub);
    else if (hub->heard)
        hub->heard(hub, NULL, bytes, (size_t)got);
    else
        hub_tell_others(hub, NULL, bytes, (size_t)got);
    hub_await_input(hub);
}

/* The filters can take more. */
static void filter_released(struct filter *filter)
{
    struct hub *hub = filter->mover;
    hub_await_input(hub);
    read_waiting(hub);
}

static void listen_to_filter(struct hub *hub, struct filter *filter)
{
    if (!filter)
        return;
    filter->mover = hub;
    filter->resume = hub->loop ? filter_released : NULL;
}

/* The hub's life */

static void look_again(struct timer *timer)
{
    hub_finish_if_stopped(LOOP_OWNER(timer, struct hub, look));
}

static void patience_over(struct timer *timer)
{
    finish(LOOP_OWNER(timer, struct hub, grace), 0);
}

void hub_start(struct hub *hub, struct loop *loop)
{
    hub->loop = loop;
    hub->waiting_end = &hub->waiting;
    budget_init(&hub->budget, hub->max_memory);
    hub->buffer = memory_grow(NULL, HUB_READ, 3);
    hub->put.fired = round_over;
    listen_to_filter(hub, hub->up_filter);
    listen_to_filter(hub, hub->down_filter);
    hub->in_watch = (struct watch){.fd = hub->in.fd, .ready = input_ready};
    hub->grace.fired = patience_over;
    hub->look.fired = look_again;
    hub->hold.fired = hold_over;
    write_queue_init(&hub->queue, loop, hub->out, output_drained);
    write_queue_watch_hangup(&hub->queue);
}

void hub_stop(struct hub *hub)
{
    hub->stopping = true;
    for (struct hub_client *client = hub->clients; client; client = client->next)
        hub_client_await(client);
    hub_await_input(hub);
    if (!hub_finish_if_stopped(hub))
        loop_timer_set(hub->loop, &hub->grace, GRACE_MS);
}

void hub_release(struct hub *hub)
{
    struct loop *loop = hub->loop;
    if (!loop)
        return;
    if (hub->gathered)
        write_queue_put(&hub->queue, gathering_place(hub), hub->gathered);
    hub->awaited = NULL;
    while (hub->clients)
        hub_client_drop(hub->clients, HUB_STOPPED);
    loop_unwatch(loop, &hub->in_watch);
    loop_timer_cancel(loop, &hub->grace);
    loop_timer_cancel(loop, &hub->look);
    loop_timer_cancel(loop, &hub->hold);
    loop_timer_cancel(loop, &hub->put);
    write_queue_release(&hub->queue);
    free(hub->buffer);
    hub->loop = NULL;
    listen_to_filter(hub, hub->up_filter);
    listen_to_filter(hub, hub->down_filter);
}
