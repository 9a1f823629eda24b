/*
 * Many clients, each of which gets back what it sends: a stream through a pump from the socket to
 * itself, a seqpacket connection message by message. A client that does not read is not read from
 * either: that is the back-pressure, and it delays nobody else.
 */
#ifndef IO_ECHO_H
#define IO_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/packets.h"
#include "io/pump.h"

enum echo_end {
    ECHO_EOF,    /* the client has ended, and got back all of it */
    ECHO_FAILED, /* errno in `failure` */
    ECHO_IDLE,
    ECHO_STOPPED
};

struct echo_client {
    struct echo *echo;
    struct echo_client *next;
    struct echo_client *previous;
    struct watch watch; /* watch.fd is the client's */
    struct timer idle;
    int64_t moved_ms; /* when something moved last, where there is an idle limit */
    bool by_message;  /* seqpacket: packets, else pump */
    union {
        struct pump pump;
        struct packets packets;
    } flow;
    int failure;
    uint64_t bytes_in; /* these three from when it has ended */
    uint64_t bytes_out;
    void *label; /* the owner's */
};

struct echo {
    struct loop *loop;
    int64_t idle_ms; /* of a client; -1: no limit */
    struct pump_pool pool;
    char *buffer; /* for messages, PACKETS_MOST bytes; the echo's, NULL without seqpackets */
    struct echo_client *clients;
    bool stopping;
    struct timer patience; /* with clients that do not read, while stopping */
    /* A client has gone; its descriptor is closed after this. */
    void (*left)(struct echo *echo, const struct echo_client *client, enum echo_end how);
    /* After echo_stop: the last one has gone. */
    void (*stopped)(struct echo *echo);
};

/* loop, idle_ms, left and stopped are set by the owner before. */
void echo_init(struct echo *echo);
/* Takes over a non-blocking socket. */
void echo_add(struct echo *echo, int fd, int socktype, void *label);
/* What has arrived is still sent back, then the connections end. A second call is impatient. */
void echo_stop(struct echo *echo);
/* Ends what is left at once. */
void echo_release(struct echo *echo);

#endif
