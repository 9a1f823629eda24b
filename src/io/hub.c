#include "io/hub.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "net/sock.h"

enum { PATIENCE_MS = 500 };

static void await_input(struct hub *hub);

static void drop(struct hub_client *client, enum hub_end how)
{
    struct hub *hub = client->hub;
    if (hub->left)
        hub->left(hub, client, how);
    loop_unwatch(hub->loop, &client->watch);
    loop_timer_cancel(hub->loop, &client->timer);
    outbox_release(&client->outbox);
    sock_close(client->watch.fd);
    if (client->previous)
        client->previous->next = client->next;
    else
        hub->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
    free(client);
}

static void finish(struct hub *hub, int result)
{
    hub_release(hub);
    hub->done(hub, result);
}

static void fail_output(struct hub *hub)
{
    finish(hub, outbox_error(&hub->outbox, hub->out_name, &hub->error));
}

/* From the clients to the output */

static void await_client(struct hub_client *client)
{
    const struct hub *hub = client->hub;
    bool in = !client->ended && !outbox_is_full(&hub->outbox) && !hub->stopping;
    bool out = outbox_is_full(&client->outbox);
    if (in || out)
        loop_watch(hub->loop, &client->watch, (in ? EPOLLIN : 0U) | (out ? EPOLLOUT : 0U));
    else
        loop_unwatch(hub->loop, &client->watch);
}

static void await_clients(struct hub *hub)
{
    for (struct hub_client *client = hub->clients; client; client = client->next)
        await_client(client);
}

static bool has_input(const struct hub *hub)
{
    return hub->in.fd >= 0 && !hub->in_ended;
}

/* Limits of a client */

enum { LOOK_AGAIN_MS = 20 };

static const int64_t never_ms = INT64_MAX;

/* Until it has been silent for long enough after its end. */
static int64_t until_silence_ms(const struct hub_client *client)
{
    const struct hub *hub = client->hub;
    if (outbox_is_full(&client->outbox))
        return LOOK_AGAIN_MS;
    if (!has_input(hub) || hub->in.kind == END_TERMINAL)
        return 0;
    return hub->silence_ms < 0 ? never_ms : client->moved_ms + hub->silence_ms - loop_now_ms();
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
    if (client->ended)
        limit_ms = until_silence_ms(client);
    if (hub->in_ended && hub->quit_after_ms >= 0)
        quit_ms = hub->in_moved_ms + hub->quit_after_ms - loop_now_ms();
    if (quit_ms < limit_ms)
        limit_ms = quit_ms;
    return until_idle_ms(client) < limit_ms ? until_idle_ms(client) : limit_ms;
}

static void await_limit(struct hub_client *client)
{
    int64_t left_ms = until_limit_ms(client);
    if (left_ms != never_ms)
        loop_timer_set(client->hub->loop, &client->timer, left_ms);
}

static void limit_fired(struct timer *timer)
{
    struct hub_client *client = LOOP_OWNER(timer, struct hub_client, timer);
    struct hub *hub = client->hub;
    if (until_limit_ms(client) > 0) {
        await_limit(client);
        return;
    }
    drop(client, until_idle_ms(client) > 0 ? HUB_EOF : HUB_IDLE);
    await_input(hub);
}

/* The client has sent all it had. What the input says within the next while is still for it. */
static void end_client(struct hub_client *client)
{
    client->ended = true;
    client->moved_ms = loop_now_ms();
    await_client(client);
    await_limit(client);
}

static void lose_client(struct hub_client *client, int failure)
{
    struct hub *hub = client->hub;
    client->failure = failure;
    drop(client, HUB_RESET);
    await_input(hub);
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
    if (got < 0 || outbox_put(&hub->outbox, bytes, (size_t)got) < 0)
        fail_output(hub);
    else if (outbox_is_full(&hub->outbox))
        await_clients(hub);
}

static void client_ready(struct watch *watch, uint32_t events)
{
    struct hub_client *client = LOOP_OWNER(watch, struct hub_client, watch);
    if (outbox_is_full(&client->outbox) && events & ~(uint32_t)EPOLLIN)
        outbox_flush(&client->outbox); /* which may be the client's end */
    else
        read_client(client);
}

/* When the hub is told to stop, what is queued is still delivered. */
static bool finish_if_stopped(struct hub *hub)
{
    bool waiting = outbox_is_full(&hub->outbox);
    for (const struct hub_client *client = hub->clients; client; client = client->next)
        waiting = waiting || outbox_is_full(&client->outbox);
    if (!hub->stopping || waiting)
        return false;
    finish(hub, 0);
    return true;
}

static void output_drained(struct outbox *outbox)
{
    struct hub *hub = LOOP_OWNER(outbox, struct hub, outbox);
    if (outbox->failure)
        fail_output(hub);
    else if (!finish_if_stopped(hub))
        await_clients(hub);
}

/* From the input to the clients */

/* The input is read while at least one client can take what it says: with one client it waits for
 * that one, with several it waits for the fastest. */
static void await_input(struct hub *hub)
{
    bool wanted = false;
    for (const struct hub_client *client = hub->clients; client && !wanted; client = client->next)
        wanted = !outbox_is_full(&client->outbox);
    if (wanted && has_input(hub) && !hub->stopping)
        loop_watch(hub->loop, &hub->in_watch, EPOLLIN);
    else
        loop_unwatch(hub->loop, &hub->in_watch);
}

/* Queues bytes for a client; one that is gone or too slow is dropped: then false. */
static bool tell(struct hub_client *client, const char *bytes, size_t length)
{
    client->moved_ms = loop_now_ms();
    if (outbox_put(&client->outbox, bytes, length) < 0) {
        client->failure = client->outbox.failure;
        drop(client, HUB_RESET);
        return false;
    }
    if (client->outbox.length > HUB_QUEUE) {
        drop(client, HUB_SLOW);
        return false;
    }
    await_client(client);
    return true;
}

/* No more comes: says so to a client once its queue is empty. */
static void end_sending(struct hub_client *client)
{
    if (client->hub->in_ended && !client->hub->no_shutdown && !outbox_is_full(&client->outbox))
        sock_shutdown(client->watch.fd, SHUT_WR);
}

static void input_ready(struct watch *watch, uint32_t events)
{
    struct hub *hub = LOOP_OWNER(watch, struct hub, in_watch);
    (void)events;
    char *bytes = hub->buffer + HUB_READ;
    ssize_t got = end_read(hub->in, bytes, HUB_READ);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got > 0 && hub->up_filter)
        got = hub->up_filter->pass(hub->up_filter, &bytes, (size_t)got);
    if (got < 0) {
        error_system(&hub->error, STATUS_LOCAL_IO, errno, "read from %s", hub->in_name);
        finish(hub, -1);
        return;
    }
    hub->in_moved_ms = loop_now_ms();
    hub->in_ended = got == 0;
    for (struct hub_client *client = hub->clients, *next; client; client = next) {
        next = client->next;
        if (got > 0)
            tell(client, bytes, (size_t)got);
        else
            end_sending(client);
        if (got == 0)
            await_limit(client);
    }
    await_input(hub);
}

static void client_drained(struct outbox *outbox)
{
    struct hub_client *client = LOOP_OWNER(outbox, struct hub_client, outbox);
    struct hub *hub = client->hub;
    client->moved_ms = loop_now_ms();
    if (outbox->failure) {
        lose_client(client, outbox->failure);
        return;
    }
    if (finish_if_stopped(hub))
        return;
    end_sending(client);
    await_client(client);
    await_input(hub);
}

void hub_add(struct hub *hub, int fd, void *label)
{
    struct hub_client *client = memory_new(1, sizeof *client);
    client->hub = hub;
    client->label = label;
    client->watch = (struct watch){.fd = fd, .ready = client_ready};
    client->timer.fired = limit_fired;
    client->moved_ms = loop_now_ms();
    outbox_init(&client->outbox, NULL, end_of_socket(fd), client_drained);
    client->next = hub->clients;
    if (hub->clients)
        hub->clients->previous = client;
    hub->clients = client;
    await_client(client);
    await_limit(client);
    if (!hub->greeting_length || tell(client, hub->greeting, hub->greeting_length))
        end_sending(client);
    await_input(hub);
}

/* The hub's life */

static void patience_over(struct timer *timer)
{
    finish(LOOP_OWNER(timer, struct hub, patience), 0);
}

void hub_start(struct hub *hub, struct loop *loop)
{
    hub->loop = loop;
    hub->buffer = memory_grow(NULL, HUB_READ, 2);
    hub->in_watch = (struct watch){.fd = hub->in.fd, .ready = input_ready};
    hub->patience.fired = patience_over;
    outbox_init(&hub->outbox, loop, hub->out, output_drained);
    outbox_heed_reader(&hub->outbox);
}

void hub_stop(struct hub *hub)
{
    hub->stopping = true;
    await_clients(hub);
    await_input(hub);
    if (!finish_if_stopped(hub))
        loop_timer_set(hub->loop, &hub->patience, PATIENCE_MS);
}

void hub_release(struct hub *hub)
{
    if (!hub->loop)
        return;
    while (hub->clients)
        drop(hub->clients, HUB_STOPPED);
    loop_unwatch(hub->loop, &hub->in_watch);
    loop_timer_cancel(hub->loop, &hub->patience);
    outbox_release(&hub->outbox);
    free(hub->buffer);
    hub->loop = NULL;
}
