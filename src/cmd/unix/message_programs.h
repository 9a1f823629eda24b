/*
 * unix-serve --exec, --sh-exec: a program for each message, with the message on its stdin; what it writes is the answer.
 *
 * A client has one at a time: its further messages wait in its socket, and its answers keep their order. What goes
 * wrong with a program is a warning, and no answer where there is none to give.
 */
#ifndef CMD_UNIX_MESSAGE_PROGRAMS_H
#define CMD_UNIX_MESSAGE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "cmd/unix/message_hub.h"
#include "sys/process.h"

struct message_programs {
    /* Set by the owner; with argv NULL there are no programs. */
    struct message_hub *hub;
    struct children *children; /* initialised */
    const char **argv;         /* of program_words; the owner's */
    size_t max;                /* at a time: the owner pauses the hub when so many are running */
    /* Called when one has ended: there is room for another. */
    void (*ended)(struct message_programs *programs);

    struct list running;
    bool ending;
};

/* message_programs_run starts the program for a message that has just arrived; the client, whose user_data is the
 * program's meanwhile, is held until it has ended. */
void message_programs_run(struct message_programs *programs, struct message_client *client,
                          const struct frame *message);

/* message_programs_abandon is for a client that goes: its program, if any, gets SIGTERM, and SIGKILL a second later. */
void message_programs_abandon(struct message_client *client);

/* message_programs_end waits, by running the loop, until all have ended, and kills those that have not within 0.8 s.
 * All clients are gone, and their programs were told so. */
void message_programs_end(struct message_programs *programs);

#endif
