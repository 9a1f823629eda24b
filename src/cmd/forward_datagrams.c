/*
 * listen --to, datagrams: not there yet.
 */
#include "cmd/forward.h"

int forwarding_datagrams(struct forwarding *forwarding)
{
    return error_set(forwarding->listening->err, STATUS_USAGE, "option --to: datagrams");
}
