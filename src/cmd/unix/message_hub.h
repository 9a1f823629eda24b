/*
 * The clients of a message server, any number at once: their frames in, answers out.
 *
 * A client that does not read its answers is not read from until it does, and delays nobody else. While
 * the hub is paused, whoever has something to say waits in a row, and has a turn after it. When what is
 * held for all clients together is too much, the one that holds most is disconnected.
 * What is not taken stays in the client's socket: so whoever has sent it can see, at the end, that it
 * was not read.
 *
 * A frame that is malformed, or cut short by the client's end, is a warning, and the end of that
 * client alone.
 */
#ifndef CMD_UNIX_MESSAGE_HUB_H
#define CMD_UNIX_MESSAGE_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "cli/report.h"
#include "proto/frame.h"
#include "stream/batch.h"
#include "stream/write_queue.h"
#include "sys/loop.h"

enum { MESSAGE_HUB_READ = 65536 };

struct message_client {
    struct message_hub *hub;
    struct message_client *next;
    struct message_client *previous;
    struct watch watch;
    struct timer idle;
    struct frame_reader reader;
    struct write_queue answers;
    unsigned long number;              /* the first is 1 */
    bool held;                         /* see message_hub_hold */
    struct message_client *waits_next; /* of those that wait for their turn */
    struct message_client **waits_at;  /* what points at it there; NULL: it does not wait */
    struct budget_holder holder;       /* of its frame that is not complete, of answers, */
    size_t owned;                      /* and of what the owner holds, see message_hub_owns */
    bool last;                         /* no message is wanted of it any more */
    uint64_t last_bytes;               /* since message_hub_end */
    int failure; /* errno, of reading what had been seen: it would be seen again */
    int64_t began_ms;
    int64_t moved_ms;
    uint64_t bytes_in;
    uint64_t bytes_out;
    int passed;      /* a descriptor that came with the message; the hub's; 0: none */
    void *user_data; /* the owner's */
};

/* Zeroed by the owner, which then sets what stands before `clients`, and the callbacks. */
struct message_hub {
    struct loop *loop;
    const char *name; /* where it is connected to; the owner's */
    const struct framing *framing;
    size_t max_message;
    int64_t idle_ms;        /* of a client; -1: no limit */
    bool takes_descriptors; /* one with each message; else the kernel closes them */
    uint64_t max_memory;    /* bytes held for all clients together */
    struct message_client *clients;
    struct message_client *waiting;
    struct message_client **waiting_end;
    struct timer turn; /* of those that wait */
    struct budget budget;
    unsigned long count; /* of all there ever were */
    bool paused;
    bool ending;
    struct batch gathered; /* answers to the client whose turn it is */
    char buffer[MESSAGE_HUB_READ];
    size_t seen;     /* bytes in it, of the client whose turn it is */
    size_t consumed; /* of these */
    /* A message came; false: nothing more is wanted of this client. May call message_hub_answer,
     * message_hub_hold and message_hub_end. */
    bool (*arrived)(struct message_client *client, const struct frame *message);
    /* One client has had its turn. May call message_hub_pause. */
    void (*turn_over)(struct message_hub *hub);
    /* After message_hub_end: the last client has been heard. */
    void (*ended)(struct message_hub *hub);
    /* A client is about to go. */
    void (*left)(struct message_client *client);
};

void message_hub_init(struct message_hub *hub);
/* Takes over a non-blocking socket. */
void message_hub_add(struct message_hub *hub, int fd);
/* An answer to a message that has just arrived, or that is held. */
void message_hub_answer(struct message_client *client, const char *message, size_t length);
/* The message that has just arrived is not done with: until message_hub_go_on, which may end the
 * client, it is given no further one. */
void message_hub_hold(struct message_client *client);
void message_hub_go_on(struct message_client *client);
/* The owner holds so many bytes for this client. */
void message_hub_owns(struct message_client *client, size_t bytes);
/* No client is read from until message_hub_resume. */
void message_hub_pause(struct message_hub *hub);
void message_hub_resume(struct message_hub *hub);
/* What the clients have sent already is still heard, then they are closed; `ended` follows. */
void message_hub_end(struct message_hub *hub);
/* Closes what is left, and tells that this is how it ended. May be called twice. */
void message_hub_release(struct message_hub *hub, enum report_how how);

#endif
