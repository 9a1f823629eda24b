/*
 * The limit on open descriptors (RLIMIT_NOFILE).
 */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

#include <stdint.h>

/* As many as the system lets us have: for a server, whose clients cost one each. The soft limit is
 * low only for the sake of programs that use select(2). */
void descriptors_allow_most(void);
/* How many there may be at present. */
int64_t descriptors_most(void);

#endif
