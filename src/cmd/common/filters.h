/*
 * The options that look at or change the bytes of a transfer, as filters and paces for those who move them.
 */
#ifndef CMD_COMMON_FILTERS_H
#define CMD_COMMON_FILTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/dump.h"
#include "cmd/common/options.h"
#include "proto/telnet.h"
#include "stream/filter.h"
#include "stream/pace.h"
#include "sys/loop.h"

/* One direction of a transfer. */
struct flow {
    struct filter filter;
    bool is_filtered; /* an option is given for which somebody has to see the bytes */
    bool is_copied;   /* --output is for what passes here */
    struct pace pace;
    char direction;           /* '>' to the socket, '<' from it */
    char mark[DUMP_MARK_MAX]; /* of its lines in the dump */
    uint64_t offset;          /* in the dump */
    uint64_t left_out;        /* bytes that the dump lacks, and does not say so yet */
};

/* The files of --output and --hex-dump, which the filters of several transfers may share. */
struct copies;

struct filters {
    const struct transfer_options *options;
    struct flow tx;
    struct flow rx;
    struct telnet_encoder encoder; /* of what is sent */
    struct telnet telnet;          /* that arrives */
    struct copies *copies;
    uint64_t number;    /* of a relay's connection; else 0 */
    const char *failed; /* the file that could not be written; NULL: none */
    int failure;        /* its errno */
    bool is_silent;     /* the reader of stdout has had enough */
};

/* Opens the files that the options name, and runs the loop until those that are FIFOs have a reader. filters_close follows,
 * whatever comes of it. For a relay between two others (`relays`), the directions are those of its client, whose bytes are
 * copied both ways, and `-` is stdout for --output. Status 2 or 8; -1, with *err as it was, when somebody else stops the
 * loop. */
int filters_open(struct filters *filters, struct loop *loop, const struct transfer_options *options,
                 bool relays, struct error *err);

/* Makes another loop the one that waits for the files, in a process of its own; nothing waits yet. */
void filters_take_loop(struct filters *filters, struct loop *loop);

/* Says whether a filter has failed, and fills *err if so (status 8). */
bool filters_error(const struct filters *filters, struct error *err);

/* Tells whether something waits to be written to the files. */
bool filters_wait(const struct filters *filters);

/* Writes what waits, by running the loop, unless the transfer has ended with a signal or a limit; with `stopped` only as
 * long as it moves. Closes the files. Returns what the transfer ended with, `result`, or else -1 with the error of a filter,
 * of which the transfer could only say that there was one. */
int filters_close(struct filters *filters, int result, bool stopped, struct error *err);

/* filters_copy makes the state of one transfer among several that share the files; filters_leave, before it is freed, makes
 * sure that the files let no filter of it go on. */
void filters_copy(struct filters *filters, const struct filters *from);
void filters_leave(struct filters *filters);

/* Does what filters_copy does for the connection of that number of a relay, and notes in the dump that it begins, with what
 * `text` says of it. Whoever moves its bytes sets itself as the mover of both filters. */
void filters_begin(struct filters *filters, const struct filters *from, uint64_t number,
                   const char *text);

/* Notes that it has ended, and how, and leaves as filters_leave does. */
void filters_end(struct filters *filters, const char *text);

/* Writes down what is sent or has arrived by a way that no filter is on. The flow's filter is `held` from then on, where
 * the files do not take that at once. -1: it failed, and filters_close will say why. */
int filters_look_tx(struct filters *filters, const char *bytes, size_t length);
int filters_look_rx(struct filters *filters, const char *bytes, size_t length);

/* Writes a greeting down, which goes before all that is sent. It holds nothing. -1 as above. */
int filters_greeting(struct filters *filters, const char *bytes, size_t length);

/* Returns the filter of a flow; NULL where nobody has to look at the bytes. */
struct filter *flow_filter(struct flow *flow);

/* Returns the pace of a flow; NULL where it goes as fast as it can. */
struct pace *flow_pace(struct flow *flow);

#endif
