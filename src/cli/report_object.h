/*
 * --log json: what is told as objects, one a line on stderr. Each has "event" and "time" (RFC 3339,
 * UTC); see sockctl(1), LOG.
 */
#ifndef CLI_REPORT_OBJECT_H
#define CLI_REPORT_OBJECT_H

#include "base/log.h"
#include "cli/report.h"

/* An event in a connection's life; a NULL or empty address is left out. */
void report_object_event(const char *event, const char *local, const char *peer);
void report_object_closed(const struct report_end *end, const char *how);
void report_object_message(const struct log_message *message);

#endif
