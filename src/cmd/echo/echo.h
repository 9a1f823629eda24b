/*
 * Many clients of a small service, on connections. The one that they are named after sends back what it gets: a stream
 * through a pump from the socket to itself, a seqpacket connection message by message. A client that does not read is
 * not read from either: that is the back-pressure, and it delays nobody else.
 */
#ifndef CMD_ECHO_ECHO_H
#define CMD_ECHO_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "cmd/echo/faults.h"
#include "stream/channel.h"
#include "stream/filter.h"
#include "stream/peer.h"
#include "stream/pump.h"
#include "sys/loop.h"

enum {
    CHARGEN_LINES = 95,
    CHARGEN_LINE = 74,
    CHARGEN_PATTERN = CHARGEN_LINES * CHARGEN_LINE,
    DAYTIME_MAX = 64
};

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

/* What serves a client. */
enum echo_kind {
    ECHO_CHANNEL, /* echo */
    ECHO_FAULTY,  /* echo with faults */
    ECHO_TALK     /* the other modes */
};

/* A service other than echo: what has been read (and thrown away) and sent. */
struct echo_talk {
    uint64_t taken;
    uint64_t moved;
    bool in_ended;
};

struct echo_client {
    struct echo *echo;
    struct peer peer; /* of echo->clients */
    bool by_message;  /* seqpacket */
    bool unread;      /* it ends while the client may still be sending */
    enum echo_kind kind;
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
    uint64_t bytes_in; /* these two from when it has ended */
    uint64_t bytes_out;
    void *user_data; /* the owner's */
};

/* What stands before `pool`, left and stopped are set by the owner, the rest is zero. */
struct echo {
    struct peers clients; /* its loop and limits are the owner's to set; they wait while `held` */
    enum echo_mode mode;
    const struct faults *faults; /* the owner's; NULL: none */
    struct tap *tap;             /* the owner's; sees what arrives; NULL: nobody does */
    struct channel_pool pool;
    char *pattern;  /* of chargen; the echo's */
    uint64_t count; /* of clients until now */
    bool held;      /* set by the owner: nobody is served until echo_go_on */
    /* A client has gone; its descriptor is closed after this. */
    void (*left)(struct echo *echo, const struct echo_client *client, enum echo_end how);
    /* After echo_stop: the last one has gone. */
    void (*stopped)(struct echo *echo);
};

/* echo_add takes over a non-blocking socket as that of a new client. */
void echo_add(struct echo *echo, int fd, int socktype, void *user_data);

/* echo_go_on ends the time in which the owner could not take what clients send (`held`). */
void echo_go_on(struct echo *echo);

/* echo_stop ends the service in order: what has arrived is still sent back, then the connections end. A second call
 * ends them at once. */
void echo_stop(struct echo *echo);

/* echo_release ends what is left at once. */
void echo_release(struct echo *echo);

/* chargen_fill writes the beginning of the pattern of RFC 864: CHARGEN_LINES lines of CHARGEN_LINE bytes, after which it
 * starts anew. Pure. */
void chargen_fill(char *out, size_t length);

/* daytime_write writes "Saturday, November 21, 2026 11:12:13-UTC" and CR LF (RFC 867) into DAYTIME_MAX bytes. Returns
 * its length. Pure. */
size_t daytime_write(char *out, time_t now);

#endif
