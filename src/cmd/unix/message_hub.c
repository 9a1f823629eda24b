/*
 * See message_hub.h. A client has its turn (hub_read_client) when its socket can be read: what is there is looked at
 * (MSG_PEEK), its messages go to the owner one by one, and what they took is then taken out of the socket. While the
 * owner cannot take more (paused), clients with something to say wait for their turn in a list. Answers are queued for
 * each client; what all of them hold is counted in one budget.
 *
 * Once the hub is ending nobody is watched: clients are read in turn (hub_read_last) until nothing is there.
 */
#include "cmd/unix/message_hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "cmd/common/connection_log.h"
#include "sys/sock.h"

enum {
    LAST_BYTES = 1 << 20, /* more than the queue of a socket holds */
    NAME_ROOM = 32
};

/* What a turn of a client came to. */
enum client_turn {
    CLIENT_READ,
    CLIENT_SILENT, /* for now */
    CLIENT_GONE    /* and freed */
};

static void client_drop_passed(struct message_client *client)
{
    if (client->passed)
        sock_close(client->passed);
    client->passed = 0;
}

/* The end of a client */

/* Reports the end of a client and frees it; `why` is what went wrong, or NULL. */
static enum client_turn client_end(struct message_client *client, enum report_how how,
                                   const char *why)
{
    struct message_hub *hub = client->hub;
    char name[NAME_ROOM];
    const struct report_end end = {.local = hub->name,
                                   .peer = name,
                                   .in = client->bytes_in,
                                   .out = client->bytes_out,
                                   .lasted_ms = loop_now_ms() - client->began_ms,
                                   .how = how};
    snprintf(name, sizeof name, "client %lu", client->number);
    if (why)
        report_warning("%s: %s", name, why);
    report_closed(&end);
    peer_leave(&client->peer);
    hub->left(client);
    budget_set(&hub->budget, &client->holder, 0);
    peer_close(&client->peer, false);
    client_drop_passed(client);
    frame_reader_release(&client->reader);
    write_queue_release(&client->answers);
    free(client);
    return CLIENT_GONE;
}

/* Ends a client whose socket gives no more; `failure` is errno, or 0 at the end of its stream. */
static enum client_turn client_end_stream(struct message_client *client, int failure)
{
    char why[128];
    size_t rest = frame_reader_rest(&client->reader).length;
    if (failure == ECONNRESET && client->bytes_out) /* it has not read its answers */
        failure = 0;
    const enum report_how how = failure ? connection_log_how_failed(failure) : REPORT_EOF;
    if (!rest)
        return client_end(client, how, failure ? strerror(failure) : NULL);
    snprintf(why, sizeof why, "frame cut short after %zu %s%s%s", rest, units_bytes(rest),
             failure ? ": " : "", failure ? strerror(failure) : "");
    return client_end(client, how, why);
}

/* What is awaited, and what is held */

static void client_await(struct message_client *client)
{
    const struct message_hub *hub = client->hub;
    bool out = write_queue_has_pending(&client->answers);
    bool in = !out && !client->held && !client->peer.waits;
    if (!hub->clients.stopping && (in || out))
        loop_watch(hub->clients.loop, &client->peer.watch, out ? EPOLLOUT : EPOLLIN);
    else
        loop_unwatch(hub->clients.loop, &client->peer.watch);
}

/* Counts what is held for the client. A budget that is exceeded is not kept at once: whoever is at work with a client
 * finds it as it was. */
static void client_count_memory(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    budget_set(&hub->budget, &client->holder,
               client->reader.room + client->answers.room + client->owned);
    if (budget_is_exceeded(&hub->budget) && !loop_timer_is_set(&hub->turn))
        loop_timer_set(hub->clients.loop, &hub->turn, 0);
}

void message_hub_owns(struct message_client *client, size_t bytes)
{
    client->owned = bytes;
    client_count_memory(client);
}

static void hub_keep_budget(struct message_hub *hub)
{
    struct budget_holder *largest;
    while (budget_is_exceeded(&hub->budget) && (largest = budget_largest(&hub->budget)))
        client_end(LOOP_OWNER(largest, struct message_client, holder), REPORT_SLOW,
                   "what is held for it was the most when all had reached --max-memory");
}

/* The turn of a client */

void message_hub_answer(struct message_client *client, const char *message, size_t length)
{
    struct message_hub *hub = client->hub;
    struct frame_ends ends;
    bool too_late = hub->clients.stopping && write_queue_has_pending(&client->answers);
    if (too_late || client->answers.failure || frame_wrap(&ends, hub->framing, message, length))
        return;
    client->bytes_out += ends.head_length + length + ends.tail_length;
    write_queue_cork(&client->answers, &hub->cork);
    write_queue_put(&client->answers, ends.head, ends.head_length);
    write_queue_put(&client->answers, message, length);
    write_queue_put(&client->answers, ends.tail, ends.tail_length);
}

/* Takes all that was seen, but for the last `rest` bytes, out of the socket. Of several descriptors the first counts. */
static void client_consume(struct message_client *client, size_t rest)
{
    struct message_hub *hub = client->hub;
    while (hub->consumed + rest < hub->seen) {
        char *at = hub->buffer + hub->consumed;
        size_t length = hub->seen - rest - hub->consumed;
        int passed = 0;
        ssize_t got = hub->takes_descriptors
                          ? sock_recv_with(client->peer.watch.fd, at, length, &passed)
                          : sock_recv(client->peer.watch.fd, at, length);
        if (!client->passed)
            client->passed = passed;
        else if (passed)
            sock_close(passed);
        if (got <= 0) {
            client->failure = got < 0 ? errno : EIO;
            return;
        }
        hub->consumed += (size_t)got;
        client->bytes_in += (size_t)got;
        client->last_bytes += hub->clients.stopping ? (size_t)got : 0;
    }
}

/* Takes the messages that are there, up to one that is not done with, or whose answer the client cannot take now. A
 * descriptor comes with the bytes that it was sent beside: those of this message, if only they have been read. */
static enum frame_step client_take_messages(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    enum frame_step step = FRAME_MESSAGE;
    while (step == FRAME_MESSAGE && !client->held && !client->last && !client->failure) {
        struct frame message;
        if (!hub->clients.stopping && write_queue_has_pending(&client->answers))
            break;
        step = frame_reader_next(&client->reader, &message);
        if (step != FRAME_MESSAGE)
            break;
        if (hub->takes_descriptors)
            client_consume(client, frame_reader_rest(&client->reader).length);
        client->last = !hub->arrived(client, &message);
        client_drop_passed(client);
    }
    write_queue_uncork(&client->answers);
    client_consume(client, step == FRAME_MORE ? 0 : frame_reader_return(&client->reader));
    return step;
}

static enum client_turn hub_read_client(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    ssize_t got = sock_recv_flags(client->peer.watch.fd, hub->buffer, sizeof hub->buffer, MSG_PEEK);
    if (got < 0 && errno == EAGAIN)
        return CLIENT_SILENT;
    if (got <= 0)
        return client_end_stream(client, got < 0 ? errno : 0);
    idle_limit_moved(&client->peer.idle);
    hub->seen = (size_t)got;
    hub->consumed = 0;
    frame_reader_feed(&client->reader, hub->buffer, hub->seen);
    if (client_take_messages(client) == FRAME_MALFORMED) {
        char why[FRAME_WRONG_MAX + 32];
        snprintf(why, sizeof why, "malformed frame: %s", client->reader.wrong);
        return client_end(client, REPORT_ERROR, why);
    }
    if (client->failure && !client->held)
        return client_end_stream(client, client->failure);
    if (client->last && !client->held)
        return client_end(client, REPORT_EOF, NULL);
    client_count_memory(client);
    client_await(client);
    return CLIENT_READ;
}

/* Reads what clients have sent before it was over, as far as it goes now; it goes on where a pause has interrupted it. */
static void hub_read_last(struct message_hub *hub)
{
    LIST_EACH (struct message_client, client, &hub->clients.list, peer.node) {
        enum client_turn turn = CLIENT_READ;
        if (hub->paused)
            break;
        while (turn == CLIENT_READ && !client->held && !hub->paused) {
            turn = hub_read_client(client);
            if (turn == CLIENT_SILENT || (turn == CLIENT_READ && client->last_bytes > LAST_BYTES))
                turn = client_end(client, REPORT_EOF, NULL);
            hub->turn_over(hub);
        }
    }
    if (!hub->clients.list.count)
        hub->ended(hub);
}

static void hub_end_turn(struct message_hub *hub)
{
    hub->turn_over(hub);
    if (hub->clients.stopping)
        hub_read_last(hub);
    else
        hub_keep_budget(hub);
}

static void hub_turns_due(struct timer *timer)
{
    struct message_hub *hub = LOOP_OWNER(timer, struct message_hub, turn);
    struct peer *next;
    if (!hub->clients.stopping)
        hub_keep_budget(hub);
    while (!hub->paused && !hub->clients.stopping && (next = peers_next_turn(&hub->clients))) {
        struct message_client *client = LOOP_OWNER(next, struct message_client, peer);
        client_await(client);
        hub_read_client(client);
        hub_end_turn(hub);
    }
}

static void client_ready(struct watch *watch, uint32_t events)
{
    struct message_client *client = LOOP_OWNER(watch, struct message_client, peer.watch);
    struct message_hub *hub = client->hub;
    (void)events;
    if (write_queue_has_pending(&client->answers)) {
        write_queue_flush(&client->answers);
    } else if (hub->paused) {
        /* Only a client that has something to say is no longer awaited, and after the pause it is known: with
         * thousands of silent ones, a pause costs nothing. */
        loop_unwatch(hub->clients.loop, watch);
        peer_await_turn(&client->peer);
    } else {
        hub_read_client(client);
        hub_end_turn(hub);
    }
}

static void client_answers_drained(struct write_queue *queue)
{
    struct message_client *client = LOOP_OWNER(queue, struct message_client, answers);
    idle_limit_moved(&client->peer.idle);
    client_count_memory(client);
    client_await(client);
}

/* Ends a client that has been idle for too long. One that waits for us is not: a limit that runs out during a pause
 * begins anew. */
static void client_idle_over(struct idle_limit *idle)
{
    struct message_client *client = LOOP_OWNER(idle, struct message_client, peer.idle);
    struct message_hub *hub = client->hub;
    if (hub->paused && !client->held) {
        idle_limit_start(idle, hub->clients.loop, hub->clients.idle_ms, client_idle_over);
        return;
    }
    client_end(client, REPORT_TIMEOUT, "nothing moved within the time limit");
    if (hub->clients.stopping)
        hub_read_last(hub);
}

/* From the start to the end */

void message_hub_init(struct message_hub *hub)
{
    hub->turn.fired = hub_turns_due;
    budget_init(&hub->budget, hub->max_memory);
}

void message_hub_add(struct message_hub *hub, int fd)
{
    struct message_client *client = memory_new(1, sizeof *client);
    char name[NAME_ROOM];
    client->hub = hub;
    client->number = ++hub->count;
    peer_start(&client->peer, &hub->clients, fd, client_ready, client_idle_over);
    client->began_ms = loop_now_ms();
    frame_reader_init(&client->reader, hub->framing, hub->max_message);
    write_queue_init(&client->answers, NULL, fd_of_socket(fd), client_answers_drained);
    snprintf(name, sizeof name, "client %lu", client->number);
    report_accepted(name, hub->name);
    client_await(client);
}

void message_hub_go_on(struct message_client *client)
{
    struct message_hub *hub = client->hub;
    write_queue_uncork(&client->answers);
    client->held = false;
    idle_limit_moved(&client->peer.idle);
    if (client->failure) {
        client_end_stream(client, client->failure);
    } else if (client->last) {
        client_end(client, REPORT_EOF, NULL);
    } else {
        client_count_memory(client);
        client_await(client);
    }
    if (hub->clients.stopping)
        hub_read_last(hub);
}

void message_hub_resume(struct message_hub *hub)
{
    hub->paused = false;
    if (hub->clients.stopping)
        hub_read_last(hub);
    else if (hub->clients.waiting.count)
        loop_timer_set(hub->clients.loop, &hub->turn, 0);
}

void message_hub_end(struct message_hub *hub)
{
    hub->clients.stopping = true;
    LIST_EACH (struct message_client, client, &hub->clients.list, peer.node)
        client_await(client);
}

void message_hub_release(struct message_hub *hub, enum report_how how)
{
    LIST_EACH (struct message_client, client, &hub->clients.list, peer.node)
        client_end(client, how, NULL);
    loop_timer_cancel(hub->clients.loop, &hub->turn);
}
