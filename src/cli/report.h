/*
 * What is told about connections, on stderr: lines at -v, or with --log json objects, always.
 * Addresses are texts as sockname_text makes them.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* How a connection ended. */
enum report_how {
    REPORT_EOF,
    REPORT_RESET,   /* the peer refused, or is gone */
    REPORT_TIMEOUT, /* a limit of ours, or of the system's TCP */
    REPORT_SIGNAL,
    REPORT_SLOW, /* it did not read */
    REPORT_ERROR /* anything else: our side failed */
};

struct report_end {
    const char *local; /* for objects alone; may be NULL */
    const char *peer;  /* empty: none was heard */
    uint64_t in;
    uint64_t out;
    int64_t lasted_ms;
    enum report_how how;
    bool has_tcp; /* the kernel told of these two */
    unsigned rtt_us;
    unsigned retransmits;
};

/* --log json. Before anything is told. */
void report_as_objects(void);
bool report_is_objects(void);

/* "listening on ADDR": at -v, and always for a port that the kernel chose. */
void report_listening(const char *address, bool always);
void report_connected(const char *peer, const char *local);
/* `local` as in report_end. */
void report_accepted(const char *peer, const char *local);
/* "closed PEER: 12 bytes in, 34 out", and how it ended where that was not an end of file. */
void report_closed(const struct report_end *end);
/* --stats: "sent 1.0 MiB, received 12 B in 0.52 s (2.0 MiB/s, 23 B/s)", "rtt 0.1 ms, …". */
void report_stats(const struct report_end *end);
void report_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
