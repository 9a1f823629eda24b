#include "stream/undelivered.h"

#include <sys/stat.h>
#include <unistd.h>

#include "sys/sock.h"

/* What was taken from near.in, or lies ready in its file, and did not reach the far side. */
static uint64_t count(const struct relay *relay)
{
    uint64_t lost = relay->up.taken - relay->up.moved;
    int unacknowledged = relay->policy.confirm ? sock_unacknowledged(relay->far.out.fd) : 0;
    /* Our own end of the stream counts as one. */
    if (unacknowledged > 0)
        lost += (uint64_t)unacknowledged - relay->shut;
    struct stat status;
    if (relay->near.in.kind != FD_FILE || fstat(relay->near.in.fd, &status) < 0)
        return lost;
    off_t at = lseek(relay->near.in.fd, 0, SEEK_CUR);
    return at >= 0 && at < status.st_size ? lost + (uint64_t)(status.st_size - at) : lost;
}

void undelivered_add(const struct relay *relay, struct error *err)
{
    uint64_t lost = relay->near.in.fd >= 0 ? count(relay) : 0;
    if (lost)
        error_add(err, " (%llu bytes not delivered)", (unsigned long long)lost);
}
