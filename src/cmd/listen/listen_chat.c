/*
 * listen --broker and --chat: what one client says goes to all others, as it comes, or line by line
 * with a name for each client. What comes on stdin goes to all, as from user 0.
 */
#include <stdio.h>
#include <string.h>

#include "cli/report.h"
#include "cmd/listen/listening.h"

enum {
    ROOM = 1 << 16,
    NAME_ROOM = 32,
    NAMES_TOLD = 20,
    PEER_ROOM = 4 * SOCKNAME_TEXT_MAX, /* of one as it is shown */
    ANNOUNCE_ROOM = PEER_ROOM + 2 * NAME_ROOM
};

void listening_broker_heard(struct hub *hub, struct hub_client *from, const char *bytes,
                            size_t length)
{
    if (bytes)
        hub_tell_others(hub, from, bytes, length);
}

/* Lines on their way to all but `from`, gathered so that one send takes those of one read. */
struct gathered {
    struct hub *hub;
    struct hub_client *from;
    size_t length;
    char bytes[ROOM];
};

static void tell(struct gathered *gathered)
{
    if (gathered->length)
        hub_tell_others(gathered->hub, gathered->from, gathered->bytes, gathered->length);
    gathered->length = 0;
}

static unsigned long number_of(const struct hub_client *client)
{
    const struct listening_client *ours = client ? client->user_data : NULL;
    return ours ? ours->number : 0;
}

static void gather(struct gathered *gathered, const struct chat_text *line)
{
    if (ROOM - gathered->length < NAME_ROOM + CHAT_SHOWN_MAX + 1)
        tell(gathered);
    char *out = gathered->bytes + gathered->length;
    size_t length = (size_t)snprintf(out, NAME_ROOM, "<user%lu> ", number_of(gathered->from));
    length += chat_show(out + length, line->bytes, line->length);
    out[length++] = '\n';
    gathered->length += length;
}

static void warn_if_cut(struct listening_client *client)
{
    if (client->reader.cut && !client->warned)
        report_warning("%s: a line longer than %d bytes was cut", client->log.peer, CHAT_LINE_MAX);
    client->warned = client->reader.cut;
}

void listening_chat_heard(struct hub *hub, struct hub_client *from, const char *bytes,
                          size_t length)
{
    struct listening *listening = LOOP_OWNER(hub, struct listening, hub);
    struct listening_client *client = from ? from->user_data : &listening->input;
    struct gathered gathered;
    struct chat_text text = {bytes, length}, line;
    gathered.hub = hub;
    gathered.from = from;
    gathered.length = 0;
    while (bytes && chat_next(&client->reader, &text, &line))
        gather(&gathered, &line);
    if (!bytes && chat_rest(&client->reader, &line))
        gather(&gathered, &line);
    tell(&gathered);
    warn_if_cut(client);
    if (from)
        hub_client_owns(from, client->reader.held ? CHAT_LINE_MAX : 0);
}

/* Comings and goings */

/* Not to those that have ended: they would be kept by each other's leaving. */
static void announce(const struct hub *hub, const struct hub_client *but, const char *what)
{
    char line[NAME_ROOM + ANNOUNCE_ROOM];
    int length = snprintf(line, sizeof line, "<announce> %s\n", what);
    LIST_EACH (struct hub_client, client, &hub->clients, node)
        if (client != but && !client->ended)
            hub_tell(client, line, (size_t)length);
}

/* The new client is told its name, and who is there; of many, some. */
static void welcome(struct hub_client *client)
{
    char line[NAME_ROOM * (NAMES_TOLD + 3)];
    size_t others = client->hub->clients.count - 1;
    int told = 0;
    int length = snprintf(line, sizeof line, "<announce> you are <user%lu>%s", number_of(client),
                          others ? "; already here:" : "");
    for (const struct hub_client *other = LIST_NEXT(client, struct hub_client, node);
         other && told < NAMES_TOLD; told++) {
        length += snprintf(line + length, NAME_ROOM, " <user%lu>", number_of(other));
        other = LIST_NEXT(other, struct hub_client, node);
    }
    if (others > NAMES_TOLD)
        length += snprintf(line + length, NAME_ROOM, " and %zu more", others - NAMES_TOLD);
    line[length++] = '\n';
    hub_tell(client, line, (size_t)length);
}

void listening_chat_joined(struct hub_client *client)
{
    const struct listening_client *ours = client->user_data;
    char shown[PEER_ROOM];
    char what[ANNOUNCE_ROOM];
    size_t length = chat_show(shown, ours->log.peer, strlen(ours->log.peer));
    welcome(client);
    snprintf(what, sizeof what, "%.*s is connected as <user%lu>", (int)length, shown, ours->number);
    announce(client->hub, client, what);
}

void listening_chat_left(const struct hub_client *client)
{
    char what[2 * NAME_ROOM];
    snprintf(what, sizeof what, "<user%lu> has left", number_of(client));
    announce(client->hub, client, what);
}
