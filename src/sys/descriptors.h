/*
 * The limit on open descriptors (RLIMIT_NOFILE), and those that were inherited.
 */
#ifndef SYS_DESCRIPTORS_H
#define SYS_DESCRIPTORS_H

#include <stdint.h>
#include <sys/resource.h>

/* Allows as many as the system lets us have: for a server, whose clients cost one each. Returns the soft limit that was,
 * for the programs that we start: it is low only for the sake of those that use select(2). 0: it is what it was. */
rlim_t descriptors_allow_max(void);

/* Returns how many there may be at present. */
int64_t descriptors_max(void);

/* Makes every descriptor but 0, 1 and 2 close-on-exec: ours are anyhow, but whoever started us may have left us some. */
void descriptors_close_on_exec(void);

#endif
