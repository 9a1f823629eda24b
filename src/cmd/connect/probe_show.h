/*
 * What a probe has found, on stdout.
 */
#ifndef CMD_CONNECT_PROBE_SHOW_H
#define CMD_CONNECT_PROBE_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/address.h"
#include "net/port_probe.h"
#include "sys/loop.h"

struct finding {
    uint16_t port; /* 0: that of the address, which need not have one */
    bool known;
    enum port_probe_answer answer;
    int64_t took_us;
    char *reason; /* the finding's; NULL: none */
};
bool finding_is_open(const struct finding *finding);

struct findings {
    const struct finding *each;
    size_t count;
    const struct address *address; /* that was probed */
    unsigned port;                 /* its own, as a number */
};

/* The host, or the whole address where it has none, as it was typed; in `out` (ADDRESS_TEXT_MAX
 * bytes) where it has to be put together. */
const char *finding_host(const struct address *address, char *out);

/* A line for each that is open, with its details also for the others; or all that are known as an
 * array of JSON objects. Status 8, silent where a reader has had enough. Runs the loop until stdout has
 * taken it: -1, and *err as it was, when somebody else stops that. */
int findings_show(const struct findings *findings, struct loop *loop, bool json, bool detailed,
                  struct error *err);

#endif
