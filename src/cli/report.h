/*
 * What is told about connections, on stderr: lines at -v. Addresses are texts as
 * sockname_text makes them.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* "listening on ADDR": at -v, and always for a port that the kernel chose. */
void report_listening(const char *address, bool always);
void report_connected(const char *peer, const char *local);
void report_accepted(const char *peer);
/* "closed PEER: 12 bytes in, 34 out". */
void report_closed(const char *peer, uint64_t in, uint64_t out);
void report_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
