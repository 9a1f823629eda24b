/*
 * The options that look at or change the bytes of a transfer, as filters for those who move them.
 */
#ifndef CMD_FILTERS_H
#define CMD_FILTERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/copy_file.h"
#include "cmd/shared.h"
#include "io/filter.h"
#include "io/pace.h"
#include "proto/encoder.h"
#include "proto/telnet.h"

/* One direction. */
struct flow {
    struct filter filter;
    struct pace pace;
    char direction;  /* '>' to the socket, '<' from it */
    uint64_t offset; /* in the dump */
};

struct filters {
    const struct transfer_options *options;
    struct flow up;
    struct flow down;
    struct encoder encoder; /* of what is sent */
    struct telnet telnet;   /* that arrives */
    struct copy_file output;
    struct copy_file dump;
    struct error error; /* what went wrong in a filter; status 0: nothing */
};

/* Whether `options` make sense for the clients of a server, which share stdin and stdout. Status 2. */
int filters_check_shared(const struct transfer_options *options, struct error *err);
/* Opens what the options name; filters_close whatever came of it. */
int filters_open(struct filters *filters, const struct transfer_options *options,
                 struct error *err);
/* Ends with what the transfer ended with, `result`, or else with an error of a filter, of which
 * the transfer could only say that there was one. */
int filters_close(struct filters *filters, int result, struct error *err);

/* What is sent without being read, and so without a filter. */
int filters_greeting(struct filters *filters, const char *bytes, size_t length);
/* The filters of one transfer; NULL where nobody has to look at the bytes. */
struct filter *filters_up(struct filters *filters);
struct filter *filters_down(struct filters *filters);
/* The pace of one transfer; NULL where it goes as fast as it can. */
struct pace *filters_up_pace(struct filters *filters);
struct pace *filters_down_pace(struct filters *filters);

#endif
