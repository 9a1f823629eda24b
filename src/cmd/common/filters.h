/*
 * The options that look at or change the bytes of a transfer, as filters for those who move them.
 */
#ifndef CMD_COMMON_FILTERS_H
#define CMD_COMMON_FILTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/common/options.h"
#include "proto/telnet.h"
#include "stream/filter.h"
#include "stream/pace.h"
#include "sys/loop.h"

/* One direction. */
struct flow {
    struct filter filter;
    struct pace pace;
    char direction;  /* '>' to the socket, '<' from it */
    uint64_t offset; /* in the dump */
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
    struct error error; /* what went wrong in a filter; status 0: nothing */
};

/* Whether `options` make sense for the clients of a server, which share stdin and stdout. Status 2. */
int filters_check_shared(const struct transfer_options *options, struct error *err);
/* Opens what the options name, running the loop until FIFOs have a reader; filters_close whatever came
 * of it. -1, and *err as it was, when somebody else stops the loop. */
int filters_open(struct filters *filters, struct loop *loop, const struct transfer_options *options,
                 struct error *err);
/* From now on that is the loop; nothing waits yet. */
void filters_take_loop(struct filters *filters, struct loop *loop);
/* Whether something waits to be written to what the options name. */
bool filters_wait(const struct filters *filters);
/* Writes that, by running the loop, unless the transfer has ended with a signal or a limit; `stopped`:
 * only as long as it moves. Ends with what the transfer ended with, `result`, or else with an error of a
 * filter, of which the transfer could only say that there was one. */
int filters_close(struct filters *filters, int result, bool stopped, struct error *err);
/* The state of one transfer among several that share the files; the copy is to be left before it is
 * freed. */
void filters_copy(struct filters *filters, const struct filters *from);
void filters_leave(struct filters *filters);

/* What is sent without being read, and so without a filter. */
int filters_greeting(struct filters *filters, const char *bytes, size_t length);
/* The filters of one transfer; NULL where nobody has to look at the bytes. */
struct filter *filters_tx(struct filters *filters);
struct filter *filters_rx(struct filters *filters);
/* The pace of one transfer; NULL where it goes as fast as it can. */
struct pace *filters_tx_pace(struct filters *filters);
struct pace *filters_rx_pace(struct filters *filters);

#endif
