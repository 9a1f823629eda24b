/*
 * The limit on open descriptors (RLIMIT_NOFILE), and those that were inherited.
 */
#ifndef SYS_DESCRIPTORS_H
#define SYS_DESCRIPTORS_H

#include <stdint.h>
#include <sys/resource.h>

/* As many as the system lets us have: for a server, whose clients cost one each. The soft limit is
 * low only for the sake of programs that use select(2): returns it, for those that we start. 0: it
 * is what it was. */
rlim_t descriptors_allow_max(void);
/* How many there may be at present. */
int64_t descriptors_max(void);

/* Every descriptor but 0, 1 and 2 is close-on-exec from now on: ours are anyhow, but whoever started
 * us may have left us some. */
void descriptors_close_on_exec(void);

#endif
