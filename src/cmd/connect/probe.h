/*
 * connect --probe: which ports are open. Nothing is sent to a stream; a UDP port gets a datagram, since nothing else would
 * tell.
 */
#ifndef CMD_CONNECT_PROBE_H
#define CMD_CONNECT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/opt.h"
#include "cmd/common/connect_retry.h"
#include "net/address.h"
#include "net/dial.h"
#include "proto/ports.h"
#include "sys/loop.h"

struct probe_options {
    bool probe;
    bool random;
    bool json;
    bool any;
    int64_t parallel; /* 0: not given */
    struct opt_bytes payload;
};
#define PROBE_ROWS(options, field)                                                                 \
    OPT_GROUP("probes", "Probes"),                                                                 \
        OPT_FOR('z', "probe", flag, options, field.probe, ~MODE_IP,                                \
                "say which ports are open (22,80,8000-8100)"),                                     \
        OPT_FOR('r', "random", flag, options, field.random, MODE_ONLY_WAYS(MODE_PROBE),            \
                "probe the ports in random order"),                                                \
        OPT_FOR('j', "json", flag, options, field.json, MODE_ONLY_WAYS(MODE_PROBE),                \
                "what a probe found, as an array of objects"),                                     \
        OPT_FOR(0, "any", flag, options, field.any, MODE_ONLY_WAYS(MODE_PROBE),                    \
                "one open port is enough"),                                                        \
        OPT_FOR(0, "parallel", number, options, field.parallel, MODE_ONLY_WAYS(MODE_PROBE),        \
                "at most N probes at a time (64)"),                                                \
        OPT_FOR(0, "payload", hex, options, field.payload, MODE_PROBE | MODE_DATAGRAMS,            \
                "what to send to a UDP port (nothing)")

/* An address that is probed: at its own port where there is no list of them. */
struct probe_target {
    struct address address;
    struct ports ports;
};

/* What is probed, and how. All of it is the owner's. */
struct probing {
    const struct probe_options *options;
    const struct connect_retry_options *retry;
    const struct dial_options *dial;
    const struct probe_target *targets;
    size_t count;  /* of them, at least one */
    bool is_quiet; /* stdout is the program's that follows */
    bool no_sandbox;
    bool is_detailed; /* -v: also what is not open, and how long it took */
};

enum { PROBE_WORD_MAX = 512 };

/* A list of ports as it is taken from the words of an address. */
struct probe_list {
    struct ports ports; /* its numbers are the caller's to free; none: the address has no list */
    char word[PROBE_WORD_MAX];
};

/* Reads the `count` words of an address whose port may be a list, of numbers, ranges and, unless `numeric`, the names of
 * services: fills *taken, and puts the first port in the list's place; taken->word may become one of the words. Status
 * 2. */
int probe_take_list(const char **words, int count, bool numeric, struct probe_list *taken,
                    struct error *err);

/* Probes by running the loop, and prints what is open: a line each, with -v also for the others, or an array of JSON
 * objects; again and again, where there are more rounds. Status 4 where a port is not open, 5 where the time for that is
 * over, 8 where stdout fails, silent where a reader has had enough. */
int probe(struct loop *loop, const struct probing *probing, struct error *err);

#endif
