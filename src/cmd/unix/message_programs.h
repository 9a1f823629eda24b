/*
 * unix-serve --exec, --sh-exec: a program for each message, with the message on its stdin; what it
 * writes is the answer.
 *
 * A client has one at a time: its further messages wait in its socket, and its answers keep their
 * order. What goes wrong with a program is a warning, and no answer where there is none to give.
 */
#ifndef CMD_UNIX_MESSAGE_PROGRAMS_H
#define CMD_UNIX_MESSAGE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/unix/message_hub.h"
#include "sys/process.h"

struct message_program; /* one that runs; the user_data of its client */

struct message_programs {
    /* Set by the owner; with argv NULL there are no programs. */
    struct message_hub *hub;
    struct children *children; /* initialised */
    const char **argv;         /* of program_words; the owner's */
    size_t most;               /* at a time */
    /* One has ended: there is room for another. */
    void (*ended)(struct message_programs *programs);

    struct message_program *first;
    size_t count;
    struct timer limit;
};

/* Starts the program for a message that has just arrived; the client is held until it has ended. */
void message_programs_run(struct message_programs *programs, struct message_client *client,
                          const struct frame *message);
/* So many run that there may be no further one. */
bool message_programs_full(const struct message_programs *programs);
/* The client goes: its program, if any, gets SIGTERM, and SIGKILL a second later. */
void message_programs_abandon(struct message_client *client);
/* The same for all, with the loop run until they have ended; there is no client any more. */
void message_programs_end(struct message_programs *programs);

#endif
