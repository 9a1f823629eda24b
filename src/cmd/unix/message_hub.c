/*
 * See message_hub.h. A client's frames are read one by one, and each is heard by the owner; while the owner cannot take
 * more (paused), clients that have something to say wait for their turn in a row. Answers are queued for each client; what
 * all of them hold is counted in one budget, and the largest goes when that is exceeded.
 */
#include "cmd/unix/message_hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/common/connection_log.h"
#include "sys/sock.h"

enum {
    LAST_BYTES = 1 << 20, /* more than the queue of a socket holds */
    NAME_ROOM = 32
};

/* What came of listening to a client. */
enum heard {
    HEARD,
    HEARD_NOTHING, /* for now */
    HEARD_LAST     /* and the client is no more */
};

static void drop_passed(struct message_client *client)
{
    if (client->passed)
        sock_close(client->passed);
    client->passed = 0;
}

/* The row of those that wait for their turn */

static void message_client_wait(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    loop_unwatch(hub->loop, &client->watch);
    if (client->waits_at)
        return;
    client->waits_next = NULL;
    client->waits_at = hub->waiting_end;
    *hub->waiting_end = client;
    hub->waiting_end = &client->waits_next;
}

static void message_client_wait_no_more(struct message_client *client)
{
    if (!client->waits_at)
        return;
    *client->waits_at = client->waits_next;
    if (client->waits_next)
        client->waits_next->waits_at = client->waits_at;
    else
        client->hub->waiting_end = client->waits_at;
    client->waits_at = NULL;
}

/* The end of a client */

static void remove_client(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    hub->left(client);
    message_client_wait_no_more(client);
    budget_set(&hub->budget, &client->holder, 0);
    loop_unwatch(hub->loop, &client->watch);
    loop_timer_cancel(hub->loop, &client->idle);
    sock_close(client->watch.fd);
    drop_passed(client);
    frame_reader_release(&client->reader);
    write_queue_release(&client->answers);
    if (client->previous)
        client->previous->next = client->next;
    else
        hub->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
    free(client);
}

/* `why`: what went wrong, or NULL. */
static enum heard part_with(struct message_client *client, enum report_how how, const char *why)
{
    char name[NAME_ROOM];
    const struct report_end end = {.local = client->hub->name,
                                   .peer = name,
                                   .in = client->bytes_in,
                                   .out = client->bytes_out,
                                   .lasted_ms = loop_now_ms() - client->began_ms,
                                   .how = how};
    snprintf(name, sizeof name, "client %lu", client->number);
    if (why)
        report_warning("%s: %s", name, why);
    report_closed(&end);
    remove_client(client);
    return HEARD_LAST;
}

static enum heard part_with_malformed(struct message_client *client)
{
    char why[FRAME_WRONG_MAX + 32];
    snprintf(why, sizeof why, "malformed frame: %s", client->reader.wrong);
    return part_with(client, REPORT_ERROR, why);
}

/* `failure`: errno, or 0 at the end of its stream. */
static enum heard part_with_ended(struct message_client *client, int failure)
{
    char why[128];
    size_t rest = frame_reader_rest(&client->reader).length;
    if (failure == ECONNRESET && client->bytes_out) /* it has not read its answers */
        failure = 0;
    const enum report_how how = failure ? connection_log_how_failed(failure) : REPORT_EOF;
    if (!failure && !rest)
        return part_with(client, how, NULL);
    if (!rest)
        return part_with(client, how, strerror(failure));
    snprintf(why, sizeof why, "frame cut short after %zu bytes%s%s", rest, failure ? ": " : "",
             failure ? strerror(failure) : "");
    return part_with(client, how, why);
}

/* Nobody is awaited once the hub is ending: whoever is left is asked in turn. */
static void await(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    bool out = write_queue_has_pending(&client->answers);
    bool in = !out && !client->held && !client->waits_at;
    if (!hub->ending && (in || out))
        loop_watch(hub->loop, &client->watch, out ? EPOLLOUT : EPOLLIN);
    else
        loop_unwatch(hub->loop, &client->watch);
}

/* Memory */

/* Not at once: whoever is at work with a client finds it as it was. */
static void message_client_count(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    budget_set(&hub->budget, &client->holder,
               client->reader.room + client->answers.room + client->owned);
    if (budget_is_exceeded(&hub->budget) && !loop_timer_is_set(&hub->turn))
        loop_timer_set(hub->loop, &hub->turn, 0);
}

void message_hub_owns(struct message_client *client, size_t bytes)
{
    client->owned = bytes;
    message_client_count(client);
}

static void message_hub_keep_budget(struct message_hub *hub)
{
    struct budget_holder *largest;
    while (budget_is_exceeded(&hub->budget) && (largest = budget_largest(&hub->budget)))
        part_with(LOOP_OWNER(largest, struct message_client, holder), REPORT_SLOW,
                  "what is held for it was the most when all had reached --max-memory");
}

/* Hearing */

/* A client that has gone away without reading its answers is no failure: what it sent counts. */
void message_hub_answer(struct message_client *client, const char *message, size_t length)
{
    struct message_hub *hub = client->hub;
    struct frame_ends ends;
    bool too_late = hub->ending && write_queue_has_pending(&client->answers);
    if (too_late || client->answers.failure || frame_wrap(&ends, hub->framing, message, length))
        return;
    client->bytes_out += ends.head_length + length + ends.tail_length;
    hub->gathered.queue = &client->answers;
    batch_put(&hub->gathered, ends.head, ends.head_length);
    batch_put(&hub->gathered, message, length);
    batch_put(&hub->gathered, ends.tail, ends.tail_length);
}

static bool may_take(const struct message_client *client)
{
    bool answered = client->hub->ending || !write_queue_has_pending(&client->answers);
    return answered && !client->held && !client->last && !client->failure;
}

/* Of several descriptors the first counts. */
static ssize_t receive(struct message_client *client, char *buffer, size_t length)
{
    int passed;
    if (!client->hub->takes_descriptors)
        return sock_recv(client->watch.fd, buffer, length);
    ssize_t got = sock_recv_with(client->watch.fd, buffer, length, &passed);
    if (!client->passed)
        client->passed = passed;
    else if (passed)
        sock_close(passed);
    return got;
}

/* All that was seen but for the last `rest` bytes is done with. */
static void consume(struct message_client *client, size_t rest)
{
    struct message_hub *hub = client->hub;
    while (hub->consumed + rest < hub->seen) {
        ssize_t got = receive(client, hub->buffer + hub->consumed,
                              hub->seen - rest - hub->consumed);
        if (got <= 0) {
            client->failure = got < 0 ? errno : EIO;
            return;
        }
        hub->consumed += (size_t)got;
        client->bytes_in += (size_t)got;
        client->last_bytes += hub->ending ? (size_t)got : 0;
    }
}

/* A descriptor comes with the bytes that it was sent beside: those of this message, if only they
 * have been read. */
static void take_message(struct message_client *client, const struct frame *message)
{
    if (client->hub->takes_descriptors)
        consume(client, frame_reader_rest(&client->reader).length);
    client->last = !client->hub->arrived(client, message);
    drop_passed(client);
}

/* Takes the messages that are there, up to one that is not done with, or whose answer the client
 * cannot take now. */
static enum frame_step take_messages(struct message_client *client)
{
    enum frame_step step = FRAME_MESSAGE;
    struct frame message;
    while (step == FRAME_MESSAGE && may_take(client)) {
        step = frame_reader_next(&client->reader, &message);
        if (step == FRAME_MESSAGE)
            take_message(client, &message);
    }
    batch_flush(&client->hub->gathered);
    consume(client, step == FRAME_MORE ? 0 : frame_reader_return(&client->reader));
    return step;
}

static enum heard hear(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    ssize_t got = sock_peek(client->watch.fd, hub->buffer, sizeof hub->buffer);
    if (got < 0 && errno == EAGAIN)
        return HEARD_NOTHING;
    if (got <= 0)
        return part_with_ended(client, got < 0 ? errno : 0);
    client->moved_ms = loop_now_ms();
    hub->seen = (size_t)got;
    hub->consumed = 0;
    frame_reader_feed(&client->reader, hub->buffer, hub->seen);
    if (take_messages(client) == FRAME_MALFORMED)
        return part_with_malformed(client);
    if (client->failure && !client->held)
        return part_with_ended(client, client->failure);
    if (client->last && !client->held)
        return part_with(client, REPORT_EOF, NULL);
    message_client_count(client);
    await(client);
    return HEARD;
}

/* What a client has sent before it was over, as far as it goes now. */
static void hear_last_of(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    enum heard heard = HEARD;
    while (heard == HEARD && !client->held && !hub->paused) {
        heard = hear(client);
        if (heard == HEARD_NOTHING || (heard == HEARD && client->last_bytes > LAST_BYTES))
            heard = part_with(client, REPORT_EOF, NULL);
        hub->turn_over(hub);
    }
}

/* Goes on where a pause has interrupted it. */
static void hear_last(struct message_hub *hub)
{
    struct message_client *next;
    for (struct message_client *client = hub->clients; client && !hub->paused; client = next) {
        next = client->next;
        hear_last_of(client);
    }
    if (!hub->clients)
        hub->ended(hub);
}

static void end_turn(struct message_hub *hub)
{
    hub->turn_over(hub);
    if (hub->ending)
        hear_last(hub);
    else
        message_hub_keep_budget(hub);
}

static void turns_come(struct timer *timer)
{
    struct message_hub *hub = LOOP_OWNER(timer, struct message_hub, turn);
    if (!hub->ending)
        message_hub_keep_budget(hub);
    while (hub->waiting && !hub->paused && !hub->ending) {
        struct message_client *client = hub->waiting;
        message_client_wait_no_more(client);
        await(client);
        hear(client);
        end_turn(hub);
    }
}

static void client_ready(struct watch *watch, uint32_t events)
{
    struct message_client *client = LOOP_OWNER(watch, struct message_client, watch);
    struct message_hub *hub = client->hub;
    (void)events;
    if (write_queue_has_pending(&client->answers)) {
        write_queue_flush(&client->answers);
    } else if (hub->paused) {
        message_client_wait(client);
    } else {
        hear(client);
        end_turn(hub);
    }
}

static void answers_drained(struct write_queue *queue)
{
    struct message_client *client = LOOP_OWNER(queue, struct message_client, answers);
    client->moved_ms = loop_now_ms();
    message_client_count(client);
    await(client);
}

static void drop_idle(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    part_with(client, REPORT_TIMEOUT, "nothing moved within the time limit");
    if (hub->ending)
        hear_last(hub);
}

/* A client that waits for us is not idle. */
static void idle_over(struct timer *timer)
{
    struct message_client *client = LOOP_OWNER(timer, struct message_client, idle);
    const struct message_hub *hub = client->hub;
    int64_t left_ms = client->moved_ms + hub->idle_ms - loop_now_ms();
    if (hub->paused && !client->held)
        left_ms = hub->idle_ms;
    if (left_ms > 0)
        loop_timer_set(hub->loop, timer, left_ms);
    else
        drop_idle(client);
}

void message_hub_init(struct message_hub *hub)
{
    hub->waiting_end = &hub->waiting;
    hub->turn.fired = turns_come;
    budget_init(&hub->budget, hub->max_memory);
}

void message_hub_add(struct message_hub *hub, int fd)
{
    struct message_client *client = memory_new(1, sizeof *client);
    char name[NAME_ROOM];
    client->hub = hub;
    client->number = ++hub->count;
    client->watch = (struct watch){.fd = fd, .ready = client_ready};
    client->idle.fired = idle_over;
    client->began_ms = client->moved_ms = loop_now_ms();
    frame_reader_init(&client->reader, hub->framing, hub->max_message);
    write_queue_init(&client->answers, NULL, fd_of_socket(fd), answers_drained);
    client->next = hub->clients;
    if (hub->clients)
        hub->clients->previous = client;
    hub->clients = client;
    if (hub->idle_ms >= 0)
        loop_timer_set(hub->loop, &client->idle, hub->idle_ms);
    snprintf(name, sizeof name, "client %lu", client->number);
    report_accepted(name, hub->name);
    await(client);
}

void message_hub_hold(struct message_client *client)
{
    client->held = true;
}

static void message_client_go_on(struct message_client *client)
{
    message_client_count(client);
    await(client);
}

void message_hub_go_on(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    batch_flush(&hub->gathered);
    client->held = false;
    client->moved_ms = loop_now_ms();
    if (client->failure)
        part_with_ended(client, client->failure);
    else if (client->last)
        part_with(client, REPORT_EOF, NULL);
    else
        message_client_go_on(client);
    if (hub->ending)
        hear_last(hub);
}

/* Only a client that has something to say is no longer awaited, and after the pause it is known: with
 * thousands of silent ones, a pause costs nothing. */
void message_hub_pause(struct message_hub *hub)
{
    hub->paused = true;
}

void message_hub_resume(struct message_hub *hub)
{
    hub->paused = false;
    if (hub->ending)
        hear_last(hub);
    else if (hub->waiting)
        loop_timer_set(hub->loop, &hub->turn, 0);
}

void message_hub_end(struct message_hub *hub)
{
    hub->ending = true;
    for (struct message_client *client = hub->clients; client; client = client->next)
        await(client);
}

void message_hub_release(struct message_hub *hub, enum report_how how)
{
    while (hub->clients)
        part_with(hub->clients, how, NULL);
    loop_timer_cancel(hub->loop, &hub->turn);
}
