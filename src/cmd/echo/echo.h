/*
 * Many clients of a small service, on connections. The one they are named after sends back what it
 * gets: a stream through a pump from the socket to itself, a seqpacket connection message by
 * message. A client that does not read is not read from either: that is the back-pressure, and it
 * delays nobody else.
 */
#ifndef CMD_ECHO_ECHO_H
#define CMD_ECHO_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/echo/faulty.h"
#include "stream/channel.h"
#include "stream/filter.h"
#include "stream/keepalive.h"
#include "stream/pump.h"
#include "sys/drain.h"
#include "sys/loop.h"

enum echo_end {
    ECHO_EOF,    /* the client has ended, and got back all of it */
    ECHO_FAILED, /* errno in `failure` */
    ECHO_IDLE,
    ECHO_STOPPED
};

enum echo_mode {
    ECHO_ECHO,
    ECHO_DISCARD, /* RFC 863: reads, and answers nothing */
    ECHO_CHARGEN, /* RFC 864: sends lines without end */
    ECHO_DAYTIME  /* RFC 867: sends one line, and ends */
};

struct echo_client;

/* How a client is served. What fails leaves errno in the client's `failure`. */
struct echo_service {
    uint32_t events; /* to begin with */
    void (*start)(struct echo_client *client);
    /* Moves what can be moved now; after PUMP_WAITS, as next_events and wait_ms say. */
    enum pump_state (*move)(struct echo_client *client);
    /* Nothing more is read; what is held is still to be written. */
    void (*end_input)(struct echo_client *client);
    /* Gives back what the client holds; sets bytes_in and bytes_out. */
    void (*release)(struct echo_client *client);
};

/* A service other than echo: what has been read (and thrown away) and sent. */
struct echo_talk {
    uint64_t taken;
    uint64_t moved;
    bool in_ended;
};

struct echo_client {
    struct echo *echo;
    const struct echo_service *service;
    struct echo_client *next;
    struct echo_client *previous;
    struct echo_client *waits_next; /* of those that wait until echo_go_on, in their order */
    struct echo_client **waits_at;  /* what points at it there; NULL: it does not wait */
    struct watch watch;             /* watch.fd is the client's */
    struct keepalive *keepalive;
    struct timer idle;
    int64_t moved_ms; /* when something moved last, where there is an idle limit */
    bool by_message;  /* seqpacket */
    bool unread;      /* it ends while the client may still be sending */
    union {
        struct channel channel; /* to itself */
        struct echo_talk talk;
        struct faulty *faulty; /* the client's */
    } flow;
    int failure;
    struct timer pause; /* of PUMP_WAITS */
    int64_t wait_ms;    /* and its length; -1: for as long as it takes */
    uint32_t next_events;
    uint64_t number;   /* among all clients, from 1 */
    uint64_t bytes_in; /* these three from when it has ended */
    uint64_t bytes_out;
    void *user_data; /* the owner's */
};

struct echo {
    struct loop *loop;
    int64_t idle_ms;      /* of a client; -1: no limit */
    int64_t keepalive_ms; /* of its socket, see io/keepalive */
    enum echo_mode mode;
    const struct faults *faults; /* the owner's; NULL: none */
    struct tap *tap;             /* the owner's; sees what arrives; NULL: nobody does */
    struct channel_pool pool;
    char *pattern; /* of chargen; the echo's */
    struct echo_client *clients;
    struct echo_client *waiting;
    struct echo_client **waiting_end;
    uint64_t count; /* of clients until now */
    bool held;      /* echo_hold */
    bool stopping;
    struct drain drain; /* of clients that do not read, while stopping */
    /* A client has gone; its descriptor is closed after this. */
    void (*left)(struct echo *echo, const struct echo_client *client, enum echo_end how);
    /* After echo_stop: the last one has gone. */
    void (*stopped)(struct echo *echo);
};

/* What stands before `pool`, left and stopped are set by the owner before. */
void echo_init(struct echo *echo);
/* Takes over a non-blocking socket. */
void echo_add(struct echo *echo, int fd, int socktype, void *user_data);
/* Nobody is served until echo_go_on: what the clients send has no place to go. */
void echo_hold(struct echo *echo);
void echo_go_on(struct echo *echo);
/* What has arrived is still sent back, then the connections end. A second call is impatient. */
void echo_stop(struct echo *echo);
/* Ends what is left at once. */
void echo_release(struct echo *echo);

/* Of a client, by mode and socket; in echo_services.c. */
const struct echo_service *echo_service_of(const struct echo_client *client);

#endif
