/*
 * What is logged of connections, on stderr: lines at -v, or with --log json objects, always. Addresses are texts as
 * sockname_text makes them. And whether what a command printed on stdout has got there.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* How a connection ended. */
enum report_how {
    REPORT_EOF,
    REPORT_RESET,   /* the peer refused, or is gone */
    REPORT_TIMEOUT, /* a limit of ours, or of the system's TCP */
    REPORT_SIGNAL,
    REPORT_SLOW, /* it did not read */
    REPORT_ERROR /* anything else: our side failed */
};

/* report_how_text returns that as a word: "eof", "reset" and so on. */
const char *report_how_text(enum report_how how);

struct report_end {
    const char *local; /* for objects alone; may be NULL */
    const char *peer;  /* empty: nothing has come from any */
    uint64_t in;
    uint64_t out;
    int64_t lasted_ms;
    enum report_how how;
    bool has_tcp; /* the kernel knew these two */
    unsigned rtt_us;
    unsigned retransmits;
};

/* report_as_objects switches to objects (--log json), before anything is logged. */
void report_as_objects(void);

/* report_is_objects says whether objects are written. */
bool report_is_objects(void);

/* report_listening logs "listening on ADDR", and on a terminal "listening on ADDR (UDP)": at -v, and with `always`, which is
 * for a port that the kernel chose. */
void report_listening(const char *address, bool is_udp, bool always);

/* report_connected logs "connected to PEER" and, where the local end has a name, "from local address LOCAL". */
void report_connected(const char *peer, const char *local);

/* report_accepted logs "accepted PEER"; `local` is as in report_end. */
void report_accepted(const char *peer, const char *local);

/* report_closed logs "closed PEER: 12 bytes in, 34 out", and how it ended where that was not an end of file. */
void report_closed(const struct report_end *end);

/* report_stats logs what --stats asks for: "sent 1.0 MiB, received 12 B in 520 ms (1.9 MiB/s, 23 B/s); rtt 0.10 ms, 0
 * retransmits". A rate is of what has moved, and not of nothing. On a terminal that is too narrow for it, it is two lines. */
void report_stats(const struct report_end *end);

/* report_is_watched says whether messages go to a terminal, as lines for a person. */
bool report_is_watched(void);

/* report_wrote says on a terminal, last, that a file was written: "wrote FILE: 2.9 MiB in 2.8 s (1.0 MiB/s)". Without a
 * name it is "received 2.9 MiB ...". A negative `ms`: the time says nothing. */
void report_wrote(const char *name, uint64_t bytes, int64_t ms);

/* report_warning logs a warning of up to 2 KiB. */
void report_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* report_flush_stdout flushes what was printed with stdio. It returns 0 when all of it has reached stdout; else
 * status 8, without a message where the reader of a pipe has gone away. */
int report_flush_stdout(struct error *err);

#endif
