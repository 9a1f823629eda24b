/*
 * What the hub (hub.c) and its clients (hub_client.c) ask of each other. For these two files alone.
 */
#ifndef STREAM_HUB_STEPS_H
#define STREAM_HUB_STEPS_H

#include "stream/hub.h"

enum { HUB_HOLD_MS = 500 }; /* for a client that is behind, without it taking anything */

/* Of a client. Nothing but hub_client_drop frees it. */
void hub_client_drop(struct hub_client *client, enum hub_end how);
/* Watches it for what is wanted of it now, if anything. */
void hub_client_await(struct hub_client *client);
/* It is read when it is its turn, once the hub reads again, */
void hub_client_wait(struct hub_client *client);
/* or not. */
void hub_client_wait_no_more(struct hub_client *client);
void hub_client_await_limit(struct hub_client *client);
/* If no more input comes: says so to it, once its queue is empty. */
void hub_client_end_sending(struct hub_client *client);
/* Writes of its queue what goes. This may be the end of it, and of the hub. */
void hub_client_flush(struct hub_client *client);
/* It has sent all it had. What is said within the next while is still for it. */
void hub_client_end(struct hub_client *client);

/* Of the hub. */
void hub_client_ready(struct watch *watch, uint32_t events);
bool hub_has_input(const struct hub *hub);
/* Whether the clients would have been told more of it. */
bool hub_cuts_input(const struct hub *hub);
/* Reads the input while at least one client can take what it says: with one client it waits for
 * that one, with several it waits for the fastest. */
void hub_await_input(struct hub *hub);
/* When the hub is told to stop, what is queued is still delivered. True: it has finished. */
bool hub_finish_if_stopped(struct hub *hub);
/* Nothing is read until this client has caught up, if it is about to. */
void hub_hold_for(struct hub *hub, struct hub_client *client);
/* That client has caught up, or has gone, or has taken nothing for too long. */
void hub_look_again(struct hub *hub);

#endif
