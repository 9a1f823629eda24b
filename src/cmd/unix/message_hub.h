/*
 * The clients of unix-serve, any number at once: their frames in, answers out.
 *
 * A client that does not read its answers is not read from until it does, and delays nobody else. While the hub is
 * paused, clients with something to say wait in a list, and have a turn after it. When too much is held for all
 * clients together, the one for which most is held is disconnected. A message is taken out of its client's socket
 * only when it is given to the owner: so whoever sent it can see, at the end, that it was not read.
 *
 * A frame that is malformed, or cut short by the client's end, is a warning, and the end of that client alone.
 */
#ifndef CMD_UNIX_MESSAGE_HUB_H
#define CMD_UNIX_MESSAGE_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "cli/report.h"
#include "proto/frame.h"
#include "stream/peer.h"
#include "stream/write_queue.h"
#include "sys/loop.h"

enum { MESSAGE_HUB_READ = 65536 };

struct message_client {
    struct message_hub *hub;
    struct peer peer; /* of hub->clients; the owner notes in its idle limit what moves elsewhere */
    bool
        held; /* set by the owner in `arrived`: until message_hub_go_on it gets no further message */
    bool last; /* no message is wanted of it any more */
    struct frame_reader reader;
    struct write_queue answers;
    unsigned long number;        /* the first is 1 */
    struct budget_holder holder; /* of its frame that is not complete, of answers, */
    size_t owned;                /* and of what the owner holds, see message_hub_owns */
    uint64_t last_bytes;         /* since message_hub_end */
    int failure;                 /* errno, of reading what had been seen: it would be seen again */
    int64_t began_ms;
    uint64_t bytes_in;
    uint64_t bytes_out;
    int passed;      /* a descriptor that came with the message; the hub's; 0: none */
    void *user_data; /* the owner's */
};

/* Zeroed by the owner, which then sets what stands before `turn`, and the callbacks. */
struct message_hub {
    struct peers
        clients;      /* its loop and idle_ms are the owner's to set; they wait while `paused` */
    const char *name; /* where it is connected to; the owner's */
    const struct framing *framing;
    size_t max_message;
    bool takes_descriptors; /* one with each message; else the kernel closes them */
    uint64_t max_memory;    /* bytes held for all clients together */
    struct timer turn;      /* of those that wait */
    struct budget budget;
    unsigned long count;    /* of all there ever were */
    bool paused;            /* set by the owner: no client is read from until message_hub_resume */
    struct write_cork cork; /* of answers to the client whose turn it is */
    char buffer[MESSAGE_HUB_READ];
    size_t seen;     /* bytes in it, of the client whose turn it is */
    size_t consumed; /* of these */
    /* Called when a message has come. Returns false where nothing more is wanted of this client. It may set
     * client->held, and call message_hub_answer and message_hub_end. */
    bool (*arrived)(struct message_client *client, const struct frame *message);
    /* Called when one client has had its turn. It may set hub->paused. */
    void (*turn_over)(struct message_hub *hub);
    /* Called after message_hub_end, when the last client has gone. */
    void (*ended)(struct message_hub *hub);
    /* Called when a client is about to go. */
    void (*left)(struct message_client *client);
};

/* message_hub_init begins without clients. */
void message_hub_init(struct message_hub *hub);

/* message_hub_add takes over a non-blocking socket as that of a new client. */
void message_hub_add(struct message_hub *hub, int fd);

/* message_hub_answer sends an answer to a message that has just arrived, or to a client that is held; the message is
 * copied. A client that has gone away without reading its answers is no failure: what it sent counts. */
void message_hub_answer(struct message_client *client, const char *message, size_t length);

/* message_hub_go_on says that the owner is done with a message of a client that is held. It may end the client. */
void message_hub_go_on(struct message_client *client);

/* message_hub_owns says how many bytes the owner holds for this client. */
void message_hub_owns(struct message_client *client, size_t bytes);

/* message_hub_resume ends a pause. */
void message_hub_resume(struct message_hub *hub);

/* message_hub_end begins the end: what the clients have sent already is still read, then they are closed; `ended`
 * follows. */
void message_hub_end(struct message_hub *hub);

/* message_hub_release closes what is left, and reports that it ended like this. It may be called twice. */
void message_hub_release(struct message_hub *hub, enum report_how how);

#endif
